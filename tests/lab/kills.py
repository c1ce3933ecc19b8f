"""Inside an emulated host: probes that are killed at some moment, beside a VM that is not theirs.

A moment is a number of events: calls, files and imports that the probe's interpreter tells of. At that number the
probe says so, goes on for a few events more, and stays there until it is killed; so every kill meets a probe that
has not ended, however fast or slow the host is. Leaves in $OUT/kills.json what was there after each kill.
"""

from __future__ import annotations

import json
import os
import random
import re
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, "inside")
from armlevel.kvm.device import Kvm

_LAST = 12  # events of an existing file being written, the last of a probe
_BEHIND = 5  # events that a probe at most goes on for
_NAMED = -1  # the moment in which the file's second name is there, and its own name is not yet given to it
_LAST_STOP = 300.0  # seconds against hanging
_OLD = "old\n"
_VMS = Path("/sys/kernel/debug/kvm")  # a directory for each VM there is: PID-FD
_MIDR = 0x603000000013C000
_PLACE = Path("/tmp/profiles")
_TARGET = _PLACE / "host.json"


def probe(moment: int, behind: int, tell: int, wait: int) -> None:
    """Probe; at the event ``moment`` write to ``tell``, and ``behind`` events later read from ``wait`` for ever."""
    happened = 0

    def hook(name: str, arguments: tuple[Any, ...]) -> None:
        nonlocal happened
        happened += 1
        # Python tells of a call before it makes it: a number of events cannot say that the one before is made.
        if moment == _NAMED and name == "os.rename" and os.fspath(arguments[1]) == str(_TARGET):
            os.write(tell, b"now")
            os.read(wait, 1)
        if happened == moment:
            os.write(tell, b"now")
        if happened == moment + behind:
            os.read(wait, 1)

    sys.argv = ["inside", "-n", "a", "--force", "-o", str(_TARGET)]
    sys.addaudithook(hook)
    try:
        runpy.run_path("inside", run_name="__main__")
    except SystemExit as exc:
        if exc.code:
            raise
    if moment:
        if happened < moment or moment == _NAMED:  # a file that was not there is written in fewer events
            os.write(tell, b"now")
        os.read(wait, 1)
    os.write(tell, str(happened).encode())


def started(moment: int, behind: int = 0) -> tuple[subprocess.Popen[bytes], str]:
    """Start a probe; return it with what it says at its moment, or at its end: how many events there were."""
    tell, said = os.pipe()
    wait, never = os.pipe()
    words = [str(number) for number in (moment, behind, said, wait)]
    process = subprocess.Popen(
        [sys.executable, "-I", __file__, *words], stderr=subprocess.DEVNULL, pass_fds=(said, wait)
    )
    os.close(said)
    os.close(wait)
    with os.fdopen(tell, "rb", buffering=0) as stream:
        text = stream.read(20)
    process.never = never  # type: ignore[attr-defined]  # open as long as the probe is known
    return process, (text or b"").decode()


def vms() -> int:
    """Return how many VMs the kernel has, once those on their way out are gone."""
    ends, count = time.monotonic() + _LAST_STOP, -1
    while count != 1 and time.monotonic() < ends:
        count = sum(bool(re.fullmatch(r"\d+-\d+", one.name)) for one in _VMS.iterdir())
        time.sleep(0.05)
    return count


def whole() -> int:
    """Probe to the end; return how many events there were."""
    process, said = started(0)
    if process.wait() or not said:
        raise SystemExit(f"the probe ended with {process.returncode}")
    return int(said)


def killed(number: int, moment: int, behind: int) -> list[Any]:
    """Kill a probe after ``moment`` events; return what was there then."""
    if number % 2:
        _TARGET.unlink(missing_ok=True)
    else:
        _TARGET.write_text(_OLD)
    how = signal.SIGKILL if number % 4 < 2 else signal.SIGTERM
    one, _ = started(moment, behind)
    one.send_signal(how)
    status = one.wait()
    text = _TARGET.read_text() if _TARGET.exists() else None
    if text not in (None, _OLD):
        text = "whole" if json.loads(text)["kind"] == "host-profile/1" else "half"
    beside = [file.name for file in _PLACE.iterdir() if file != _TARGET]
    return [how.name, status, number % 2, text, beside, vms()]


def main(seed: int, kills: int) -> None:
    """Kill ``kills`` probes, a multiple of four, and one more; look, and write down."""
    chance = random.Random(seed)
    subprocess.run(["mount", "-t", "debugfs", "debugfs", "/sys/kernel/debug"], check=True)
    _PLACE.mkdir()
    whole()  # Python compiles it once
    with Kvm() as kvm, kvm.create_vm() as vm:
        vcpu = vm.create_vcpu()
        vcpu.init((2,))
        before = vcpu.get(_MIDR)
        _TARGET.write_text(_OLD)
        events = whole()
        found = []
        for number in range(kills):
            # Every third one late, where the file is written.
            first, last = (events - _LAST, events) if number % 3 == 0 else (1, events - _LAST)
            found.append(killed(number, chance.randint(first, last), chance.randint(1, _BEHIND)))
        # Just where a second name of the file is there.
        found.append(killed(kills, _NAMED, 0))
        alive = vcpu.get(_MIDR) == before
    whole()
    left = sorted(file.name for file in _PLACE.iterdir())
    written = {"kills": found, "alive": alive, "events": events, "left": left}
    Path(os.environ["OUT"], "kills.json").write_text(json.dumps(written))


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    if len(numbers) > 2:
        probe(*numbers)
    else:
        main(*numbers)
