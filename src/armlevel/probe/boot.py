"""Which boot of this machine it is. Libvirt's hook imports this at each call of a marked guest: it needs `os` alone."""

from __future__ import annotations

import os

__all__ = ["boot_id"]


def boot_id(root: str | os.PathLike[str] = "/") -> str | None:
    """Return the id of this boot; None where Linux does not tell."""
    try:
        with open(os.path.join(root, "proc/sys/kernel/random/boot_id"), encoding="utf-8") as stream:
            return stream.read().strip() or None
    except (OSError, ValueError):
        return None
