"""One real live migration between two booted hosts, and the truth about the guest afterwards.

QEMU's own word is not taken for it: a source that says `completed` may have sent its guest to a destination that
died, or that runs a guest whose clock races or whose CPU stands still. What counts is heard from the guest itself.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from armlevel.lab.session import ARRIVALS, Refused, Session

__all__ = [
    "DidNotBoot",
    "Migrated",
    "MovingGuest",
    "Reading",
    "Running",
    "Slot",
    "Waiting",
    "afterwards",
    "arrived_as",
    "await_guest",
    "begin",
    "is_sure",
    "machine_of",
    "move",
    "rates",
    "registers_of",
    "revived",
    "state_of",
    "ticks_again",
    "ticks_first",
]

# Last stops against hanging, in seconds, ten times what an idle machine needs and more: a QEMU or a host that dies is
# noticed when it dies. First ticks of a guest; sending it; its start; its answers; a tick where it arrived (it ticks
# four times a second on an idle machine); and readings of its clock until they say whether it keeps time.
_BOOT = 600.0
_SENDING = 600.0
_SETTLING = 600.0
_ANSWERING = 600.0
_ALIVE = 200.0
_CLOCK = 200.0
_FIRST = 2  # ticks
_WINDOW = re.compile(r"(?P<start>[0-9a-f]{16})-[0-9a-f]{16} \([^)]*\): alias pcie-(?P<name>ecam|mmio-high)\b")
_RATE = (0.75, 1.33)  # of a clock that keeps time; wrong frequencies are off by half and more


@dataclass(frozen=True, slots=True)
class MovingGuest:
    """How a guest is started; as a rule the same words on both sides.

    ``board`` stands behind the machine type, ``memory`` behind ``-m``; ``devices`` are those of ``-device``.
    """

    machine: str = "virt"
    cpu: str = "host"
    vcpus: int = 1
    memory: str = "128M"
    board: str = "gic-version=3"
    devices: tuple[str, ...] = ()

    def command(self) -> list[str]:
        """Return QEMU's arguments for this guest."""
        return [
            *("-machine", ",".join(filter(None, (self.machine, self.board))), "-cpu", self.cpu),
            *("-smp", str(self.vcpus), "-m", self.memory, "-nodefaults", "-display", "none"),
            *(word for device in self.devices for word in ("-device", device)),
            *("-kernel", "/guest/vmlinuz", "-initrd", "/guest/initrd"),
            *("-append", "console=ttyAMA0 quiet loglevel=1 init_on_alloc=0 audit=0"),
        ]


def machine_of(here: str, there: str) -> str:
    """Return the machine type for a guest between two QEMUs: one that both know.

    >>> machine_of("10", "11"), machine_of("11", "11")
    ('virt-10.0', 'virt')
    """
    return "virt" if here == there else "virt-10.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One side of a migration: a host, its QEMU, and what runs QEMU there (empty: QEMU as it is).

    ``wrapper`` stands before QEMU's path, ``accel`` is how it is told of KVM, ``files`` are written first.
    """

    session: Session
    qemu: str = "10"
    wrapper: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    accel: str = "kvm"
    cpu: str = ""
    files: Mapping[str, str] = field(default_factory=dict)

    def start(self, name: str, guest: MovingGuest, *more: str) -> dict[str, Any]:
        """Start QEMU; return its status."""
        if self.files:
            self.session.ask("files", files=dict(self.files))
        program = f"/opt/qemu-{self.qemu}/qemu-system-aarch64"
        words = guest.command()
        if self.cpu:
            words[words.index("-cpu") + 1] = self.cpu
        command = [*self.wrapper, program, "-accel", self.accel, *words, *more]
        status: dict[str, Any] = self.session.ask(
            "start", name=name, command=command, environ=dict(self.environ)
        )
        return status


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """What happened. ``registers`` are those of vCPU 0 on either side, through KVM; times in seconds.

    ``arrived``: QEMU on the destination lives and says that its guest runs. ``alive``: the guest ticks there.
    ``rate``: how fast its clock runs against its host's. ``state``: what it says of its CPUs before and after.
    ``windows``: where QEMU on either side has put what lies above the guest's memory, by name.
    """

    arrived: bool = False
    alive: bool = False
    rate: float | None = None
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    sent: Mapping[int, int | None] = field(default_factory=dict, repr=False)
    found: Mapping[int, int | None] = field(default_factory=dict, repr=False)
    source_status: str = ""
    source_said: str = ""
    target_said: str = ""
    problem: str = ""
    downtime: float | None = None
    seconds: float = 0.0
    windows: tuple[Mapping[str, str], Mapping[str, str]] = ({}, {})

    @property
    def keeps_time(self) -> bool | None:
        """Tell whether the guest's clock runs at the right rate; unknown where it does not tick."""
        return None if self.rate is None else _RATE[0] < self.rate < _RATE[1]

    @property
    def same(self) -> bool:
        """Tell whether the guest says of its CPUs, and computes with them, the same as before the move."""
        return bool(self.before) and self.before == self.after

    @property
    def healthy(self) -> bool:
        """Tell whether the guest arrived, ticks, keeps time, and says the same of its CPUs as before."""
        return self.arrived and self.alive and self.keeps_time is True and self.same

    @property
    def words(self) -> tuple[str, ...]:
        """Return the messages of both QEMUs, a line each, without the program's name and with doubles left out."""
        lines = [line.partition("qemu-system-aarch64: ")[2] or line for line in _lines(self.target_said)]
        lines += [line.partition("qemu-system-aarch64: ")[2] or line for line in _lines(self.source_said)]
        return tuple(dict.fromkeys(lines))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


