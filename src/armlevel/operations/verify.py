"""Whether a machine's KVM gives a guest exactly a profile's CPU: tried, not computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from armlevel.arch import load
from armlevel.engine import Answer
from armlevel.kvm.device import Kvm
from armlevel.operations.answers import status_of
from armlevel.probe.apply import Applied, Difference, apply_guest
from armlevel.probe.machine import read_machine
from armlevel.profile import Guest

__all__ = ["VerifyResult", "verify"]


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """What became of a guest's CPU in a scratch VM; ``host`` is None for this machine."""

    kind: ClassVar[str] = "verify/1"

    guest: Guest
    applied: Applied
    host: str | None = None

    @property
    def answer(self) -> Answer:
        """``refused`` if anything is not as the profile says, ``unknown`` if the profile leaves something unsaid."""
        codes = {one.code for one in self.applied.differences}
        return "refused" if codes - {"not-recorded"} else "unknown" if codes else "runs"

    @property
    def status(self) -> int:
        """The exit status."""
        return status_of([self.answer])

    def document(self) -> dict[str, Any]:
        """Return the verify/1 object."""
        return {
            "kind": self.kind,
            "guest": self.guest.name,
            "host": self.host,
            "answer": self.answer,
            "gic": self.applied.gic,
            "read": {name: f"{value:#018x}" for name, value in self.applied.read.items()},
            "findings": _differences(self.applied.differences),
            "notes": _differences(self.applied.notes),
        }


def verify(guest: Guest) -> VerifyResult:
    """Give a scratch VM of this machine the guest's CPU, and compare.

    Raises:
        KvmError: there is no KVM for Arm guests here, or this host cannot have the guest's shape at all.

    """
    machine = read_machine()
    with Kvm() as kvm:
        return VerifyResult(guest, apply_guest(kvm, guest, load(), pmu=machine.pmu))


def _differences(some: Sequence[Difference]) -> list[dict[str, Any]]:
    return [one._asdict() for one in some]
