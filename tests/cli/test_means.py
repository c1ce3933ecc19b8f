"""Means and remedies where a host refuses a guest: only what was tried, and only the means that was asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from armlevel import engine
from armlevel.arch import load
from armlevel.documents import host_object, pretty
from armlevel.engine import passthrough
from armlevel.operations.check import check
from armlevel.profile import Host
from tests.cli.hosts import Command
from tests.fidelity.hosts import read

NEW, OLD, N2, N2_OLD = "neoverse-n1@7.x", "neoverse-n1@6.12", "neoverse-n2@7.x", "neoverse-n2@6.12"
INFORM = {"fact", "probe", "say-vmm"}


@pytest.fixture
def hosts(tmp_path: Path) -> dict[str, Path]:
    paths: dict[str, Path] = {}
    for host in read((NEW, OLD, N2, N2_OLD)):
        paths[host.name] = tmp_path / f"{len(paths)}.json"
        paths[host.name].write_text(pretty(host_object(host)), encoding="utf-8")
    return paths


def asking(verb: str, guest: Path, host: Path) -> list[str]:
    return (
        ["check", str(guest), str(host)] if verb == "check" else ["drift", "--guest", str(guest), str(host)]
    )


def answered(armlevel: Command, verb: str, guest: Path, host: Path, *options: str) -> dict[str, Any]:
    said = armlevel(*asking(verb, guest, host), *options, "--json").json
    (one,) = said["ways_out"] if verb == "check" else said["hosts"]
    return {
        "means": one["means"],
        "no_switch": one["no_switch"],
        "kinds": [w["kind"] for w in one["remedies"]],
    }


@pytest.mark.parametrize("verb", ["check", "drift"])
def test_the_cheapest_means_is_told_as_migrate_tells_it(armlevel: Command, hosts, verb):
    for one, two in ((NEW, OLD), (N2, N2_OLD)):
        moved = armlevel("migrate", hosts[one], hosts[two], "--json").json["moves"][0]
        said = answered(armlevel, verb, hosts[one], hosts[two])
        assert said["means"] == moved["means"]
        assert said["no_switch"] == moved["no_switch"]
    assert (
        "means    no switch: ID_AA64MMFR2_EL1.NV; preload"
        in armlevel(*asking(verb, hosts[N2], hosts[N2_OLD])).out
    )


@pytest.mark.parametrize("verb", ["check", "drift"])
@pytest.mark.parametrize(
    ("means", "found"), [("switches", "switches"), ("preload", "preload"), ("passthrough", None)]
)
def test_only_the_means_that_was_asked_for_is_told(armlevel: Command, hosts, verb, means, found):
    said = answered(armlevel, verb, hosts[NEW], hosts[OLD], "--means", means)
    assert said["means"] == found
    others = {"switches": "level-and-run", "preload": "switches"}
    assert others.get(means, "switches") not in said["kinds"]
    page = armlevel(*asking(verb, hosts[NEW], hosts[OLD]), "--means", means).out
    assert ("passthrough: not this way" in page) == (found is None)


@pytest.mark.parametrize("verb", ["check", "drift"])
def test_a_means_that_cannot_be_is_refused_with_a_sentence(armlevel: Command, hosts, tmp_path, verb):
    for word, text in (("magic", "magic"), ("sysreg", "has no such means")):
        said = armlevel(*asking(verb, hosts[NEW], hosts[OLD]), "--means", word)
        assert (said.code, text in said.err) == (2, True)
    guest = tmp_path / "guest.json"
    assert armlevel("baseline", hosts[NEW], "-o", guest).code == 0
    said = armlevel(*asking(verb, guest, hosts[OLD]), "--means", "switches")
    assert said.code == 2
    assert "has its CPU" in said.err


@pytest.mark.parametrize("verb", ["check", "drift"])
def test_the_vmm_that_is_asked_about_brings_the_means_about(armlevel: Command, hosts, verb):
    for vmm in ("qemu-11.1", "qemu-10.0", "firecracker"):
        moved = armlevel("migrate", hosts[NEW], hosts[OLD], "--vmm", vmm, "--json").json["moves"][0]
        said = answered(armlevel, verb, hosts[NEW], hosts[OLD], "--vmm", vmm)
        assert said["kinds"] == [way["kind"] for way in moved["remedies"]]
    there = ("--vmm", "firecracker", "--means", "sysreg")
    said = answered(armlevel, verb, hosts[NEW], hosts[OLD], *there)
    assert "level-and-run" not in said["kinds"]
    assert armlevel(*asking(verb, hosts[NEW], hosts[OLD]), *there).code == 1
    other = armlevel(*asking(verb, hosts[NEW], hosts[OLD]), "--vmm", "qemu-99")
    assert (other.code, "no VMM we know" in other.err) == (2, True)


@pytest.mark.parametrize("verb", ["check", "drift"])
def test_of_many_hosts_what_helps_is_told_once_and_the_work_has_a_bound(armlevel: Command, tmp_path, verb):
    source, old, other = read((NEW, OLD, N2))
    hosts = [replace(old, name=f"n{number}") for number in range(6)]
    hosts += [
        replace(other, name=f"odd{number}", facts=replace(other.facts, cntfrq_hz=1_000_000 + number))
        for number in range(14)
    ]
    places = [tmp_path / f"{host.name}.json" for host in (source, *hosts)]
    for place, host in zip(places, (source, *hosts), strict=True):
        place.write_text(pretty(host_object(host)), encoding="ascii")
    first, *rest = map(str, places)
    words = [first, *rest] if verb == "check" else ["--guest", first, *rest]
    page = " ".join(armlevel(verb, *words).out.split())
    # The six are of one kind, and tried first; of fourteen others eleven.
    assert "remedy pmu=off,kvm-psci-version=1.1" in page, page
    assert "level it: armlevel baseline neoverse-n1@7.x HOST; armlevel run (6 hosts)" in page
    assert "nothing changes the counter frequency: keep them in separate pools (11 hosts)" in page
    assert "for 3 more hosts none was tried: name fewer, or --json" in page
    assert page.index("pmu=off") < page.index("shut the guest down")


@pytest.mark.parametrize("verb", ["check", "drift"])
def test_no_finding_has_a_remedy_that_nobody_tried(armlevel: Command, hosts, verb):
    said = armlevel(*asking(verb, hosts[N2], hosts[N2_OLD]), "--json").json
    findings = said["verdicts" if verb == "check" else "hosts"][0]["findings"]
    assert len(findings) > 3
    assert {way["kind"] for one in findings for way in one["remedies"]} <= INFORM


def test_hosts_that_are_alike_are_tried_once(monkeypatch: pytest.MonkeyPatch):
    source, old = read((NEW, OLD))
    twins = [replace(old, name=f"n{number}") for number in range(20)]
    tried: list[str] = []
    migrate = engine.migrate

    def counted(here: Host, there: Host, *rest: Any, **more: Any) -> Any:
        tried.append(there.name)
        return migrate(here, there, *rest, **more)

    monkeypatch.setattr(engine, "migrate", counted)
    ways = check(passthrough(source, load()), twins, source=source).ways_out()
    assert tried == ["n0"]
    assert [one.remedies[0].hosts for one in ways] == [(source.name, twin.name) for twin in twins]


@pytest.mark.parametrize("verb", ["baseline", "plan"])
@pytest.mark.parametrize(
    ("options", "found"),
    [
        ([], ("switches", "qemu-11.1")),
        (["--vmm", "qemu-11.1"], ("switches", None)),
        (["--vmm", "qemu-11.1", "--means", "switches"], ("switches", None)),
        (["--vmm", "qemu-11.1", "--means", "preload"], ("preload", None)),
        (["--means", "passthrough"], None),
    ],
)
def test_hosts_are_given_the_means_that_was_asked_for(armlevel: Command, hosts, verb, options, found):
    typed = [verb, hosts[NEW], hosts[OLD], *options]
    said = armlevel(*typed, "--json").json
    means = said["means"] if verb == "baseline" else said["groups"][0]["means"]
    assert (means and (means["name"], means["vmm"])) == found
    told = f"{found[0]}: " if found else "passthrough: not known to do it for all of them"
    assert any(told in line for line in armlevel(*typed).out.splitlines() if line.startswith("  means"))


@pytest.mark.parametrize("verb", ["baseline", "plan"])
@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--means", "magic"], "magic"),
        (["--means", "preload", "--vmm", "firecracker"], "has no such means"),
        (["--vmm", "magic"], "no VMM we know"),
    ],
)
def test_a_means_or_vmm_that_cannot_be_is_refused_by_levelling(armlevel: Command, hosts, verb, options, text):
    said = armlevel(verb, hosts[NEW], hosts[OLD], *options)
    assert (said.code, text in said.err) == (2, True)


@pytest.mark.parametrize(
    ("means", "letters"), [("", "SS"), ("passthrough", ".S"), ("switches", "SS"), ("preload", "LL")]
)
def test_letters_tell_of_the_means_that_was_asked_for(armlevel: Command, hosts, means, letters):
    asked = ["--means", means] if means else []
    said = armlevel("matrix", hosts[NEW], hosts[OLD], *asked, "--json").json
    assert "".join(move["letter"] for move in said["moves"]) == letters
    head = armlevel("matrix", hosts[NEW], hosts[OLD], *asked).out.splitlines()[0]
    assert head.endswith(f"; means {means} alone") == bool(means)
    assert ("levelled" in head) == (means in ("", "preload"))
    assert ("passthrough 0" in head) == (means != "preload")


def test_a_means_that_the_vmm_has_not_is_refused_by_the_matrix(armlevel: Command, hosts):
    said = armlevel("matrix", hosts[NEW], hosts[OLD], "--means", "sysreg")
    assert (said.code, "has no such means" in said.err) == (2, True)


def test_many_hosts_are_told_no_remedy_that_nobody_tried(armlevel: Command, hosts, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    (old,) = read((N2_OLD,))
    for number in range(6):
        document = pretty(host_object(replace(old, name=f"n{number}")))
        (folder / f"n{number}.json").write_text(document, encoding="utf-8")
    page = armlevel("check", hosts[N2], folder)
    assert page.code == 1
    assert "  stops " in page.out
    ways = armlevel("check", hosts[N2], folder, "--json").json["ways_out"]
    tried = [way["text"].partition(";")[0].partition(" n0")[0] for way in ways[0]["remedies"]]
    lines = [line[11:] for line in page.out.splitlines() if line.startswith("  remedy ")]
    assert lines
    assert all(any(line.startswith(text[:30].split(" on ")[0]) for text in tried) for line in lines)
    said = armlevel("check", hosts[N2], folder, "--json").json
    assert [one["means"] for one in said["ways_out"]] == ["preload"] * 6
    assert {way["kind"] for v in said["verdicts"] for f in v["findings"] for way in f["remedies"]} <= INFORM
