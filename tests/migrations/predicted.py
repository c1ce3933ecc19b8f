"""What armlevel says of each migration, before any host is booted, and whether it came so."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from armlevel.arch import Catalogue
from armlevel.engine import Policy, level
from armlevel.engine.moves.predict import predict
from armlevel.engine.moves.switches import switches_named, under
from armlevel.formats import read_request
from armlevel.kvm import name_of
from armlevel.kvm.messages import qemu_name_of
from armlevel.lab.migration import Migrated, MovingGuest, machine_of
from armlevel.operations.migrate import migrate
from armlevel.profile import Guest, GuestMachine, Host, RegisterWrite
from tests.migrations.around import machine_cases
from tests.migrations.plan import Case

__all__ = [
    "Said",
    "Seen",
    "as_json",
    "asked_of",
    "command_of",
    "disagreements",
    "guests_of",
    "lost_windows",
    "say",
    "see",
]

#: QEMU as it is asked for, and as armlevel's rows know it.
_VMMS = {"10": "qemu-10.0", "11": "qemu-11.1"}
_NAMED = (
    re.compile(r"Could not set register (?P<text>.+?) to [0-9a-f]+"),
    re.compile(r"only_in_incoming_stream: (?P<text>.+?) in the incoming stream but unknown"),
)
_REFUSED = re.compile(r"QEMU could not set [^(]*\((?:0x)?([0-9a-f]+)")


@dataclass(frozen=True, slots=True)
class Said:
    """A prediction: ``completes``, ``fails`` or ``unknown``; whether the guest lives, and what is wrong with it."""

    outcome: str
    alive: bool | None
    harm: tuple[str, ...] = ()
    blocking: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """What happened, as it is kept.

    ``blocking`` are the registers that QEMU named or KVM refused; ``unlike`` those that the destination's vCPU does not
    have as the profile has them there. ``windows`` is where QEMU on either side has what lies above the guest's memory,
    and ``devices`` what the guest's PCI devices say before and after.
    """

    arrived: bool
    alive: bool
    keeps_time: bool | None
    same: bool
    rate: float | None
    blocking: tuple[str, ...]
    words: tuple[str, ...]
    problem: str = ""
    seconds: float = 0.0
    unlike: tuple[str, ...] = ()
    windows: tuple[Mapping[str, str], Mapping[str, str]] | None = None
    devices: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())


def guests_of(
    case: Case, hosts: Mapping[str, Host], catalogue: Catalogue
) -> tuple[Guest | None, Guest | None]:
    """Return the guest as the source and as the target are told to show it; none for passthrough CPUs."""
    if not case.level:
        return None, None
    found = level([hosts[name] for name in case.level], catalogue, Policy(tolerate=case.tolerate))
    guest = found.guest
    if guest is None or found.answer == "refused":
        raise ValueError(
            f"{case}: there is no such guest: {[finding.subject.key for finding in found.conflicts]}"
        )
    if case.mistake == "vectors":
        offer = hosts[case.source].offer(guest.shape)
        assert offer is not None
        return replace(guest, sve_vls=offer.sve_vls), guest
    if case.mistake == "clock":
        return guest, replace(guest, facts=replace(guest.facts, cntfrq_hz=None))
    return guest, guest


def command_of(case: Case, *, there: bool = False) -> MovingGuest:
    """Return how the guest of a case is started, or awaited ``there``; a levelled one is shown its profile besides."""
    asked = case.there if there and case.there is not None else case.asked
    cpu = ",".join(filter(None, ("host", case.switches, asked.cpu)))
    devices = ("virtio-rng-pci,romfile=",) if asked.device else ()
    machine = machine_of(*case.qemu)
    return MovingGuest(machine, cpu, case.vcpus, asked.memory, asked.board, devices)


def asked_of(case: Case, *, there: bool = False) -> GuestMachine:
    """Return what the words of a case ask for around the vCPUs, as `armlevel migrate --command` reads them."""
    words = ["qemu-system-aarch64", "-accel", "kvm", *command_of(case, there=there).command()]
    request = read_request(shlex.join(words).encode(), str(case))
    assert request is not None
    assert request.machine is not None
    return request.machine


def say(case: Case, hosts: Mapping[str, Host], catalogue: Catalogue) -> Said:
    """Predict a case from the profiles of its hosts, as `armlevel migrate` does."""
    guest, _ = guests_of(case, hosts, catalogue)
    if case in machine_cases():
        return _of_move(case, guest, hosts)
    vmm = ":".join(_VMMS[version] for version in case.qemu)
    ends = [hosts[case.source], hosts[case.target]]
    if case.switches:
        switches = switches_named(case.switches, vmm, catalogue)
        shown = [under(host, switches, "qemu", catalogue) for host in ends]
        ends = [host for host in shown if host is not None]
    told = predict(ends[0], ends[1], catalogue, vmm=vmm, guest=guest)
    return Said(told.outcome, told.alive, told.harm, told.blocking, told.messages)


def _of_move(case: Case, guest: Guest | None, hosts: Mapping[str, Host]) -> Said:
    vmm = ":".join(_VMMS[version] for version in dict.fromkeys(case.qemu))
    machines = asked_of(case), None if case.there is None else asked_of(case, there=True)
    ends = [hosts[case.source], hosts[case.target]]
    found = migrate(ends, guest, vmm=vmm, switches=case.switches, machines=machines)
    told = found.moves[0].prediction
    assert told is not None
    return Said(told.outcome, told.alive, told.harm, told.blocking, told.messages)


def see(moved: Migrated, log: str, hosts: Sequence[Host], expects: Sequence[RegisterWrite] = ()) -> Seen:
    """Return what happened; ``log`` is what the library wrote on the destination while the guest came in.

    ``expects`` are the registers of a levelled guest as they have to read there.
    """
    texts = {
        qemu_name_of(number): name_of(number)
        for host in hosts
        for offer in host.offers
        for number in offer.register_list or ()
    }
    named = {
        texts.get(match["text"], match["text"])
        for pattern in _NAMED
        for match in pattern.finditer("\n".join(moved.words))
    }
    named |= {name_of(int(number, 16)) for number in _REFUSED.findall(log)}
    return Seen(
        moved.arrived,
        moved.alive,
        moved.keeps_time,
        moved.same,
        moved.rate,
        tuple(sorted(named)),
        moved.words,
        moved.problem,
        moved.seconds,
        tuple(one.name for one in expects if moved.found and moved.found.get(one.kvm_id) != one.value),
        moved.windows,
        (_devices(moved.before), _devices(moved.after)),
    )


def _devices(state: Sequence[str]) -> tuple[str, ...]:
    return tuple(line for line in state if line.startswith("pci "))


def lost_windows(seen: Seen) -> list[str]:
    """Return what lay above the guest's memory at the source, and lies elsewhere or nowhere at the destination."""
    was, now = seen.windows or ({}, {})
    return [name for name, start in was.items() if now.get(name) != start]


