"""The recorded machines that ship, and what each is."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, ClassVar

from armlevel.machines import names
from armlevel.operations.named import load_hosts
from armlevel.profile import Host
from armlevel.words.subjects import core_name

__all__ = ["MachinesResult", "RecordedMachine", "machines"]


@dataclass(frozen=True, slots=True)
class RecordedMachine:
    """A machine that ships: what any command takes for it (``@graviton2-6.1``), and the host that it is."""

    typed: str
    host: Host

    @property
    def cpus(self) -> tuple[str, ...]:
        """The cores that it has, by name and revision, each once."""
        from armlevel.arch import load

        return tuple(dict.fromkeys(core_name(cpu.implementation, load()) for cpu in self.host.cpus))


@dataclass(frozen=True, slots=True)
class MachinesResult:
    """Recorded machines that a pattern fits; ``near`` are names close to one that fits none."""

    kind: ClassVar[str] = "machines/1"

    machines: tuple[RecordedMachine, ...]
    near: tuple[str, ...] = ()

    @property
    def status(self) -> int:
        """The exit status: 1 if there is no such machine."""
        return 0 if self.machines else 1

    def document(self) -> dict[str, Any]:
        """Return the machines/1 object."""
        return {
            "kind": self.kind,
            "machines": [_object(one) for one in self.machines],
            "near": list(self.near),
        }


def machines(patterns: Sequence[str] = ()) -> MachinesResult:
    """Find recorded machines by name, pattern or core; all of them if nothing is asked for.

    >>> [one.typed for one in machines(["graviton2*"]).machines]
    ['@graviton2-5.10', '@graviton2-6.1', '@graviton2-6.18']
    >>> [one.host.name for one in machines(["graviton3@6.1"]).machines], machines(["gravitom3"]).near[:1]
    (['graviton3@6.1'], ('@graviton3-6.1',))
    """
    every = [RecordedMachine(f"@{name}", load_hosts(f"@{name}")[0]) for name in names()]
    found = tuple(one for one in every if not patterns or any(_fits(one, pattern) for pattern in patterns))
    near: list[str] = []
    if not found:
        typed = [one.typed for one in every]
        for pattern in patterns:
            near += difflib.get_close_matches(f"@{_plain(pattern)}", typed, n=3, cutoff=0.5)
    return MachinesResult(found, tuple(dict.fromkeys(near)))


def _plain(pattern: str) -> str:
    return pattern.strip().lower().removeprefix("@").replace("@", "-")


def _fits(one: RecordedMachine, pattern: str) -> bool:
    plain = _plain(pattern)
    name = one.typed.removeprefix("@")
    if any(letter in plain for letter in "*?["):
        return fnmatchcase(name, plain)
    if plain in names():
        return plain == name
    return bool(plain) and (
        plain in name or any(pattern.strip().lower() in core.lower() for core in one.cpus)
    )


def _object(one: RecordedMachine) -> dict[str, Any]:
    host = one.host
    said: dict[str, Any] = {
        "typed": one.typed,
        "name": host.name,
        "cpus": list(one.cpus),
        "kernel": host.software.kernel,
        "vmms": dict(host.software.vmms),
        "shapes": [offer.shape.label for offer in host.offers],
        "how": sorted({offer.how for offer in host.offers}),
        "source": host.made.source,
    }
    counter = host.facts.cntfrq_hz
    return said | ({} if counter is None else {"cntfrq_hz": counter})
