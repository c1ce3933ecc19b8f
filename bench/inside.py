"""What is measured inside of one process, of the armlevel that PYTHONPATH names; prints the times as JSON.

A program of its own, so that two versions are measured in one run of ``bench/start.py``.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable, Sequence
from itertools import combinations

from armlevel import machines
from armlevel.arch import load
from armlevel.documents import load_hosts
from armlevel.engine import level

_ROUNDS = 9
_LARGE_ROUNDS = 3


def _parsed(paths: Sequence[str]) -> list[object]:
    out = []
    for path in paths:
        with open(path, "rb") as stream:  # noqa: PTH123 - the plainest way is what is measured against
            out.append(json.load(stream))
    return out


def _seconds(rounds: int, ours: Callable[[], object], plain: Callable[[], object]) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {"ours": [], "plain": []}
    for _ in range(rounds):
        for name, work in (("plain", plain), ("ours", ours)):
            start = time.perf_counter()
            work()
            times[name].append(time.perf_counter() - start)
    return times


def two_hosts() -> dict[str, list[float]]:
    """Time the levelling of every two recorded hosts, and json.load of both."""
    with machines.folder() as folder:
        paths = [str(folder / f"{name}.json") for name in machines.names()]
        hosts, catalogue = load_hosts(paths), load()
        pairs = list(combinations(zip(hosts, paths, strict=True), 2))
        ours = [[one, two] for (one, _), (two, _) in pairs]
        return _seconds(
            _ROUNDS,
            lambda: [level(pair, catalogue) for pair in ours],
            lambda: [_parsed([one, two]) for (_, one), (_, two) in pairs],
        )


def baseline(paths: Sequence[str]) -> dict[str, list[float]]:
    """Time reading and levelling many hosts, and json.load of all."""
    return _seconds(_LARGE_ROUNDS, lambda: level(load_hosts(paths), load()), lambda: _parsed(paths))


def main() -> None:
    """Measure what the first word names."""
    gc.disable()
    what, *paths = sys.argv[1:]
    print(json.dumps(two_hosts() if what == "two" else baseline(paths)))


if __name__ == "__main__":
    main()
