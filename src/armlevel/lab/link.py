"""A link between two emulated hosts, for the stream of a migration.

QEMU's user network makes new packets of 1500 bytes of whatever a host sends, and an emulated host pays for each packet;
on a link of their own two hosts send pages by the dozen. QEMU's ``-netdev dgram``; neither side has to be there first.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Endpoint", "link"]

_NETWORK = "10.77.0"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint: its number, and the sockets of both."""

    number: int
    here: Path
    there: Path

    @property
    def address(self) -> str:
        """Return the host's address on the link."""
        return f"{_NETWORK}.{self.number}"

    @property
    def devices(self) -> tuple[str, ...]:
        """Return the emulator's words for a second network card."""
        ends = f"local.type=unix,local.path={self.here},remote.type=unix,remote.path={self.there}"
        card = f"virtio-net-pci,netdev=link,romfile=,mac=52:54:00:77:00:{self.number:02x}"
        return ("-netdev", f"dgram,id=link,{ends}", "-device", card)


@contextlib.contextmanager
def link() -> Iterator[tuple[Endpoint, Endpoint]]:
    """Give both endpoints of a link; the link is gone when the block ends."""
    with tempfile.TemporaryDirectory(prefix="armlevel-") as place:
        one, two = (Path(place) / name for name in ("one", "two"))
        yield Endpoint(1, one, two), Endpoint(2, two, one)
