"""The guard's two files: what is in them, whose they are, and how one is put in its place whole."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import subprocess
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

from armlevel.documents.replace import replace_file, sync_folder
from armlevel.errors import UsageError

__all__ = [
    "ENVIRONMENT",
    "RELEASE",
    "START",
    "archive_names",
    "archive_of",
    "hook_bytes",
    "is_our_archive",
    "is_our_hook",
    "put",
    "read",
    "release_in",
]

_SHEBANG = b"#!/bin/sh\n"
_NAME = b"# armlevel's guard: libvirt's hook"
_ENTRY = "armlevel/onefile/entry.py"
RELEASE = "armlevel/onefile/release.py"
_DATE = (1980, 1, 1, 0, 0, 0)
#: Bytecode that is not held against its source (PEP 552), of each module of a JSON object. Its docstrings stay: for a
#: class without one `dataclasses` asks `inspect` for its signature, at each start.
_COMPILE = """
import base64, importlib.util, json, marshal, sys
def compiled(name, text):
    code = compile(text, "armlevel-guard/" + name, "exec", dont_inherit=True, optimize=1)
    head = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + importlib.util.source_hash(text.encode())
    return base64.b64encode(head + marshal.dumps(code)).decode()
json.dump({name: compiled(name, text) for name, text in json.load(sys.stdin).items()}, sys.stdout)
"""
#: How the hook starts the archive, which it gives as the first word.
START = "import sys; sys.path.insert(0, sys.argv.pop(1)); import armlevel_guard"
#: What the hook gives its programs.
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}


def hook_bytes() -> bytes:
    """Return the hook of this armlevel."""
    return resources.files("armlevel.onefile").joinpath("qemu-hook.sh").read_bytes()


def is_our_hook(content: bytes) -> bool:
    """Return whether a file is our hook: of any version, or what is left of it where it was cut."""
    whole = hook_bytes()
    return (content.startswith(_SHEBANG) and _NAME in content[:200]) or whole.startswith(content)


def is_our_archive(content: bytes) -> bool:
    """Return whether a file may be our archive, whole or not."""
    return not content or archive_names(content) is not None or content[:4] == b"PK\x03\x04"


def archive_names(content: bytes) -> set[str] | None:
    """Return the names in our archive; None for what is no whole archive of ours."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return None
    return names if any(name.endswith(_ENTRY) for name in names) else None


def read(path: Path) -> bytes | None:
    """Return what is in a file; None where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        return None


def put(path: Path, content: bytes, mode: int) -> None:
    """Put a file in its place whole, never half of it: libvirt runs what is there.

    Raises:
        UsageError: it cannot be written, and why; what was there stays.

    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise UsageError(f"{path.parent}: cannot be made: {exc.strerror}", hint="do it as root") from exc
    fresh = path.with_name(f".{path.name}.new")  # libvirt runs no file without the right to be run
    replace_file(str(fresh), content)
    try:
        fresh.chmod(mode)
        os.replace(fresh, path)  # noqa: PTH105 - the call is what is meant
        sync_folder(path.parent)
    except OSError as exc:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise UsageError(f"{path}: cannot be written: {exc.strerror}", hint="do it as root") from exc


def archive_of(files: Mapping[str, bytes], python: Sequence[str] = ("python3",)) -> bytes:
    """Return the guard's program as one file, with bytecode for the Python that the hook finds."""
    made = dict(files) | _bytecode(files, python)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in sorted(made):
            archive.writestr(zipfile.ZipInfo(name, _DATE), made[name])
    return stream.getvalue()


def _bytecode(files: Mapping[str, bytes], python: Sequence[str]) -> dict[str, bytes]:
    # Compiled by the hook's own Python, which alone can take it; any other takes the source beside it.
    texts = {name: text.decode() for name, text in files.items() if name.endswith(".py")}
    try:
        done = subprocess.run(  # noqa: S603 - as the hook starts it
            [*python, "-I", "-S", "-c", _COMPILE],
            input=json.dumps(texts).encode(),
            capture_output=True,
            check=True,
            env=ENVIRONMENT,
        )
        made = {f"{name}c": base64.b64decode(code) for name, code in json.loads(done.stdout).items()}
    except (OSError, ValueError, subprocess.CalledProcessError):
        return {}
    return {name: code for name, code in made.items() if name.removesuffix("c") in texts}


def release_in(content: bytes) -> bytes | None:
    """Return which build an archive is of; None where it does not tell."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [name for name in archive.namelist() if name.endswith(RELEASE)]
        try:
            return archive.read(names[-1]) if names else None
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
            return None
