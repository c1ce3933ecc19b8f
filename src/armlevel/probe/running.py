"""The virtual machines that run on this machine, as /proc, KVM's debugfs and libvirt's state files show them.

Files are opened for reading and nothing else: no process is stopped, no VM asked, no monitor opened, no daemon called.
Sources: Linux virt/kvm/kvm_main.c (kvm_create_vm_debugfs: a directory ``PID-FD``), arch/arm64/kvm/sys_regs.c (idregs),
Documentation/filesystems/proc.rst; libvirt src/conf/domain_conf.c (virDomainObjFormat: the file of a running domain).
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from armlevel.probe.boot import boot_id

__all__ = ["Running", "RunningVm", "read_running"]

_VM = "anon_inode:kvm-vm"
_DELETED = " (deleted)"
_LIBRARY = b"libarmlevel"
_DOMAINS = ("run/libvirt/qemu", "var/run/libvirt/qemu")
_OPTIONS = ("etc/qemu/qemu.conf", "usr/local/etc/qemu/qemu.conf")
_PID = re.compile(rb"<domstatus\b[^>]*?\bpid=['\"](\d{1,10})['\"]")
# Bytes of a file that are read at most; a file that is longer is one that was not read.
_WORDS = 1 << 20
_IDREGS = 1 << 16
_MAPS = 1 << 25
_DOMAIN = 1 << 24
_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningVm:
    """One VM of one process. None is what could not be read, and so is a command line without words.

    ``fd``        its descriptor in the process;  ``beside``  how many other VMs the process has
    ``program``   the file that runs, as its process sees it;  ``replaced``  that file is not there any more
    ``words``     the command line;  ``started``  clock ticks from boot to the start of the process
    ``levelled``  whether armlevel's library is in the process
    ``idregs``    the text of KVM's file;  ``domain``  that of libvirt's file of the domain with this process number
    ``apart``     whether the process is in another mount or PID namespace than the one who reads
    """

    pid: int
    fd: int
    beside: int = 0
    program: str | None = None
    replaced: bool | None = None
    words: tuple[str, ...] = ()
    started: int | None = None
    levelled: bool | None = None
    idregs: str | None = None
    domain: str | None = None
    apart: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """All VMs of a machine; ``unread`` counts processes whose descriptors could not be read: there may be more.

    ``has_idregs``  whether KVM's debugfs could be looked into;  ``qemu_configured``  QEMU has a file of options
    """

    vms: tuple[RunningVm, ...] = ()
    unread: int = 0
    boot_id: str | None = None
    kernel: str | None = None
    has_idregs: bool = False
    qemu_configured: bool = False


def read_running(root: str = "/") -> Running:
    """Read which VMs run (under ``root``, a copy of /proc, /sys and /run serves as well)."""
    base = Path(root)
    proc = base / "proc"
    found: list[RunningVm] = []
    unread = 0
    domains = dict(_domains(base))
    for pid in sorted(int(name) for name in _listed(proc) if name.isdecimal()):
        descriptors = _descriptors(proc / str(pid))
        if descriptors is None:
            unread += 1
            continue
        found += _vms_of(base, pid, descriptors, domains)
    return Running(
        vms=tuple(found),
        unread=unread,
        boot_id=boot_id(base),
        kernel=_text(proc / "sys/kernel/osrelease").strip() or None,
        has_idregs=(base / "sys/kernel/debug/kvm").is_dir(),
        qemu_configured=any((base / path).exists() for path in _OPTIONS),
    )


def _listed(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 (names alone, of thousands of processes)
    except OSError:
        return []


def _descriptors(process: Path) -> list[int] | None:
    # Those that are VMs; None where they may not be read. A process that is gone has none.
    try:
        names = os.listdir(process / "fd")  # noqa: PTH208 (the same)
    except (FileNotFoundError, ProcessLookupError, NotADirectoryError):
        return []
    except OSError:
        return None
    return sorted(int(name) for name in names if name.isdecimal() and _link(process / "fd" / name) == _VM)


def _vms_of(base: Path, pid: int, descriptors: list[int], domains: dict[int, str]) -> Iterator[RunningVm]:
    if not descriptors:
        return
    process = base / "proc" / str(pid)
    started = _started(process)
    program = _link(process / "exe")
    read = {
        "program": program.removesuffix(_DELETED) or None,
        "replaced": program.endswith(_DELETED) if program else None,
        "words": _words(process / "cmdline"),
        "levelled": _levelled(process / "maps"),
        "domain": domains.get(pid),
        "apart": _apart(base, process),
    }
    vms = [
        RunningVm(
            pid=pid,
            fd=fd,
            beside=len(descriptors) - 1,
            started=started,
            idregs=_text(base / f"sys/kernel/debug/kvm/{pid}-{fd}/idregs", _IDREGS) or None,
            **read,  # type: ignore[arg-type]  # a row of what was read
        )
        for fd in descriptors
    ]
    # A number that went to another process meanwhile would give one VM the words of another.
    if started is not None and _started(process) == started:
        yield from vms


def _started(process: Path) -> int | None:
    # Field 22; the name of the program, in brackets before it, may have blanks and brackets.
    fields = _text(process / "stat").rpartition(")")[2].split()
    return int(fields[19]) if len(fields) > 19 and fields[19].isdecimal() else None


def _words(path: Path) -> tuple[str, ...]:
    data = _bytes(path, _WORDS)
    return tuple(os.fsdecode(word) for word in data[:-1].split(b"\0")) if data.endswith(b"\0") else ()


def _levelled(maps: Path) -> bool | None:
    data = _bytes(maps, _MAPS)
    return _LIBRARY in data if data else None


def _apart(base: Path, process: Path) -> bool | None:
    own = [_link(base / "proc/self/ns" / name) for name in ("mnt", "pid")]
    theirs = [_link(process / "ns" / name) for name in ("mnt", "pid")]
    return own != theirs if all((*own, *theirs)) else None


def _domains(base: Path) -> Iterator[tuple[int, str]]:
    for folder in _DOMAINS:
        for name in sorted(_listed(base / folder)):
            if name.endswith(".xml") and (
                match := _PID.search(data := _bytes(base / folder / name, _DOMAIN))
            ):
                yield int(match[1]), data.decode(errors="replace")


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""


def _text(path: Path, most: int = _IDREGS) -> str:
    return _bytes(path, most).decode(errors="replace")


def _bytes(path: Path, most: int) -> bytes:
    # The only place where a file is opened. Of KVM's file there is one reader at a time; the next one comes soon after.
    for _ in range(_TRIES):
        try:
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            return b""
        try:
            data = b"".join(_pieces(handle, most))
        except OSError as exc:
            if exc.errno == errno.EBUSY:
                continue
            return b""
        finally:
            os.close(handle)
        return data if len(data) <= most else b""
    return b""


def _pieces(handle: int, most: int) -> Iterable[bytes]:
    left = most + 1
    while left > 0 and (piece := os.read(handle, min(left, 1 << 16))):
        left -= len(piece)
        yield piece
