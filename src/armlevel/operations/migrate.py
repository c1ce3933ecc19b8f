"""Whether a guest may move from one host to the other, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from armlevel import engine
from armlevel.arch import load
from armlevel.documents import findings_object, remedy_object
from armlevel.engine import Answer, Move, Part, Policy, Prediction
from armlevel.errors import UsageError
from armlevel.operations.answers import status_of
from armlevel.operations.given import given_object
from armlevel.profile import Given, Guest, Host

__all__ = ["MovesResult", "arrival_parts", "migrate"]


@dataclass(frozen=True, slots=True)
class MovesResult:
    """The move from the first host to the second, and the way back; ``guest`` is None for passthrough guests."""

    kind: ClassVar[str] = "moves/1"

    moves: tuple[Move, ...]
    guest: Guest | None = None
    given: tuple[Given, ...] = ()

    @property
    def status(self) -> int:
        """The exit status: that of the move from the first host to the second."""
        return status_of([self.moves[0].answer])

    def document(self) -> dict[str, Any]:
        """Return the moves/1 object."""
        moves = [_move_object(move) for move in self.moves]
        return {"kind": self.kind, "moves": moves} | given_object(self.given)


def migrate(
    hosts: Sequence[Host],
    guest: Guest | None = None,
    policy: Policy | None = None,
    *,
    vmm: str = "kvm",
    given: Sequence[Given] = (),
) -> MovesResult:
    """Judge the moves between two hosts in both directions; without a guest, each host's passthrough guest moves.

    Raises:
        UsageError: there are not two hosts.

    """
    if len(hosts) != 2:
        raise UsageError(
            f"{len(hosts)} hosts are named, and a move is between two", hint="see armlevel matrix"
        )
    moves = engine.migrate(hosts[0], hosts[1], load(), policy, guest=guest, vmm=vmm)
    return MovesResult(moves, guest, tuple(given))


def arrival_parts(move: Move) -> dict[Part, Answer]:
    """Return what each part of the question answers to the arrival."""
    return {part: arrive for part, (_, arrive) in move.verdict.parts.items()}


def _move_object(move: Move) -> dict[str, Any]:
    return {
        "from": move.source,
        "to": move.target,
        "answer": move.answer,
        "parts": arrival_parts(move),
        "findings": findings_object(move.findings),
        "remedies": [remedy_object(way) for way in move.ways],
    } | ({} if move.prediction is None else {"prediction": _prediction_object(move.prediction)})


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