class DidNotBoot(Exception):
    """A guest that did not start; the words are QEMU's."""


@dataclass(frozen=True, slots=True)
class Running:
    """A guest that runs in a slot, what it said of its CPUs there, and its registers."""

    slot: Slot
    name: str
    guest: MovingGuest
    before: tuple[str, ...]
    registers: Mapping[int, int | None]
    windows: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A QEMU in a slot that waits for a guest; ``status`` is what became of its start."""

    slot: Slot
    name: str
    guest: MovingGuest
    status: Mapping[str, Any]


def await_guest(slot: Slot, name: str, guest: MovingGuest) -> Waiting:
    """Start the QEMU that waits for a guest to arrive."""
    return Waiting(slot, name, guest, slot.start(name, guest, "-incoming", "defer"))


def begin(
    slot: Slot, name: str, guest: MovingGuest, meanwhile: Callable[[], object] = lambda: None
) -> Running:
    """Start a guest and wait until it ticks; ``meanwhile`` is done while it boots.

    Raises:
        DidNotBoot: QEMU ended, or the guest does not tick.

    """
    status = slot.start(name, guest)
    meanwhile()
    ticks = slot.session.ask("ticks", name=name, count=2, seconds=_BOOT) if status["exit"] is None else []
    if len(ticks) < 2:
        status = slot.session.ask("status", name=name)
        console = slot.session.ask("console", name=name)
        slot.session.ask("end", name=name)
        said = _lines(status["said"]) or console[-2:] or [f"no word from QEMU ({status['exit']})"]
        raise DidNotBoot("; ".join(said))
    session = slot.session
    before = state_of(session, name)
    return Running(slot, name, guest, before, registers_of(session, name), _windows(session, name))


def _windows(session: Session, name: str) -> dict[str, str]:
    # What `info mtree` shows of windows that can lie above a guest's memory: each where it begins.
    shown = session.ask(
        "ask", name=name, command="human-monitor-command", arguments={"command-line": "info mtree"}
    )
    return {match["name"]: f"0x{int(match['start'], 16):x}" for match in _WINDOW.finditer(shown)}


def registers_of(session: Session, name: str) -> dict[int, int | None]:
    """Return the registers of a guest's vCPU 0 that say what it is, by id."""
    vcpus = session.ask("registers", name=name)
    return {int(number, 16): value for number, value in vcpus.get("0", {}).items()}


def state_of(session: Session, name: str) -> tuple[str, ...]:
    """Return what a guest says of its CPUs, and computes with them."""
    return tuple(session.ask("state", name=name, seconds=_ANSWERING))


def ticks_first(session: Session, name: str) -> bool:
    """Tell whether a guest that was started comes to tick."""
    return len(session.ask("ticks", name=name, count=_FIRST, seconds=_BOOT)) >= _FIRST


def ticks_again(session: Session, name: str) -> bool:
    """Tell whether a guest ticks, once more than it has."""
    heard = len(session.ask("ticks", name=name))
    return len(session.ask("ticks", name=name, count=heard + 1, seconds=_ALIVE)) > heard


