"""Levelling without reasons, wrong: for each thing that decides a set of hosts, a mistake that somebody could make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from armlevel.engine.fields.closure import Closed
from armlevel.engine.fields.vectors import levelled
from armlevel.engine.fields.vectors.levelled import FieldLevels
from armlevel.engine.screen import levels
from armlevel.engine.screen.levels import Levels

Mutant = Callable[[pytest.MonkeyPatch], None]


def rules_not_followed(patch: pytest.MonkeyPatch) -> None:
    """Nothing is lowered until Arm's rules hold."""
    patch.setattr(levelled, "close", lambda start, *_: Closed(start))


def hosts_own_breaks_forgotten(patch: pytest.MonkeyPatch) -> None:
    """A rule that every host breaks by itself is enforced."""
    patch.setattr(FieldLevels, "_by_limits", lambda *_: (0, 0))


def couplings_forgotten(patch: pytest.MonkeyPatch) -> None:
    """What KVM enforces between fields lowers nothing."""
    patch.setattr(FieldLevels, "_wakes", lambda *_: False)


def meaning_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Registers that mean nothing in the guest take part."""
    patch.setattr(FieldLevels, "_meaningless", lambda *_: frozenset())


def doubt_taken_for_conflict(patch: pytest.MonkeyPatch) -> None:
    """A field of which it is not known whether there is a value has certainly none."""
    patch.setattr(levelled, "choose", lambda *_: None)


def conflict_taken_for_doubt(patch: pytest.MonkeyPatch) -> None:
    """A field that certainly has no value may have one."""
    patch.setattr(levelled, "choose", lambda *_: 0)


def registers_not_shown_forgotten(patch: pytest.MonkeyPatch) -> None:
    """A host that does not show a register says nothing against any value in it."""
    right = FieldLevels._apart

    def apart(fields, offers):
        names = frozenset[str]().union(*(one.names for one in offers))
        return right(fields, [replace(one, names=names) for one in offers])

    patch.setattr(FieldLevels, "_apart", apart)


def values_not_recorded_forgotten(patch: pytest.MonkeyPatch) -> None:
    """A register that every host lists needs no value."""
    patch.setattr(Levels, "_valued", lambda *_: "runs")


def smaller_shapes_not_tried(patch: pytest.MonkeyPatch) -> None:
    """What the richest shape answers is the answer."""
    patch.setattr(Levels, "_smaller", lambda _levels, _places, outcome: outcome.parts)


def pointers_not_given_up(patch: pytest.MonkeyPatch) -> None:
    """Pointer authentication of which it is not known whose it is stays."""
    right = Levels._judge

    def judge(told, places, shape):
        found = right(told, places, shape)
        return None if found is None else replace(found, about_pauth=False)

    patch.setattr(Levels, "_judge", judge)


def starts_not_put_together(patch: pytest.MonkeyPatch) -> None:
    """A guest may start where counters alone or workarounds alone would let it."""
    right = Levels._of_shape

    def of_shape(told, some, shape, firmware):
        return right(told, some, shape, replace(firmware, contents=frozenset()))

    patch.setattr(Levels, "_of_shape", of_shape)


def host_not_looked_at(name: str) -> Mutant:
    """What decides a question in a host is forgotten, so that all hosts share an entry."""

    def mutant(patch: pytest.MonkeyPatch) -> None:
        right = levels._Question.number

        def number(question, key):
            return 0 if question._name == name else right(question, key)

        patch.setattr(levels._Question, "number", number)

    return mutant
