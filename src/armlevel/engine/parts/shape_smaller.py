"""Which features of a shape hosts may do without, so that they have a baseline after all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from armlevel.arch import Catalogue
from armlevel.engine.findings import Finding
from armlevel.engine.names import FieldName, Name
from armlevel.engine.parts.shape import PASSTHROUGH_FEATURES, common_shape
from armlevel.engine.reasons import Reason
from armlevel.engine.subjects import about_shape
from armlevel.profile import IMPLEMENTATION_REGISTERS, Host, Offer, Shape

__all__ = ["dropped_findings", "smaller_may_help", "smaller_shapes"]

# The same in every shape.
_FIXED = frozenset({"facts.cntfrq_hz", "facts.dczid", *IMPLEMENTATION_REGISTERS})


def smaller_shapes(
    hosts: Sequence[Host], shape: Shape | None, without: frozenset[str]
) -> Iterator[frozenset[str]]:
    """Yield what a shape of these hosts may do without, the fewest features first."""
    choices = sorted((shape.features if shape is not None else frozenset()) & PASSTHROUGH_FEATURES["kvm"])
    already = PASSTHROUGH_FEATURES["kvm"] - without - frozenset(choices)
    seen: set[Shape | None] = {shape}
    for size in range(1, len(choices) + 1):
        for some in combinations(choices, size):
            less = frozenset(some) | already
            smaller = common_shape(hosts, without | less)
            if smaller not in seen:
                seen.add(smaller)
                yield frozenset(some)


def smaller_may_help(
    conflicts: Iterable[Finding], hosts: Sequence[Host], shape: Shape | None, catalogue: Catalogue
) -> bool:
    """Whether some smaller shape may take every conflict out of the way.

    A fact, an implementation, and a field of which every host says the same without any feature stay as they are.
    """
    smallest = common_shape(hosts, PASSTHROUGH_FEATURES["kvm"])
    if shape is None or smallest is None or smallest == shape:
        return False
    grave = [one for one in conflicts if one.severity in ("stops", "breaks")]
    if any(one.subject.key in _FIXED for one in grave):
        return False
    fields = [one.subject.key for one in grave if one.subject.key in catalogue.fields]
    return not fields or not _lasting(fields, hosts, (shape, smallest), catalogue)


def _lasting(
    subjects: Sequence[str], hosts: Sequence[Host], shapes: tuple[Shape, Shape], catalogue: Catalogue
) -> bool:
    # Whether one of these fields is said alike by each host in both shapes.
    pairs = [tuple(host.offer(shape) for shape in shapes) for host in hosts]
    return any(
        all(
            one is not None
            and two is not None
            and _says(one, subject, catalogue) == _says(two, subject, catalogue)
            for one, two in pairs
        )
        for subject in subjects
    )


def _says(offer: Offer, subject: str, catalogue: Catalogue) -> tuple[object, ...]:
    field = catalogue.fields[subject]
    limit = offer.limits.get(field.register)
    return None if limit is None else field.get(limit), offer.accepts.get(subject), offer.default


def dropped_findings(less: Iterable[str], conflicts: Sequence[Finding]) -> list[Finding]:
    """Return a note for each feature that was dropped, with what stood against a baseline that has it."""
    grave = [one.subject.key for one in conflicts if one.severity in ("stops", "breaks")]
    return [
        Finding(
            about_shape(feature),
            "shape",
            "note",
            because=(Reason("feature-dropped", (Name(feature), FieldName(grave[0]))),),
        )
        for feature in sorted(less)
    ]
