"""Eight real migrations for every `make test`, on two pairs of hosts, each predicted before."""

from __future__ import annotations

import os

import pytest

from armlevel.arch import load
from armlevel.errors import LabError
from armlevel.lab import Laboratory, LabSettings, parse_host
from armlevel.preload import library, library_fault
from tests.migrations.campaign import migrations, profiles
from tests.migrations.plan import SAMPLE, hosts_of
from tests.migrations.predicted import Seen, disagreements, say


@pytest.fixture(scope="module")
def lab():
    made = Laboratory(LabSettings.of(os.environ))
    try:
        for name in hosts_of(SAMPLE):
            made.prepare(parse_host(name))
            made.vmm_images(parse_host(name), "10", "11")
    except LabError as exc:
        if os.environ.get("ARMLEVEL_LAB"):
            raise
        pytest.skip(f"no emulated hosts here: {exc} (ARMLEVEL_LAB=1 forces)")
    if fault := library_fault(library()):
        pytest.skip(f"the library that QEMU is started with: {fault}")
    return made


def test_eight_migrations_come_as_they_were_predicted(lab, tell):
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
