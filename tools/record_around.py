#!/usr/bin/env python3
"""Add what stands around the vCPU (``Host.machine``, each CPU's counter) to the recorded emulated hosts.

    tools/record_around.py [HOST ...] [--again]

Boots each host that is recorded without it, one at a time, runs a short job there, and writes the answer into the
archive; the rest of a recording stays as it was. A host whose kernel is by now another one is left out: it is recorded
anew as a whole, by tools/fidelity.py. Exits 1 if a host failed.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from armlevel.documents import read_host
from armlevel.errors import ArmlevelError, LabError
from armlevel.lab import Laboratory, LabSettings, pack_collector, parse_host
from armlevel.profile import Host
from tests.fidelity import hosts as recordings

SCRIPT = Path(recordings.__file__).with_name("around.py")
PATIENCE = 900.0  # seconds for one host: nested virtualisation is emulated too, and machines are busy
EVERY = 8  # hosts between two writings of the archive


def say(line: str) -> None:
    """Say one line of progress."""
    print(line, file=sys.stderr, flush=True)


def asked(lab: Laboratory, name: str) -> Host:
    """Return what a host says of itself: its kernel, its CPUs with their counters, its machine.

    Raises:
        LabError: it cannot be had, or the job failed there.

    """
    script, more = f'python3 -I {SCRIPT.name} "$OUT/around.json"', {SCRIPT.name: SCRIPT.read_bytes()}
    result = lab.run_packed(parse_host(name), script, pack_collector(), more, PATIENCE)
    if result.status or "around.json" not in result.files:
        said = result.stderr.strip().splitlines()
        raise LabError(f"the job failed in {name}: {said[-1] if said else f'exit status {result.status}'}")
    return read_host(result.files["around.json"], name)


def added(recorded: Host, found: Host) -> Host:
    """Return the recorded host with what was found around its vCPUs.

    Raises:
        LabError: it is another host by now, so that nothing of the two can be put together.

    """
    if found.software.kernel != recorded.software.kernel:
        raise LabError(
            f"{recorded.name}: recorded with {recorded.software.kernel}, now {found.software.kernel}"
        )
    if found.facts.page_size != recorded.facts.page_size or len(found.cpus) != len(recorded.cpus):
        raise LabError(f"{recorded.name}: its pages or its CPUs are not those that were recorded")
    pairs = zip(recorded.cpus, found.cpus, strict=True)
    cpus = tuple(replace(was, cntfrq_hz=now.cntfrq_hz) for was, now in pairs)
    for frequency in {cpu.cntfrq_hz for cpu in cpus}:
        if frequency != recorded.facts.cntfrq_hz:
            raise LabError(f"{recorded.name}: its counter runs at {frequency} Hz, not as it was recorded")
    return replace(recorded, cpus=cpus, machine=found.machine)


def record(lab: Laboratory, hosts: Sequence[Host]) -> list[str]:
    """Ask each host and write what it says; return what failed."""
    ready, failed = list[Host](), list[str]()
    try:
        for number, host in enumerate(hosts, 1):
            try:
                ready.append(added(host, asked(lab, host.name)))
                say(f"{number} of {len(hosts)}  {host.name}")
            except LabError as exc:
                failed.append(f"{host.name}: {exc}")
                say(failed[-1])
            if len(ready) >= EVERY:
                recordings.write(ready)
                ready = []
    finally:  # what was found is kept, also where somebody ends this
        if ready:
            recordings.write(ready)
    return failed


def main() -> int:
    """Record; 1 if a host failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("hosts", nargs="*", metavar="HOST", help="these alone, of those that are recorded")
    parser.add_argument("--again", action="store_true", help="those that have it, too")
    options = parser.parse_args()
    wanted = [
        host
        for host in recordings.read(options.hosts or recordings.HOSTS)
        if options.again or host.machine is None
    ]
    try:
        failed = record(Laboratory(LabSettings.of(os.environ, mirror="", keyring="", qemu=""), say), wanted)
    except ArmlevelError as exc:
        print(exc, file=sys.stderr)
        return 2
    say(f"{len(wanted) - len(failed)} of {len(wanted)} recorded")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