def move(running: Running, waiting: Waiting, *, return_path: bool = True) -> Migrated:
    """Move a guest to the QEMU that waits for it; both QEMUs are left as they are then."""
    began = time.monotonic()
    name, source, target, there = running.name, running.slot.session, waiting.slot.session, waiting.name
    seen = Migrated(before=running.before, sent=running.registers, windows=(running.windows, {}))
    if waiting.status["exit"] is not None:
        return replace(
            seen, target_said=waiting.status["said"], problem="QEMU does not start on the destination"
        )
    try:
        if return_path:
            capability = {"capabilities": [{"capability": "return-path", "state": True}]}
            for session, which in ((source, name), (target, there)):
                session.ask("ask", name=which, command="migrate-set-capabilities", arguments=capability)
        windows = running.windows, _windows(target, there)
        seen = replace(seen, windows=windows)
        here = {"uri": f"tcp:0.0.0.0:{ARRIVALS}"}
        target.ask("ask", name=there, command="migrate-incoming", arguments=here)
        source.ask("ask", name=name, command="migrate", arguments={"uri": target.address})
        info: dict[str, Any] = source.ask("sent", name=name, seconds=_SENDING)
        arrived = _settled(target, there)
        result = afterwards(target, there) if arrived else {}
    except Refused as exc:
        said = target.ask("status", name=there)["said"]
        return replace(seen, target_said=said, problem=str(exc), seconds=time.monotonic() - began)
    return replace(
        seen,
        arrived=arrived,
        source_status=info.get("status", ""),
        downtime=info["downtime"] / 1000 if "downtime" in info else None,
        source_said=source.ask("status", name=name)["said"],
        target_said=target.ask("status", name=there)["said"],
        seconds=time.monotonic() - began,
        **result,
    )


def revived(running: Running) -> bool:
    """Tell whether a guest that did not go goes on where it was; it is told to, if it stands still."""
    session, name = running.slot.session, running.name
    status = session.ask("status", name=name)
    if status["exit"] is not None:
        return False
    if status["run"] != "running":
        session.ask("ask", name=name, command="cont")
    return ticks_again(session, name)


def arrived_as(waiting: Waiting, moved: Migrated) -> Running | None:
    """Return a guest that came well, and as the guest that it was, as one that runs where it came to."""
    if not moved.healthy or moved.found != moved.sent:
        return None
    slot = waiting.slot
    return Running(slot, waiting.name, waiting.guest, moved.after, moved.found, moved.windows[1])


def _settled(target: Session, name: str) -> bool:
    """Wait until the destination runs, or is gone."""
    ends = time.monotonic() + _SETTLING
    while time.monotonic() < ends:
        status = target.ask("status", name=name)
        if status["exit"] is not None:
            return False
        if status["run"] == "running":
            # What fails may fail just behind this.
            return bool(target.ask("status", name=name)["exit"] is None)
        time.sleep(0.1)  # each question takes time of the one CPU that the guest starts on
    return False


def afterwards(target: Session, name: str) -> dict[str, Any]:
    """Return the truth about a guest, heard from itself and read through KVM: the last fields of :class:`Migrated`."""
    ticks: Sequence[Any] = target.ask("ticks", name=name, count=1, seconds=_ALIVE)
    if not ticks:
        return {"found": registers_of(target, name)}
    # While it says what its CPUs are, time goes by: its clock is compared over that, and until it is sure.
    first = target.ask("clock", name=name, seconds=_ANSWERING)
    after = state_of(target, name)
    rate = _rate(target, name, Reading(*first)) if first else None
    ticks = target.ask("ticks", name=name, count=len(ticks) + 1, seconds=_ALIVE)
    return {"alive": len(ticks) > 1, "rate": rate, "after": after, "found": registers_of(target, name)}


@dataclass(frozen=True, slots=True)
class Reading:
    """A guest's uptime, and the times of its host between which the guest read it, in seconds."""

    asked: float
    heard: float
    uptime: float


def rates(first: Reading, last: Reading) -> tuple[float, float]:
    """Return the slowest and the fastest rate that a guest's clock can have had between two readings.

    However late a guest is asked or heard on a busy machine, the rate lies between them.

    >>> rates(Reading(0.0, 2.0, 100.0), Reading(8.0, 10.0, 108.0))
    (0.8, 1.3333333333333333)
    """
    gone, shortest = last.uptime - first.uptime, last.asked - first.heard
    return gone / (last.heard - first.asked), gone / shortest if shortest > 0 else math.inf


def is_sure(slowest: float, fastest: float) -> bool:
    """Tell whether it is sure that a clock keeps time, or that it does not.

    >>> is_sure(0.9, 1.1), is_sure(15.0, 17.0), is_sure(0.9, 1.6)
    (True, True, False)
    """
    low, high = _RATE
    return (low < slowest and fastest < high) or fastest < low or slowest > high


def _rate(target: Session, name: str, first: Reading) -> float | None:
    ends = time.monotonic() + _CLOCK
    while time.monotonic() < ends:
        reading = target.ask("clock", name=name, seconds=_ANSWERING)
        if not reading:
            return None
        last = Reading(*reading)
        if is_sure(*rates(first, last)):
            middle = (last.asked + last.heard - first.asked - first.heard) / 2
            return (last.uptime - first.uptime) / middle
    return None
