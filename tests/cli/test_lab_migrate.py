"""`armlevel lab migrate` at the command line, with hosts that are not booted and a guest that is said to have moved."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from armlevel.cli import lab_migrate as verb
from armlevel.lab.migration import DidNotBoot, Migrated

CPUS = ("cpu 0 Features: fp", "digest 1")


class FakeLab:
    @contextmanager
    def pair(self, one, other, qemus):
        yield SimpleNamespace(host=one), SimpleNamespace(host=other)


@pytest.fixture
def moved(monkeypatch):
    """Have the guest move with this outcome."""

    def so(outcome: Migrated) -> None:
        monkeypatch.setattr(verb, "move", lambda *_, **__: outcome)

    monkeypatch.setattr(verb, "Laboratory", lambda *_, **__: FakeLab())
    monkeypatch.setattr(verb, "await_guest", lambda slot, *_: slot)
    monkeypatch.setattr(verb, "begin", lambda _slot, _name, _guest, meanwhile: meanwhile())
    return so


def test_the_first_line_says_that_it_is_measured(moved, armlevel):
    moved(Migrated(arrived=True, alive=True, rate=1.0, before=CPUS, after=CPUS))
    done = armlevel("lab", "migrate", "max@6.12", "max@7.x")
    assert done.code == 0
    assert done.out.startswith("measured: max@6.12 -> max@7.x: migrated and healthy\n")


def test_a_guest_that_does_not_arrive_is_measured_too(moved, armlevel):
    moved(Migrated(before=CPUS))
    done = armlevel("lab", "migrate", "max@6.12", "max@7.x")
    assert done.code == 1
    assert " ".join(done.out.split()).startswith(
        "measured: max@6.12 -> max@7.x: not healthy: QEMU on the destination refused it arrived no"
    )


def test_a_guest_that_does_not_boot_is_no_fault_of_the_destination(moved, armlevel, monkeypatch):
    def fail(*_):
        raise DidNotBoot("no such CPU")

    monkeypatch.setattr(verb, "begin", fail)
    done = armlevel("lab", "migrate", "max@6.12", "max@7.x")
    assert done.code == 1
    assert "not healthy: the guest does not start on max@6.12" in " ".join(done.out.split())
    assert "no such CPU" in done.out


def test_switches_are_given_to_both_qemus_and_said(moved, armlevel, monkeypatch):
    started: list[str] = []
    moved(Migrated(arrived=True, alive=True, rate=1.0, before=CPUS, after=CPUS))
    monkeypatch.setattr(verb, "await_guest", lambda _slot, _name, guest: started.append(guest.cpu))
    done = armlevel(
        "lab", "migrate", "max@6.12", "max@7.x", "--qemu", "11", "--switches", "pmu=off,kvm-psci-version=1.1"
    )
    assert done.code == 0
    assert started == ["host,pmu=off,kvm-psci-version=1.1"]
    first = " ".join(done.out.split())
    assert first.startswith(
        "measured: max@6.12 -> max@7.x with pmu=off,kvm-psci-version=1.1: migrated and healthy"
    )


def test_a_switch_that_the_older_qemu_lacks_is_refused_before_a_host_boots(moved, armlevel):
    moved(Migrated())
    done = armlevel(
        "lab", "migrate", "max@6.12", "max@7.x", "--qemu", "10:11", "--switches", "kvm-psci-version=1.1"
    )
    assert done.code == 2
    assert "qemu-10.0 has no such option" in " ".join(done.err.split())
