"""One guest on many hosts: the answers of each check by itself, and reasons only where somebody reads."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from armlevel.engine import Policy, check, checks, passthrough
from armlevel.engine.findings import Finding, Late
from armlevel.engine.screen import checks as checking
from armlevel.engine.subjects import about_fact
from tests.laws.compiled import every_host, given_machine, guests_of, stranger
from tests.laws.fleet import catalogue, make_fleet


def test_many_hosts_answer_as_each_does_by_itself_and_for_the_same_reasons():
    some = Random(6).sample(every_host(), 9)
    hosts = [*some, *(replace(one, name=f"{one.name}, again") for one in some[:3])]
    for guest in (guest for host in some[:3] for guest in guests_of(host)):
        assert list(checks(guest, hosts, catalogue())) == [check(guest, one, catalogue()) for one in hosts]


def test_many_odd_hosts_answer_as_each_does_by_itself():
    for number in range(6):
        chance = Random(number)
        hosts = [
            stranger(replace(one, name=f"{one.name}{n}"), chance) for one in make_fleet(chance) for n in "ab"
        ]
        policy = chance.choice((Policy(), Policy(assume_same_impdef=True)))
        guest = passthrough(hosts[0], catalogue(), machine=given_machine(chance))
        told = checks(guest, hosts, catalogue(), policy)
        full = [check(guest, one, catalogue(), policy) for one in hosts]
        assert [list(one.parts.items()) for one in told] == [list(one.parts.items()) for one in full]
        assert list(told) == full


def test_reasons_are_worked_out_for_the_host_that_is_read_and_once(monkeypatch):
    asked = []

    def counting(guest, host, *more):
        asked.append(host.name)
        return check(guest, host, *more)

    monkeypatch.setattr(checking, "check", counting)
    hosts = [one for one in every_host() if one.name.startswith("neoverse-n1@")][:4]
    verdicts = checks(passthrough(hosts[0], catalogue()), hosts, catalogue())
    assert {one.arrive for one in verdicts} >= {"runs"}
    assert asked == []
    assert tuple(verdicts[1].findings) == tuple(verdicts[1].findings)
    assert asked == [hosts[1].name]


def test_findings_that_come_late_are_those_that_they_are():
    one = Finding(about_fact("dczid"), "facts", "risk")
    late = Late(lambda: [one, one])
    assert late == (one, one) == tuple(late)
    assert late == Late(lambda: (one, one))
    assert late != (one,)
    assert (hash(late), repr(late)) == (hash((one, one)), repr((one, one)))
    assert late[0] is one
    assert late[:1] == (one,)
