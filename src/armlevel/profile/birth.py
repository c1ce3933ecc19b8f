"""What a running guest holds since its last start, and how that is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from armlevel.profile.guest import Guest
from armlevel.profile.host import nothing

__all__ = ["BIRTH_PARTS", "KNOWN", "KNOWN_BY", "Birth", "BirthPart"]

#: How it is known what a guest holds: the kernel shows it; QEMU was started with it here; this kernel takes no other
#: values; libvirt's metadata say it. ``any``: it is not known, and it may be any guest of its host.
KNOWN = Literal["idregs", "command-line", "own-values", "stamp", "any"]
KNOWN_BY: tuple[KNOWN, ...] = get_args(KNOWN)

#: The parts of a guest of which some may be known and others not.
BirthPart = Literal["shape", "registers", "list", "firmware", "facts", "machine"]
BIRTH_PARTS: tuple[BirthPart, ...] = get_args(BirthPart)


@dataclass(frozen=True, slots=True)
class Birth:
    """The guest CPU that a running guest was born with: of the host, kernel, VMM and command line of its start.

    A guest that came by migration, restore or snapshot keeps it; a reboot of the guest renews a part.

    ``guest``    as far as it is known, what is not is not recorded in it; None: it may be any guest of its host
    ``known``    how its registers are known;  ``parts``  the same of each part; what is not there is not known whole
    ``boot_id``  the boot of the host in which it was found so (/proc/sys/kernel/random/boot_id); None: not recorded
    ``remarks``  codes of what is to be said of it besides

    >>> Birth(None, "any").not_known
    ('shape', 'registers', 'list', 'firmware', 'facts', 'machine')
    """

    guest: Guest | None
    known: KNOWN
    boot_id: str | None = None
    parts: Mapping[str, KNOWN] = field(default_factory=nothing, hash=False)
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Hold what is known against what is there.

        Raises:
            ValueError: a guest of which nothing is known, or something known of no guest.

        """
        if (self.guest is None) != (self.known == "any") or (self.guest is None and self.parts):
            raise ValueError(
                f"a birth known by {self.known} {'has no' if self.guest is None else 'has a'} guest"
            )

    @property
    def not_known(self) -> tuple[BirthPart, ...]:
        """The parts that are not known, or not whole."""
        return tuple(part for part in BIRTH_PARTS if part not in self.parts)
