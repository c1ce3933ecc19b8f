"""What the library is told: lines of words, the last the SHA-256 of all before it (read by ``preload/config.c``)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

__all__ = ["DEVICE", "VERSION", "observing"]

VERSION = 1
#: The KVM device QEMU is given. There is none by this name: only the library makes /dev/kvm of it.
DEVICE = "/dev/kvm-armlevel"
_BLANKS = str.maketrans(dict.fromkeys("\r\n\t\0", " "))


def observing() -> bytes:
    """Return the configuration that changes nothing: failing register writes are told, and registers dumped."""
    return _sealed([*_head("", ""), "observe"])


def _head(guest: str, host: str) -> list[str]:
    return [
        f"armlevel-preload {VERSION}",
        f"guest {guest.translate(_BLANKS)}",
        f"host {host.translate(_BLANKS)}",
        f"device {DEVICE}",
    ]


def _sealed(lines: Iterable[str]) -> bytes:
    text = "".join(f"{line}\n" for line in lines).encode()
    return text + f"sha256 {hashlib.sha256(text).hexdigest()}\n".encode()
