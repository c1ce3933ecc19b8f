"""Four real migrations for every `make test`, on one pair of hosts, each predicted before."""

from __future__ import annotations

import pytest

from armlevel.arch import load
from armlevel.lab import parse_host
from armlevel.preload import library, library_fault
from tests.emulated import fetched
from tests.migrations.campaign import migrations, profiles
from tests.migrations.plan import SAMPLE, hosts_of
from tests.migrations.predicted import Seen, disagreements, say


@pytest.fixture(scope="module")
def lab(laboratory):
    with fetched():
        for name in hosts_of(SAMPLE):
            laboratory.prepare(parse_host(name))
            laboratory.vmm_images(parse_host(name), "10", "11")
    if fault := library_fault(library()):
        pytest.skip(f"the library that QEMU is started with: {fault}")
    return laboratory


def test_four_migrations_come_as_they_were_predicted(lab, tell):
    catalogue = load()
    hosts = profiles(lab, hosts_of(SAMPLE))
    said = {case: say(case, hosts, catalogue) for case in SAMPLE}
    assert {one.outcome for one in said.values()} == {"completes", "fails"}
    made = dict(migrations(lab, SAMPLE, hosts, catalogue))
    seen = {case: was for case, was in made.items() if isinstance(was, Seen)}
    assert seen == made
    assert [f"{case}: {one}" for case, was in seen.items() for one in disagreements(said[case], was)] == []
    arrived = [was for was in seen.values() if was.arrived]
    tell(f"migrations: {len(seen)} made, {len(arrived)} arrived, all as predicted")
    assert arrived
    assert all(was.alive and was.keeps_time and was.same for was in arrived)
