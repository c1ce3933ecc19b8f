"""A move of a guest whose command line is known: the machine is judged, and another command line there as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from armlevel.documents import host_object, pretty
from tests.cli.hosts import Command
from tests.fidelity.hosts import read

OLD, NEW = "neoverse-n1@6.18", "neoverse-n1@7.x"
WORDS = "qemu-system-aarch64 -accel kvm -M virt-10.0,gic-version=3{} -cpu host{} -smp 2 -m 4G"
ANSWER = "predicted: neoverse-n1@6.18 -> neoverse-n1@7.x"


@pytest.fixture
def pair(tmp_path: Path) -> list[Path]:
    paths = []
    for host in read([OLD, NEW]):
        paths.append(tmp_path / f"{host.name}.json")
        paths[-1].write_text(pretty(host_object(host)), encoding="utf-8")
    return paths


@pytest.fixture
def started(tmp_path: Path):
    def write(board: str = "", cpu: str = "") -> Path:
        path = tmp_path / f"started{board}{cpu}.txt"
        path.write_text(WORDS.format(board, cpu), encoding="utf-8")
        return path

    return write


def test_with_the_command_line_a_plain_yes_covers_the_machine(armlevel: Command, pair, started):
    bare = armlevel("migrate", *pair, "--vmm", "qemu-11.1")
    whole = armlevel("migrate", *pair, "--vmm", "qemu-11.1", "--command", started())
    assert (bare.code, whole.code) == (0, 0)
    assert whole.out.startswith(f"{ANSWER} runs")
    firsts = [" ".join(said.out.partition(f"{OLD} -> {NEW}: ")[0].split()) for said in (bare, whole)]
    assert ["machine not judged" in first for first in firsts] == [True, False]
    said = armlevel("migrate", *pair, "--vmm", "qemu-11.1", "--command", started(), "--json").json
    assert [move["not_judged"] for move in said["moves"]] == [[], []]
    assert said["moves"][0]["parts"]["machine"] == "runs"


def test_another_command_line_there_is_refused_with_what_qemu_prints(armlevel: Command, pair, started):
    options = ("--vmm", "qemu-11.1", "--command", started(), "--command-there", started(",its=off"))
    said = armlevel("migrate", *pair, *options)
    assert said.code == 1
    assert "QEMU is started without it there" in " ".join(said.out.split())
    there, _ = armlevel("migrate", *pair, *options, "--json").json["moves"]
    assert there["prediction"]["outcome"] == "fails"
    assert there["prediction"]["messages"] == ["section or instance 'arm_gicv3_its' 0"]


def test_a_window_that_is_left_out_there_breaks_a_guest_without_a_message(armlevel: Command, pair, started):
    options = ("--vmm", "qemu-11.1", "--command", started(), "--command-there", started(",highmem-mmio=off"))
    there, _ = armlevel("migrate", *pair, *options, "--json").json["moves"]
    assert there["answer"] == "refused"
    assert there["prediction"]["outcome"] == "completes"
    assert there["prediction"]["harm"] == ["memory map"]
    assert [text for text in there["prediction"]["messages"] if "skip it" not in text] == []


def test_a_command_line_that_cannot_be_meant_is_refused_with_a_sentence(
    armlevel: Command, pair, started, tmp_path
):
    strange = tmp_path / "list.txt"
    strange.write_text("bread\nmilk\n", encoding="utf-8")
    host = pair[0]
    for options, sentence in (
        (("--command", started()), "name the VMM and its version"),
        (("--command", started(), "--vmm", "firecracker"), "the machine is one of qemu"),
        (("--command-there", started(), "--vmm", "qemu-11.1"), "say it of the first one, too"),
        (("--command", started("", ",pmu=off"), "--vmm", "qemu-11.1"), "to --switches, too"),
        (("--command", strange, "--vmm", "qemu-11.1"), "no command line of QEMU"),
        (("--command", host, "--vmm", "qemu-11.1"), "no command line of QEMU"),
        (("--command", tmp_path / "none.txt", "--vmm", "qemu-11.1"), "none.txt"),
    ):
        said = armlevel("migrate", *pair, *options)
        assert said.code == 2, options
        assert sentence in " ".join(said.err.split()), options


def test_what_it_asks_of_the_cpu_is_given_besides(armlevel: Command, pair, started):
    command = started("", ",pmu=off")
    said = armlevel(
        "migrate", *pair, "--vmm", "qemu-11.1", "--command", command, "--switches", "pmu=off", "--json"
    )
    assert said.code == 0
    assert said.json["moves"][0]["parts"]["machine"] == "runs"
