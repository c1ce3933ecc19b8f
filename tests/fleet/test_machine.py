"""A fleet at random, in a real store: the level in force never moves without an accept, and the chain always proves."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from armlevel.errors import UnknownName, UsageError
from armlevel.fleet import reading, writing
from armlevel.fleet.audit import audit
from armlevel.fleet.database import make_store, open_store
from armlevel.fleet.events import Head
from armlevel.fleet.values import PoolPolicy, time_text
from armlevel.operations.fleet_accept import fleet_accept
from armlevel.operations.fleet_add import fleet_add
from armlevel.operations.fleet_forget import fleet_forget
from armlevel.operations.fleet_hosts import fleet_label, fleet_rename, fleet_retire
from armlevel.operations.fleet_level import fleet_level
from armlevel.operations.fleet_pools import fleet_pool_create, fleet_pool_edit
from armlevel.profile import Accepts, Made
from tests.cli.hosts import ISAR0, host, write

NAMES = ("n1", "n2", "n3")
TS, RNDR = 1 << 52, 1 << 60
CPUS = (ISAR0, ISAR0 | TS, ISAR0 | TS | RNDR, ISAR0 & ~(0xF << 16))


def profile(name: str, isar0: int, *, whole: bool) -> Any:
    fields = {
        f"ID_AA64ISAR0_EL1.{field}": Accepts.of(range(((isar0 >> at) & 0xF) + 1))
        for field, at in (("CRC32", 16), ("TS", 52), ("RNDR", 60))
    }
    more: dict[str, Any] = {} if whole else {"registers": None}
    return host(name, limits={"ID_AA64ISAR0_EL1": isar0}, accepts=fields, **more)


class Fleet(RuleBasedStateMachine):
    """What people and hosts do to a fleet, and what must be true after each."""

    def __init__(self, place: str) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.place = place
        self.version, self.digest, self.count = 0, "", 0
        self.heads: list[Head] = [Head(0, None)]

    def teardown(self) -> None:
        self.folder.cleanup()

    @initialize()
    def begin(self) -> None:
        make_store(self.place)
        fleet_pool_create("web", PoolPolicy(("n*",)), self.place)

    @rule(name=st.sampled_from(NAMES), isar0=st.sampled_from(CPUS), whole=st.booleans())
    def report(self, name: str, isar0: int, whole: bool) -> None:
        self.count += 1
        folder = Path(self.folder.name, str(self.count))
        folder.mkdir()
        at = time_text(datetime.now(UTC) - timedelta(days=1) + timedelta(seconds=self.count))
        one = replace(profile(name, isar0, whole=whole), made=Made("armlevel", at=at))
        found = fleet_add(write(folder, one), self.place)
        assert [one.name for one in found.hosts] == [name]

    @rule(name=st.sampled_from(NAMES))
    def retire(self, name: str) -> None:
        # It may not be there, or be retired already.
        with suppress(UnknownName, UsageError):
            fleet_retire(name, self.place, reason="scrapped")

    @rule(name=st.sampled_from(NAMES), label=st.sampled_from(("a=1", "a=2", "b=1")))
    def label(self, name: str, label: str) -> None:
        with suppress(UnknownName):
            fleet_label(name, [label], self.place)

    @rule(name=st.sampled_from(NAMES), new=st.sampled_from((*NAMES, "m1")))
    def rename(self, name: str, new: str) -> None:
        # There may be no such host, or another one that is called so.
        with suppress(UnknownName, UsageError):
            fleet_rename(name, new, self.place)

    @rule(name=st.sampled_from(NAMES))
    def forget(self, name: str) -> None:
        # It may not be there, or not be retired.
        with suppress(UnknownName, UsageError):
            fleet_forget([name], self.place, reason="law")

    @rule(pattern=st.sampled_from(("n*", "n1", "n[23]")))
    def edit(self, pattern: str) -> None:
        fleet_pool_edit("web", PoolPolicy((pattern,)), self.place, reason="so")

    @rule()
    def look(self) -> None:
        fleet_level("web", self.place)

    @rule(lower=st.booleans())
    def accept(self, lower: bool) -> None:
        found = fleet_accept("web", self.place, reason="because", lower=lower)
        if found.moved:
            assert found.level is not None
            assert found.candidate is not None
            assert found.candidate.answer == "runs"
            self.version, self.digest = found.level.version, found.level.digest

    @invariant()
    def the_level_is_what_was_accepted(self) -> None:
        with open_store(self.place).reading() as connection:
            levels = reading.levels(connection)
        assert [one.version for one in levels] == list(range(1, self.version + 1))
        if levels:
            assert levels[-1].digest == self.digest

    @invariant()
    def the_chain_proves_against_every_head_there_was(self) -> None:
        with open_store(self.place).reading() as connection:
            found = audit(connection, self.heads[-1])
            assert (found.chain, found.contents) == ((), ())
            assert writing.head(connection) == found.head
        self.heads.append(found.head)


QUICK = settings(
    max_examples=3,
    stateful_step_count=8,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)


def _of(places: Callable[[], str]) -> Any:
    return lambda: Fleet(places())


def test_a_level_moves_by_accept_alone_and_the_chain_proves(places: Callable[[], str]):
    run_state_machine_as_test(_of(places), settings=QUICK)


@pytest.mark.slow
def test_a_level_moves_by_accept_alone_and_the_chain_proves_at_length(places: Callable[[], str]):
    longer = settings(QUICK, max_examples=60, stateful_step_count=40)
    run_state_machine_as_test(_of(places), settings=longer)
