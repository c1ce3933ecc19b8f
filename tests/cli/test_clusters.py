"""A cluster is named as it is shown, wherever a host is."""

from __future__ import annotations

from pathlib import Path

import pytest

from armlevel.errors import ArmlevelError
from armlevel.operations.baseline import baseline
from armlevel.operations.check import check
from armlevel.operations.migrate import migrate
from armlevel.operations.named import guest_named, hosts_named, load_hosts
from tests.cli.hosts import Command

KINDS = {"0xd05": (0, 1, 2, 3), "0xd41": (4, 5, 6), "0xd44": (7,)}
CLUSTERS = {"soc/cortex-a55": "0-3", "soc/cortex-a78": "4-6", "soc/cortex-x1": "7"}


def cpuinfo(kinds: dict[str, tuple[int, ...]]) -> str:
    block = "processor : {}\nBogoMIPS : 52.00\nFeatures : {}\nCPU implementer : 0x41\nCPU architecture: 8\n"
    block += "CPU variant : 0x1\nCPU part : {}\nCPU revision : 0\n"
    words = "fp asimd aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"
    return "\n".join(block.format(number, words, part) for part, some in kinds.items() for number in some)


@pytest.fixture
def soc(tmp_path: Path) -> Path:
    """A directory with the file of a host: 4 + 3 + 1 CPUs."""
    (tmp_path / "soc.txt").write_text(cpuinfo(KINDS))
    return tmp_path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of /proc and /sys of 2 + 2 CPUs."""
    root = tmp_path / "board"
    (root / "proc").mkdir(parents=True)
    (root / "proc/cpuinfo").write_text(cpuinfo({"0xd03": (0, 1), "0xd08": (2, 3)}))
    for number in range(4):
        place = root / f"sys/devices/system/cpu/cpu{number}/regs/identification"
        place.mkdir(parents=True)
        midr = 0x411FD030 if number < 2 else 0x411FD080
        (place / "midr_el1").write_text(f"{midr:#018x}\n")
        (place / "revidr_el1").write_text("0x0000000000000080\n")
    return root


@pytest.mark.parametrize("form", ["soc.txt/cortex-a78", "soc/cortex-a78", "./soc/CORTEX-A78"])
def test_a_cluster_is_typed_as_it_is_shown_or_behind_its_file(soc, form, monkeypatch):
    monkeypatch.chdir(soc)
    (host,) = load_hosts(form)
    assert (host.name, host.cpus[0].numbers) == ("soc/cortex-a78", (4, 5, 6))


def test_a_copy_of_the_trees_has_clusters(tree):
    (host,) = load_hosts(f"{tree}/cortex-a72")
    assert (host.name, host.cpus[0].numbers, host.other_cpus[0].numbers) == (
        "board/cortex-a72",
        (2, 3),
        (0, 1),
    )
    assert host.cpus[0].implementation.registers() == {"MIDR_EL1": 0x411FD080, "REVIDR_EL1": 0x80}


def test_clusters_of_one_host_stand_beside_it_and_each_other(soc):
    hosts, _ = hosts_named([f"{soc}/soc.txt", f"{soc}/soc/cortex-x1", f"{soc}/soc/cortex-a55"])
    assert [host.name for host in hosts] == ["soc", "soc/cortex-x1", "soc/cortex-a55"]
    found = baseline(hosts[1:])
    assert found.answer == "unknown"
    assert {part for host in found.hosts for part in [host.name]} == {"soc/cortex-x1", "soc/cortex-a55"}
    assert migrate(hosts[1:]).moves[0].source == "soc/cortex-x1"
    assert check(guest_named(f"{soc}/soc/cortex-x1"), hosts).verdicts[1].host == "soc/cortex-x1"
    assert "runs" not in {one.arrive for one in check(guest_named(f"{soc}/soc/cortex-x1"), hosts).verdicts}


@pytest.mark.parametrize(
    ("form", "names"),
    [
        ("soc/*", [*CLUSTERS]),
        ("soc.txt/*", [*CLUSTERS]),
        ("soc/cortex-a*", [*CLUSTERS][:2]),
        ("board/*", ["board/cortex-a53", "board/cortex-a72"]),
    ],
)
def test_a_pattern_names_every_cluster(tree, soc, form, names, monkeypatch):
    monkeypatch.chdir(soc)
    assert tree.parent == soc
    assert [host.name for host in load_hosts(form)] == names


def test_every_cluster_stands_in_the_matrix(soc, armlevel: Command):
    said = armlevel("matrix", f"{soc}/soc/*", "--json").json
    assert said["hosts"] == [*CLUSTERS]
    assert armlevel("show", f"{soc}/soc.txt/*").code == 0


def test_every_cluster_of_a_host_with_one_kind_of_cpu_is_the_host(tmp_path, armlevel: Command):
    (tmp_path / "flat.txt").write_text(cpuinfo({"0xd0b": (0, 1)}))
    assert [host.name for host in load_hosts(f"{tmp_path}/flat.txt/*")] == ["flat"]
    with pytest.raises(ArmlevelError, match="alike"):
        load_hosts(f"{tmp_path}/flat.txt/cortex-*")


def test_a_pattern_that_no_cluster_has_is_one_sentence(soc):
    with pytest.raises(ArmlevelError, match="cortex-r"):
        load_hosts(f"{soc}/soc/cortex-r*")
    with pytest.raises(ArmlevelError, match="one guest is needed"):
        guest_named(f"{soc}/soc/*")


def test_a_fact_is_given_for_a_cluster(soc):
    hosts, given = hosts_named([f"{soc}/soc/cortex-x1"], ["soc/cortex-x1:dczid=4"])
    assert (hosts[0].facts.dczid, given[0].host) == (4, "soc/cortex-x1")


@pytest.mark.parametrize(
    "name", ["soc/cortex-a76", "soc.txt/x", "nowhere/cortex-a55", "soc.txt/", "/cortex-a55"]
)
def test_a_cluster_that_is_not_there_is_one_sentence(soc, name, monkeypatch):
    monkeypatch.chdir(soc)
    with pytest.raises(ArmlevelError):
        load_hosts(name)


def test_show_tells_the_names_and_the_numbers(soc, armlevel: Command):
    said = armlevel("show", soc / "soc.txt")
    for name, numbers in CLUSTERS.items():
        assert f"CPU {numbers}: {name}" in " ".join(said.out.split())
    shown = armlevel("show", "--json", soc / "soc.txt").json["shown"][0]
    assert [(one["name"], one["count"]) for one in shown["clusters"]] == [
        ("soc/cortex-a55", 4), ("soc/cortex-a78", 3), ("soc/cortex-x1", 1),
    ]  # fmt: skip
    for one in shown["clusters"]:
        assert armlevel("show", soc / one["name"]).code == 0
    pinned = " ".join(armlevel("show", soc / "soc/cortex-x1").out.split())
    assert "CPU 7" in pinned
    assert "initialised it" in pinned
