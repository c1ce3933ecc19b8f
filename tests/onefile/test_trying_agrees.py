"""Trying and `check` are two witnesses of one question: may this guest arrive here. They never differ.

One looks at recorded profiles, the other asks KVM. In every test run the KVM is one that does what recorded hosts were
seen to do; the slow ones boot emulated hosts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import pytest

from armlevel.arch import load
from armlevel.documents.packed import pack, unpack
from armlevel.engine import check
from armlevel.lab import parse_host
from armlevel.onefile.arrival import arrival
from armlevel.onefile.found import answer_of
from armlevel.onefile.rows import rows_of
from armlevel.profile import IMPLEMENTATION_REGISTERS, Guest, Host
from tests.emulated import fetched
from tests.fidelity.hosts import HOSTS, read
from tests.onefile.recorded_kvm import RecordedKvm, RecordedVcpu, here_of
from tests.onefile.trying_lab import DESTINATIONS, guests_for, try_there

SAMPLE = ("neoverse-n1@6.1", "neoverse-n1@7.x", "neoverse-v1@6.12", "a64fx@6.18", "cortex-a710@7.x")
NEEDED = 200


def recorded() -> dict[str, Host]:
    return {host.name: host for host in read(HOSTS)}


def compared(host: Host, guests: Mapping[str, Guest], answers: Mapping[str, str]) -> Counter[str]:
    """Hold each answer against the verdict; return how many of each there were."""
    verdicts = {name: check(guest, host, load()).arrive for name, guest in guests.items()}
    differ = {name: (verdicts[name], answers[name]) for name in guests if verdicts[name] != answers[name]}
    assert differ == {}, host.name
    return Counter(verdicts.values())


def on_recorded_kvms(destinations: Iterable[str]) -> Counter[str]:
    hosts, rows, pairs = recorded(), rows_of(load()), Counter[str]()
    for name in destinations:
        host = hosts[name]
        guests, kvm, here = (
            guests_for(host, list(hosts.values()), load()),
            RecordedKvm(host, load()),
            here_of(host),
        )
        answers = {
            one: answer_of(arrival(kvm, unpack(pack(guest)), rows, here)) for one, guest in guests.items()
        }
        pairs += compared(host, guests, answers)
    return pairs


def test_trying_agrees_with_check_on_kvms_that_do_what_was_recorded(tell):
    pairs = on_recorded_kvms(SAMPLE)
    tell(f"trying: {pairs.total()} pairs of recorded hosts as check says: {dict(pairs)}")
    assert pairs.total() >= 150
    assert min(pairs[answer] for answer in ("runs", "refused", "unknown")) > 0


@pytest.mark.slow
def test_trying_agrees_with_check_on_every_recorded_host():
    pairs = on_recorded_kvms(HOSTS)
    assert pairs.total() >= 10 * NEEDED


@pytest.mark.slow
def test_rows_of_what_is_changed_without_harm_are_needed():
    hosts, rows, differ = recorded(), rows_of(load())._replace(harmless=(), above=()), 0
    for name in ("neoverse-n1@7.x", "cortex-a710@7.x", "max@7.x,mte=on"):
        host = hosts[name]
        for guest in guests_for(host, list(hosts.values()), load()).values():
            said = answer_of(arrival(RecordedKvm(host, load()), guest, rows, here_of(host)))
            differ += said != check(guest, host, load()).arrive
    assert differ > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", DESTINATIONS)
def test_trying_agrees_with_check_in_an_emulated_host(laboratory, tell, name):
    with fetched():
        laboratory.prepare(parse_host(name))
    hosts = recorded()
    guests = guests_for(hosts[name], list(hosts.values()), load())
    found = try_there(laboratory, name, guests)
    pairs = compared(hosts[name], guests, {one: said["answer"] for one, said in found.items()})
    took = sorted(said["took"][0] for said in found.values())
    tell(
        f"trying on {name}: {pairs.total()} guests as check says: {dict(pairs)}; {took[len(took) // 2]:.2f} s each"
    )
    assert pairs["runs"] > 0
    assert pairs["refused"] > 0


@pytest.mark.parametrize("name", SAMPLE)
def test_a_guest_of_this_very_host_costs_one_vm_and_each_register_one_write(name, monkeypatch):
    host, asked = recorded()[name], Counter[str]()

    def counted(kind: type, call: str) -> None:
        right = getattr(kind, call)

        def count(self, *words, **more):
            asked[call] += 1
            return right(self, *words, **more)

        monkeypatch.setattr(kind, call, count)

    counted(RecordedKvm, "create_vm")
    for call in ("get", "set", "registers"):
        counted(RecordedVcpu, call)
    guest = guests_for(host, [host], load())[f"{name} qemu"]
    found = arrival(RecordedKvm(host, load()), guest, rows_of(load()), here_of(host))
    assert [one.severity for one in found if one.severity != "note"] == []
    shown = len(guest.registers) + len(guest.firmware)
    # Of each register: what a fresh vCPU shows, what it keeps, and what it is once KVM has finished the VM.
    assert asked["create_vm"] == 1
    assert asked["registers"] == 2
    assert shown - len(IMPLEMENTATION_REGISTERS) <= asked["set"] <= shown + 10
    assert asked["get"] <= 3 * shown + 10
