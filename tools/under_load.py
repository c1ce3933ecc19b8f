#!/usr/bin/env python3
"""Do the tests hold while every core has something else to do? One busy process a core, and the tests beside them.

    tools/under_load.py [--rounds N] [--whole] [-- PYTEST ARGUMENTS]

Runs the tests that wait for an emulated machine (marker `machine`), five rounds unless told otherwise; `--whole` runs
`make test` once instead. A test that would be skipped for want of emulated hosts fails, and a round in which any other
was skipped has failed: it does not show that every test passes. Prints a line a round and keeps what pytest said in
build/under-load/; exits 1 if any round failed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# It ends by itself should we be killed.
_BUSY = """
import os, sys
while os.getppid() == int(sys.argv[1]):
    sum(range(100_000))
"""
_COUNTS = re.compile(r"^=* ?(\d+ (?:passed|failed|skipped|error).*?)(?: in [\d.]+s.*)?=*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Round:
    """One run under load: its exit status, how many seconds it took, and pytest's own count."""

    status: int
    seconds: float
    counted: str

    def __str__(self) -> str:
        """Return it as the end of a line."""
        return f"{'FAILED' if self.status else 'passed'}, {self.seconds:.0f} s, {self.counted or 'no count'}"


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


@contextlib.contextmanager
def load(processes: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Keep as many cores busy; yield the processes that do."""
    busy = [subprocess.Popen([sys.executable, "-I", "-c", _BUSY, str(os.getpid())]) for _ in range(processes)]
    try:
        yield busy
    finally:
        for process in busy:
            process.kill()
            process.wait()


def counted(said: str) -> str:
    r"""Return pytest's last count.

    >>> counted("...\n===== 3 passed, 1 skipped in 12.00s =====\n")
    '3 passed, 1 skipped'
    >>> counted("2 passed in 0.10s")
    '2 passed'
    """
    return found[-1].strip() if (found := _COUNTS.findall(said)) else ""


def run(command: Sequence[str], log: Path) -> Round:
    """Run a command with its words in ``log``."""
    log.parent.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    with log.open("wb") as stream:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "ARMLEVEL_LAB": "1"},
            stdout=stream,
            stderr=subprocess.STDOUT,
            check=False,
        )
    return Round(done.returncode, time.monotonic() - begun, counted(log.read_text(errors="replace")))


def main() -> int:
    """Run the rounds; 0 if all passed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="how often (default: 5)")
    parser.add_argument("--whole", action="store_true", help="run `make test`, once")
    parser.add_argument(
        "--busy", type=int, default=cores(), metavar="N", help="busy processes (default: cores)"
    )
    parser.add_argument(
        "arguments", nargs="*", metavar="PYTEST", help="further words for pytest (default: -n 2)"
    )
    options = parser.parse_args()
    tests = [sys.executable, "-m", "pytest", "-m", "machine", *(options.arguments or ["-n", "2"])]
    command, rounds = (["make", "test"], 1) if options.whole else (tests, options.rounds)
    place, failed = ROOT / "build/under-load", 0
    with load(options.busy) as busy:
        for number in range(1, rounds + 1):
            log = place / f"round-{number}.log"
            one = run(command, log)
            idle = [process for process in busy if process.poll() is not None]
            skipped = not options.whole and "skipped" in one.counted
            failed += bool(one.status or idle or skipped)
            print(
                f"round {number} of {rounds}: {one}{'; the load has ended' if idle else ''}"
                f"{'; not all were run' if skipped else ''}  {log}",
                flush=True,
            )
    print(f"{rounds - failed} of {rounds} rounds passed with {options.busy} cores kept busy")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
