"""Guests with constructed histories on real KVM: what is said of each is what its vCPU holds, or that it may be any.

The truth is read afterwards, by QEMU's own process under ptrace (``armlevel.lab.inside``): each register of the birth
that is said to be known is held against it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from armlevel.documents.running import running_of
from armlevel.documents.write import canonical
from armlevel.kvm import name_of
from armlevel.lab import parse_host
from armlevel.lab.migration import MovingGuest, Slot
from armlevel.lab.session import ARRIVALS, Session
from armlevel.operations.guests import RunningGuest, guests
from armlevel.probe.running import Running
from armlevel.profile import Guest, Host
from tests.emulated import fetched
from tests.fidelity.hosts import read

QEMU = "11"
PROGRAM = f"/opt/qemu-{QEMU}/qemu-system-aarch64"
STATE = "/tmp/state"
DISK = "/tmp/disk.qcow2"
#: A guest that never ran holds what it was given, and costs nothing.
STOPPED = ("-S",)


def shell(script: str) -> tuple[str, ...]:
    """Return what stands before QEMU so that a shell does something first; QEMU keeps its process number."""
    return ("sh", "-c", f"program=$1; shift; {script}", "sh")


WRAPPED = {
    "replaced": shell('mkdir -p /tmp/q; cp "$program" /tmp/q/qemu-system-aarch64; exec 9< /tmp/q/qemu-system-aarch64;'
                      ' rm /tmp/q/qemu-system-aarch64; exec /proc/self/fd/9 "$@"'),
    "other VMM": shell('mkdir -p /tmp/f; cp "$program" /tmp/f/firecracker; exec /tmp/f/firecracker "$@"'),
    "other mounts": ("busybox", "unshare", "-m"),
}  # fmt: skip


def empty_disk() -> bytes:
    """Return an empty qcow2 image (QEMU docs/interop/qcow2.txt): header, table of refcounts, refcounts, L1."""
    cluster, size = 1 << 16, 1 << 26
    header = struct.pack(
        ">4sIQIIQIIQQIIQ", b"QFI\xfb", 2, 0, 0, 16, size, 0, 1, 3 * cluster, cluster, 1, 0, 0
    )
    table, counts = struct.pack(">Q", 2 * cluster), struct.pack(">4H", 1, 1, 1, 1)
    return b"".join(part.ljust(cluster, b"\0") for part in (header, table, counts, b""))


@dataclass
class Place:
    """A booted host, its profile, and what of it is read."""

    session: Session
    host: Host
    names: dict[int, str] = field(default_factory=dict)

    def start(self, name: str, *more: str, wrapper: tuple[str, ...] = (), **what: str) -> None:
        slot = Slot(session=self.session, qemu=QEMU, wrapper=wrapper)
        status = slot.start(name, MovingGuest(**what), "-name", f"guest={name}", *more)  # type: ignore[arg-type]
        assert status["exit"] is None, (name, status["said"])
        self.names[status["pid"]] = name

    def running(self) -> Running:
        return running_of(canonical(self.session.ask("running")), "running")

    def seen(self) -> dict[str, RunningGuest]:
        # (one whose program is no QEMU by its name is told by its process)
        return {self.names[one.pid]: one for one in guests(self.running(), self.host).guests}

    def truth(self, name: str) -> dict[str, int]:
        (first, *_) = self.session.ask("registers", name=name).values()
        return {name_of(int(number, 16)): value for number, value in first.items() if value is not None}

    def end(self, *names: str) -> None:
        for name in names:
            self.session.ask("end", name=name)


def wrong(guest: Guest, truth: Mapping[str, int]) -> dict[str, tuple[int, int | None]]:
    """Return what a birth says otherwise than the vCPU holds it."""
    said = {**guest.id_registers, **guest.firmware}
    # (a register without meaning may be there without being in the list)
    return {
        name: (value, truth.get(name))
        for name, value in said.items()
        if name in truth and truth[name] != value
    }


def held(found: RunningGuest, truth: Mapping[str, int]) -> int:
    """Hold a birth against the vCPU; return how many of its registers are known."""
    guest = found.birth.guest
    if guest is None:
        assert found.birth.known == "any"
        return 0
    assert wrong(guest, truth) == {}, found.name
    known = {**guest.id_registers, **guest.firmware}.keys() & truth.keys()
    assert len(known) > 20
    return len(known)


def histories(place: Place, *, idregs: bool) -> Iterator[tuple[str, RunningGuest, int]]:
    """Make guests with a history each; return what is said of them, after it was held against KVM."""
    by = "idregs" if idregs else "command-line"
    place.session.ask("files", files={DISK: "hex:" + empty_disk().hex()})
    drive = ("-drive", f"file={DISK},if=none,id=d,format=qcow2")
    begun: dict[str, tuple[tuple[str, ...], tuple[str, ...], dict[str, str]]] = {
        "started": (STOPPED, (), {}),
        "without PMU": (STOPPED, (), {"cpu": "host,pmu=off"}),
        "other machine": (STOPPED, (), {"machine": "virt-9.0", "board": "gic-version=max,its=off"}),
        "older PSCI": (STOPPED, (), {"cpu": "host,kvm-psci-version=1.0"}),
        **{name: (STOPPED, wrapper, {}) for name, wrapper in WRAPPED.items()},
        "waits": (("-incoming", "defer"), (), {}),
    }
    # One after the other: so many QEMUs at once have no room there.
    for name, (more, wrapper, what) in begun.items():
        place.start(name, *more, wrapper=wrapper, **what)
        before, truth = place.running(), place.truth(name)
        (found,) = place.seen().values()
        yield name, found, held(found, truth)
        assert (place.running(), place.truth(name)) == (before, truth), "nothing was changed by reading"
        if name == "other VMM":
            assert found.birth.known == "any"
        elif name != "waits":
            assert (found.birth.known, found.birth.not_known) == (by, ()), name
        assert ("program-replaced" in found.birth.remarks) is (name == "replaced")
        assert ("apart" in found.birth.remarks) is (name == "other mounts")
        place.end(name)

    # What was saved with an older PSCI version comes back with it, whatever this host gives today.
    place.start("saved", *STOPPED, *drive, cpu="host,pmu=off,kvm-psci-version=1.0")
    place.session.ask(
        "ask", name="saved", command="human-monitor-command", arguments={"command-line": "savevm day"}
    )
    place.session.ask("ask", name="saved", command="migrate", arguments={"uri": f"file:{STATE}"})
    assert place.session.ask("sent", name="saved", seconds=600)["status"] == "completed"
    saved = place.truth("saved")
    place.end("saved")
    place.start("restored", *STOPPED, "-incoming", f"file:{STATE}", *drive, cpu="host,pmu=off")
    settle(place.session, "restored")
    place.start("rebooted", *STOPPED, "-incoming", f"file:{STATE}", cpu="host,pmu=off")
    settle(place.session, "rebooted")
    place.session.ask("ask", name="rebooted", command="system_reset")
    came = place.seen()
    for name in ("restored", "rebooted"):
        assert place.truth(name)["KVM_REG_ARM_PSCI_VERSION"] == saved["KVM_REG_ARM_PSCI_VERSION"]
        yield name, came[name], held(came[name], place.truth(name))
        assert "firmware" in came[name].birth.not_known
        assert "came-by-incoming" in came[name].birth.remarks
    place.end("restored", "rebooted")
    place.start("snapshot", *STOPPED, *drive, "-loadvm", "day", cpu="host,pmu=off")
    (found_now,) = place.seen().values()
    assert place.truth("snapshot")["KVM_REG_ARM_PSCI_VERSION"] == saved["KVM_REG_ARM_PSCI_VERSION"]
    yield "snapshot", found_now, held(found_now, place.truth("snapshot"))
    assert "came-by-loadvm" in found_now.birth.remarks
    assert "firmware" in found_now.birth.not_known
    place.end("snapshot")


def settle(session: Session, name: str) -> None:
    """Wait until what came is there; QEMU says so."""
    while (status := session.ask("status", name=name))["run"] == "inmigrate":
        assert status["exit"] is None, status["said"]
    assert status["run"] in ("paused", "prelaunch", "running"), status


def profile_of(laboratory, name: str, running: Running) -> Host:
    """Return the recorded profile of a host, if it was made under the kernel that runs."""
    (host,) = read([name])
    assert host.software.kernel == running.kernel, "this kernel was not recorded: tools/fidelity.py"
    return host


def opened(laboratory, name: str) -> Session:
    with fetched():
        laboratory.prepare(parse_host(name))
        laboratory.vmm_images(parse_host(name), QEMU)
    return laboratory.session(parse_host(name), (QEMU,))


def test_a_guest_that_was_started_here_holds_what_is_said_and_is_left_as_it_is(laboratory, tell):
    """The sample of every run: one host, one guest."""
    with opened(laboratory, "neoverse-n1@7.x") as session:
        running = running_of(canonical(session.ask("running")), "running")
        assert running.vms == ()
        place = Place(session, profile_of(laboratory, "neoverse-n1@7.x", running))
        place.start("a", *STOPPED, cpu="host,pmu=off")
        before = place.truth("a")
        (found,) = place.seen().values()
        assert place.truth("a") == before
        assert (found.birth.known, found.birth.not_known) == ("idregs", ())
        tell(f"guests: {held(found, before)} registers of a running guest known, none wrong, none changed")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "idregs"), [("neoverse-n1@6.1", False), ("neoverse-n1@6.12", True), ("neoverse-n2@7.x", True)]
)
def test_each_history_is_told_as_it_was_or_said_to_be_any(laboratory, tell, name, idregs):
    with opened(laboratory, name) as session:
        running = running_of(canonical(session.ask("running")), "running")
        place = Place(session, profile_of(laboratory, name, running))
        told = list(histories(place, idregs=idregs))
    assert len(told) >= 8
    for which, found, known in told:
        tell(f"guests: {name}: {which}: by {found.birth.known}, {known} registers, none wrong")


@pytest.mark.slow
def test_a_guest_that_came_from_another_kernel_is_told_by_what_it_holds(laboratory, tell):
    old, new = parse_host("neoverse-n1@6.12"), parse_host("neoverse-n1@7.x")
    with fetched():
        for host in (old, new):
            laboratory.prepare(host)
            laboratory.vmm_images(host, QEMU)
    with laboratory.pair(old, new, (QEMU,)) as (source, target):
        places = []
        for session, name in ((source, str(old)), (target, str(new))):
            running = running_of(canonical(session.ask("running")), "running")
            places.append(Place(session, profile_of(laboratory, name, running)))
        here, there = places
        here.start("moves", *STOPPED)
        there.start("moves", *STOPPED, "-incoming", "defer")
        born = here.seen()["moves"].birth
        assert born.guest is not None
        target.ask(
            "ask", name="moves", command="migrate-incoming", arguments={"uri": f"tcp:0.0.0.0:{ARRIVALS}"}
        )
        source.ask("ask", name="moves", command="migrate", arguments={"uri": target.address})
        assert source.ask("sent", name="moves", seconds=600)["status"] == "completed"
        settle(target, "moves")
        found, truth = there.seen()["moves"], there.truth("moves")
        known = held(found, truth)
        assert found.birth.known == "idregs"
        assert found.birth.guest is not None
        assert truth["KVM_REG_ARM_PSCI_VERSION"] == born.guest.firmware["KVM_REG_ARM_PSCI_VERSION"]
        assert found.birth.guest.firmware == {}
        tell(f"guests: moved 6.12 -> 7.x: {known} registers known, none wrong; firmware not known, as it is")
