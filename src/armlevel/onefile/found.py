"""What trying a guest CPU on a host found, as data: codes and values, never sentences."""

from __future__ import annotations

from armlevel.named import NamedTuple

TYPE_CHECKING = False  # as type checkers read it

if TYPE_CHECKING:
    from collections.abc import Iterable

    from armlevel.onefile.codes import Answer, Code, Severity

__all__ = ["Found", "answer_of"]


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
