#!/usr/bin/env python3
"""Is what armlevel says about a host what that host's KVM does? Tried on emulated hosts, every pair of them.

    tools/fidelity.py [--hosts NAME ...] [--recorded | --probe] [--record] [-j N]

Probes every host anew and compares with what was recorded; then compares predictions, masks, moves and baselines with
what KVM does, one boot a host. Exits 1 if anything is wrong. Sets and hosts are fixed, so two runs compare the same.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from armlevel.arch import load
from armlevel.documents import read_host
from armlevel.errors import ArmlevelError, LabError
from armlevel.lab import EmulatedHost, Laboratory, LabProbe, LabSettings, pack_collector, parse_host
from armlevel.profile import Host
from tests.fidelity import hosts as recordings
from tests.fidelity import suite
from tests.fidelity.levels import SEED

PATIENCE = 1800.0  # seconds for one probe: nested virtualisation is emulated too, and machines are busy
SHOWN = 40  # kinds of faults that are printed


def say(line: str) -> None:
    """Say one line of progress."""
    print(line, file=sys.stderr, flush=True)


def probed(lab: Laboratory, names: Sequence[str], jobs: int) -> tuple[list[Host], list[str]]:
    """Probe the hosts anew; return them in order, and what failed. A line that the mirror has no more is left out."""
    wanted = [parse_host(name) for name in names]
    gone = {state.line for state in lab.kernels(list({host.line for host in wanted})) if state.problem}
    for line in sorted(gone):
        say(f"left out, for the mirror has no kernel of line {line}")
    files, found, failed = pack_collector(), dict[str, Host](), list[str]()

    def ask(host: EmulatedHost) -> LabProbe:
        return lab.probe(host, files, PATIENCE)

    for host, answer in lab.fleet([one for one in wanted if one.line not in gone], ask, jobs):
        if isinstance(answer, LabError):
            failed.append(f"{host}: {answer}")
            say(failed[-1])
        else:
            found[str(host)] = read_host(answer.text.encode(), str(host))
            say(f"probed {len(found)} of {len(wanted)}  {host}  {answer.seconds:.1f} s")
    return [found[name] for name in names if name in found], failed


def compared(hosts: Sequence[Host]) -> list[str]:
    """Return a line for each host that is not as it was recorded, on the same kernel."""
    lines = []
    for host in hosts:
        (was,) = recordings.read([host.name])
        if host.software.kernel != was.software.kernel:
            lines.append(
                f"{host.name}: kernel {was.software.kernel} when recorded, now {host.software.kernel}"
            )
        elif not recordings.alike(host, was):
            lines.append(f"{host.name}: another profile than was recorded, on the same kernel")
    return lines


def masks_changed(hosts: Sequence[Host], tables: Mapping[str, Sequence[Sequence[int] | None]]) -> list[str]:
    """Return a line for each host whose writable masks are not the recorded ones of its kernel line."""
    return [
        f"{host.name}: other writable masks than were recorded"
        for host in hosts
        if not all(recordings.same_masks(host, table) for table in tables.get(host.name, ()))
    ]


def main() -> int:
    """Run the suite; 0 if nothing is wrong, 1 otherwise."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hosts", nargs="+", default=recordings.HOSTS, metavar="NAME")
    parser.add_argument("--recorded", action="store_true", help="take the recorded profiles, probe nothing")
    parser.add_argument(
        "--record",
        action="store_true",
        help="write what was probed into the archive; other hosts stay as they are",
    )
    parser.add_argument("--probe", action="store_true", help="probe the hosts and compare them, no more")
    parser.add_argument("-j", "--jobs", type=int, default=len(os.sched_getaffinity(0)), metavar="N")
    options = parser.parse_args()
    begun = time.monotonic()
    lab = Laboratory(LabSettings.of(os.environ), say)
    try:
        lab.prepare(parse_host(options.hosts[0]))
        hosts, failed = (
            (recordings.read(options.hosts), [])
            if options.recorded
            else probed(lab, options.hosts, options.jobs)
        )
        if options.record:
            recordings.write(hosts)
        changed = compared(hosts)
        if options.probe:
            print(
                "\n".join(
                    [f"{len(hosts)} hosts probed, {len(changed)} otherwise than recorded", *changed, *failed]
                )
            )
            return 1 if changed or failed else 0
        outcome = suite.run(lab, hosts, load(), jobs=options.jobs, tell=say)
        if options.record and not failed and not outcome.failed:
            recordings.write_masks(hosts, outcome.tables)
        changed += masks_changed(hosts, outcome.tables)
    except ArmlevelError as exc:
        print(exc, file=sys.stderr)
        return 2
    failed += outcome.failed
    print(
        f"{len(hosts)} hosts, {len({host.software.kernel for host in hosts})} kernels, sets from seed",
        end=" ",
    )
    print(f"{SEED}, {time.monotonic() - begun:.0f} s")
    print("\n".join([*outcome.lines(), *changed, *failed]))
    wrong = outcome.wrong
    kinds: dict[tuple[str, str], list[tuple[str, ...]]] = {}
    for one in wrong:
        subject = next((word for word in one if "_EL" in word or word.startswith("KVM_REG")), "")
        kinds.setdefault((one[0], subject), []).append(one)
    for (what, subject), some in sorted(kinds.items())[:SHOWN]:
        print(f"  {len(some)} x {what}  {subject}; first and last:")
        print("\n".join("    " + "  ".join(one[1:]) for one in (some[0], some[-1])))
    same_kernel = [line for line in changed if "than w" in line]
    return 1 if wrong or failed or same_kernel else 0


if __name__ == "__main__":
    sys.exit(main())
