"""What tools/selftests.py says of a line, and when it is not content."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

import selftests as tool
from armlevel.arch import load
from armlevel.errors import LabError
from tests.selftests import compared
from tests.selftests.against import Disagreement

PMUVER = {
    "subject": "ID_AA64DFR0_EL1.PMUVer",
    "what": "lower from 0; the rows: lower",
    "limits": [15],
}


def entry(*differ: dict[str, Any], **run: str) -> dict[str, Any]:
    return {
        "source": "linux-source-7.3",
        "host": "max@7.x",
        "compared": {"set_id_regs": {"points": 3, "unasked": 0, "differ": list(differ)}},
        "run": {name: {"result": result, "status": 0} for name, result in run.items()},
    }


def test_what_is_explained_is_told_with_its_reason_and_leaves_nothing(capsys):
    assert tool.say("7.3", entry(PMUVER, steal_time="passed")) == []
    said = capsys.readouterr().out
    assert "3 points held against rows, 1 differ" in said
    assert "never an implementation defined one" in said
    assert "NOT EXPLAINED" not in said


@pytest.mark.parametrize(
    "differ",
    [
        PMUVER | {"limits": [6]},  # another limit than those that are explained
        PMUVER | {"subject": "ID_AA64DFR0_EL1.WRPs"},
    ],
)
def test_a_difference_that_nothing_explains_is_left(differ, capsys):
    assert tool.say("7.3", entry(differ)) == [
        Disagreement("7.3", "set_id_regs", differ["subject"], differ["what"], tuple(differ["limits"]))
    ]
    assert "NOT EXPLAINED" in capsys.readouterr().out


@pytest.mark.parametrize("result", ["failed", "skipped"])
def test_a_test_that_did_not_pass_and_has_no_row_is_left(result):
    assert [one.test for one in tool.say("7.3", entry(steal_time=result))] == ["steal_time"]
    assert tool.say("6.12", entry(set_id_regs="failed")) == []
    assert [one.test for one in tool.say("6.18", entry(set_id_regs="failed"))] == ["set_id_regs"]


@pytest.mark.parametrize(("why", "status"), [({}, 2), ({"7.3": "nobody has it"}, 0)])
def test_a_line_whose_source_cannot_be_had_is_a_fault_unless_a_row_says_why(monkeypatch, capsys, why, status):
    def gone(*_: object) -> None:
        raise LabError("cannot download linux_7.3.4.orig.tar.xz")

    monkeypatch.setattr(tool, "lab_line", lambda *_: "7.x")
    monkeypatch.setattr(tool, "kernel_source", gone)
    monkeypatch.setattr(tool, "unrecorded", lambda: why)
    monkeypatch.setattr(sys, "argv", ["selftests.py", "--line", "7.3"])
    assert tool.main() == status
    said = capsys.readouterr().err
    assert said.startswith("7.3: cannot download linux_7.3.4.orig.tar.xz")
    assert ("nobody has it" in said) is bool(why)


def test_a_line_that_was_not_measured_is_refused_by_name(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["selftests.py", "--line", "before-6.1"])
    with pytest.raises(SystemExit) as ended:
        tool.main()
    assert ended.value.code == 2
    assert "before-6.1 is no measured line" in capsys.readouterr().err
    assert tool.measured(load())[-1] == load().lines[-1].name


def test_what_is_recorded_is_not_touched_without_being_asked(monkeypatch, tmp_path: Path):
    monkeypatch.setattr(tool, "RECORDED", tmp_path / "recorded.json")
    monkeypatch.setattr(tool, "lab_line", lambda *_: "7.x")
    monkeypatch.setattr(tool, "kernel_source", lambda *_: (_ for _ in ()).throw(LabError("gone")))
    monkeypatch.setattr(sys, "argv", ["selftests.py", "--line", "7.3"])
    before = compared.RECORDED.read_bytes()
    assert tool.main() == 2
    assert list(tmp_path.iterdir()) == []
    assert compared.RECORDED.read_bytes() == before
