"""What the engine says: findings, verdicts and their arithmetic. Data, not prose."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, overload

from armlevel.engine.names import FieldName, HostName, Message, Name
from armlevel.engine.reasons import Reason
from armlevel.engine.subjects import Subject
from armlevel.engine.values import Offers, Value

__all__ = [
    "OF_A_GUEST",
    "PARTS",
    "Answer",
    "Finding",
    "Late",
    "Part",
    "Remedy",
    "RemedyKind",
    "Severity",
    "Side",
    "Verdict",
    "answer_of",
    "worst",
]

Answer = Literal["runs", "refused", "unknown"]
Part = Literal["shape", "registers", "list", "firmware", "facts", "machine", "policy"]
Severity = Literal["stops", "breaks", "unknown", "risk", "note"]
Cause = Literal["silicon", "kernel", "shape", "boot option", "vmm", "policy", "not known"]
Side = Literal["start", "arrive"]

#: The parts of the question. What stands around the vCPU is judged where a guest records what it was given.
PARTS: tuple[Part, ...] = ("shape", "registers", "list", "firmware", "facts", "machine")

#: What a question about hosts alone leaves out: it is of a guest, and where no guest is named nobody recorded it.
OF_A_GUEST: tuple[Part, ...] = ("machine",)
_RANK: dict[Answer, int] = {"runs": 0, "unknown": 1, "refused": 2}
_ANSWER_OF: dict[Severity, Answer] = {
    "stops": "refused",
    "breaks": "refused",
    "unknown": "unknown",
    "risk": "runs",
    "note": "runs",
}


def worst(answers: Iterable[Answer]) -> Answer:
    """Return the worst of several answers: refused, then unknown, then runs (also of none).

    >>> worst(["runs", "unknown"]), worst(["unknown", "refused"]), worst([])
    ('unknown', 'refused', 'runs')
    """
    return max(answers, key=_RANK.__getitem__, default="runs")


RemedyKind = Literal[
    "pin",
    "pin-cpus",
    "without",
    "tolerate",
    "upgrade-kernel",
    "leave-out",
    "fact",
    "probe",
    "level",
    "start-on",
    "require-not",
    "implementation",
    "serve-targets",
    "switches",
    "board",
    "vmm",
    "other-vmm",
    "say-vmm",
    "run",
    "level-and-run",
    "level-and-export",
    "restart",
    "kernel-as",
    "nothing",
]


@dataclass(frozen=True, slots=True)
class Remedy:
    """One thing a person could do, to what, and on which hosts.

    ``pin-cpus``        the guest to these CPUs, which are this cluster
    ``pin``             a field to a value;  ``without``  a feature of the shape;  ``tolerate``  a class of fields
    ``upgrade-kernel``  to a line, or to any other one;  ``leave-out``  the hosts
    ``fact``            say a fact;  ``probe``  the hosts, in a shape if one is named;  ``level``  the guest first
    ``start-on``        start guests there;  ``require-not``  a feature
    ``implementation``  show another one: MIDR, REVIDR, AIDR;  ``serve-targets``  a VMM that serves the list of them
    ``switches``        start the guest with these options, of this VMM from a version on if one is named
    ``board``           start the VMM with this option of its machine
    ``vmm``             a family, from a version on;  ``other-vmm``  another set of behaviour
    ``say-vmm``         which of these it is;  ``run``  level, and armlevel run
    ``level-and-run``, ``level-and-export``   ways out of a move, under the tolerances that they need
    ``restart``         shut down, and start on the other host
    ``kernel-as``       that kernel, of which the named host shows what it offers
    ``nothing``         changes these facts
    """

    kind: RemedyKind
    args: tuple[FieldName | Name | int, ...] = ()
    hosts: tuple[HostName, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason: a subject, what is needed, what is offered, by whom, and why they differ.

    ``subject``  a field, a register, a fact, a choice of the shape or of a person ...
    ``needs``    the values asked for
    ``offers``   host -> what it would take instead
    ``because``  rules, features and rows that led here
    ``messages`` what the VMM prints on the destination
    ``sets``     for a conflict: the smallest sets of hosts that already conflict, one host standing for its like
    """

    subject: Subject
    part: Part
    severity: Severity
    needs: tuple[Value, ...] = ()
    offers: Offers = ()
    cause: Cause = "not known"
    applies: tuple[Side, ...] = ("start", "arrive")
    because: tuple[Reason, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    sets: tuple[tuple[HostName, ...], ...] = ()
    messages: tuple[Message, ...] = ()

    @property
    def hosts(self) -> tuple[HostName, ...]:
        """The hosts it concerns, in order and once."""
        return tuple(dict.fromkeys(name for name, _ in self.offers))


class Late(Sequence[Finding]):
    """Findings that are worked out once, when somebody reads them; equal to the tuple that they are.

    >>> from armlevel.engine.subjects import about_fact
    >>> late = Late(lambda: (Finding(about_fact("dczid"), "facts", "risk"),))
    >>> len(late), late == tuple(late), [one.severity for one in late]
    (1, True, ['risk'])
    """

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Sequence[Finding]]) -> None:
        """Work out nothing yet; ``make`` gives the same whenever it is called."""
        self._make = make
        self._made: tuple[Finding, ...] | None = None

    def _all(self) -> tuple[Finding, ...]:
        if self._made is None:
            self._made = tuple(self._make())
        return self._made

    @overload
    def __getitem__(self, place: int) -> Finding: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Finding]: ...
    def __getitem__(self, place: int | slice) -> Finding | Sequence[Finding]:
        """Return one finding, or some."""
        return self._all()[place]

    def __len__(self) -> int:
        """How many there are."""
        return len(self._all())

    def __eq__(self, other: object) -> bool:
        """Whether these are the same findings, in the same order."""
        return self._all() == (other._all() if isinstance(other, Late) else other)

    def __hash__(self) -> int:
        """Hash as the tuple does."""
        return hash(self._all())

    def __repr__(self) -> str:
        """Show the findings."""
        return repr(self._all())


