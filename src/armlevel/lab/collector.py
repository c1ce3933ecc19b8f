"""The programs that are sent into emulated hosts: made of this very armlevel, so that they are never stale.

The probe is what `dist/armlevel-probe.pyz` holds, unpacked: Python then keeps the bytecode it makes, and the lab sends
it along the next time.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from armlevel.errors import LabError
from armlevel.onefile.bytecode import FOLDER, STARTS
from armlevel.onefile.program import program_of

__all__ = [
    "pack_agent",
    "pack_collector",
    "pack_control",
    "pack_guard",
    "pack_over_ssh",
    "pack_verifier",
    "read_collector",
]

# Made when the program is packed: Arm's room stays at home, and what is asked of its rows travels as one value.
_COMPILED = "armlevel.probe.compiled"
_AT_HOME = ("armlevel.arch", _COMPILED)
# The guard starts at every call of libvirt's hook that matters: of a package it imports the one module it needs. Of
# Arm's room travel expressions and what stands around the vCPU, and of the engine what compares that.
_ROWS, _RELEASE = "armlevel.onefile.compiled", "armlevel.onefile.release"
# What the hook imports, past what `python3 ARCHIVE` does before it comes to __main__.py.
_HOOK_STARTS = "armlevel_guard.py"
_HOME_OF_ROWS = (_ROWS, _RELEASE, "armlevel.arch.catalogue")
_OPEN_ONTO_MORE = (
    *(f"armlevel.{name}" for name in ("arch", "documents", "engine", "engine.parts", "kvm", "probe")),
)
_ROWS_TEXT = '''"""What trying asks of the rows."""
from armlevel.arch.expr import And, Cmp, Const, Feat, Iff, Implies, Not, Or
from armlevel.arch.machinerows import Around, Board, CpuInterface, HighWindow
from armlevel.onefile.rows import FirmwareRow, LetRow, ReachField, Rows, VmmRow
from armlevel.probe.plan import ProbePlan, Run, Tried
ROWS = {!r}
'''
_PLAN = '"""What the probe tries."""\nfrom armlevel.probe.plan import ProbePlan, Run, Tried\nPLAN = {!r}\n'


def pack_collector() -> dict[str, bytes]:
    """Return the files of the probe: a directory that `python3 DIRECTORY` runs."""
    return _with_plan("armlevel.onefile.collector")


def pack_over_ssh() -> dict[str, bytes]:
    """Return the files of the probe as `armlevel collect` sends them."""
    return _with_plan("armlevel.onefile.over_ssh")


def pack_agent() -> dict[str, bytes]:
    """Return the files of the agent."""
    return _with_plan("armlevel.onefile.agent")


def pack_verifier() -> dict[str, bytes]:
    """Return the files that apply a guest profile."""
    return _with_plan("armlevel.onefile.verifier")


def pack_guard() -> dict[str, bytes]:
    """Return the files of the guard: what tries a guest CPU on a host, and answers libvirt's hook there."""
    from armlevel.arch import load
    from armlevel.onefile.rows import rows_of

    files = program_of("armlevel.onefile.entry", at_home=_HOME_OF_ROWS, closed=_OPEN_ONTO_MORE)
    files |= program_of("armlevel.arch.machinerows", closed=_OPEN_ONTO_MORE) | {
        "__main__.py": files["__main__.py"]
    }
    files[_ROWS.replace(".", "/") + ".py"] = _ROWS_TEXT.format(rows_of(load())).encode()
    release = hashlib.sha256(b"".join(name.encode() + files[name] for name in sorted(files))).hexdigest()
    text = f'"""Which build of the guard this is."""\nRELEASE = {release!r}\n'
    starts = STARTS.format(folder=FOLDER, release=release).encode()
    return files | {
        _RELEASE.replace(".", "/") + ".py": text.encode(),
        "__main__.py": starts,
        _HOOK_STARTS: starts,
    }


def pack_control() -> dict[str, bytes]:
    """Return the files that start and move guests inside a host."""
    closed = ("armlevel", "armlevel.lab", "armlevel.documents", "armlevel.probe")
    return program_of("armlevel.lab.inside.control", closed=closed)


def _with_plan(module: str) -> dict[str, bytes]:
    from armlevel.arch import load
    from armlevel.probe.plan import plan_of

    files = program_of(module, at_home=_AT_HOME)
    files[_COMPILED.replace(".", "/") + ".py"] = _PLAN.format(plan_of(load())).encode()
    return files


def read_collector(path: Path) -> Mapping[str, bytes]:
    """Return the files of a one-file probe. Raises :class:`LabError` if the file is no such probe."""
    try:
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
            files = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    except OSError as exc:
        raise LabError(f"{path} cannot be read: {exc.strerror or exc}") from exc
    except zipfile.BadZipFile as exc:
        raise LabError(f"{path} is no one-file probe", hint="make one with make probe") from exc
    if "__main__.py" not in files:
        raise LabError(
            f"{path} is no one-file probe: nothing in it can be run", hint="make one with make probe"
        )
    return files
