#!/usr/bin/env python3
"""The rows against the kernels' own selftests of KVM: what their sources expect.

    tools/selftests.py [--line LINE ...] [--record]

For each measured kernel line: fetches the source of the kernel that the lab boots (once: some 150 MB, kept in the
lab's cache without what is not needed), and reads what its selftests expect of KVM. Whatever differs from the rows
must be explained in tests/selftests/explained.toml; exits 1 for what is not. --record writes it down.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from armlevel.arch import Catalogue, load
from armlevel.documents.replace import replace_file
from armlevel.errors import ArmlevelError, LabError
from armlevel.lab.archive import Archive
from armlevel.lab.lines import LINES
from armlevel.lab.parts import find_kernel
from armlevel.lab.settings import LabSettings
from armlevel.lab.store import Store
from armlevel.profile import Host
from tests.fidelity.hosts import read, read_masks
from tests.selftests.against import Compared, Disagreement
from tests.selftests.compared import (
    RECORDED,
    as_json,
    compare,
    differences,
    explanations,
    hosts_of,
    recorded,
)
from tests.selftests.source import KernelSource, kernel_source
from tests.selftests.tables import TableFault


def tell(line: str) -> None:
    """Say one line of progress."""
    print(line, file=sys.stderr, flush=True)


def lab_line(archive: Archive, line: str, catalogue: Catalogue) -> str:
    """Return what the lab calls a measured line: `7.x` while its newest kernel is of it, else the line itself."""
    for row in LINES:
        of = None
        if row.name.endswith(".x"):
            of = catalogue.line(find_kernel(archive, row.name).release)
        if row.name == line or (of is not None and of.name == line):
            return row.name
    return line


def measured(catalogue: Catalogue) -> list[str]:
    """Return the lines whose kernels there are; what is older than all of them is no kernel."""
    return [line.name for line in catalogue.lines if len(line.series) == 1]


@cache
def every() -> list[Host]:
    """Return the recorded hosts."""
    return read()


def held(source: KernelSource, line: str, catalogue: Catalogue) -> dict[str, Compared]:
    """Compare the sources of a line with its rows and its recorded hosts."""
    masks = read_masks().get(f"{line}, with AArch32", {})
    return compare(source, line, catalogue, hosts_of(line, every(), catalogue), masks)


def say(line: str, entry: dict[str, Any]) -> list[Disagreement]:
    """Print what a line's entry says; return the differences that nothing explains."""
    print(f"{line}: {entry['source']}")
    for test, found in entry["compared"].items():
        print(f"  {test:<20} {found['points']:>6} points held against rows, {len(found['differ'])} differ")
    left, rows = [], explanations()
    for one in differences(line, entry):
        row = next((row for row in rows if row.covers(one)), None)
        print(f"    {one.subject}: {one.what}{f' at {list(one.limits)}' if one.limits else ''}")
        print(f"      {row.why if row else 'NOT EXPLAINED'}")
        left += [] if row else [one]
    return left


def main() -> int:
    """Compare the lines; 0 if everything agrees or is explained."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--line", action="append", metavar="LINE", help="only this kernel line")
    parser.add_argument("--record", action="store_true", help=f"write it to {RECORDED.name}")
    options = parser.parse_args()
    begun, catalogue = time.monotonic(), load()
    lines = measured(catalogue)
    if unknown := [line for line in options.line or () if line not in lines]:
        parser.error(f"{unknown[0]} is no measured line; there are {', '.join(lines)}")
    settings = LabSettings.of(os.environ)
    archive = Archive(settings, Store(settings.cache, tell), tell)
    found, left, faults = recorded() if RECORDED.exists() else {}, [], 0
    for line in options.line or lines:
        try:
            source = kernel_source(archive, lab_line(archive, line, catalogue))
            entry = found.get(line, {}) | {
                "kernel": source.release,
                "source": source.package,
                "compared": as_json(held(source, line, catalogue)),
            }
        except (ArmlevelError, LabError, TableFault) as exc:
            print(f"{line}: {exc}", file=sys.stderr)
            faults += 1
            continue
        found[line] = entry
        left += say(line, entry)
    if options.record:
        ordered = {line: found[line] for line in lines if line in found}
        replace_file(str(RECORDED), json.dumps(ordered, indent=1) + "\n")
    print(f"{len(left)} differences without an explanation; {time.monotonic() - begun:.0f} s")
    return 2 if faults else 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
