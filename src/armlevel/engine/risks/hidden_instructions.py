"""Instructions that a program can still run although the guest is not shown their feature."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from armlevel.arch import Catalogue, Field, KernelLine, evaluate, known_of, mentioned
from armlevel.engine.names import register_of
from armlevel.profile import Host, Offer

__all__ = ["still_executing"]


def still_executing(
    registers: Mapping[str, int], host: Host, offer: Offer, catalogue: Catalogue
) -> tuple[str, ...]:
    """Return the features that ``host`` executes for a guest with these register values, which hide them.

    A feature counts as stopped only where a row says that KVM of the host's kernel makes it undefined, and the host
    shows the control it takes. FEAT_ names where the field's values have them, else the field.
    """
    line = catalogue.line(host.software.kernel)
    found: dict[str, None] = {}
    for register in catalogue.hidden.by_register:
        want, limit = registers.get(register), offer.limits.get(register)
        if want is not None and limit is not None and want != limit:
            found |= _hidden_in(catalogue, register, want, limit)
    return tuple(name for name in found if not _stopped(name, offer.limits, line, catalogue))


def _stopped(feature: str, limits: Mapping[str, int], line: KernelLine | None, catalogue: Catalogue) -> bool:
    row = catalogue.hidden.undefined.get(feature)
    if row is None or line is None or line.name not in row.lines:
        return False
    registers = {register_of(subject) for subject in mentioned(row.needs)}
    own = known_of(catalogue, {name: limits[name] for name in registers if name in limits})
    return evaluate(row.needs, own) is True


# Hosts of a fleet show few values of a register, and one guest is held against each.
@lru_cache(maxsize=4096)
def _hidden_in(catalogue: Catalogue, register: str, want: int, limit: int) -> Mapping[str, None]:
    fields = [catalogue.fields[subject] for subject in catalogue.hidden.by_register[register]]
    names = (_between(field, field.get(want), field.get(limit)) for field in fields)
    return MappingProxyType({name: None for some in names for name in some})


def _between(field: Field, low: int, high: int) -> tuple[str, ...]:
    # What begins above `low` and not above `high`, in the field's order.
    bottom, top = field.rank(low), field.rank(high)
    if bottom is None or top is None or top <= bottom:
        return ()
    names: list[str] = []
    for value, text in field.values.items():
        rank = field.rank(value)
        if rank is not None and bottom < rank <= top:
            features = [word for word in text.replace(",", " ").split() if word.startswith("FEAT_")]
            names += features or [field.subject]
    return tuple(names)
