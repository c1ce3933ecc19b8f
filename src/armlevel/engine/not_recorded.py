"""What a guest profile does not record: whoever promises this guest CPU promises that too, and nobody knows it."""

from __future__ import annotations

from collections.abc import Iterator

from armlevel.arch import Catalogue, known_of
from armlevel.engine.fields.no_meaning import meaningless
from armlevel.engine.parts.facts import facts_needed
from armlevel.engine.parts.register_list import carried_unvalued
from armlevel.engine.subjects import Subject, about_fact, about_register, about_whole
from armlevel.profile import Guest

__all__ = ["knows_nothing", "not_recorded"]


def knows_nothing(guest: Guest) -> bool:
    """Whether not one ID register of a guest is recorded: then its profile says nothing of its CPU.

    >>> from armlevel.profile import Shape
    >>> knows_nothing(Guest("g", Shape(), {})), knows_nothing(Guest("g", Shape(), {"CTR_EL0": 1}))
    (True, False)
    """
    return not guest.registers


def not_recorded(guest: Guest, catalogue: Catalogue) -> tuple[Subject, ...]:
    """Return what a guest of this shape has and its profile does not say, part by part.

    >>> from armlevel.arch import load
    >>> from armlevel.profile import Shape
    >>> [one.key for one in not_recorded(Guest("g", Shape(), {}), load())][:2]
    ['id-registers', 'MIDR_EL1']
    """
    return (
        *_registers(guest, catalogue),
        *_shape(guest),
        *([about_whole("register-list")] if guest.register_list is None else []),
        *_firmware(guest, catalogue),
        *(about_fact(name) for name in facts_needed(guest.shape) if getattr(guest.facts, name) is None),
    )


def _registers(guest: Guest, catalogue: Catalogue) -> Iterator[Subject]:
    if knows_nothing(guest):
        yield about_whole("id-registers")
    yield from map(about_register, guest.unrecorded_implementation)
    gone = meaningless(known_of(catalogue, guest.registers), catalogue)
    yield from map(about_register, carried_unvalued(guest, gone, catalogue))


def _shape(guest: Guest) -> Iterator[Subject]:
    if "sve" in guest.shape.features and guest.sve_vls is None:
        yield about_whole("sve_vls")
    if "pmu_v3" in guest.shape.features and guest.pmu_counters is None:
        yield about_whole("pmu.counters")


def _firmware(guest: Guest, catalogue: Catalogue) -> Iterator[Subject]:
    if not guest.firmware:
        yield about_whole("firmware")
        return
    carried = set(guest.register_list or ())
    for name, row in sorted(catalogue.firmware.items()):
        if row.kvm_id in carried and name not in guest.firmware:
            yield about_register(name)
