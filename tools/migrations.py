#!/usr/bin/env python3
"""Does a real migration do what armlevel says of it beforehand? Some hundred of them, between emulated hosts.

    tools/migrations.py [--machine] [--rest] [--record] [--directory DIR] [--only TEXT] [--anew]

Seventy are about the guest's CPU, the rest (``--machine``: those alone) about what stands around it.
Writes what is predicted for every case to DIR/predictions.json before a host is booted, makes the migrations, and
appends what happened to DIR/seen.jsonl; a run that was stopped goes on where it was. Exits 1 on any disagreement.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from armlevel.arch import load
from armlevel.documents.replace import replace_file
from armlevel.errors import ArmlevelError, LabError
from armlevel.lab import Laboratory, LabSettings
from armlevel.profile import Host
from tests.migrations.around import machine_cases
from tests.migrations.campaign import migrations, profiles
from tests.migrations.plan import SEED, cases, hosts_of
from tests.migrations.predicted import Said, Seen, as_json, disagreements, say
from tests.migrations.recorded import record, recorded_hosts, recorded_seen, seen_of


def tell(line: str) -> None:
    """Say one line of progress."""
    print(line, file=sys.stderr, flush=True)


def kept(path: Path, key: str) -> dict[str, Seen]:
    """Return what earlier runs saw under the same predictions."""
    found = {}
    for line in path.read_text(encoding="ascii").splitlines() if path.exists() else ():
        one: dict[str, Any] = json.loads(line)
        if one.pop("predictions") == key:
            name = one.pop("case")
            found[name] = seen_of(one)
    return found


def keep(seen: Mapping[str, Seen], hosts: Mapping[str, Host]) -> None:
    """Record what was seen about the machine, beside what is recorded already."""
    found = recorded_seen() | dict(seen)
    about = {str(case): found[str(case)] for case in machine_cases() if str(case) in found}
    record(about, {**recorded_hosts(hosts_of(machine_cases())), **hosts}.values())


def row(name: str, said: Said, seen: Seen | None, faults: list[str]) -> list[str]:
    """Return a case in words: what was said, what was seen."""
    told = said.outcome + "".join(f", {word}" for word in said.harm)
    told += ", dead" if said.alive is False and said.outcome == "completes" else ""
    told += (
        "".join(f": {text}" for text in said.messages[:1])
        if said.outcome == "fails" and not said.blocking
        else ""
    )
    was = "not made"
    if seen is not None:
        was = "arrived" if seen.arrived else "did not arrive"
        was += "" if not seen.arrived else ", ticks" if seen.alive else ", dead"
        was += f", clock {seen.rate:.1f}" if seen.rate is not None and not seen.keeps_time else ""
    mark = "?" if said.outcome == "unknown" else "-" if seen is None else "X" if faults else "="
    blocking = f"  [{len(said.blocking)} registers]" if said.blocking else ""
    return [f"{mark} {name}", f"    {told}{blocking}  |  {was}", *(f"    ! {fault}" for fault in faults)]


def main() -> int:
    """Run what is left of the campaign; 0 if everything agrees."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--directory", type=Path, default=Path("build/migrations"), metavar="DIR")
    parser.add_argument("--only", default="", metavar="TEXT", help="only cases with TEXT in their names")
    parser.add_argument("--machine", action="store_true", help="only those about what stands around the CPU")
    parser.add_argument("--anew", action="store_true", help="forget what earlier runs saw")
    parser.add_argument("--rest", action="store_true", help="only what is not recorded")
    parser.add_argument("--record", action="store_true", help="keep what was seen for `make test`")
    parser.add_argument("--predict", action="store_true", help="write the predictions, and boot nothing")
    options = parser.parse_args()
    begun, catalogue = time.monotonic(), load()
    lab = Laboratory(LabSettings.of(os.environ), tell)
    every = machine_cases() if options.machine else (*cases(), *machine_cases())
    known = recorded_seen() if options.rest else {}
    chosen = [case for case in every if options.only in str(case) and str(case) not in known]
    options.directory.mkdir(parents=True, exist_ok=True)
    try:
        hosts = profiles(lab, hosts_of(chosen))
        said = {str(case): say(case, hosts, catalogue) for case in chosen}
        text = json.dumps({name: as_json(one) for name, one in said.items()}, indent=1) + "\n"
        replace_file(str(options.directory / "predictions.json"), text)
        counted = Counter(one.outcome for one in said.values())
        tell(f"{len(said)} predictions from seed {SEED}: {', '.join(f'{n} {o}' for o, n in counted.items())}")
        path = options.directory / "seen.jsonl"
        keys = {
            name: hashlib.sha256(json.dumps(as_json(one)).encode()).hexdigest()[:16]
            for name, one in said.items()
        }
        seen: dict[str, Seen] = {}
        for name, key in keys.items():
            if not options.anew and name in (earlier := kept(path, key)):
                seen[name] = earlier[name]
        left = [] if options.predict else [case for case in chosen if str(case) not in seen]
        failed = []
        for case, found in migrations(lab, left, hosts, catalogue, tell):
            name = str(case)
            if isinstance(found, LabError):
                failed.append(f"{name}: {found}")
                continue
            seen[name] = found
            with path.open("a", encoding="ascii") as target:
                target.write(json.dumps({"predictions": keys[name], "case": name, **as_json(found)}) + "\n")
            tell("\n".join(row(name, said[name], found, disagreements(said[name], found))))
    except ArmlevelError as exc:
        print(exc, file=sys.stderr)
        return 2
    wrong = 0
    for name, one in said.items():
        was = seen.get(name)
        faults = disagreements(one, was) if was is not None else []
        wrong += bool(faults)
        print("\n".join(row(name, one, was, faults)))
    if options.record:
        keep(seen, hosts)
    arrived = sum(one.arrived for one in seen.values())
    print(
        f"{len(seen)} of {len(said)} migrations made: {arrived} arrived, {len(seen) - arrived} did not; "
        f"{counted['unknown']} predicted unknown, {wrong} predictions wrong; {time.monotonic() - begun:.0f} s"
    )
    print("\n".join(failed))
    return 1 if wrong or failed or (len(seen) < len(said) and not options.predict) else 0


if __name__ == "__main__":
    sys.exit(main())