@dataclass(frozen=True, slots=True)
class Verdict:
    """For one guest and one host: may it start here, may it arrive here.

    ``parts`` gives (start, arrive) for each part of the question; ``judged`` names the parts that were decided.
    ``findings`` may be :class:`Late`.
    """

    guest: str
    host: str
    parts: Mapping[Part, tuple[Answer, Answer]]
    findings: Sequence[Finding] = ()

    @property
    def start(self) -> Answer:
        """Whether a guest booted here sees exactly the profile."""
        return worst(start for start, _ in self.parts.values())

    @property
    def arrive(self) -> Answer:
        """Whether a guest that holds these values is accepted, and what it learnt at boot stays true."""
        return worst(arrive for _, arrive in self.parts.values())

    @property
    def judged(self) -> tuple[Part, ...]:
        """The parts whose both answers are known."""
        return tuple(part for part, answers in self.parts.items() if "unknown" not in answers)

    @property
    def not_judged(self) -> tuple[Part, ...]:
        """The parts that were not asked about, because the guest does not record what they are about."""
        return tuple(part for part in PARTS if part not in self.parts)


def answer_of(findings: Iterable[Finding], side: Side) -> Answer:
    """Return what findings mean for one side: ``stops`` and ``breaks`` refuse, ``unknown`` is unknown.

    >>> from armlevel.engine.subjects import about_fact
    >>> answer_of(
    ...     [
    ...         Finding(about_fact("dczid"), "facts", "risk"),
    ...         Finding(about_fact("gmid"), "facts", "unknown", applies=("arrive",)),
    ...     ],
    ...     "arrive",
    ... )
    'unknown'
    """
    return worst(_ANSWER_OF[finding.severity] for finding in findings if side in finding.applies)
