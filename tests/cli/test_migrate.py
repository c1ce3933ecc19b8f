"""What an operator is told about a move: what stops it, the message they will see, and ways out that were tried."""

from __future__ import annotations

from pathlib import Path

import pytest

from armlevel.documents import host_object, pretty
from tests.cli.hosts import Command
from tests.fidelity.hosts import read

OLD, NEW = "neoverse-n2@6.12", "neoverse-n2@7.x"
MESSAGES = {
    "qemu-10.0": [
        "Invalid value 269 expecting positive value <= 268",
        "Failed to put registers after init: Invalid argument",
    ],
    "qemu-11.1": ["handle_cpreg_only_in_incoming_stream: system register op0:3 op1:0 crn:9 crm:14 op2:6"],
}


@pytest.fixture
def recorded(tmp_path: Path) -> dict[str, Path]:
    paths = {}
    for host in read([OLD, NEW, "neoverse-n1@7.x"]):
        paths[host.name] = tmp_path / f"{host.name}.json"
        paths[host.name].write_text(pretty(host_object(host)), encoding="utf-8")
    return paths


@pytest.mark.parametrize("vmm", MESSAGES)
@pytest.mark.parametrize("pair", [(OLD, NEW), (NEW, OLD)])
def test_two_kernels_on_one_cpu_are_explained_within_25_lines(armlevel: Command, recorded, vmm, pair):
    said = armlevel("migrate", *(recorded[name] for name in pair), "--vmm", vmm)
    lines = said.out.splitlines()
    assert len(lines) <= 25
    for stop in (
        "ID_AA64MMFR2_EL1.NV",
        "PSCI_VERSION         1.3    1.1",
        "no PMMIR_EL1 there: listed from 7.x on",
    ):
        assert stop in said.out
    told = " ".join(said.out.split())
    for message in MESSAGES[vmm]:
        assert message in told
    assert sum(line.startswith("  remedy ") for line in lines) >= 3
    assert "level it with --tolerate el2-only" in said.out
    assert "kernel 7.3 or later on neoverse-n2@6.12" in said.out


def test_the_kernel_is_named_as_the_cause_of_registers_that_come_and_go(armlevel: Command, recorded):
    said = armlevel("migrate", recorded[OLD], recorded[NEW], "--vmm", "qemu-10.0")
    assert said.code == 1
    assert "no TCR2_EL1, PIRE0_EL1, PIR_EL1 there: 6.12 and before list it on a" in said.out
    assert "qemu 11.1 or later on neoverse-n2@7.x (that way only)" in said.out
    assert armlevel("migrate", recorded[OLD], recorded[NEW], "--vmm", "qemu-11.1").code == 0


def test_a_build_of_which_nothing_is_known_is_not_promised_anything(armlevel: Command, recorded):
    said = armlevel("migrate", recorded[OLD], recorded[NEW], "--vmm", "qemu-10.1.0-15.el10")
    assert said.code == 3
    assert "--vmm qemu-list-length or qemu-list-length-named or qemu-tolerant" in " ".join(said.out.split())
    assert armlevel("migrate", recorded[OLD], recorded[NEW], "--vmm", "qemu-tolerant").code == 0


def test_the_ways_out_work_when_they_are_followed(armlevel: Command, recorded, tmp_path: Path):
    guest = tmp_path / "g.json"
    done = armlevel("baseline", recorded[OLD], recorded[NEW], "--tolerate", "el2-only", "-o", guest)
    assert done.code == 0
    for pair in ((OLD, NEW), (NEW, OLD)):
        for vmm in ("kvm", "qemu-10.0", "qemu-11.1"):
            moved = armlevel("migrate", *(recorded[name] for name in pair), "--guest", guest, "--vmm", vmm)
            assert (moved.code, "remedy" in moved.out) == (0, False)


def test_the_first_line_says_that_it_is_predicted(armlevel: Command, recorded, tmp_path: Path):
    guest = tmp_path / "g.json"
    pair = recorded[OLD], recorded["neoverse-n1@7.x"]
    armlevel("baseline", recorded[OLD], "-o", guest)
    assert armlevel("migrate", *pair).out.startswith("predicted: passthrough guest under kvm\n")
    assert armlevel("migrate", *pair, "--guest", guest).out.startswith("predicted: guest g, shape ")


def test_json_holds_the_prediction_and_the_ways_out(armlevel: Command, recorded):
    there, back = armlevel("migrate", recorded[OLD], recorded[NEW], "--vmm", "qemu-10.0", "--json").json[
        "moves"
    ]
    assert there["prediction"] | {"messages": []} == {
        "vmm": "qemu-list-length",
        "outcome": "fails",
        "alive": None,
        "harm": [],
        "blocking": [],
        "counts": [269, 268],
        "messages": [],
    }
    ways = ["vmm", "level-and-run", "upgrade-kernel", "restart"]
    assert [way["kind"] for way in there["remedies"]] == ways
    assert back["prediction"]["blocking"] == ["ID_AA64MMFR2_EL1"]


def test_a_tolerance_is_asked_for_by_name(armlevel: Command, recorded):
    pair = (recorded[NEW], recorded["neoverse-n1@7.x"])
    assert armlevel("baseline", *pair, "--tolerate", "el2-only").code == 1
    said = armlevel("baseline", *pair, "--tolerate", "el2-only", "--tolerate", "id-trap", "--json")
    assert said.code == 0
    assert said.json["guest"]["tolerates"] == ["el2-only", "id-trap"]
    assert "--tolerate el2-only --tolerate id-trap" in said.json["guest"]["made"]["source"]
