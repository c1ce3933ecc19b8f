#!/usr/bin/env python3
"""The rows against the kernels' own selftests of KVM: what their sources expect, and what they say when they run.

    tools/selftests.py [--line LINE ...] [--only TEST ...] [--sources] [--record]

For each measured kernel line: fetches the source of the kernel that the lab boots (once: some 150 MB, kept in the
lab's cache without what is not needed), reads what its selftests expect of KVM, builds them and runs them in one
emulated host. Whatever differs from the rows, and whatever does not pass, must be explained in
tests/selftests/explained.toml; exits 1 for what is not, 2 if a line could not be judged and no row says why.
--record writes all of it down.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from armlevel.arch import Catalogue, load
from armlevel.documents.replace import replace_file
from armlevel.errors import ArmlevelError, LabError
from armlevel.lab import Laboratory, parse_host
from armlevel.lab.archive import Archive
from armlevel.lab.lines import LINES
from armlevel.lab.parts import find_kernel
from armlevel.lab.settings import LabSettings
from armlevel.profile import Host
from make_preload import NoCompiler
from tests.fidelity.hosts import read, read_masks
from tests.selftests.against import Compared, Disagreement
from tests.selftests.build import build
from tests.selftests.compared import (
    RECORDED,
    TESTS,
    absences,
    as_json,
    compare,
    differences,
    explanations,
    hosts_of,
    outcomes,
    recorded,
    spellings,
    steps_of,
    unrecorded,
)
from tests.selftests.running import run, stepped
from tests.selftests.source import KernelSource, kernel_source
from tests.selftests.tables import TableFault

#: The model with the most features that the emulator has.
CPU = "max"


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


def ran(
    lab: Laboratory, source: KernelSource, line: str, tests: Sequence[str], catalogue: Catalogue
) -> dict[str, Any]:
    """Build the tests of a line, run them in one host, and return what is recorded of it."""
    archive = Archive(lab.settings, lab.store(), tell)
    built = build(archive, source, [name for test in tests for name in spellings(test)], os.environ)
    absent = {row.test for row in absences() if line in row.lines}
    for test in tests:
        if test not in absent and not any(one in built for one in spellings(test)):
            raise LabError(f"{test} was not built of {source.package}, and no row of [[absent]] says why")
    name = f"{CPU}@{lab_line(archive, line, catalogue)}"
    tell(f"running {len(built)} selftests of {source.release} on {name}")
    found, told = {}, run(lab, parse_host(name), built)
    for test in tests:
        for spelling in (one for one in spellings(test) if one in told):
            tell(f"  {spelling}: {told[spelling].result}, {told[spelling].words[-300:]}")
            found[test] = told[spelling].as_json()
    if "set_id_regs" in found:
        (host,) = (host for host in every() if host.name == name)
        found["set_id_regs"]["fields"] = stepped(
            steps_of(source, catalogue), told["set_id_regs"], host, catalogue
        )
    return {"host": name, "run": found}


def say(line: str, entry: dict[str, Any]) -> list[Disagreement]:
    """Print what a line's entry says; return the differences that nothing explains."""
    print(f"{line}: {entry['source']}")
    for test, found in entry["compared"].items():
        print(f"  {test:<20} {found['points']:>6} points held against rows, {len(found['differ'])} differ")
    for test, one in entry.get("run", {}).items():
        results = f", {one['passed']} passed, {one['skipped']} skipped" if "passed" in one else ""
        print(f"  {test:<20} {one['result']} on {entry['host']}{results}")
    left, rows = [], explanations()
    for one in differences(line, entry):
        row = next((row for row in rows if row.covers(one)), None)
        print(f"    {one.subject}: {one.what}{f' at {list(one.limits)}' if one.limits else ''}")
        print(f"      {row.why if row else 'NOT EXPLAINED'}")
        left += [] if row else [one]
    return left + [
        Disagreement(line, one.test, "", f"{one.result} on {entry['host']}")
        for one in outcomes(line, entry)
        if not one.explained
    ]


def main() -> int:
    """Compare the lines; 0 if everything agrees or is explained."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--line", action="append", metavar="LINE", help="only this kernel line")
    parser.add_argument("--only", action="append", metavar="TEST", choices=TESTS, help="run only this test")
    parser.add_argument(
        "--sources", action="store_true", help="only what the sources expect: no host is booted"
    )
    parser.add_argument("--record", action="store_true", help=f"write it to {RECORDED.name}")
    options = parser.parse_args()
    begun, catalogue = time.monotonic(), load()
    lines = measured(catalogue)
    if unknown := [line for line in options.line or () if line not in lines]:
        parser.error(f"{unknown[0]} is no measured line; there are {', '.join(lines)}")
    lab = Laboratory(LabSettings.of(os.environ), tell)
    archive = Archive(lab.settings, lab.store(), tell)
    found, left, faults = recorded() if RECORDED.exists() else {}, [], 0
    for line in options.line or lines:
        try:
            source = kernel_source(archive, lab_line(archive, line, catalogue))
            entry = found.get(line, {}) | {
                "kernel": source.release,
                "source": source.package,
                "compared": as_json(held(source, line, catalogue)),
            }
            if not options.sources:
                new = ran(lab, source, line, options.only or TESTS, catalogue)
                runs = {**entry.get("run", {}), **new["run"]}
                entry |= new | {"run": {test: runs[test] for test in TESTS if test in runs}}
        except (ArmlevelError, TableFault, NoCompiler) as exc:
            why = unrecorded().get(line)
            print(f"{line}: {exc}{f' ({why})' if why else ''}", file=sys.stderr)
            faults += why is None
            continue
        found[line] = entry
        left += say(line, entry)
    if options.record:
        ordered = {line: found[line] for line in lines if line in found}
        text = re.sub(
            r"\[\s+(\d+|null),\s+(\d+|null),\s+(\d+|null)\s+\]",
            r"[\1, \2, \3]",
            json.dumps(ordered, indent=1),
        )
        replace_file(str(RECORDED), text + "\n")
    print(f"{len(left)} differences without an explanation; {time.monotonic() - begun:.0f} s")
    return 2 if faults else 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
