#!/usr/bin/env python3
"""Compare what the last whole `make test` cost with its budgets, folder by folder.

    tools/test_times.py [--record]

Reads build/test-times.json, which every whole run writes, and the ledger tests/times.toml. `--record` writes what was
measured into the ledger; budgets stay, and a folder without one gets a third more than it took. Exits 0 all the same:
time fails nothing.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEDGER, LAST = ROOT / "tests/times.toml", ROOT / "build/test-times.json"
MOST = 1700  # CPU seconds: 15 minutes of two cores, less what `make check` needs before the tests


@dataclass(frozen=True, slots=True)
class Row:
    """A folder: CPU seconds measured, how many may be, how many tests; none where nothing was measured or allowed."""

    folder: str
    took: float | None
    budget: int | None
    tests: int = 0

    @property
    def is_over(self) -> bool:
        """Tell whether it took more than it may, or has no budget."""
        return self.took is not None and (self.budget is None or self.took > self.budget)

    def __str__(self) -> str:
        """Return it as a line of the table."""
        took = "-" if self.took is None else f"{self.took:.0f}"
        budget = "-" if self.budget is None else str(self.budget)
        return f"{self.folder:<20} {took:>7} {budget:>7} {self.tests:>6}{'  over its budget' if self.is_over else ''}"


def read(ledger: Path) -> dict[str, dict[str, float]]:
    """Return the folders of a ledger."""
    return tomllib.loads(ledger.read_text(encoding="utf-8"))


def rows(ledger: Mapping[str, Mapping[str, float]], last: Mapping[str, tuple[float, int]]) -> list[Row]:
    """Return the folders of the ledger and of the last run, the dearest first.

    >>> [str(row).split() for row in rows({"tests/lab": {"budget": 10, "took": 8}}, {"tests/lab": (12.0, 3)})]
    [['tests/lab', '12', '10', '3', 'over', 'its', 'budget']]
    """
    found = []
    for folder in sorted({*ledger, *last}):
        took, tests = last.get(folder, (None, 0))
        budget = ledger.get(folder, {}).get("budget")
        found.append(Row(folder, took, None if budget is None else int(budget), tests))
    return sorted(found, key=lambda row: -(row.took or 0))


def lines(found: list[Row], wall: float) -> Iterator[str]:
    """Yield the table and what follows from it."""
    yield f"{'CPU seconds of':<20} {'took':>7} {'budget':>7} {'tests':>6}"
    yield from map(str, found)
    took, budget = sum(row.took or 0 for row in found), sum(row.budget or 0 for row in found)
    yield f"{'all':<20} {took:>7.0f} {budget:>7} {sum(row.tests for row in found):>6}"
    yield f"{wall / 60:.1f} minutes on the clock; two idle cores need {took / 120:.1f} or more, of 15"
    if budget > MOST:
        yield f"the budgets are {budget - MOST} more than two cores have in 15 minutes beside the check"


def written(found: list[Row]) -> str:
    """Return the ledger with what was measured."""
    head = "".join(f"{line}\n" for line in LEDGER.read_text().splitlines() if line.startswith("#"))
    parts = [
        f'\n["{row.folder}"]\nbudget = {row.budget or math.ceil((row.took or 0) * 4 / 3) + 1}\ntook = {row.took:.0f}\n'
        for row in sorted(found, key=lambda row: row.folder)
        if row.took is not None
    ]
    return head + "".join(parts)


def main() -> int:
    """Print the table; 0."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--record", action="store_true", help="write what was measured into the ledger")
    options = parser.parse_args()
    if not LAST.exists():
        print(f"{LAST} is not there: a whole `make test` writes it")
        return 0
    last = json.loads(LAST.read_text())
    found = rows(read(LEDGER), {name: (one[0], one[1]) for name, one in last["folders"].items()})
    if options.record:
        LEDGER.write_text(written(found), encoding="utf-8")
    print("\n".join(lines(found, last["wall"])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
