"""Inside an emulated host: probes that are killed at some moment, under load, beside a VM that is not theirs.

Leaves in $OUT/kills.json what was there after each kill.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, "inside")
from armlevel.kvm.device import Kvm

_KILLS, _TRIES = 8, 20
_OLD = "old\n"
_VMS = Path("/sys/kernel/debug/kvm")  # a directory for each VM there is: PID-FD
_MIDR = 0x603000000013C000


def vms() -> int:
    """Return how many VMs the kernel has; one that is on its way out is given a moment."""
    count = -1
    for _ in range(40):
        found = sum(bool(re.fullmatch(r"\d+-\d+", one.name)) for one in _VMS.iterdir())
        if found == 1:
            return found
        count = found
        time.sleep(0.05)
    return count


def main() -> None:
    """Kill, look, and write down."""
    chance = random.Random(int(sys.argv[1]))
    subprocess.run(["mount", "-t", "debugfs", "debugfs", "/sys/kernel/debug"], check=True)
    place = Path("/tmp/profiles")
    place.mkdir()
    target = place / "host.json"
    probe = [sys.executable, "-I", "inside", "-n", "a", "-o", str(target)]
    subprocess.run(probe, check=True)  # Python compiles it once
    busy = [subprocess.Popen([sys.executable, "-I", "-c", "while True: pass"]) for _ in range(2)]
    found: list[list[Any]] = []
    with Kvm() as kvm, kvm.create_vm() as vm:
        vcpu = vm.create_vcpu()
        vcpu.init((2,))
        before = vcpu.get(_MIDR)
        start = time.monotonic()
        subprocess.run(probe, check=True)
        whole = time.monotonic() - start
        for number in range(_TRIES):
            if sum(status != 0 for _, status, *_ in found) == _KILLS:
                break
            if number % 2:
                target.unlink(missing_ok=True)
            else:
                target.write_text(_OLD)
            how = signal.SIGKILL if number % 4 < 2 else signal.SIGTERM
            # Every third one late, where the file is written.
            moment = whole * (chance.uniform(0.85, 1.0) if number % 3 == 0 else chance.uniform(0.02, 0.95))
            one = subprocess.Popen(probe, stderr=subprocess.DEVNULL)
            time.sleep(moment)
            one.send_signal(how)
            status = one.wait()
            if status == 0:
                whole *= 0.8  # it was faster than the first one
            text = target.read_text() if target.exists() else None
            if text not in (None, _OLD):
                text = "whole" if json.loads(text)["kind"] == "host-profile/1" else "half"
            beside = [file.name for file in place.iterdir() if file != target]
            found.append([how.name, status, number % 2, text, beside, vms()])
        alive = vcpu.get(_MIDR) == before
    for process in busy:
        process.kill()
    Path(os.environ["OUT"], "kills.json").write_text(
        json.dumps({"kills": found, "alive": alive, "seconds": whole})
    )


if __name__ == "__main__":
    main()
