"""The probe as it goes over ssh: read from standard input, run in memory, answered in one frame. It leaves nothing.

What the other end runs is `python3 -I -c "import sys;exec(sys.stdin.buffer.read(N))"`: N bytes of ``loader``, then an
archive of modules. The archive is kept in memory that is gone with the process (memfd_create(2)), and imported from
there. Standard library only.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any

from armlevel.errors import ArmlevelError, KvmError
from armlevel.kvm.device import ARM
from armlevel.onefile.collector import collect, compiled_plan, written

__all__ = ["MARK", "command", "loader", "main"]

#: What a frame begins with, at the beginning of a line: login shells may print before it what they like.
MARK = "armlevel-collect/1"

# Older Pythons have to be able to read this, so that they can say that they are too old.
_LOADER = """
import hashlib, json, os, sys
def frame(answer):
    data = json.dumps(answer).encode()
    head = "\\n%s %d %s\\n" % ({mark!r}, len(data), hashlib.sha256(data).hexdigest())
    sys.stdout.flush()
    with os.fdopen(os.dup(1), "wb") as out:
        out.write(head.encode() + data + b"\\n")
if sys.version_info < (3, 10):
    frame({{"failed": "old-python", "detail": sys.version.split()[0]}})
    sys.exit(1)
data = sys.stdin.buffer.read({size})
if len(data) != {size}:
    sys.exit("armlevel: the program came cut off")
try:
    held = os.memfd_create("armlevel")
    with os.fdopen(os.dup(held), "wb") as archive:
        archive.write(data)
    sys.path.insert(0, "/proc/self/fd/%d" % held)
    from armlevel.onefile.over_ssh import main
except Exception as exc:
    frame({{"failed": "not-loaded", "detail": "%s: %s" % (type(exc).__name__, exc)}})
    sys.exit(1)
sys.exit(main(frame, {options!r}))
"""


def command(loader_size: int, python: str = "python3") -> str:
    """Return what the shell at the other end is given; every shell reads it alike.

    >>> command(1200)
    'python3 -I -c "import sys;exec(sys.stdin.buffer.read(1200))"'
    """
    return f'{python} -I -c "import sys;exec(sys.stdin.buffer.read({loader_size}))"'


def loader(size: int, options: Mapping[str, Any]) -> bytes:
    """Return the program that runs an archive of ``size`` bytes which follows it; ``options`` are those of ``main``."""
    return _LOADER.format(mark=MARK, size=size, options=dict(options)).encode()


def main(frame: Callable[[Mapping[str, Any]], None], options: Mapping[str, Any]) -> int:
    """Probe this machine, and answer in one frame.

    ``options``  ``name`` of the host; ``seconds`` after which this process ends whatever happens; ``vmms``
    """
    signal.alarm(int(options["seconds"]))  # nobody may be there any more who could stop it
    try:
        probed = collect(compiled_plan(), name=options["name"], vmms=options["vmms"])
        answer: dict[str, Any] = {"profile": written(probed), "remarks": list(probed.remarks)}
    except KvmError as exc:
        answer = {"failed": _why(exc), "detail": exc.message}
    except (ArmlevelError, OSError) as exc:
        answer = {"failed": "probe", "detail": str(exc)}
    except Exception as exc:  # noqa: BLE001 - nobody is there to read a traceback
        answer = {"failed": "probe", "detail": f"{type(exc).__name__}: {exc}"}
    frame(answer)
    sys.stderr.flush()
    return 1 if "failed" in answer else 0


def _why(exc: KvmError) -> str:
    if os.uname().machine not in ARM:
        return "not-arm"
    if exc.code in (errno.EACCES, errno.EPERM):
        return "permission"
    return "no-kvm" if exc.code in (errno.ENOENT, errno.ENODEV, errno.ENXIO) else "probe"
