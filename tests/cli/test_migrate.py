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
        "no PMMIR_EL1 there: listed by 7.3 with a PMU",
    ):
        assert stop in said.out
    told = " ".join(said.out.split())
    for message in MESSAGES[vmm]:
        assert message in told
    assert sum(line.startswith("  remedy ") for line in lines) >= 3
    assert "level it: armlevel baseline " in told
    assert " --tolerate el2-only; armlevel run" in told
    assert "kernel 7.3 or later on neoverse-n2@6.12" in said.out


def test_the_kernel_is_named_as_the_cause_of_registers_that_come_and_go(armlevel: Command, recorded):
    said = armlevel("migrate", recorded[OLD], recorded[NEW], "--vmm", "qemu-10.0")
    assert said.code == 1
    assert "no TCR2_EL1, PIRE0_EL1, PIR_EL1 there: 6.12 and before list it on a" in said.out
    assert "QEMU 11.1 or later on neoverse-n2@7.x (that way only)" in said.out
    assert armlevel("migrate", recorded[OLD], recorded[NEW], "--vmm", "qemu-11.1").code == 0


def test_a_build_of_which_nothing_is_known_is_not_promised_anything(armlevel: Command, recorded):
    said = armlevel("migrate", recorded[OLD], recorded[NEW], "--vmm", "qemu-10.1.0-15.el10")
    assert said.code == 3
    assert "--vmm qemu-10.1 or qemu-10.2 or qemu-11.1" in " ".join(said.out.split())
    assert armlevel("migrate", recorded[OLD], recorded[NEW], "--vmm", "qemu-11.1").code == 0


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
    plain, levelled = armlevel("migrate", *pair).out, armlevel("migrate", *pair, "--guest", guest).out
    assert plain.startswith("predicted: neoverse-n2@")
    assert "; passthrough guest under kvm neo" in " ".join(plain.split())
    assert "; guest g, shape " in " ".join(levelled.split())


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


N1 = {line: f"neoverse-n1@{line}" for line in ("6.12", "6.18", "7.x")}


@pytest.fixture
def n1(tmp_path: Path) -> dict[str, Path]:
    paths = {}
    for host in read(N1.values()):
        paths[host.name] = tmp_path / f"{host.name}.json"
        paths[host.name].write_text(pretty(host_object(host)), encoding="utf-8")
    return paths


def remedies(text: str) -> list[str]:
    """The remedies of a page, each on one line."""
    found: list[str] = []
    for line in text.splitlines():
        if line.startswith("  remedy   "):
            found.append(line[11:])
        elif found and line.startswith(" " * 11):
            found[-1] += " " + line.strip()
    return found


def test_the_switches_that_real_migrations_needed_are_the_first_remedy(armlevel: Command, n1):
    there = armlevel("migrate", n1[N1["7.x"]], n1[N1["6.18"]], "--vmm", "qemu-11.1")
    first = remedies(there.out)[0]
    assert first.startswith("pmu=off: start the guest so on both hosts: -cpu host,pmu=off;")
    assert "libvirt: <features><pmu state='off'/></features>" in first
    assert "Nova: hw:pmu=false" in first
    for pair in ((N1["7.x"], N1["6.12"]), (N1["6.12"], N1["7.x"])):
        said = armlevel("migrate", *(n1[name] for name in pair), "--vmm", "qemu-11.1")
        assert remedies(said.out)[0].startswith("pmu=off,kvm-psci-version=1.1: ")
        named = armlevel("migrate", *(n1[name] for name in pair))
        assert remedies(named.out)[0].startswith("pmu=off,kvm-psci-version=1.1 (QEMU 11.1): ")


@pytest.mark.parametrize("switches", ["pmu=off,kvm-psci-version=1.1", "host,kvm-psci-version=1.1,pmu=off"])
def test_a_switch_remedy_that_is_followed_lets_the_guest_go_both_ways(armlevel: Command, n1, switches):
    for pair in ((N1["7.x"], N1["6.12"]), (N1["6.12"], N1["7.x"])):
        said = armlevel(
            "migrate", *(n1[name] for name in pair), "--vmm", "qemu-11.1", "--switches", switches, "--json"
        )
        assert [(move["answer"], move["means"]) for move in said.json["moves"]] == [("runs", "switches")] * 2


def test_half_of_what_is_needed_is_refused_and_the_rest_is_told_with_it(armlevel: Command, n1):
    pair = (n1[N1["7.x"]], n1[N1["6.12"]])
    said = armlevel("migrate", *pair, "--vmm", "qemu-11.1", "--switches", "pmu=off")
    assert said.code == 1
    assert remedies(said.out)[0].startswith("pmu=off,kvm-psci-version=1.1: ")


def test_where_no_switch_helps_it_is_said_what_stands_in_the_way(armlevel: Command, recorded):
    said = armlevel("migrate", recorded[NEW], recorded[OLD], "--vmm", "qemu-11.1")
    assert "no switch: ID_AA64MMFR2_EL1.NV; preload" in said.out
    there, back = armlevel("migrate", recorded[NEW], recorded[OLD], "--vmm", "qemu-11.1", "--json").json[
        "moves"
    ]
    assert (there["means"], there["no_switch"]) == ("preload", ["ID_AA64MMFR2_EL1.NV"])
    assert (back["means"], back["no_switch"]) == ("passthrough", [])


@pytest.mark.parametrize(
    ("means", "code"), [("passthrough", 1), ("switches", 0), ("preload", 0), ("Switches", 0)]
)
def test_a_means_that_is_asked_for_is_judged(armlevel: Command, n1, means, code):
    pair = (n1[N1["7.x"]], n1[N1["6.12"]])
    assert armlevel("migrate", *pair, "--vmm", "qemu-11.1", "--means", means).code == code


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--means", "magic"], "magic"),
        (["--means", "sysreg", "--vmm", "qemu-11.1"], "has no such means"),
        (["--means", "preload", "--vmm", "firecracker"], "has no such means"),
        (["--switches", "pmu=maybe"], "pmu=maybe"),
        (["--switches", "kvm-psci-version=1.1", "--vmm", "qemu-10.0"], "has no such option"),
        (["--switches", "kvm-psci-version=9", "--vmm", "qemu-11.1"], "is no version"),
        (["--switches", "kvm-psci-version=1.3", "--vmm", "qemu-11.1"], "neoverse-n1@6.12 cannot do"),
        (["--switches", "sve100=off"], "is no length"),
        (["--switches", "aarch64=off"], "or was not recorded so"),
        (["--switches", "pmu=off", "--means", "preload"], "--means switches"),
    ],
)
def test_choices_that_cannot_be_are_refused_with_a_sentence(armlevel: Command, n1, options, said):
    done = armlevel("migrate", n1[N1["7.x"]], n1[N1["6.12"]], *options)
    assert done.code == 2
    assert said in " ".join(done.err.split())
