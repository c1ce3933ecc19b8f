"""Whether a guest may move from one host to the other, and back."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypedDict

from armlevel import engine
from armlevel.arch import load
from armlevel.documents import read_file, remedy_object
from armlevel.engine import (
    Answer,
    MeansName,
    Move,
    Part,
    Policy,
    Prediction,
    Verdict,
    level,
    means_of,
    stack_of,
    switches_named,
)
from armlevel.engine.moves.means import only_means
from armlevel.engine.moves.vmm_restore import restorer_named
from armlevel.errors import NotRecognised, UsageError
from armlevel.formats.cpu_request import CpuRequest
from armlevel.operations.answers import findings_told, status_of
from armlevel.operations.any_guest import AnyGuest, any_guest_object, any_guest_of
from armlevel.operations.given import given_object
from armlevel.operations.means import WaysOut, means_named
from armlevel.profile import Given, Guest, GuestMachine, Host

__all__ = ["NO_MACHINES", "Machines", "MovesResult", "arrival_parts", "machine_asked", "migrate"]

#: What the VMM is asked for around the vCPUs on the first host, and on the second (None: the same).
Machines = tuple[GuestMachine | None, GuestMachine | None]
NO_MACHINES: Machines = (None, None)


class _Around(TypedDict):
    machine: GuestMachine | None
    there: GuestMachine | None


@dataclass(frozen=True, slots=True)
class MovesResult:
    """The move from the first host to the second, and the way back; ``guest`` is None for passthrough guests.

    ``means`` is the one that was asked for. ``asked`` is what decides about any guest: the hosts, the policy and the
    VMM; None where the guest is given, or has another CPU than a passthrough guest.
    """

    kind: ClassVar[str] = "moves/1"

    moves: tuple[Move, ...]
    guest: Guest | None = None
    given: tuple[Given, ...] = ()
    means: MeansName | None = None
    asked: tuple[Host, Host, Policy | None, str] | None = None

    @property
    def status(self) -> int:
        """The exit status: that of the move from the first host to the second."""
        return status_of([self.moves[0].answer])

    def document(self) -> dict[str, Any]:
        """Return the moves/1 object."""
        moves = [
            _move_object(move, self.means_of(move)) | _any_object(self.any_guest(move)) for move in self.moves
        ]
        return {"kind": self.kind, "moves": moves} | given_object(self.given)

    def any_guest(self, move: Move) -> AnyGuest | None:
        """Return whether any guest on the source may go, wherever it was started; worked out when it is read."""
        if self.asked is None:
            return None
        one, two, policy, vmm = self.asked
        return any_guest_of(*((one, two) if move is self.moves[0] else (two, one)), policy, vmm)

    def ways_of(self, move: Move) -> WaysOut:
        """Return what lets the guest of a move go where it may not, as far as it was asked for."""
        asked = self.means if move.answer != "runs" else None
        return WaysOut(move.ways, self.means_of(move), move.remains, asked)

    def means_of(self, move: Move) -> MeansName | None:
        """Return the cheapest means that lets the guest go, or that which was asked for; None if none does.

        A guest that was given has its CPU already, whatever brought it about.
        """
        if self.guest is not None and self.means is None:
            return None
        if move.answer != "runs":
            return means_of(move.ways)
        return self.means or ("switches" if move.switches else "passthrough")


def migrate(  # noqa: PLR0913 (a question with options)
    hosts: Sequence[Host],
    guest: Guest | None = None,
    policy: Policy | None = None,
    *,
    vmm: str = "kvm",
    means: str = "",
    switches: str = "",
    machines: Machines = NO_MACHINES,
    given: Sequence[Given] = (),
) -> MovesResult:
    """Judge the moves between two hosts in both directions; without a guest, each host's passthrough guest moves.

    ``means`` brings the guest CPU about in place of passthrough; ``switches`` are options of the VMM on both hosts.
    ``machines`` is what the VMM is asked for around the vCPUs on the first host, and on the second where it is not the
    same: a guest is started with that of the host that it moves from.

    Raises:
        UsageError: there are not two hosts, or these choices do not go together.
        UnknownName: there is no such means or switch.

    """
    if len(hosts) != 2:
        raise UsageError(
            f"{len(hosts)} hosts are named, and a move is between two", hint="see armlevel matrix"
        )
    if guest is not None and (means or switches):
        raise UsageError(
            "a guest that is given has its CPU: --means and --switches choose one", hint="leave out --guest"
        )
    around = _around(machines, vmm)
    asked = switches_named(switches, vmm, load()) if switches else None
    chosen = means_named(means, vmm)
    if asked and chosen not in (None, "switches"):
        raise UsageError(f"--switches with --means {chosen}", hint="--means switches, or leave one out")
    moves: tuple[Move, ...] = engine.migrate(
        hosts[0], hosts[1], load(), policy, guest=guest, vmm=vmm, switches=asked, **around
    )
    if chosen == "switches" and asked is None:
        moves = _switched(moves, hosts, policy, vmm, around)
    if chosen in ("sysreg", "preload"):
        moves, guest = _levelled(hosts, policy, vmm, around)
    about = None if guest is not None or asked or chosen else (hosts[0], hosts[1], policy, vmm)
    return MovesResult(tuple(_only(move, chosen) for move in moves), guest, tuple(given), chosen, about)


def _only(move: Move, means: MeansName | None) -> Move:
    remains = move.remains if means in (None, "switches") else ()
    return replace(move, ways=only_means(move.ways, means), remains=remains)


def _around(machines: Machines, vmm: str) -> _Around:
    here, there = machines
    family = restorer_named(vmm, load()).family
    for one in (here, there):
        if one is not None and one.vmm != family:
            raise UsageError(
                f"the machine is one of {one.vmm or 'a VMM that is not recorded'}, and {vmm} restores the guest",
                hint="name the VMM and its version, as --vmm qemu-11.1",
            )
    if there is not None and here is None:
        raise UsageError("what is asked for on the second host alone", hint="say it of the first one, too")
    return {"machine": here, "there": there}


def machine_asked(file: str, *, switched: bool = False) -> GuestMachine:
    """Read what a VMM's command line, or libvirt's domain, asks for around the vCPUs.

    ``switched`` says that what it asks of the CPU is given besides.

    Raises:
        ArmlevelError: the file is of no tool that is known, or asks for no machine.
        UsageError: it asks for another CPU than the host's.

    """
    from armlevel.formats import read_request  # which reads XML too: not for a question without a file

    request: CpuRequest | None = None
    with contextlib.suppress(NotRecognised):
        request = read_request(read_file(file), file)
    if request is None or request.machine is None:
        raise UsageError(
            f"{file}: no command line of QEMU, and no domain of libvirt",
            hint="a file with the words of a running QEMU, as ps shows them",
        )
    if (request.choices or request.lengths) and not switched:
        raise UsageError(
            f"{file}: it asks for less than the host's CPU",
            hint="give its options of -cpu to --switches, too",
        )
    return request.machine


def _switched(
    moves: tuple[Move, ...], hosts: Sequence[Host], policy: Policy | None, vmm: str, around: _Around
) -> tuple[Move, ...]:
    # Those that were found for the first direction, under the VMM that was asked about.
    texts = [str(way.args[0]) for way in moves[0].ways if way.kind == "switches" and not stack_of(way)]
    if not texts:
        return moves
    asked = switches_named(texts[0], vmm, load())
    return engine.migrate(hosts[0], hosts[1], load(), policy, vmm=vmm, switches=asked, **around)


def _levelled(
    hosts: Sequence[Host], policy: Policy | None, vmm: str, around: _Around
) -> tuple[tuple[Move, ...], Guest | None]:
    found = level(hosts, load(), policy, name="levelled")
    if found.guest is not None and found.answer != "refused":
        moves = engine.migrate(hosts[0], hosts[1], load(), policy, guest=found.guest, vmm=vmm, **around)
        return moves, found.guest
    parts = {part: (answer, answer) for part, answer in found.parts.items()}
    ends = [host.name for host in hosts]
    return tuple(
        Move(here, there, Verdict("levelled", there, parts, found.findings))
        for here, there in (ends, reversed(ends))
    ), None


def arrival_parts(move: Move) -> dict[Part, Answer]:
    """Return what each part of the question answers to the arrival."""
    return {part: arrive for part, (_, arrive) in move.verdict.parts.items()}


def _move_object(move: Move, means: MeansName | None) -> dict[str, Any]:
    return {
        "from": move.source,
        "to": move.target,
        "answer": move.answer,
        "means": means,
        "switches": move.switches or None,
        "no_switch": [subject.key for subject in move.remains],
        "parts": arrival_parts(move),
        "not_judged": list(move.verdict.not_judged),
        "findings": findings_told(move.findings),
        "remedies": [remedy_object(way) for way in move.ways],
    } | ({} if move.prediction is None else {"prediction": _prediction_object(move.prediction)})


def _any_object(found: AnyGuest | None) -> dict[str, Any]:
    return {} if found is None else {"any_guest": any_guest_object(found)}


def _prediction_object(found: Prediction) -> dict[str, Any]:
    return {
        "vmm": found.vmm,
        "outcome": found.outcome,
        "alive": found.alive,
        "harm": list(found.harm),
        "blocking": list(found.blocking),
        "counts": None if found.counts is None else list(found.counts),
        "messages": list(found.messages),
    }
