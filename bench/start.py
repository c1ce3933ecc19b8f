"""How soon an answer comes: what a command line costs over what it stands on, and levelling over json.load.

Each row is a ratio in one run, of the least of several times, taken by turns; the noise is how much longer the middle
one of them took, of the noisier side. With ``--before TREE`` another checkout is measured by turns with this one:

    python bench/start.py --before ../before
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.fleet import one_shape, write_fleet

_HERE = Path(__file__).resolve().parent
_ROUNDS = 15
_INSIDE_ROUNDS = 3
_HOSTS = 1000
_PYTHON = sys.executable
_OURS = "import sys; sys.argv[0] = 'armlevel'; from armlevel.cli import main; main()"
# A verb with the arguments of `check`, that does nothing with them.
_VERB = """
import typer
app = typer.Typer(add_completion=False)
@app.command()
def check(guest: str, hosts: list[str]) -> None:
    "Do nothing."
app()
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A ratio: ``ours`` and what it is held against, each a command line of python; ``most`` is the goal."""

    name: str
    ours: tuple[str, ...]
    plain: tuple[str, ...]
    most: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """What came out: the ratio, the noise as a part of it, and both times in seconds."""

    value: float
    noise: float
    ours: float
    plain: float

    @classmethod
    def of(cls, ours: Sequence[float], plain: Sequence[float]) -> Ratio:
        """Make one of all times that were taken."""
        noise = max(median(times) / min(times) - 1 for times in (ours, plain))
        return cls(min(ours) / min(plain), noise, min(ours), min(plain))

    def __str__(self) -> str:
        return f"{self.value:6.2f} x  +{100 * self.noise:3.0f} %  {1000 * self.ours:8.1f} / {1000 * self.plain:7.1f} ms"


def rows(folder: Path) -> list[Row]:
    """Return the rows; ``folder`` is for what they read."""
    paths = write_fleet(folder / "two", one_shape(2, seed=4))
    guest = str(folder / "guest.json")
    _run(_environment(_HERE.parent), ("-c", _OURS, "baseline", *paths, "-o", guest))
    verb = ("-c", _VERB, guest, paths[0])
    nothing, help_of = ("-c", "pass"), ("-c", "import typer")
    return [
        Row("--version / python -c pass", ("-c", _OURS, "--version"), nothing, 2),
        Row("--help / import typer", ("-c", _OURS, "--help"), help_of, 1.15),
        Row("check, two files / a Typer verb that does nothing", ("-c", _OURS, "check", guest, paths[0]), verb, 1.6),
    ]  # fmt: skip


def measured(trees: Sequence[Path], folder: Path, rounds: int) -> Iterator[tuple[str, float, list[Ratio]]]:
    """Give each row: its name, its goal, and the ratio of each tree."""
    environments = [_environment(tree) for tree in trees]
    for row in rows(folder):
        yield row.name, row.most, list(_outside(row, environments, rounds))
    many = write_fleet(folder / "many", one_shape(_HOSTS))
    inside: tuple[tuple[str, float, Sequence[str]], ...] = (
        ("level two hosts, every two recorded / json.load", 20, ["two"]),
        (f"baseline, {_HOSTS:,} hosts, digests held / json.load", 4, ["baseline", *many]),
    )
    for name, most, words in inside:
        yield name, most, list(_inside(words, environments))


def _outside(row: Row, environments: Sequence[dict[str, str]], rounds: int) -> Iterator[Ratio]:
    times = [(list[float](), list[float]()) for _ in environments]
    for turn in range(rounds + 1):
        for environment, sides in zip(environments, times, strict=True):
            for command, side in zip((row.ours, row.plain), sides, strict=True):
                start = time.perf_counter()
                _run(environment, command)
                if turn:  # the first one may write bytecode
                    side.append(time.perf_counter() - start)
    return (Ratio.of(*sides) for sides in times)


def _inside(words: Sequence[str], environments: Sequence[dict[str, str]]) -> Iterator[Ratio]:
    times = [(list[float](), list[float]()) for _ in environments]
    for _ in range(_INSIDE_ROUNDS):
        for environment, sides in zip(environments, times, strict=True):
            found = json.loads(_run(environment, (str(_HERE / "inside.py"), *words)))
            for side, name in zip(sides, ("ours", "plain"), strict=True):
                side.extend(found[name])
    return (Ratio.of(*sides) for sides in times)


def _environment(tree: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": str(tree / "src")}


def _run(environment: dict[str, str], words: Sequence[str]) -> bytes:
    done = subprocess.run([_PYTHON, *words], env=environment, check=False, capture_output=True)
    if done.returncode not in (0, 1, 3):  # an answer, whichever
        raise RuntimeError(done.stderr.decode())
    return done.stdout


def tell(trees: Sequence[Path], folder: Path, rounds: int = _ROUNDS) -> bool:
    """Print a line a row, and one for each other tree below it; whether every goal is met by the last tree."""
    met = True
    for name, most, ratios in measured(trees, folder, rounds):
        met = met and ratios[-1].value <= most
        for line in _lines(name, most, ratios):
            print(line, flush=True)
    return met


def _lines(name: str, most: float, ratios: Sequence[Ratio]) -> Iterable[str]:
    yield f"{name:<52} {ratios[-1]}  (goal <= {most:g})"
    for ratio in ratios[:-1]:
        yield f"{'  before':<52} {ratio}"


def main() -> int:
    """Measure this checkout, after another one if there is one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--before", type=Path, metavar="TREE", help="another checkout, measured by turns")
    parser.add_argument("--rounds", type=int, default=_ROUNDS, metavar="N", help="how often a command is run")
    asked = parser.parse_args()
    trees = [*([asked.before.resolve()] if asked.before else []), _HERE.parent]
    with tempfile.TemporaryDirectory() as place:
        return 0 if tell(trees, Path(place), asked.rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
