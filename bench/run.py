"""How fast and how large: ratios within one run, each against something that every machine has.

Prints one line a measurement: what, the ratio, the goal. Times are the least of several runs, interleaved, so that a
busy machine slows both sides alike.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from armlevel import machines
from armlevel.arch import load as load_catalogue
from armlevel.documents import load_hosts, new_pool, pretty
from armlevel.documents.read import from_parsed, parse
from armlevel.engine import level
from armlevel.engine.planning.matrix import matrix
from armlevel.engine.planning.plan import plan
from bench import start
from bench.fleet import all_shapes, mixed, one_shape, write_fleet

_HOSTS = 1000
_KINDS = 200
_COPIES = 50
_BLOCKS = (24, 8)  # choices of clock and core among the hosts to plan
_ROUNDS = 5
_PYTHON = sys.executable


def _least(rounds: int, *works: Callable[[], object]) -> list[float]:
    """Return the least time of each work in seconds, over interleaved rounds."""
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        for index, work in enumerate(works):
            start = time.perf_counter()
            work()
            best[index] = min(best[index], time.perf_counter() - start)
    return best


def _say(what: str, ratio: float, goal: str, detail: str) -> None:
    print(f"{what:<52} {ratio:6.2f} x  (goal {goal:<7}) {detail}", flush=True)


def _baseline(name: str, paths: list[str]) -> None:
    catalogue = load_catalogue()
    size = sum(Path(path).stat().st_size for path in paths)

    def parse() -> object:
        out = []
        for path in paths:
            with open(path, "rb") as stream:  # noqa: PTH123 - the plainest way is what is measured against
                out.append(json.load(stream))
        return out

    def whole() -> object:
        return level(load_hosts(paths), catalogue)

    answer = level(load_hosts(paths), catalogue).answer
    plain, ours, read = _least(_ROUNDS, parse, whole, lambda: load_hosts(paths))
    detail = f"{ours * 1000:.0f} ms ({read * 1000:.0f} reading) / {plain * 1000:.0f} ms, {size >> 20} MiB, {answer}"
    _say(f"baseline, {len(paths):,} {name} hosts / json.load", ours / plain, "<= 4", detail)


def _reading(name: str, folder: Path, paths: list[str]) -> None:
    target = folder / f"{name}, no digest"
    target.mkdir()
    bare = [str(target / Path(path).name) for path in paths]
    for path, copy in zip(paths, bare, strict=True):
        document = json.loads(Path(path).read_bytes())
        del document["digest"]
        Path(copy).write_text(pretty(document), encoding="ascii")

    def at_large() -> None:
        pool = new_pool()
        for path in paths:
            from_parsed(parse(Path(path).read_bytes(), path), path, pool)

    held, plain, general = _least(3, lambda: load_hosts(paths), lambda: load_hosts(bare), at_large)
    what = f"reading {len(paths):,} {name} hosts"
    _say(f"{what}, digests held / none", held / plain, "<= 1.5", f"{held * 1000:.0f} / {plain * 1000:.0f} ms")
    detail = f"{general * 1000:.0f} / {held * 1000:.0f} ms"
    _say(f"{what}, as any JSON / by lines", general / held, ">= 1.5", detail)


_MEMORY = """
import sys
from armlevel.arch import load
from armlevel.documents import load_hosts
from armlevel.engine import level
from armlevel.engine.planning.plan import plan
hosts = load_hosts([sys.argv[1]])
answer = level(hosts, load()).answer
# Not getrusage: its peak begins with that of the process that started this one.
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(len(hosts), answer, status["VmHWM"].split()[0])
"""


def _memory(folder: Path) -> None:
    target = folder / "many"
    target.mkdir()
    texts = [Path(path).read_text() for path in write_fleet(folder / "kinds", all_shapes(_KINDS, seed=3))]
    order = [kind for kind in range(_KINDS) for _ in range(_COPIES)]
    random.Random(3).shuffle(order)
    for number, kind in enumerate(order):
        (target / f"{number:05}.json").write_text(texts[kind])
    out = subprocess.run([_PYTHON, "-c", _MEMORY, str(target)], check=True, capture_output=True, text=True)
    count, answer, kib = out.stdout.split()
    print(
        f"memory, {int(count):,} hosts of {_KINDS} contents: {int(kib) / 1024:.0f} MiB  (goal < 300 MiB)  {answer}"
    )


def _plan(folder: Path, blocks: int) -> None:
    target = folder / f"planned-{blocks}"
    target.mkdir()
    kinds = write_fleet(folder / f"mixed-{blocks}", mixed(_KINDS, blocks=blocks))
    texts = [Path(path).read_text() for path in kinds]
    paths = []
    for number in range(_KINDS * _COPIES):
        path = target / f"{number:05}.json"
        path.write_text(texts[number % _KINDS])
        paths.append(str(path))
    for some in (paths[:_KINDS], paths):
        start = time.perf_counter()
        hosts = load_hosts(some)
        middle = time.perf_counter()
        found = plan(hosts, load_catalogue())
        seconds = time.perf_counter() - middle
        detail = (
            f"{seconds:.1f} s / {middle - start:.1f} s; {len(found.pools)} groups, at least {found.least}"
        )
        goal = "<= 2" if len(some) > _KINDS else "<= 10 s"
        what = f"plan, {len(some):,} hosts of {_KINDS} kinds, {blocks} blocks / reading"
        _say(what, seconds / (middle - start), goal, detail)


def _matrix() -> None:
    catalogue = load_catalogue()
    with machines.folder() as folder:
        paths = [str(folder / f"{name}.json") for name in machines.names()] * 2
        together = load_hosts(paths)
        apart = [
            replace(load_hosts([path])[0], name=host.name) for path, host in zip(paths, together, strict=True)
        ]
    one_by_one, in_one_call = _least(3, lambda: matrix(apart, catalogue), lambda: matrix(together, catalogue))
    detail = f"{one_by_one * 1000:.0f} / {in_one_call * 1000:.0f} ms"
    name = f"matrix, {len(paths)} hosts read one by one / in one call"
    _say(name, one_by_one / in_one_call, "<= 1.2", detail)


def main() -> None:
    """Measure everything, with bytecode kept as on any installed machine."""
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None) is not None:
        os.execv(_PYTHON, [_PYTHON, __file__])  # noqa: S606 - this very program, without the setting
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name, hosts in (("one-shape", one_shape(_HOSTS)), ("all-shape", all_shapes(_HOSTS))):
            paths = write_fleet(folder / name, hosts)
            _baseline(name, paths)
            _reading(name, folder, paths)
        _memory(folder)
        for blocks in _BLOCKS:
            _plan(folder, blocks)
        _matrix()
        (folder / "start").mkdir()
        start.tell([Path(__file__).resolve().parent.parent], folder / "start")


if __name__ == "__main__":
    main()
