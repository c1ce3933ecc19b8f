"""What trying a guest CPU on a host found, as data: codes and values, never sentences."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

__all__ = ["CODES", "Answer", "Code", "Found", "Severity", "answer_of"]

Answer = Literal["runs", "refused", "unknown"]
#: ``stops``: KVM or the VMM refuses it; ``breaks``: it is taken, and harms the guest; ``note`` changes no answer.
Severity = Literal["stops", "breaks", "unknown", "note"]
Code = Literal[
    "around",
    "changed",
    "changed-at-first-run",
    "clock-differs",
    "core-not-known",
    "counters-fewer",
    "cpus-differ",
    "fact-differs",
    "feature-missing",
    "kvm-failed",
    "kvm-newer",
    "level-weaker",
    "list-lacks",
    "list-let",
    "lengths-differ",
    "no-such-guest",
    "not-recorded",
    "other-core",
    "refused",
    "refused-together",
    "tolerated",
    "unknown-packing",
    "will-not-run",
]
#: Every code.
CODES: tuple[Code, ...] = get_args(Code)


class Found(NamedTuple):
    """One thing that trying found.

    ``subject``  a field, a register, a fact, a feature of the shape, or what stands around the vCPU
    ``guest``    what the guest has, and ``host`` what there is here, as a person reads them
    ``cause``    ``silicon``, ``kernel``, ``vmm``, or ``not known``
    ``remedy``   ``elsewhere``, ``restart`` (elsewhere, or shut it down and start it here), ``probe``, or nothing
    """

    code: Code
    severity: Severity
    subject: str
    guest: str = ""
    host: str = ""
    cause: str = "not known"
    remedy: str = ""


def answer_of(found: Iterable[Found]) -> Answer:
    """Return what findings come to.

    >>> answer_of([Found("not-recorded", "unknown", "MIDR_EL1"), Found("refused", "stops", "CTR_EL0")])
    'refused'
    """
    severities = {one.severity for one in found}
    if severities & {"stops", "breaks"}:
        return "refused"
    return "unknown" if "unknown" in severities else "runs"
