"""One CPU on four kernels: `armlevel diff` says in words all that differs, and which kernel changed it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from armlevel.documents import host_object, pretty
from tests.cli.hosts import Command
from tests.fidelity.hosts import read

LINES = ("6.1", "6.12", "6.18", "7.x")
CACHES = {
    **{f"CCSIDR_EL1[{n}]": ("0x1a", "0x2") for n in (0, 1)},
    "CCSIDR_EL1[2]": ("0x3a", "0x2"),
    "CLIDR_EL1.Ttypen": ("10", "0"),
    "CLIDR_EL1.ICB": ("2", "0"),
    "CLIDR_EL1.LoC": ("2", "1"),
    "CLIDR_EL1.Ctype2": ("4", "0"),
    "CLIDR_EL1.Ctype1": ("3", "4"),
}
TIMER = {"CNTPCT_EL0", "CNTP_CTL_EL0", "CNTP_CVAL_EL0"}
UNCONDITIONAL = {"TCR2_EL1", "PIR_EL1", "PIRE0_EL1"}
BMAP_2, PMMIR, PSCI = "KVM_REG_ARM_VENDOR_HYP_BMAP_2", "PMMIR_EL1", "KVM_REG_ARM_PSCI_VERSION"
NV = {"ID_AA64MMFR2_EL1.NV": ("2", "0")}
#: From each kernel to the next: fields that differ, what the newer lists besides, what it lists no more, PSCI.
STEPS = {
    ("6.1", "6.12"): (
        {
            **CACHES,
            "ID_AA64MMFR2_EL1.CCIDX": ("1", "0"),
            "ID_MMFR4_EL1.CCIDX": ("1", "0"),
            "ID_AA64DFR0_EL1.DebugVer": ("6", "9"),
            "ID_AA64DFR0_EL1.PMUVer": ("5", "6"),
            "ID_DFR0_EL1.PerfMon": ("5", "6"),
        },
        {*TIMER, *UNCONDITIONAL, *(f"CCSIDR_EL1[{n}]" for n in range(3, 14))},
        set[str](),
        None,
    ),
    ("6.12", "6.18"): (NV, {BMAP_2}, UNCONDITIONAL, ("0x10001", "0x10003")),
    ("6.18", "7.x"): ({}, {PMMIR}, set[str](), None),
}
#: What stands around the vCPU, on each kernel: whether it offsets the counter, which revisions of GICD_IIDR it takes.
AROUND = {"6.1": ("no", "2 3"), "6.12": ("yes", "2 3"), "6.18": ("yes", "3"), "7.x": ("yes", "2 3")}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    place = tmp_path_factory.mktemp("hosts")
    paths = {line: place / f"n2-{line}.json" for line in LINES}
    for line, path in paths.items():
        (host,) = read([f"neoverse-n2@{line}"])
        path.write_text(pretty(host_object(host)), encoding="ascii")
    return {line: str(path) for line, path in paths.items()}


@pytest.fixture
def diff(armlevel: Command, files: dict[str, str]) -> Callable[..., str]:
    def run(older: str, newer: str, *options: str) -> str:
        answer = armlevel("diff", files[older], files[newer], *options)
        assert answer.code == 1
        return answer.out

    return run


def expected(older: str, newer: str) -> tuple[dict[str, tuple[str, str]], set[str], set[str], object]:
    """Add up the steps between two kernels."""
    steps = [STEPS[pair] for pair in pairwise(LINES[LINES.index(older) : LINES.index(newer) + 1])]
    fields: dict[str, tuple[str, str]] = {}
    came, went, psci = set[str](), set[str](), None
    for values, more, less, version in steps:
        fields |= values
        came, went = (came - less) | (more - went), (went - more) | (less - came)
        psci = version or psci
    return fields, came, went, psci


PAIRS = [(older, newer) for i, older in enumerate(LINES) for newer in LINES[i + 1 :]]


@pytest.mark.parametrize(("older", "newer"), PAIRS)
def test_the_kernels_differ_on_one_cpu_exactly_as_measured(diff, older, newer):
    changes = json.loads(diff(older, newer, "--json"))["changes"]
    fields, came, went, psci = expected(older, newer)
    by_part: dict[str, dict[str, tuple]] = {}
    for one in changes:
        by_part.setdefault(one["part"], {})[one["subject"]] = (one["from"], one["to"])
    state, software = by_part.pop("state", {}), by_part.pop("software")
    assert by_part.pop("registers", {}) == fields
    assert by_part.pop("list", {}) == dict.fromkeys(came, (None, "listed")) | dict.fromkeys(
        went, ("listed", None)
    )
    assert by_part.pop("firmware", {}) == ({PSCI: psci} if psci else {})
    # KVM of 6.12 and later tells a guest of event 0x1e, CHAIN, and 6.1 does not.
    events = {"pmu.pmceid0": ("0x20001", "0x40020001")} if older == "6.1" else {}
    assert by_part.pop("shape", {}) == events
    around = zip(("machine.counter_offset", "machine.gicd_iidr"), AROUND[older], AROUND[newer], strict=True)
    assert by_part.pop("machine", {}) == {name: (was, now) for name, was, now in around if was != now}
    assert by_part == {}
    assert set(software) == {"software.kernel"}
    assert state == {}


@pytest.mark.parametrize(("older", "newer"), PAIRS)
def test_every_difference_is_named_in_words_with_the_kernel_that_made_it(diff, older, newer):
    page = diff(older, newer)
    fields, came, went, psci = expected(older, newer)
    assert max(map(len, page.splitlines())) <= 80
    head, _, tail = page.partition("what KVM changed between these kernels")
    for subject in {*fields, *(came | went), *([PSCI] if psci else [])}:
        for part in (head, tail):
            match = re.fullmatch(r"(CCSIDR_EL1)\[(\d+)\]", subject)
            ranges = re.findall(r"CCSIDR_EL1\[(\d+)\.\.(\d+)\]", part)
            assert subject in part or (match and any(int(a) <= int(match[2]) <= int(b) for a, b in ranges)), (
                subject
            )
    assert "0x603" not in page  # names, no register ids
    told = " ".join(page.split())
    names = [f"neoverse-n2@{line}" for line in (older, newer)]
    for some, (here, there) in ((came, names[::-1]), (went, names)):
        assert (f"listed by {here}, absent from {there}: {len(some)}" in told) == bool(some)


def test_which_kernel_made_it_is_said_of_measured_lines_and_of_one_cpu_only(diff, files, armlevel):
    known = json.loads(diff("6.12", "7.x", "--json"))["kernels"]
    assert {(row["until"], row["since"]) for row in known} == {("6.12", "6.17"), ("7.0", "7.3")}
    explained = [subject for row in known for subject in row["subjects"]]
    assert sorted(explained) == sorted({*NV, *UNCONDITIONAL, BMAP_2, PMMIR, PSCI})
    other = Path(files["7.x"]).with_name("n1.json")
    (host,) = read(["neoverse-n1@7.x"])
    other.write_text(pretty(host_object(host)), encoding="ascii")
    answer = armlevel("diff", files["6.12"], other, "--json")
    assert (answer.code, json.loads(answer.out)["kernels"]) == (1, [])