def disagreements(said: Said, seen: Seen) -> list[str]:
    """Return in what a prediction was wrong; nothing if it was right, or made no claim."""
    if said.outcome == "unknown":
        return []
    faults = []
    if seen.arrived != (said.outcome == "completes"):
        faults.append(f"said it {said.outcome}; it {'arrived' if seen.arrived else 'did not arrive'}")
    elif seen.arrived:
        faults += _fate(said, seen)
    else:
        if set(said.blocking) != set(seen.blocking):
            only, more = set(said.blocking) - set(seen.blocking), set(seen.blocking) - set(said.blocking)
            faults.append(f"blocking: said and not seen {sorted(only)}; seen and not said {sorted(more)}")
        faults += [
            f"not printed: {text}" for text in said.messages if not any(text in word for word in seen.words)
        ]
    return faults


def _fate(said: Said, seen: Seen) -> list[str]:
    faults = []
    if said.alive is not None and said.alive != seen.alive:
        faults.append(
            f"said {'alive' if said.alive else 'dead'}; it {'ticks' if seen.alive else 'does not tick'}"
        )
    if seen.alive:
        if ("clock" in said.harm) == seen.keeps_time:
            faults.append(f"its clock runs at {seen.rate:.2f}, and {said.harm or 'no harm'} was said")
        if "vectors" in said.harm and seen.same:
            faults.append("said vectors; its vectors are as long as before")
        if not said.harm and not seen.same:
            faults.append("it is another CPU than before, or computes something else")
    if ("memory map" in said.harm) != bool(lost_windows(seen)):
        faults.append(
            f"lost or moved: {lost_windows(seen) or 'nothing'}, and {said.harm or 'no harm'} was said"
        )
    if seen.unlike:
        faults.append(f"not as the profile has them: {', '.join(seen.unlike)}")
    return faults


def as_json(one: Said | Seen) -> dict[str, Any]:
    """Return a plain object of it."""
    return asdict(one)
