"""A profile of what TCG shows is compared, and taken for a host with KVM by no verb."""

from __future__ import annotations

from pathlib import Path

import pytest

from armlevel.documents.write import host_object, pretty
from armlevel.lab.tcg import tcg_host
from armlevel.lab.tcg_guest import CACHES
from tests.cli.hosts import Command

MIDR = 0x414FD0B1
NAMED = {
    "MIDR_EL1": MIDR,
    "ID_AA64PFR0_EL1": 0x11112222,
    "ID_AA64DFR0_EL1": 0x10305408,
    "CNTFRQ_EL0": 62_500_000,
    "DCZID_EL0": 4,
    "GMID_EL1": None,
}


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    file = tmp_path / "tcg.json"
    file.write_text(pretty(host_object(tcg_host("max", "11.1.0", NAMED, [None] * CACHES))))
    return file


@pytest.mark.parametrize(
    "verb",
    [
        ("check", "@graviton2-6.1", "{}"),
        ("check", "{}", "@graviton2-6.1"),
        ("baseline", "{}", "@graviton2-6.1"),
        ("migrate", "{}", "@graviton2-6.1"),
        ("matrix", "{}", "@graviton2-6.1"),
        ("plan", "{}", "@graviton2-6.1"),
        ("drift", "{}", "--guest", "@graviton2-6.1"),
        ("export", "{}", "--to", "qemu"),
        ("freeze", "{}", "--name", "pool", "--version", "1", "-o", "frozen.json"),
    ],
    ids=" ".join,
)
def test_no_verb_takes_it_for_a_host_that_runs_guests(
    armlevel: Command, profile: Path, verb: tuple[str, ...]
):
    said = armlevel(*(word.replace("{}", str(profile)) for word in verb))
    assert said.code == 2
    assert "under TCG, and no host with KVM: nothing migrates there" in said.err.replace("\n", " ")
    assert not (profile.parent / "frozen.json").exists()


def test_show_facts_and_diff_take_it(armlevel: Command, profile: Path):
    assert "TCG, no KVM" in armlevel("show", profile).out
    assert armlevel("facts", "MIDR_EL1", "--in", profile, "--json").json["shown"] == [
        {"profile": "max@tcg-11.1.0", "shape": "pmu_v3", "name": "MIDR_EL1", "value": MIDR}
    ]
    assert armlevel("diff", profile, "@graviton2-6.1").code == 1
