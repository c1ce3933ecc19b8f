"""One emulated host for all workers of a test run: the first does it, the others read what it left."""

from __future__ import annotations

import fcntl
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

__all__ = ["once"]


def once(base: Path, worker: str, name: str, make: Callable[[], Mapping[str, bytes]]) -> Mapping[str, bytes]:
    """Return what ``make`` returns, or returned in another worker; ``base`` is this worker's temporary directory."""
    place = (base if worker == "master" else base.parent) / f"once-{name}"
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if place.exists():
            found: Mapping[str, bytes] | str = pickle.loads(place.read_bytes())  # noqa: S301 (our own, of this run)
            if isinstance(found, str):
                pytest.fail(f"failed already, in another test of this run: {found}")
            return found
        try:
            made = dict(make())
        except Exception as exc:
            # Each of many tests would wait as long for the same failure.
            _keep(place, f"{type(exc).__name__}: {exc}")
            raise
        _keep(place, made)
        return made


def _keep(place: Path, made: Mapping[str, bytes] | str) -> None:
    part = place.with_suffix(".part")
    part.write_bytes(pickle.dumps(made))
    part.rename(place)
