#!/usr/bin/env python3
"""Does a real `virsh migrate --live` between guarded hosts come as armlevel says of it beforehand? Twenty-two of them.

    tools/libvirt_migrations.py [--record] [--only TEXT] [--directory DIR] [--anew] [--predict]

Writes what is foretold of every case to DIR/foretold.json before a host is booted, makes the migrations, appends what
happened to DIR/seen.jsonl; a run that was stopped goes on where it was. Exits 1 on any disagreement.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from armlevel.documents.replace import replace_file
from armlevel.errors import ArmlevelError, LabError
from armlevel.lab import Laboratory, LabSettings
from tests.migrations.campaign import profiles
from tests.migrations.libvirt_campaign import libvirt_migrations
from tests.migrations.libvirt_cases import CASES, Foretold, LibvirtSeen, foretell, hosts_of, wrong
from tests.migrations.libvirt_recorded import record_libvirt, recorded_libvirt, seen_of


def tell(line: str) -> None:
    """Say one line of progress."""
    print(line, file=sys.stderr, flush=True)


def row(name: str, told: Foretold, seen: LibvirtSeen | None) -> str:
    """Return a case in words: what was foretold, what was seen."""
    if seen is None:
        return f"- {name}\n    foretold: {told.outcome}; not made"
    faults = wrong(told, seen)
    was = "arrived" if seen.status == 0 else "refused by the guard" if seen.guard else "virsh failed"
    fate = f"healthy {seen.healthy}" if seen.status == 0 else f"source unharmed {seen.unharmed}"
    lines = [f"{'X' if faults else '='} {name}", f"    foretold: {told.outcome} {', '.join(told.harm)}"]
    lines += [f"    seen: {was}, {fate}, {seen.seconds:.1f} s", *(f"    | {line}" for line in seen.says)]
    return "\n".join(lines + [f"    ! {fault}" for fault in faults])


def kept(path: Path) -> dict[str, LibvirtSeen]:
    """Return what earlier runs saw."""
    lines = path.read_text(encoding="ascii").splitlines() if path.exists() else []
    return {one["case"]: seen_of(one["seen"]) for one in map(json.loads, lines)}


def main() -> int:
    """Run what is left of the list; 0 if everything agrees."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--directory", type=Path, default=Path("build/libvirt-migrations"), metavar="DIR")
    parser.add_argument("--only", default="", metavar="TEXT", help="only cases with TEXT in their names")
    parser.add_argument("--anew", action="store_true", help="forget what earlier runs saw")
    parser.add_argument("--record", action="store_true", help="keep what was seen for `make test`")
    parser.add_argument("--predict", action="store_true", help="write what is foretold, and boot nothing")
    options = parser.parse_args()
    began = time.monotonic()
    lab = Laboratory(LabSettings.of(os.environ), tell)
    chosen = [case for case in CASES if options.only in str(case)]
    options.directory.mkdir(parents=True, exist_ok=True)
    path = options.directory / "seen.jsonl"
    failed = []
    try:
        hosts = profiles(lab, hosts_of(chosen))
        told = {str(case): foretell(case, hosts) for case in chosen}
        text = json.dumps({name: asdict(one) for name, one in told.items()}, indent=1) + "\n"
        replace_file(str(options.directory / "foretold.json"), text)
        seen = {} if options.anew else {name: one for name, one in kept(path).items() if name in told}
        left = [] if options.predict else [case for case in chosen if str(case) not in seen]
        for case, found in libvirt_migrations(lab, left, hosts, tell):
            name = str(case)
            if isinstance(found, LabError):
                failed.append(f"{name}: {found}")
                tell(failed[-1])
                continue
            seen[name] = found
            with path.open("a", encoding="ascii") as target:
                target.write(json.dumps({"case": name, "seen": asdict(found)}) + "\n")
            tell(row(name, told[name], found))
    except ArmlevelError as exc:
        print(exc, file=sys.stderr)
        return 2
    print("\n".join(row(name, one, seen.get(name)) for name, one in told.items()))
    if options.record:
        record_libvirt({**recorded_libvirt(), **seen})
    faults = sum(bool(wrong(told[name], one)) for name, one in seen.items())
    print(
        f"{len(seen)} of {len(told)} made, {faults} not as foretold; {time.monotonic() - began:.0f} s",
        *failed,
        sep="\n",
    )
    return 1 if faults or failed or (len(seen) < len(told) and not options.predict) else 0


if __name__ == "__main__":
    sys.exit(main())
