"""What is sent into a host to apply a guest profile reads the same guest as the rest of armlevel."""

from __future__ import annotations

import json

import pytest

from armlevel.arch import load
from armlevel.documents import guest_object, load_hosts, pretty, read_guest
from armlevel.engine import level
from armlevel.machines import folder, names
from armlevel.onefile.verifier import catalogue_of, guest_of
from armlevel.probe import plan_of
from armlevel.profile import Guest


def baseline(name: str) -> Guest:
    with folder() as place:
        guest = level(load_hosts([str(place / f"{name}.json")]), load()).guest
    assert guest is not None
    return guest


@pytest.mark.parametrize("name", names())
def test_a_profile_is_read_the_same_without_anything_installed(name: str):
    text = pretty(guest_object(baseline(name)))
    theirs, ours = guest_of(json.loads(text)), read_guest(text.encode(), name)
    assert (theirs.name, theirs.shape, theirs.registers) == (ours.name, ours.shape, ours.registers)
    assert (theirs.firmware, theirs.sve_vls) == (ours.firmware, ours.sve_vls)
    assert theirs.implementation is not None
    assert ours.implementation is not None
    assert theirs.implementation.shown == ours.implementation.shown
    facts = ("cntfrq_hz", "dczid", "gmid")
    assert [getattr(theirs.facts, f) for f in facts] == [getattr(ours.facts, f) for f in facts]


def test_the_plan_knows_every_register_as_the_catalogue_does():
    known = catalogue_of(plan_of(load())).registers
    assert len(known) > 50
    for name, row in known.items():
        register = load().registers[name]
        assert row.encoding == register.encoding
        assert row.reserved_mask == register.reserved_mask
        assert {field.subject for field in row.fields} == {field.subject for field in register.fields}
