"""The recorded machines are listed by names that every command takes, and each says what it is."""

from __future__ import annotations

import pytest

from armlevel.machines import names
from armlevel.operations.machines import machines
from armlevel.operations.named import load_hosts
from tests.cli.hosts import Command

EVERY = machines().machines


def test_every_machine_is_listed_once_with_what_it_is():
    assert [one.typed for one in EVERY] == [f"@{name}" for name in names()]
    assert len(EVERY) >= 9
    for one in EVERY:
        assert one.cpus
        assert one.host.software.kernel
        assert one.host.made.source


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.typed)
def test_what_is_listed_can_be_typed_and_is_that_machine(one):
    assert load_hosts(one.typed) == [one.host]
    for name in (one.typed, one.typed[1:], one.host.name, one.host.name.upper()):
        assert machines([name]).machines == (one,)


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ("graviton3*", 3),
        ("*6.18", 3),
        ("neoverse v1", 3),
        ("N1", 3),
        ("graviton", 9),
        ("x86", 0),
        ("", 0),
        ("*", 9),
    ],
)
def test_a_pattern_finds_what_it_fits(pattern, count):
    found = machines([pattern])
    assert len(found.machines) == count
    assert found.status == (0 if count else 1)


def test_a_name_that_is_nearly_one_is_told(armlevel: Command):
    said = armlevel("machines", "gravitn2")
    assert (said.code, said.out) == (1, "")
    assert "did you mean @graviton2-" in said.err


def test_the_first_line_counts_and_the_others_fit(armlevel: Command):
    lines = armlevel("machines").out.splitlines()
    assert lines[0] == "9 recorded machines"
    assert len(lines) == 3 + 9
    assert max(map(len, lines)) <= 80
    assert "github.com/firecracker-microvm" in armlevel("machines", "@graviton4-6.1").out
