"""Compiled hosts: what a matrix, a yes or no, and a thousand kinds cost.

Times of one run are compared with one another; those of a single yes or no are told as they are, with the noise of the
machine beside them. Every survivor of what certainly conflicts is levelled without reasons, as a matrix and a plan
ask it; those of which that tells nothing are levelled in full; and so are some others, to hold the answers against.
"""

from __future__ import annotations

import json
import lzma
import random
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from armlevel.arch import load  # noqa: E402
from armlevel.documents import load_hosts  # noqa: E402
from armlevel.engine import Answer, Policy, level  # noqa: E402
from armlevel.engine.planning.pairs import certain_conflicts  # noqa: E402
from armlevel.engine.screen.levels import Levels  # noqa: E402
from armlevel.engine.screen.moves import MoveScreen  # noqa: E402
from armlevel.operations.matrix import matrix  # noqa: E402
from armlevel.profile import Host, kind_digest  # noqa: E402
from bench.fleet import mixed  # noqa: E402

__all__ = ["main"]

_LAB = ROOT / "tests" / "machines" / "lab.json.xz"
_KINDS = 1000
_BLOCKS = 12  # hosts of one block have one clock and one core: about that share of pairs may be compatible
_LEVELLED = 60


def _say(what: str, value: float, unit: str, goal: str, detail: str) -> None:
    print(f"{what:<52} {value:6.2f} {unit}  (goal {goal:<7}) {detail}", flush=True)


def _matrix(folder: Path) -> list[Host]:
    paths = []
    for name, document in json.loads(lzma.decompress(_LAB.read_bytes())).items():
        paths.append(str(folder / f"{name}.json"))
        Path(paths[-1]).write_text(json.dumps(document, indent=1), encoding="ascii")
    reading, judging = [], []
    for _ in range(3):
        start = time.perf_counter()
        hosts = load_hosts(paths)
        middle = time.perf_counter()
        letters = matrix(hosts).letters
        reading.append(middle - start)
        judging.append(time.perf_counter() - middle)
    detail = f"{min(judging):.2f} s / {min(reading) * 1000:.0f} ms (at most {max(judging):.2f}), {len(letters)} moves"
    _say(f"matrix, {len(hosts)} hosts / reading them", min(judging) / min(reading), "x", "<= 60", detail)
    return hosts


def _one_answer(hosts: list[Host]) -> None:
    moves = MoveScreen(load(), Policy(), None)
    ends = [moves.end(host) for host in hosts]
    every = [(one, two) for one in ends for two in ends]
    times = []
    for _ in range(8):
        start = time.perf_counter()
        yes = sum(moves.goes(one, two) for one, two in every)
        times.append((time.perf_counter() - start) / len(every) * 1e6)
    detail = f"{yes} of {len(every)} yes; {max(times[1:]):.2f} at most, {times[0]:.1f} the first time"
    _say("one yes or no from compiled kinds", min(times), "us", "<= 3", detail)


def _fleet() -> list[Host]:
    # A tenth of the pairs, about, are of one block; within it hosts differ in what they lower.
    return list(mixed(_KINDS, seed=11, blocks=_BLOCKS, fixed=1))


def _thousand() -> None:
    hosts, catalogue = _fleet(), load()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.perf_counter()
    count = len({kind_digest(host) for host in hosts})
    moves = MoveScreen(catalogue, Policy(), None)
    ends = [moves.end(host) for host in hosts]
    goes = 0
    for one in ends:
        for two in ends:
            goes += moves.goes(one, two)
    screened = time.perf_counter() - start
    apart = certain_conflicts(hosts, catalogue, Policy())
    sieved = time.perf_counter() - start - screened
    left = [(i, j) for i, j in combinations(range(len(hosts)), 2) if not apart[i] >> j & 1]
    answers, in_full = _survivors(hosts, left)
    levelled = time.perf_counter() - start - screened - sieved
    timed = random.Random(1).sample(sorted(answers), min(_LEVELLED, len(answers)))
    start = time.perf_counter()
    full = {(i, j): level([hosts[i], hosts[j]], catalogue).answer for i, j in timed}
    each = (time.perf_counter() - start) / max(1, len(timed))
    assert full == {pair: answers[pair] for pair in timed}
    runs = sum(one == "runs" for one in answers.values())
    pairs = len(hosts) * (len(hosts) - 1)
    own = (screened + sieved) / pairs * 1e6
    detail = (
        f"{screened:.1f} s of vectors, {sieved:.1f} s of what certainly conflicts; {goes - len(hosts)} may go"
    )
    _say(f"{count:,} kinds, an ordered pair, compiled and asked", own, "us", "<= 60", detail)
    whole = own + levelled / pairs * 1e6
    detail = (
        f"{len(left):,} of {pairs // 2:,} pairs survive ({200 * len(left) / pairs:.0f} %), {levelled:.1f} s, "
        f"{in_full} in full; {runs:,} run; in full it is {each * 1000:.1f} ms, and {len(timed)} say the same"
    )
    _say(f"{count:,} kinds, with every survivor levelled", whole, "us", "<= 60", detail)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    _say(f"{count:,} kinds, memory", peak, "MiB", "<= 600", f"{before:.0f} before")


def _survivors(
    hosts: Sequence[Host], pairs: Sequence[tuple[int, int]]
) -> tuple[dict[tuple[int, int], Answer], int]:
    # What levelling answers for each pair, and how many had to be levelled in full.
    levels, answers, in_full = Levels(hosts, load(), Policy()), {}, 0
    for pair in pairs:
        told = levels.answer(pair)
        in_full += told is None
        answers[pair] = level([hosts[one] for one in pair], load()).answer if told is None else told
    return answers, in_full


def main() -> None:
    """Measure everything."""
    with tempfile.TemporaryDirectory() as place:
        hosts = _matrix(Path(place))
    _one_answer(hosts)
    _thousand()


if __name__ == "__main__":
    main()
