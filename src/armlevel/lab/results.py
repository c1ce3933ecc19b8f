"""What the lab's verbs answer: results with a kind and a JSON object, as those of ``operations``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from armlevel.arch import load
from armlevel.errors import LabError
from armlevel.kvm import name_of
from armlevel.lab.hosts import MODELS
from armlevel.lab.laboratory import KernelState, Laboratory
from armlevel.lab.libvirt_move import DomainMoved
from armlevel.lab.migration import Migrated

__all__ = ["LabList", "MeasuredMove", "list_lab"]


@dataclass(frozen=True, slots=True)
class LabList:
    """What a laboratory can boot: kernel lines, the emulator (empty: none, and ``problem`` says why), the cache."""

    kind: ClassVar[str] = "lab-list/1"

    lines: tuple[KernelState, ...]
    emulator: str
    problem: str
    cache: str

    @property
    def status(self) -> int:
        """The exit status: 1 if a line that the tests need is not to be had."""
        return 1 if any(state.problem and state.needed for state in self.lines) else 0

    def document(self) -> dict[str, Any]:
        """Return the lab-list/1 object."""
        return {
            "kind": self.kind,
            "lines": [
                {
                    "line": state.line,
                    "release": state.release,
                    "cached": state.cached,
                    "needed": state.needed,
                    "problem": state.problem,
                }
                for state in self.lines
            ],
            "cpus": [{"cpu": model.name, "variants": list(model.variants)} for model in MODELS],
            "emulator": self.emulator or None,
            "problem": self.problem or None,
            "cache": self.cache,
        }


def list_lab(lab: Laboratory) -> LabList:
    """Say what a laboratory can boot."""
    lines, cache = tuple(lab.kernels()), str(lab.settings.cache)
    try:
        emulator = lab.emulator()
    except LabError as exc:
        return LabList(lines, "", str(exc), cache)
    return LabList(lines, f"QEMU {emulator.version} ({emulator.origin})", "", cache)


@dataclass(frozen=True, slots=True)
class MeasuredMove:
    """A real migration between two emulated hosts; ``libvirt`` is what virsh was told and said, if it made it.

    ``guarded``: the destination had armlevel's hook, and the guest its mark.
    """

    kind: ClassVar[str] = "lab-move/1"

    source: str
    target: str
    moved: Migrated
    switches: str = ""
    libvirt: DomainMoved | None = None
    guarded: bool = False

    @property
    def status(self) -> int:
        """The exit status: 0 if the guest arrived, ticks, keeps time and is the guest it was."""
        return 0 if self.moved.healthy else 1

    @property
    def changed(self) -> tuple[tuple[str, int | None, int | None], ...]:
        """The ID registers that the destination's vCPU does not have as the source's had them."""
        identity = {row.kvm_id for row in load().registers.values()}
        both = identity & set(self.moved.sent) & set(self.moved.found)
        return tuple(
            (name_of(number), self.moved.sent[number], self.moved.found[number])
            for number in sorted(both)
            if self.moved.sent[number] != self.moved.found[number]
        )

    def document(self) -> dict[str, Any]:
        """Return the lab-move/1 object."""
        moved = self.moved
        return {
            "kind": self.kind,
            "from": self.source,
            "to": self.target,
            "switches": self.switches or None,
            "healthy": moved.healthy,
            "arrived": moved.arrived,
            "ticks": moved.alive,
            "clock_rate": moved.rate,
            "keeps_time": moved.keeps_time,
            "same_cpu": moved.same,
            "source_status": moved.source_status,
            "problem": moved.problem,
            "messages": list(moved.words),
            "before": list(moved.before),
            "after": list(moved.after),
            "changed": [
                {"register": name, "was": _hex(was), "is": _hex(now)} for name, was, now in self.changed
            ],
            "registers": {name_of(key): _hex(value) for key, value in sorted(moved.found.items())},
            "downtime_s": moved.downtime,
            "seconds": round(moved.seconds, 2),
            "libvirt": None if self.libvirt is None else self._libvirt(self.libvirt),
        }

    def _libvirt(self, found: DomainMoved) -> dict[str, Any]:
        return {
            "command": list(found.command),
            "status": found.said.status,
            "says": found.said.words.splitlines(),
            "guarded": self.guarded,
            "unharmed": found.unharmed,
        }


def _hex(value: int | None) -> str | None:
    return None if value is None else f"{value:#x}"
