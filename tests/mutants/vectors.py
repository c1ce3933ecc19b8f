"""Wrong vectors: for each kind of slot, and for each table, a mistake that somebody could make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from armlevel.engine.fields.vectors import RUNS, UNKNOWN, Marks, field_slots
from armlevel.engine.screen import compiled, tables, vmm_tables
from armlevel.engine.screen.compiled import Screen
from armlevel.engine.screen.views import GuestView, HostView

Mutant = Callable[[pytest.MonkeyPatch], None]


def unmeasured_value_taken_for_kept(patch: pytest.MonkeyPatch) -> None:
    """What a host does with a value is not known, and it is taken for kept."""
    right = field_slots.field_marks

    def marks(*args, **more):
        return Marks(*(RUNS if mark == UNKNOWN else mark for mark in right(*args, **more)))

    patch.setattr(field_slots, "field_marks", marks)


def registers_without_meaning_judged_like_others(patch: pytest.MonkeyPatch) -> None:
    """A field has the same bit whether or not it means something in the guest."""
    right = field_slots.field_marks
    patch.setattr(field_slots, "field_marks", lambda *args, gone: right(*args, gone=False))


def reserved_bits_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Bits without a name are no slot."""
    right = field_slots.slots_of

    def named(catalogue, register):
        known = catalogue.registers.get(register)
        return right(catalogue, register) if known is None else {one.subject: one for one in known.fields}

    patch.setattr(field_slots, "slots_of", named)


def change_before_the_first_run_forgotten(patch: pytest.MonkeyPatch) -> None:
    """What KVM makes of its own limit takes no part."""
    right = HostView.fields
    patch.setattr(HostView, "fields", lambda view: replace(right(view), changed={}))


def tolerated_fields_judged(patch: pytest.MonkeyPatch) -> None:
    """A guest holds bits of fields that its profile lets differ."""
    patch.setattr(GuestView, "tolerated", frozenset())


def facts_not_recorded_taken_for_equal(patch: pytest.MonkeyPatch) -> None:
    """A fact that one side did not record is no matter."""
    right = Screen._loose_mark

    def mark(screen, slot, view, own):
        found = right(screen, slot, view, own)
        return RUNS if found == UNKNOWN and slot.about != "coupling" else found

    patch.setattr(Screen, "_loose_mark", mark)


def coupling_forgotten(patch: pytest.MonkeyPatch) -> None:
    """What KVM enforces between fields takes no part."""
    patch.setattr(Screen, "enforced", lambda *_: RUNS)


def fields_seen_together_forgotten(patch: pytest.MonkeyPatch) -> None:
    """What a probe saw of two fields together takes no part."""
    patch.setattr(compiled, "_joints", lambda _view: {})


def table_dropped(name: str) -> Mutant:
    """A question that is never asked."""

    def mutant(patch: pytest.MonkeyPatch) -> None:
        _tables(patch, lambda one: replace(one, guest=lambda _: None) if one.name == name else one)

    return mutant


def guest_not_looked_at(name: str) -> Mutant:
    """What decides a question in a guest is forgotten, so that guests share an entry."""

    def mutant(patch: pytest.MonkeyPatch) -> None:
        def blind(one: tables.Table) -> tables.Table:
            return replace(one, guest=lambda view: None if one.guest(view) is None else ())

        _tables(patch, lambda one: blind(one) if one.name == name else one)

    return mutant


def host_not_looked_at(name: str) -> Mutant:
    """What decides a question in a host is forgotten, so that hosts share an entry."""

    def mutant(patch: pytest.MonkeyPatch) -> None:
        def blind(one: tables.Table) -> tables.Table:
            return replace(one, host=lambda view: None if one.host(view) is None else ())

        _tables(patch, lambda one: blind(one) if one.name == name else one)

    return mutant


def _tables(patch: pytest.MonkeyPatch, wrong: Callable[[tables.Table], tables.Table]) -> None:
    screen, of_vmm = Screen.__init__, vmm_tables.tables_of

    def init(self, catalogue, some=tables.TABLES):
        screen(self, catalogue, tuple(map(wrong, some)))

    patch.setattr(Screen, "__init__", init)
    assert of_vmm is vmm_tables.tables_of
