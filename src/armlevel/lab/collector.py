"""The probe that is sent into emulated hosts: the rooms of this very armlevel that it needs, so that it is never stale.

It is what `dist/armlevel-probe.pyz` holds, unpacked: Python then keeps the bytecode it makes, and the lab sends it
along the next time.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from armlevel.errors import LabError

__all__ = ["pack_collector", "pack_control", "pack_verifier", "read_collector"]

_WHOLE = ("profile", "kvm", "probe")
_PARTS = (
    *("__init__.py", "errors.py", "documents/write.py", "documents/replace.py"),
    *("onefile/__init__.py", "onefile/collector.py"),
)
# Packages whose door opens onto more than the probe needs get an empty one.
_EMPTY = ("documents/__init__.py",)
_MAIN = b"import sys\nfrom armlevel.onefile.collector import main\nsys.exit(main())\n"
_VERIFY = b"import sys\nfrom armlevel.onefile.verifier import main\nsys.exit(main())\n"
_CONTROL = b"import sys\nfrom armlevel.lab.inside.control import main\nsys.exit(main())\n"
# Arm's room stays at home; names and ids of registers are in the probe's plan, too.
_ARCH = b"""
from types import SimpleNamespace as Row
Catalogue = object
def load():
    from armlevel.probe.compiled import PLAN
    registers = {row.name: Row(name=row.name, kvm_id=row.kvm_id) for row in PLAN.identity}
    return Row(registers=registers, firmware={row[0]: Row(name=row[0], kvm_id=row[1]) for row in PLAN.firmware})
"""
_PLAN = '"""What the probe tries."""\nfrom armlevel.probe.plan import ProbePlan, Run, Tried\nPLAN = {!r}\n'


def pack_collector() -> dict[str, bytes]:
    """Return the files of the probe: a directory that `python3 DIRECTORY` runs."""
    from armlevel.arch import load
    from armlevel.probe.plan import plan_of

    package = resources.files("armlevel")
    files = {"__main__.py": _MAIN}
    for name in _PARTS:
        files[f"armlevel/{name}"] = package.joinpath(name).read_bytes()
    for room in _WHOLE:
        for file in package.joinpath(room).iterdir():
            if file.name.endswith(".py"):
                files[f"armlevel/{room}/{file.name}"] = file.read_bytes()
    files |= {f"armlevel/{name}": b"" for name in _EMPTY}
    files["armlevel/probe/compiled.py"] = _PLAN.format(plan_of(load())).encode()
    return files


def pack_verifier() -> dict[str, bytes]:
    """Return the files that apply a guest profile: the probe's rooms, and the verifier as what is run."""
    files = pack_collector()
    files["__main__.py"] = _VERIFY
    verifier = "onefile/verifier.py"
    files[f"armlevel/{verifier}"] = resources.files("armlevel").joinpath(verifier).read_bytes()
    files["armlevel/arch/__init__.py"] = _ARCH
    return files


def pack_control() -> dict[str, bytes]:
    """Return the files that start and move guests inside a host."""
    package = resources.files("armlevel")
    files = {"__main__.py": _CONTROL, "armlevel/__init__.py": b"", "armlevel/lab/__init__.py": b""}
    for file in package.joinpath("lab/inside").iterdir():
        if file.name.endswith(".py"):
            files[f"armlevel/lab/inside/{file.name}"] = file.read_bytes()
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
