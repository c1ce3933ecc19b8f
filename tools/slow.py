#!/usr/bin/env python3
"""Everything that takes long and is no part of `make test`, one after the other, each with the time it took.

    tools/slow.py [--list] [NAME ...]

Goes on when one fails, and exits 1 then. What each says goes to build/slow/NAME.log.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping

from under_load import ROOT, run

_PYTEST = (sys.executable, "-m", "pytest", "-n", "2")
_NONE = 5  # of pytest: no test is marked slow

#: name -> the command, and what it is.
STEPS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "slow": ((*_PYTEST, "-m", "slow"), "the tests that are marked slow"),
    "load": (
        (sys.executable, "tools/under_load.py"),
        "the tests that wait for a machine, five times with every core kept busy",
    ),
    "fidelity": ((sys.executable, "tools/fidelity.py"), "57 emulated hosts against what is said of them"),
    "migrations": ((sys.executable, "tools/migrations.py"), "a hundred real migrations, each predicted"),
    "libvirt": (
        (sys.executable, "tools/libvirt_migrations.py", "--anew"),
        "moves by virsh between guarded hosts, each foretold",
    ),
    "selftests": (
        (sys.executable, "tools/selftests.py"),
        "the kernels' own selftests of KVM against the rows",
    ),
    "bench": ((sys.executable, "bench/run.py"), "how fast, how large"),
}


def main() -> int:
    """Run the steps; 0 if all passed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", action="store_true", help="say what there is, and run nothing")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these of {', '.join(STEPS)}")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in STEPS]:
        parser.error(f"there is no {unknown[0]}; there are {', '.join(STEPS)}")
    failed = []
    for name in options.names or STEPS:
        command, what = STEPS[name]
        if options.list:
            print(f"{name:<12} {what}")
            continue
        log = ROOT / "build/slow" / f"{name}.log"
        print(f"{name}: {what} ...", flush=True)
        done = run(command, log)
        none = name == "slow" and done.status == _NONE
        failed += [name] if done.status and not none else []
        how = "nothing to do" if none else "FAILED" if done.status else "passed"
        print(f"{name}: {how}, {done.seconds:.0f} s, {log}", flush=True)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
