"""Who can go where, among a set of hosts, and which of them have a baseline together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from armlevel import engine
from armlevel.arch import load
from armlevel.engine import Answer, Cell, Finding, Grouping, MeansName, Part, Policy, Severity, groups_of
from armlevel.engine.findings import OF_A_GUEST
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
    not_judged: ClassVar[tuple[Part, ...]] = OF_A_GUEST

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
            "not_judged": list(self.not_judged),
            "moves": [_cell_object(cell, self.means) for cell in self.cells],
            "groups": [{"hosts": list(one.hosts)} for one in self.groups.groups],
            "groups_complete": self.groups.complete,
            "left_open": list(self.groups.left_open),
            "apart": list(self.groups.apart),
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
    known = {frozenset((cell.source, cell.target)): cell.levelled for cell in cells}
    return MatrixResult(names, cells, groups_of(hosts, load(), policy, known=known), tuple(given), chosen)


def letter_of(cell: Cell, means: MeansName | None = None) -> str:
    """Return the one letter that tells the most about a move, by the means that was asked for if one was."""
    by = _Means(means)
    passthrough = cell.passthrough if by.passthrough else "refused"
    levelled = cell.levelled if by.levelled else "refused"
    switches = by.switches and cell.switches is not None and (by.others or cell.switches == "")
    # In this order: parts of a baseline are worked out for who asks.
    told: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("P", lambda: passthrough == "runs"),
        ("S", lambda: switches),
        ("L", lambda: levelled == "runs"),
        ("p", lambda: _only_recorded(passthrough, cell.passthrough_parts)),
        ("l", lambda: levelled == "unknown" and _have_registers(cell.levelled_parts)),
        ("?", lambda: "unknown" in (passthrough, levelled)),
        ("r", lambda: by.levelled and cell.registers and _have_registers(cell.levelled_parts)),
    )
    return next((letter for letter, holds in told if holds()), ".")


@dataclass(frozen=True, slots=True)
class _Means:
    # What was not asked for is no answer. Another VMM without switches is passthrough.
    name: MeansName | None

    @property
    def passthrough(self) -> bool:
        return self.name not in ("sysreg", "preload")

    @property
    def switches(self) -> bool:
        return self.passthrough

    @property
    def others(self) -> bool:
        return self.name in (None, "switches")

    @property
    def levelled(self) -> bool:
        return self.name not in ("passthrough", "switches")


def _have_registers(parts: Iterable[tuple[Part, Answer]]) -> bool:
    answers = dict(parts)
    return answers.get("registers") == answers.get("shape") == "runs"


def _only_recorded(answer: Answer, parts: Iterable[tuple[Part, Answer]]) -> bool:
    return answer == "unknown" and _have_registers(parts)


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
