"""Who can go where, among a set of hosts, and which of them have a baseline together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from armlevel import engine
from armlevel.arch import load
from armlevel.engine import Answer, Cell, Finding, Grouping, MeansName, Part, Policy, Severity, groups_of
from armlevel.operations.given import given_object
from armlevel.operations.means import means_named
from armlevel.profile import Given, Host

__all__ = ["LETTERS", "MatrixResult", "letter_of", "matrix"]

#: What the letter of a move may be: ``P`` passthrough, ``S`` with switches of the VMM, ``L`` levelled by more, ``p``
#: and ``l`` where not every part is recorded, ``r`` registers and shape alone, ``?`` not known, ``.`` no.
LETTERS = ("P", "S", "L", "p", "l", "r", "?", ".")

_FORBIDDING: tuple[Severity, ...] = ("stops", "breaks")


@dataclass(frozen=True, slots=True)
class MatrixResult:
    """Every ordered pair of hosts, judged; and the groups of hosts that have a baseline.

    ``means`` is the one that was asked for: letters tell of no other.
    """

    kind: ClassVar[str] = "matrix/1"

    hosts: tuple[str, ...]
    cells: tuple[Cell, ...]
    groups: Grouping
    given: tuple[Given, ...] = ()
    means: MeansName | None = None

    @property
    def status(self) -> int:
        """The exit status: 0, whatever the answers."""
        return 0

    @property
    def letters(self) -> dict[tuple[str, str], str]:
        """The letter of each move, by source and target."""
        return {(cell.source, cell.target): letter_of(cell, self.means) for cell in self.cells}

    def document(self) -> dict[str, Any]:
        """Return the matrix/1 object."""
        return {
            "kind": self.kind,
            "hosts": list(self.hosts),
            "moves": [_cell_object(cell, self.means) for cell in self.cells],
            "groups": [{"hosts": list(one.hosts)} for one in self.groups.groups],
            "groups_complete": self.groups.complete,
            "left_open": list(self.groups.left_open),
        } | given_object(self.given)


def matrix(  # noqa: PLR0913 (a question with options)
    hosts: Sequence[Host],
    policy: Policy | None = None,
    *,
    vmm: str = "kvm",
    means: str = "",
    given: Sequence[Given] = (),
    step: Callable[[int, int], None] = lambda _done, _total: None,
) -> MatrixResult:
    """Judge every ordered pair: each host's passthrough guest, and what levelling the two would change.

    ``means`` is the only one that letters tell of; ``step`` hears how many of the moves are judged.

    Raises:
        UsageError: there are fewer than two hosts, or the VMM does not have the means.
        UnknownName: no VMM or means is called so.

    """
    chosen = means_named(means, vmm)
    cells = engine.matrix(hosts, load(), policy, vmm=vmm, step=step)
    names = tuple(host.name for host in hosts)
    return MatrixResult(names, cells, groups_of(hosts, load(), policy), tuple(given), chosen)


def letter_of(cell: Cell, means: MeansName | None = None) -> str:
    """Return the one letter that tells the most about a move, by the means that was asked for if one was."""
    cell = _by_means(cell, means)
    passthrough, levelled = dict(cell.passthrough_parts), dict(cell.levelled_parts)
    shape = levelled.get("registers") == levelled.get("shape") == "runs"
    told = (
        ("P", cell.passthrough == "runs"),
        ("S", cell.switches is not None),
        ("L", cell.levelled == "runs"),
        ("p", _only_recorded(cell.passthrough, passthrough)),
        ("l", _only_recorded(cell.levelled, levelled)),
        ("?", "unknown" in (cell.passthrough, cell.levelled)),
        ("r", shape),
    )
    return next((letter for letter, holds in told if holds), ".")


def _by_means(cell: Cell, means: MeansName | None) -> Cell:
    # What was not asked for is no answer. Another VMM without switches is passthrough.
    if means is None:
        return cell
    if means in ("sysreg", "preload"):
        return replace(cell, passthrough="refused", passthrough_parts=(), switches=None)
    switches = cell.switches if means == "switches" or cell.switches == "" else None
    return replace(cell, levelled="refused", levelled_parts=(), switches=switches)


def _only_recorded(answer: Answer, parts: Mapping[Part, Answer]) -> bool:
    return answer == "unknown" and parts.get("registers") == "runs" and parts.get("shape") == "runs"


def _cell_object(cell: Cell, means: MeansName | None) -> dict[str, Any]:
    return {
        "from": cell.source,
        "to": cell.target,
        "letter": letter_of(cell, means),
        "passthrough": cell.passthrough,
        "levelled": cell.levelled,
        "switches": cell.switches,
        "passthrough_parts": dict(cell.passthrough_parts),
        "levelled_parts": dict(cell.levelled_parts),
        "refused_by": _subjects(cell.findings, _FORBIDDING),
        "conflicts": _subjects(cell.conflicts, _FORBIDDING),
        "not_known": _subjects((*cell.findings, *cell.conflicts), ("unknown",)),
    }


def _subjects(findings: Iterable[Finding], severities: tuple[Severity, ...]) -> list[str]:
    return list(dict.fromkeys(one.subject.key for one in findings if one.severity in severities))
