"""What is proved of a host moves with an event alone: whenever it is heard of again, and under whichever name."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from armlevel.fleet.contents import parts_of
from armlevel.fleet.hearing import heard_again, heard_anew, other_evidence
from armlevel.fleet.values import FleetHost
from armlevel.fleet.writing import state_of_host
from tests.cli.hosts import host

FIRST = "2026-11-30T10:00:00Z"


@pytest.mark.parametrize(
    ("name", "qemu", "at"),
    list(product(("n1", "called-anew"), (None, "10.0.3"), (FIRST, "2026-11-30T10:00:01Z"))),
)
def test_what_is_proved_of_a_host_differs_just_where_its_evidence_does(name, qemu, at):
    one = host("n1")
    before = heard_anew(FleetHost("1", "n1"), parts_of(one), FIRST, "2")
    vmms = one.software.vmms if qemu is None else {"qemu": qemu}
    again = replace(one, name=name, software=replace(one.software, vmms=vmms))
    after = heard_again(before, parts_of(again), at)
    assert after.last.last_seen == at
    assert other_evidence(before, after) == (qemu is not None)
    assert (state_of_host(after) != state_of_host(before)) == (qemu is not None)
