"""Everything that the sources of one kernel's selftests say, held against the rows; and what was recorded of it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from armlevel.arch import Catalogue
from armlevel.profile import Host
from tests.selftests.against import (
    Compared,
    Disagreement,
    compare_bitmaps,
    compare_gates,
    compare_hidden,
    compare_listed,
    compare_steps,
    compare_when_listed,
    compare_written,
)
from tests.selftests.source import KernelSource
from tests.selftests.sysreg import read_sysreg
from tests.selftests.tables import (
    FieldStep,
    Names,
    RegisterLists,
    TableFault,
    read_bitmaps,
    read_hidden,
    read_lists,
    read_steps,
    read_written,
)

__all__ = [
    "EXPLAINED",
    "RECORDED",
    "TESTS",
    "Absent",
    "Explained",
    "NotPassed",
    "Ran",
    "absences",
    "as_json",
    "compare",
    "differences",
    "explanations",
    "hosts_of",
    "not_passed",
    "not_run",
    "outcomes",
    "recorded",
    "spellings",
    "steps_of",
    "unrecorded",
]

#: The selftests of the oracle.
TESTS = (
    *("set_id_regs", "get-reg-list", "hidden_features", "hypercalls", "smccc_filter"),
    *("vpmu_counter_access", "vgic_init", "no-vgic", "steal_time"),
)
#: What a test was called before.
_FORMER = {"no-vgic": ("no-vgic", "no-vgic-v3")}
RECORDED = Path(__file__).with_name("recorded.json")
EXPLAINED = Path(__file__).with_name("explained.toml")


@dataclass(frozen=True, slots=True)
class Explained:
    """Why a selftest and the rows differ on some lines; ``proof`` names what shows that both are right.

    ``limits`` are all the limits of the field at which they may differ.
    """

    test: str
    subject: str
    lines: tuple[str, ...]
    proof: str
    why: str
    see: str
    limits: tuple[int, ...] = ()

    def covers(self, one: Disagreement) -> bool:
        """Whether it explains a difference, in all of its limits."""
        return (
            (one.test, one.subject) == (self.test, self.subject)
            and one.line in self.lines
            and set(one.limits) <= set(self.limits)
        )


@dataclass(frozen=True, slots=True)
class Absent:
    """Why some lines have no result of a test."""

    test: str
    lines: tuple[str, ...]
    why: str
    see: str


@dataclass(frozen=True, slots=True)
class NotPassed:
    """Why a test that ran on some lines was ``skipped`` or ``failed`` there."""

    test: str
    lines: tuple[str, ...]
    result: str
    why: str
    see: str


def spellings(test: str) -> tuple[str, ...]:
    """Return the names under which kernels have a test.

    >>> spellings("no-vgic"), spellings("steal_time")
    (('no-vgic', 'no-vgic-v3'), ('steal_time',))
    """
    return _FORMER.get(test, (test,))


def hosts_of(line: str, hosts: Iterable[Host], catalogue: Catalogue) -> list[Host]:
    """Return those of these hosts whose kernel is of a line."""
    return [host for host in hosts if (of := catalogue.line(host.software.kernel)) and of.name == line]


def compare(
    source: KernelSource, line: str, catalogue: Catalogue, hosts: Sequence[Host], masks: Mapping[str, str]
) -> dict[str, Compared]:
    """Hold the tables of each test that this kernel has against the rows of its line and ``hosts`` of it."""
    names = Names(read_sysreg(source.names()), catalogue)
    text = source.text("get-reg-list")
    if text is None:
        raise TableFault(f"{source.package} has no get-reg-list")
    lists = read_lists(text, names)
    found = {
        "get-reg-list": compare_gates(line, lists, catalogue)
        + compare_when_listed(line, lists, catalogue)
        + compare_listed(line, lists, hosts, catalogue)
    }
    if (text := source.text("set_id_regs")) is not None:
        found["set_id_regs"] = compare_steps(
            line, read_steps(text, names), catalogue, masks
        ) + compare_written(line, read_written(text), catalogue)
    if (text := source.text("hypercalls")) is not None:
        found["hypercalls"] = _bitmaps(line, text, lists, catalogue)
    if (text := source.text("hidden_features")) is not None:
        found["hidden_features"] = compare_hidden(line, read_hidden(text, names), catalogue)
    return {test: found[test] for test in TESTS if test in found}


def _bitmaps(line: str, text: str, lists: RegisterLists, catalogue: Catalogue) -> Compared:
    return compare_bitmaps(line, read_bitmaps(text), lists, catalogue)


def as_json(compared: Mapping[str, Compared]) -> dict[str, Any]:
    """Return what is recorded of a comparison."""
    return {
        test: {
            "points": one.points,
            "unasked": len(one.unasked),
            "differ": [
                {"subject": d.subject, "what": d.what} | ({"limits": list(d.limits)} if d.limits else {})
                for d in one.differ
            ],
        }
        for test, one in compared.items()
    }


def differences(line: str, entry: Mapping[str, Any]) -> list[Disagreement]:
    """Return the differences of a recorded comparison."""
    return [
        Disagreement(line, test, one["subject"], one["what"], tuple(one.get("limits", ())))
        for test, found in entry["compared"].items()
        for one in found["differ"]
    ]


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a test that ran, and the row that says why it did not pass, if it did not."""

    test: str
    result: str
    row: NotPassed | None = None

    @property
    def explained(self) -> bool:
        """Whether it passed, or a row says why not."""
        return self.result == "passed" or self.row is not None


def outcomes(line: str, entry: Mapping[str, Any]) -> list[Ran]:
    """Return what became of each test that ran, with the row of a result that is none to be glad of."""
    rows = {(row.test, row.result): row for row in not_passed() if line in row.lines}
    return [
        Ran(test, one["result"], rows.get((test, one["result"])))
        for test, one in entry.get("run", {}).items()
    ]


def steps_of(source: KernelSource, catalogue: Catalogue) -> tuple[FieldStep, ...]:
    """Return the steps of a kernel's own `set_id_regs`; none if it has no such test."""
    text = source.text("set_id_regs")
    return read_steps(text, Names(read_sysreg(source.names()), catalogue)) if text is not None else ()


def recorded() -> dict[str, dict[str, Any]]:
    """Return what was recorded, by kernel line."""
    found: dict[str, dict[str, Any]] = json.loads(RECORDED.read_text(encoding="ascii"))
    return found


def explanations() -> tuple[Explained, ...]:
    """Return the rows that explain differences."""
    return tuple(
        Explained(**(row | {"lines": tuple(row["lines"]), "limits": tuple(row.get("limits", ()))}))
        for row in _rows()["explained"]
    )


def absences() -> tuple[Absent, ...]:
    """Return the rows that say why there is no result."""
    return tuple(Absent(**(row | {"lines": tuple(row["lines"])})) for row in _rows()["absent"])


def not_passed() -> tuple[NotPassed, ...]:
    """Return the rows that say why a test that ran did not pass."""
    return tuple(NotPassed(**(row | {"lines": tuple(row["lines"])})) for row in _rows()["not_passed"])


def not_run() -> dict[str, str]:
    """Return the recorded lines whose tests did not run yet, and why."""
    return {row["line"]: row["why"] for row in _rows().get("not_run", ())}


def unrecorded() -> dict[str, str]:
    """Return the measured lines of which nothing is recorded, and why."""
    return {row["line"]: row["why"] for row in _rows()["unrecorded"]}


def _rows() -> dict[str, Any]:
    return tomllib.loads(EXPLAINED.read_text(encoding="utf-8"))
