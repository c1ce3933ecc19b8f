"""Today's armlevel foretells each recorded move by virsh as it was seen; no host is booted here."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.migrations.libvirt_cases import (
    CASES,
    Foretold,
    LibvirtCase,
    LibvirtSeen,
    foretell,
    hosts_of,
    wrong,
)
from tests.migrations.libvirt_recorded import LIBVIRT_SEEN, recorded_libvirt
from tests.migrations.recorded import recorded_hosts

MADE: dict[LibvirtCase, LibvirtSeen] = {
    case: seen for case in CASES if (seen := recorded_libvirt().get(str(case)))
}


@pytest.fixture(scope="module")
def told() -> dict[LibvirtCase, Foretold]:
    hosts = recorded_hosts(hosts_of())
    return {case: foretell(case, hosts) for case in CASES}


def test_what_is_recorded_is_of_the_list():
    assert len(MADE) == len(CASES) >= 12
    assert set(recorded_libvirt()) == {str(case) for case in MADE}
    assert {seen.guard for seen in MADE.values()} == {True, False}
    assert LIBVIRT_SEEN.stat().st_size < 32 * 1024


def test_each_is_foretold_as_it_was_seen(told):
    assert [f"{case}: {one}" for case, seen in MADE.items() for one in wrong(told[case], seen)] == []


def test_no_guest_that_did_not_go_was_harmed():
    stayed = [seen for seen in MADE.values() if seen.status]
    assert stayed
    assert all(seen.unharmed for seen in stayed)


def test_a_refusal_of_the_guard_reaches_the_source_with_its_subject_and_what_to_do(told):
    refused = [(case, seen) for case, seen in MADE.items() if told[case].outcome == "guard"]
    assert refused
    for case, seen in refused:
        said = " ".join(seen.says)
        assert any(subject in said for subject in told[case].subjects), case
        ways: tuple[str, ...] = ("virsh start --force-boot ",)
        if case.how == "migrate":
            ways = ("shut it down, and start it on ", "move it to another host", "armlevel override")
        assert any(way in said for way in ways), case


def test_nothing_that_was_foretold_wrongly_would_pass(told):
    others = {"goes": "fails", "fails": "guard", "guard": "goes"}
    for case, seen in MADE.items():
        assert wrong(replace(told[case], outcome=others[told[case].outcome]), seen), case
        if seen.status == 0:
            assert wrong(replace(told[case], harm=() if told[case].harm else ("clock",)), seen), case
        else:
            assert wrong(told[case], replace(seen, unharmed=False)), case
