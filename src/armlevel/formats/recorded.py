"""A recorded vCPU (register id to value) as what its host offers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from armlevel.arch import Catalogue
from armlevel.formats.predict import predict_offers
from armlevel.kvm import group_of, name_of
from armlevel.profile import Cpu, Implementation, Offer, Shape

__all__ = ["recorded_cpus", "recorded_offers"]

_BASE = Shape()


def recorded_offers(
    values: Mapping[int, int],
    catalogue: Catalogue,
    release: str | None = None,
    shape: Shape = _BASE,
    listed: Iterable[int] | None = None,
) -> tuple[Offer, ...]:
    """Sort the registers of a fresh vCPU into identity, firmware and state, and predict what KVM accepts.

    ``release`` is the host's kernel, None where it is not recorded; ``listed`` has the ids of the whole register list,
    None where the values are not those of all of it.
    """
    limits: dict[str, int] = {}
    firmware: dict[str, int] = {}
    state: dict[str, int] = {}
    for register, value in sorted(values.items()):
        name, group = name_of(register), group_of(register)
        row = catalogue.registers.get(name)
        if group in ("firmware", "bitmap"):
            firmware[name] = value
        elif group == "demux" or (row is not None and not row.derived):
            limits[name] = value
        else:
            state[name] = value
    registers = None if listed is None else tuple(sorted(set(listed)))
    whole = Offer(shape, limits=limits, register_list=registers, firmware=firmware, state=state)
    return predict_offers(whole, release, catalogue)


def recorded_cpus(offers: tuple[Offer, ...], revidr: int | None = None) -> tuple[Cpu, ...]:
    """Return the physical CPU that the registers name, as far as they do.

    ``revidr`` is REVIDR_EL1 where it was recorded beside the registers. How many CPUs there are is not in any of them.
    """
    beside = {} if revidr is None else {"REVIDR_EL1": revidr}
    found = Implementation.from_registers({**beside, **offers[0].limits})
    return () if found is None else (Cpu(found),)
