"""`armlevel lab migrate` at the command line, with hosts that are not booted and a guest that is said to have moved."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import pytest

from armlevel.cli import lab_migrate as verb
from armlevel.lab.libvirt_host import Said
from armlevel.lab.libvirt_move import DomainMoved
from armlevel.lab.libvirt_run import AskedMove
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


def libvirts(status: int, words: str, moved: Migrated, stayed: Migrated | None = None) -> DomainMoved:
    command = ("virsh", "migrate", "--live", "guest", "qemu+tcp://host-b/system")
    return DomainMoved(command=command, said=Said(status, "", words, 1.0), moved=moved, stayed=stayed)


@pytest.fixture
def libvirt(moved, monkeypatch):
    """Have libvirt move the guest with this outcome; returns what it was asked for."""
    asked: list[AskedMove] = []
    moved(Migrated())

    def so(outcome: DomainMoved) -> list[AskedMove]:
        def made(_lab: object, one: AskedMove, _tell: object) -> DomainMoved:
            asked.append(one)
            return outcome

        monkeypatch.setattr(verb, "libvirt_migration", made)
        return asked

    return so


def test_what_virsh_says_is_shown_word_for_word_and_the_source_guest_is_looked_at(libvirt, armlevel):
    registers = {1: 2}
    failed = Migrated(before=CPUS, sent=registers, problem="libvirt did not move it")
    stayed = Migrated(
        arrived=True, alive=True, rate=1.0, before=CPUS, after=CPUS, sent=registers, found=registers
    )
    libvirt(libvirts(1, "error: Hook script execution failed: armlevel: guest is refused", failed, stayed))
    done = armlevel("lab", "migrate", "max@6.12", "max@7.x", "--libvirt")
    assert done.code == 1
    shown = " ".join(done.out.split())
    assert shown.startswith("measured: max@6.12 -> max@7.x: not healthy: libvirt did not move it")
    assert "$ virsh migrate --live guest qemu+tcp://host-b/system" in shown
    assert "virsh error: Hook script execution failed: armlevel: guest is refused" in shown
    assert "the guest at the source is unharmed: ticks yes, keeps time yes, registers as they were" in shown


@pytest.mark.parametrize(
    "harm", [{"alive": False}, {"rate": 2.0}, {"found": {1: 3}}, {"after": ()}, {"arrived": False}]
)
def test_a_guest_that_did_not_go_and_is_not_as_it_was_is_harmed(libvirt, armlevel, harm):
    stayed = Migrated(arrived=True, alive=True, rate=1.0, before=CPUS, after=CPUS, sent={1: 2}, found={1: 2})
    libvirt(libvirts(1, "error: no", Migrated(problem="no"), replace(stayed, **harm)))
    done = armlevel("lab", "migrate", "max@6.12", "max@7.x", "--libvirt", "--json")
    assert done.code == 1
    assert done.json["libvirt"]["unharmed"] is False


def test_a_guest_that_libvirt_moved_is_healthy_by_its_own_word(libvirt, armlevel):
    good = Migrated(arrived=True, alive=True, rate=1.0, before=CPUS, after=CPUS)
    asked = libvirt(libvirts(0, "", good))
    words = ("lab", "migrate", "max@6.12", "max@7.x", "--libvirt", "--qemu", "11")
    done = armlevel(*words, "--switches", "pmu=off,kvm-psci-version=1.1", "--json")
    assert done.code == 0
    assert done.json["libvirt"]["guarded"] is False
    assert done.json["libvirt"]["unharmed"] is None
    assert (asked[0].domain.pmu, asked[0].domain.cpu) == (False, ("kvm-psci-version=1.1",))
    assert (asked[0].qemus, asked[0].mark) == (("11", "11"), None)


def test_the_guard_and_the_return_path_are_libvirts(moved, armlevel):
    moved(Migrated())
    done = armlevel("lab", "migrate", "max@6.12", "max@7.x", "--guard")
    assert (done.code, "add --libvirt" in done.err) == (2, True)
    done = armlevel("lab", "migrate", "max@6.12", "max@7.x", "--libvirt", "--no-return-path")
    assert (done.code, "leave out --no-return-path" in done.err) == (2, True)
