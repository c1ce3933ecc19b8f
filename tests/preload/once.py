"""One emulated host for all workers of a test run: the first does it, the others read what it left."""

from __future__ import annotations

import fcntl
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path

__all__ = ["once"]


def once(base: Path, worker: str, name: str, make: Callable[[], Mapping[str, bytes]]) -> Mapping[str, bytes]:
    """Return what ``make`` returns, or returned in another worker; ``base`` is this worker's temporary directory."""
    place = (base if worker == "master" else base.parent) / f"once-{name}"
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            part = place.with_suffix(".part")
            part.write_bytes(pickle.dumps(dict(make())))
            part.rename(place)
        found: Mapping[str, bytes] = pickle.loads(place.read_bytes())  # noqa: S301 (our own, of this run)
        return found
