"""What a call of libvirt's hook costs: CPU of the shell and all it starts, against a shell that does nothing.

    python bench/hook.py

One line a case: the ratio, and the CPU milliseconds of both. The goals in milliseconds are of a machine like the one
that measured first; the ratio is what other machines compare.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from armlevel.lab import pack_guard
from armlevel.operations.guard_host import archive_of
from tests.onefile.hooks import HOOK, MARKED, PLACES, STRANGER

_ROUNDS = 40
_PAD = b"<!-- " + b"a domain of a usual size " * 400 + b"-->\n"
_KEEP = """
import sys
sys.path.insert(0, sys.argv[1])
from armlevel.onefile.answers import Answers, Kept, key_of, state_of
from armlevel.onefile.trying import _release
Answers(sys.argv[2], state_of(), _release()).keep(key_of("1:a", ""), Kept("sha256:" + "0" * 64))
"""


def _cost(command: list[str], xml: bytes) -> float:
    # The least CPU time of a call: what else runs here cannot make it less.
    least = float("inf")
    for _ in range(_ROUNDS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, input=xml, check=True, env={"LC_ALL": "C"}, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        least = min(least, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return 1000 * least


def main() -> int:
    """Measure every case, and print it."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        guard, hook, cache = place / "guard.pyz", place / "hook", place / "tried"
        files = pack_guard()
        name = "armlevel/onefile/guard.py"
        files[name] = files[name].replace(b'CACHE = f"{STATE}/tried"', f"CACHE = {str(cache)!r}".encode())
        guard.write_bytes(archive_of(files, [sys.executable]))
        path = f"PATH={Path(sys.executable).parent}:/usr/sbin:/usr/bin:/sbin:/bin\n"
        hook.write_text(HOOK.replace(PLACES[0], path).replace(PLACES[1], f"guard={guard}\n"))
        subprocess.run([sys.executable, "-I", "-S", "-c", _KEEP, str(guard), str(cache)], check=True)
        marked = MARKED.replace(b"sha256:0", b"sha256:" + b"0" * 64) + _PAD
        cases = [
            ("a call that is not the guard's", "reconnect", STRANGER + _PAD, 15),
            ("a guest without a mark", "migrate", STRANGER + _PAD, 15),
            (
                "a marked guest, its answer kept" + ("" if os.geteuid() == 0 else " (tried: not root)"),
                "migrate",
                marked,
                60,
            ),
        ]
        plain = _cost(["/bin/sh", "-c", ":"], b"")
        for what, operation, xml, most in cases:
            ours = _cost(["/bin/sh", str(hook), "web-1", operation, "begin", "-"], xml)
            print(f"{what:<40} {ours / plain:6.1f} x  {ours:6.1f} / {plain:.1f} ms of CPU (goal {most} ms)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
