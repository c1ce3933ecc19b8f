"""One emulated host, from power-on to power-off.

The plain `virt` machine with EL2, one vCPU and no devices but two serial lines, both written to files: a serial line
nobody reads stops the whole machine. ``docs/`` of QEMU, system/arm/virt.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from armlevel.errors import LabError
from armlevel.lab import cpio
from armlevel.lab.hosts import EmulatedHost
from armlevel.lab.jobs import Job, Result, job_entries, read_result

__all__ = ["PATIENCE", "EmulatedMachine"]

#: Seconds after which a host is given up: a last stop against hanging, ten times what an idle machine needs for the
#: longest job, so that a busy one does not meet it. A host that dies is noticed when it dies.
PATIENCE: float = 1800

# Nothing here changes what KVM offers: no mitigation, no CPU feature is touched.
_BOOT = "console=ttyAMA0 rdinit=/init quiet loglevel=3 panic=-1 init_on_alloc=0 audit=0"
_KEPT = 7 * 86400  # seconds for which the console of a failure stays


@dataclass(frozen=True, slots=True)
class EmulatedMachine:
    """What a host boots from: the emulator's command, the kernel, and the archives of its first root in order."""

    emulator: tuple[str, ...]
    kernel: Path
    images: tuple[Path, ...]
    runs: Path

    def run(self, host: EmulatedHost, job: Job, timeout: float = PATIENCE) -> Result:
        """Boot ``host``, run ``job`` in it and return what it left, whatever its exit status.

        Raises :class:`LabError`, with the last words of the console and where all of them are, if the host did not
        power off by itself with a whole result within ``timeout`` seconds.
        """
        self.runs.mkdir(parents=True, exist_ok=True)
        self._forget_old_failures()
        place = Path(tempfile.mkdtemp(prefix=f"{host}-", dir=self.runs))
        began = time.monotonic()
        try:
            with self._initrd(job_entries(str(host), job)) as initrd:
                ended = self._emulate(host, place, initrd.fileno(), timeout)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        seconds = time.monotonic() - began
        result = read_result(_bytes(place / "result"))
        if result is None:
            raise self._failure(host, place, ended, timeout)
        console = _bytes(place / "console").decode(errors="replace")
        shutil.rmtree(place, ignore_errors=True)
        return replace(result, seconds=seconds, console=console)

    def _forget_old_failures(self) -> None:
        for place in self.runs.iterdir():
            with contextlib.suppress(OSError):
                if time.time() - place.stat().st_mtime > _KEPT:
                    shutil.rmtree(place, ignore_errors=True)

    def _initrd(self, entries: Iterable[cpio.Entry]) -> BinaryIO:
        # In memory, and gone with the last who has it open: whatever ends us, nothing large is left behind.
        target = os.fdopen(os.memfd_create("initrd"), "w+b")
        for image in self.images:
            with image.open("rb") as source:
                shutil.copyfileobj(source, target, 1 << 20)
        target.writelines(cpio.archive(entries))
        target.flush()
        return target

    def _emulate(self, host: EmulatedHost, place: Path, initrd: int, timeout: float) -> int | None:
        """Run the emulator; return its exit status, or nothing if it had to be stopped."""
        with self._emulator(host, place, initrd, ()) as process:
            try:
                return process.wait(timeout)
            except subprocess.TimeoutExpired:
                return None

    @contextlib.contextmanager
    def _emulator(
        self, host: EmulatedHost, place: Path, initrd: int, devices: Sequence[str]
    ) -> Iterator[subprocess.Popen[bytes]]:
        with (place / "emulator").open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - QEMU, with our own words
                [*_with_parent(), *self.emulator, *self._arguments(host, place, initrd), *devices],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(initrd,),
            )
            try:
                yield process
            finally:
                process.kill()
                process.wait()

    @contextlib.contextmanager
    def opened(
        self, host: EmulatedHost, job: Job, devices: Sequence[str] = ()
    ) -> Iterator[Callable[[], LabError | None]]:
        """Boot ``host`` with further ``devices`` (words for the emulator) and keep it until the block ends.

        Yields a function that says why the host is gone, or ``None`` while it lives.
        """
        self.runs.mkdir(parents=True, exist_ok=True)
        self._forget_old_failures()
        place = Path(tempfile.mkdtemp(prefix=f"{host}-", dir=self.runs))
        with contextlib.ExitStack() as cleaning:
            cleaning.callback(shutil.rmtree, place, ignore_errors=True)
            initrd = cleaning.enter_context(self._initrd(job_entries(str(host), job)))
            process = cleaning.enter_context(self._emulator(host, place, initrd.fileno(), devices))

            def problem() -> LabError | None:
                ended = process.poll()
                if ended is None:
                    return None
                result = read_result(_bytes(place / "result"))
                if result is None:
                    return self._failure(host, place, ended, 0.0)
                errors = result.stderr.strip().splitlines()
                return LabError(
                    f"the emulated host {host} has ended: {errors[-1] if errors else result.status}"
                )

            yield problem

    def _arguments(self, host: EmulatedHost, place: Path, initrd: int) -> list[str]:
        mte = ",mte=on" if host.mte else ""
        return [
            *("-machine", f"virt,virtualization=on,gic-version={host.gic}{mte}"),
            *("-accel", "tcg", "-cpu", host.qemu_cpu, "-smp", str(host.smp), "-m", f"{host.memory}M"),
            *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
            *("-serial", f"file:{place / 'console'}", "-serial", f"file:{place / 'result'}"),
            *("-kernel", str(self.kernel), "-initrd", f"/dev/fd/{initrd}"),
            *("-append", " ".join([_BOOT, *host.boot])),
        ]

    def _failure(self, host: EmulatedHost, place: Path, ended: int | None, timeout: float) -> LabError:
        console = _bytes(place / "console").decode(errors="replace").split("\n")
        output = _bytes(place / "emulator").decode(errors="replace").split("\n")
        words = [line.strip() for line in (console if ended in {None, 0} else output) if line.strip()]
        what = f"did not finish within {timeout:g} s" if ended is None else "ended without a result"
        last = f"; its last words: {' / '.join(words[-3:])}" if words else ""
        return LabError(
            f"the emulated host {host} {what}{last}", hint=f"its console is in {place / 'console'}"
        )


def _with_parent() -> Sequence[str]:
    # The emulator is to die with us, even if we are killed; util-linux knows how to ask the kernel for that.
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "KILL", "--") if setpriv and os.name == "posix" else ()


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
