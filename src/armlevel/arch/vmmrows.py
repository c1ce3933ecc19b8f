"""How VMMs restore a guest's registers, what they forgive and what they never move; and the options of QEMU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as having

__all__ = ["LISTS", "Blocks", "Lets", "QemuOption", "Vmm"]

#: The rules about register lists.
LISTS = ("each", "length", "tolerant")


@dataclass(frozen=True, slots=True)
class Vmm:
    """A named set of behaviour.

    ``suggests``     (VMM, since, before) triples of versions that behave so as their authors released them; () is open
    ``own_shape``    whether a passthrough destination takes its own host's shape, whatever the guest's is
    ``list``         one of :data:`LISTS`;  ``messages``: event -> lines that the destination prints
    ``carries``      what a levelled guest's state has: the registers of its ``profile``, or all its ``host`` lists
    ``writes_implementation``       whether it makes the implementation IDs of a VM writable
    """

    name: str
    family: str
    suggests: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]
    own_shape: bool
    list: str
    restores: tuple[str, ...]
    messages: Mapping[str, tuple[str, ...]] = having(hash=False)
    why: str = ""
    see: str = ""
    carries: str = "profile"
    writes_implementation: bool = True

    @property
    def typed(self) -> str:
        """What a person types for it: a release that behaves so, and the family where every one does.

        >>> Vmm("old", "q", (("q", (), (10, 2)),), True, "length", (), {}).typed
        'q-10.1'
        """
        for family, since, before in self.suggests:
            if any(since):
                return f"{family}-{'.'.join(map(str, since))}"
            if before[1:] and before[-1]:
                return f"{family}-{before[0]}.{before[1] - 1}"
        return self.family

    def is_suggested_by(self, vmm: str, version: tuple[int, ...]) -> bool:
        """Whether this version of a VMM, as released, behaves so.

        >>> row = Vmm("new", "q", (("q", (11, 1), ()),), True, "tolerant", (), {})
        >>> row.is_suggested_by("q", (11, 1)), row.is_suggested_by("q", (11, 0))
        (True, False)
        """
        return any(
            vmm == name and version >= since and (not before or version < before)
            for name, since, before in self.suggests
        )


@dataclass(frozen=True, slots=True)
class Lets:
    """A register that VMMs forgive to be on one ``end`` alone (``source``, ``either``), with ``value`` or any."""

    vmms: tuple[str, ...]
    register: str
    end: str
    value: int | None
    why: str
    see: str = ""


@dataclass(frozen=True, slots=True)
class Blocks:
    """What keeps a guest from moving: a ``feature`` of its shape, or a KVM ``capability`` of the source alone.

    ``at`` says which side prints ``message``: ``source`` or ``target``.
    """

    vmms: tuple[str, ...]
    feature: str
    capability: str
    at: str
    message: str
    why: str
    see: str = ""


@dataclass(frozen=True, slots=True)
class QemuOption:
    """An option of QEMU: how it is read, and what becomes of it.

    ``value``    whether the next word is its value;  ``only``: how that has to begin, where not everything may
    ``asks``     whether QEMU answers the value ``help`` and ends: for ``any`` such option, the ``last`` one, or never
    ``exits``    whether QEMU ends whatever else there is;  ``refused``: why a levelled guest cannot have it
    """

    name: str
    value: bool
    asks: str = ""
    exits: bool = False
    refused: str = ""
    only: tuple[str, ...] = ()
