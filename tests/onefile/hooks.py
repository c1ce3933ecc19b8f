"""libvirt's hook as libvirt calls it: the real shell file, in a host of its own made of one directory.

Two lines are changed, those that name places: where programs are, and where the guard's archive is. Each program there
tells that it was started, and is then the real one or what a case wants instead.
"""

from __future__ import annotations

import io
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

import pytest

from armlevel.errors import LabError
from armlevel.lab.archive import Archive, deb_files
from armlevel.lab.parts import ARCHES
from armlevel.lab.settings import LabSettings
from armlevel.lab.store import Store

__all__ = ["HOOK", "MARKED", "PLACES", "REFUSES", "SENTENCE", "STRANGER", "Host", "Outcome", "shells"]

HOOK = resources.files("armlevel.onefile").joinpath("qemu-hook.sh").read_text(encoding="ascii")
#: The two lines that name places.
PLACES = ("PATH=/usr/sbin:/usr/bin:/sbin:/bin\n", "guard=/usr/lib/armlevel/armlevel-guard.pyz\n")

STRANGER = b"<domain><name>web-1</name></domain>\n"
_MARK = (
    b"<armlevel:guest xmlns:armlevel='https://armlevel.dev/guest/1' digest='sha256:0'%s>1:a</armlevel:guest>"
)
MARKED = b"<domain><name>web-1</name><metadata>" + _MARK % b"" + b"</metadata></domain>\n"
LEVELLED = b"<domain><name>web-1</name><metadata>" + _MARK % b" level='web-2'" + b"</metadata></domain>\n"

SENTENCE = "armlevel: web-1 may not run on h2: PSCI_VERSION: the guest has 1.3, this host takes 1.1"
#: Programs in place of the guard's archive.
REFUSES = f"import sys; sys.stdin.read(); print({SENTENCE!r}, file=sys.stderr); sys.exit(1)"
LETS = "import sys; sys.stdin.read()"

_PROGRAMS = ("timeout", "head", "python3", "logger")
_LIMIT = 60


def shells() -> dict[str, list[str]]:
    """Return the shells that are here: /bin/sh, and busybox's, fetched where it is not installed.

    Busybox may prefer its own timeout, head and logger to what is on PATH: there only python3 is a case's own.
    """
    return {"sh": ["/bin/sh"], "busybox": [_busybox(), "sh"]}


def _busybox() -> str:
    if found := shutil.which("busybox"):
        return found
    settings = LabSettings.of(os.environ)
    archive = Archive(settings, Store(settings.cache))
    arch = ARCHES.get(platform.machine(), ("", ""))[0]
    try:
        found_there = archive.find(
            f"busybox-{arch}", arch, ("trixie",), lambda root: root.alone(["busybox-static"])
        )

        def make(place: Path) -> None:
            with archive.files(found_there, place) as debs:
                for member, data in deb_files(
                    debs["busybox-static"], lambda path: path.endswith("bin/busybox")
                ):
                    if member.isfile():
                        (place / "busybox").write_bytes(data)
            (place / "busybox").chmod(0o755)

        return str(archive.store.entry("judges", found_there.key, make) / "busybox")
    except LabError as exc:
        if os.environ.get("ARMLEVEL_LAB"):
            raise
        pytest.skip(f"no busybox: {exc} (ARMLEVEL_LAB=1 forces)")


def _archive(program: str) -> bytes:
    # What the hook starts of an archive.
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("armlevel_guard.py", program)
    return stream.getvalue()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one call gave: as libvirt sees it, and which programs were started."""

    status: int
    out: str
    err: str
    started: tuple[str, ...]


@dataclass(slots=True)
class Host:
    """A directory with a hook, the programs that it may find, and what stands for the guard's archive."""

    place: Path
    shell: list[str]
    text: str = HOOK
    program: str | bytes | None = REFUSES
    missing: frozenset[str] = frozenset()
    instead: Mapping[str, str] = field(default_factory=dict)

    def call(
        self,
        operation: str = "migrate",
        stage: str = "begin",
        *,
        xml: bytes | None = MARKED,
        domain: str = "web-1",
        environment: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Call the hook as libvirt does; without ``xml`` its standard input is closed."""
        log = self._made()
        command = [*self.shell, str(self.place / "hook"), domain, operation, stage, "-"]
        if xml is None:
            command = ["/bin/sh", "-c", 'exec "$@" <&-', "sh", *command]
        done = subprocess.run(
            command,
            input=xml,
            stdin=subprocess.DEVNULL if xml is None else None,
            capture_output=True,
            env={"LC_ALL": "C"} if environment is None else environment,
            timeout=_LIMIT,
        )
        started = tuple(log.read_text().split()) if log.exists() else ()
        return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode(), started)

    def _made(self) -> Path:
        programs, log, guard = (self.place / name for name in ("bin", "log", "guard"))
        shutil.rmtree(programs, ignore_errors=True)
        programs.mkdir()
        log.unlink(missing_ok=True)
        for name in _PROGRAMS:
            if name in self.missing:
                continue
            real = sys.executable if name == "python3" else shutil.which(name) or "/bin/true"
            does = self.instead.get(name, f'exec {real} "$@"' if name != "logger" else "exit 0")
            (programs / name).write_text(f"#!/bin/sh\necho {name} 2>/dev/null >> {log}\n{does}\n")
            (programs / name).chmod(0o755)
        guard.unlink(missing_ok=True)
        if self.program is not None:
            guard.write_bytes(self.program if isinstance(self.program, bytes) else _archive(self.program))
        text = self.text
        for line, own in zip(PLACES, (f"PATH={programs}\n", f"guard={guard}\n"), strict=True):
            text = text.replace(line, own)
        (self.place / "hook").write_text(text, encoding="ascii")
        return log
