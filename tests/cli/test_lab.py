"""`armlevel lab` at the command line, with a lab that boots nothing."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from armlevel.cli import lab as verb
from armlevel.cli.app import run
from armlevel.errors import LabError
from armlevel.lab import EmulatedHost, KernelState, Laboratory, LabProbe, LabSettings, Result
from armlevel.machines import folder, names


class FakeLab:
    """Hosts of two lines; one host has a fault, one line is gone."""

    settings = LabSettings.of({})
    fleet = Laboratory.fleet

    def __init__(self) -> None:
        self.asked: list[str] = []
        with folder() as place:
            self.text = (place / f"{next(iter(names()))}.json").read_text(encoding="ascii")

    def kernels(self, lines=()):
        states = [
            KernelState("6.1", needed=True, release="6.1.0-50", cached=True),
            KernelState("6.18", needed=False, problem="the mirror has no linux-image-6.18"),
            KernelState("7.x", needed=True, release="7.3.4"),
        ]
        return [state for state in states if not lines or state.line in lines]

    def emulator(self):
        return SimpleNamespace(version="10.0.2", origin="a test")

    def prepare(self, host: EmulatedHost) -> str:
        return str(host)

    def run(self, host, job, timeout):
        self.asked.append(job.script)
        return Result(status=7, stdout="out\n", stderr="err\n", files={"a/b": b"data", **job.files})

    def probe(self, host: EmulatedHost, collector, timeout) -> LabProbe:
        self.asked.append(str(host))
        if host.cpu == "cortex-a53":
            raise LabError(f"the probe failed in {host}: no KVM")
        return LabProbe(host, self.text, ("note: noticed",), 9.5)


@pytest.fixture
def lab(monkeypatch):
    made = FakeLab()
    monkeypatch.setattr(verb, "_laboratory", lambda *_, **__: made)
    return made


def test_the_list_names_lines_models_and_what_is_missing(lab, armlevel):
    done = armlevel("lab", "list")
    assert done.code == 0  # the line that is gone is not one that tests need
    assert "the mirror has no linux-image-6.18" in done.out
    assert "neoverse-n2" in done.out
    assert "to be fetched" in done.out


def test_a_needed_line_that_is_gone_is_an_answer_of_no(lab, armlevel, monkeypatch):
    monkeypatch.setattr(lab, "kernels", lambda *_: [KernelState("7.x", needed=True, problem="gone")])
    assert armlevel("lab", "list").code == 1


def test_the_list_as_json_has_the_same(lab, armlevel):
    said = json.loads(armlevel("lab", "list", "--json").out)
    assert [line["line"] for line in said["lines"]] == ["6.1", "6.18", "7.x"]
    assert said["emulator"] == "QEMU 10.0.2 (a test)"


def test_a_command_speaks_and_exits_as_it_does_inside(lab, armlevel, tmp_path):
    (tmp_path / "word").write_bytes(b"word")
    done = armlevel(
        "lab", "run", "max@7.x", "-f", tmp_path / "word", "-d", tmp_path / "out", "--", "cat", "a b"
    )
    assert (done.code, done.out, done.err) == (7, "out\n", "err\n")
    assert lab.asked == ["cat 'a b'"]
    assert (tmp_path / "out/a/b").read_bytes() == b"data"
    assert (tmp_path / "out/word").read_bytes() == b"word"


def test_a_probe_goes_to_the_file_and_its_remarks_to_the_person(lab, armlevel, tmp_path):
    done = armlevel("lab", "probe", "max@7.x", "-o", tmp_path / "h.json")
    assert (done.code, done.out) == (0, "")
    assert "noticed" in done.err
    assert (tmp_path / "h.json").read_text(encoding="ascii") == lab.text


def test_a_probe_without_a_file_is_printed(lab, capsys):
    assert run(["lab", "probe", "max@7.x"]) == 0
    assert capsys.readouterr().out == lab.text


def test_a_fleet_with_a_bad_host_and_a_line_that_is_gone_has_the_others(lab, armlevel, tmp_path):
    hosts = ["cortex-a53@7.x", "max@6.18", "max@7.x", "neoverse-n1@6.1", "max@7.x"]
    done = armlevel("lab", "hosts", *hosts, "-d", tmp_path / "fleet", "-j", 2)
    assert done.code == 1
    assert {file.name for file in (tmp_path / "fleet").iterdir()} == {"max@7.x.json", "neoverse-n1@6.1.json"}
    assert "skipped, for line 6.18 is not to be had: the mirror has no linux-image-6.18" in done.err
    assert "the probe failed in cortex-a53@7.x: no KVM" in done.err
    assert sorted(lab.asked) == ["cortex-a53@7.x", "max@7.x", "neoverse-n1@6.1"]


def test_a_fleet_of_which_only_a_line_is_gone_is_whole(lab, armlevel, tmp_path):
    assert armlevel("lab", "hosts", "max@6.18", "max@7.x", "-d", tmp_path).code == 0


def test_a_fleet_of_which_nothing_is_to_be_had_is_said_to_be(lab, armlevel, tmp_path):
    done = armlevel("lab", "hosts", "max@6.18", "-d", tmp_path / "none")
    assert done.code == 2
    assert "none of these hosts is to be had; armlevel lab list shows the lines" in done.err


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("max", "names no kernel line"),
        ("neoverse-n9@7.x", "no CPU model of the lab is called 'neoverse-n9'"),
        ("max@7.x,colour=red", "is no machine option"),
    ],
)
def test_a_host_that_cannot_be_is_said_to_be_none(lab, armlevel, host, words):
    done = armlevel("lab", "probe", host)
    assert done.code == 2
    assert words in done.err
