"""Two real libvirtd on this machine, without KVM: each in a network, a host name and a root of its own.

Debian's packages are unpacked into the lab's cache and laid under a folder that takes what is written (overlayfs), so
that nothing of this machine is changed. Guests run under TCG, and tick: they write to their serial line for ever.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import signal
import struct
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from armlevel.errors import LabError
from armlevel.lab.archive import Archive, unpack
from armlevel.lab.parts import ARCHES
from armlevel.lab.settings import LabSettings
from armlevel.lab.store import Store, content_key

__all__ = ["TICK", "LibvirtHost", "two_hosts"]

_NAMES = ["libvirt-daemon-driver-qemu", "libvirt-daemon", "libvirt-clients", "qemu-system-arm", "python3"]
_TOOLS = ["busybox-static", "dash", "coreutils", "bsdutils"]
_LIMIT = 120.0

#: For ever: a character to the PL011 of QEMU's `virt`, then some waiting. AArch64, position independent.
_LOOP = (0xD2A12001, 0x528005C2, 0xB9000022, 0xD2A00804, 0xD1000484, 0xB5FFFFE4, 0x17FFFFFC)
TICK = struct.pack(f"<{len(_LOOP)}I", *_LOOP)

_USERS = "root:x:0:0:root:/root:/bin/sh\nlibvirt-qemu:x:64055:64055::/var/lib/libvirt:/bin/false\n"
_GROUPS = "root:x:0:\nkvm:x:64054:\nlibvirt-qemu:x:64055:\n"
_DAEMON = """\
listen_tls = 0
listen_tcp = 1
auth_tcp = "none"
auth_unix_rw = "none"
host_uuid = "{uuid}"
log_outputs = "3:file:/var/log/libvirtd.log"
"""
_QEMU = """\
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
seccomp_sandbox = 0
stdio_handler = "file"
migration_host = "{address}"
"""


def _base() -> Path:
    settings = LabSettings.of(os.environ)
    archive = Archive(settings, Store(settings.cache))
    arch = ARCHES.get(platform.machine(), ("", ""))[0]
    try:
        found = archive.find(
            f"guard-judge-{arch}", arch, ("trixie",), lambda root: root.closure([*_NAMES, *_TOOLS])
        )

        def make(place: Path) -> None:
            with archive.files(found, place) as debs:
                unpack(debs.values(), place)
            for surplus in ("doc", "locale", "man", "info"):
                shutil.rmtree(place / "usr/share" / surplus, ignore_errors=True)

        return archive.store.entry("judges", content_key(found.key, arch), make)
    except LabError as exc:
        if os.environ.get("ARMLEVEL_LAB"):
            raise
        pytest.skip(f"no libvirt: {exc} (ARMLEVEL_LAB=1 forces)")


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_LIMIT)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


@dataclass(slots=True)
class LibvirtHost:
    """One of the two: its root, its network, and its daemon."""

    name: str
    place: Path
    address: str
    peer: str
    daemon: subprocess.Popen[bytes] | None = None
    virsh: str = ""
    mounts: list[Path] = field(default_factory=list)

    @property
    def root(self) -> Path:
        """What the daemon sees as its file system."""
        return self.place / "root"

    def make(self, base: Path) -> None:
        """Lay the root out, and write the daemon's configuration."""
        for name in ("upper", "work", "root"):
            (self.place / name).mkdir(parents=True)
        layers = f"lowerdir={base},upperdir={self.place}/upper,workdir={self.place}/work"
        self._mount("-t", "overlay", "overlay", "-o", layers, at=self.root)
        for name in ("etc/libvirt/hooks", "proc", "sys", "dev", "run", "var/log", "tmp", "srv", "root"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        self._mount("-t", "proc", "proc", at=self.root / "proc")
        self._mount("-t", "sysfs", "sysfs", at=self.root / "sys")
        self._mount("-t", "tmpfs", "tmpfs", at=self.root / "run")
        self._mount("-t", "tmpfs", "tmpfs", at=self.root / "dev")
        (self.root / "dev/pts").mkdir()
        self._mount("-t", "devpts", "devpts", "-o", "newinstance,ptmxmode=0666", at=self.root / "dev/pts")
        (self.root / "dev/ptmx").symlink_to("pts/ptmx")
        for name, minor in (("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)):
            os.mknod(self.root / "dev" / name, 0o666 | 0o020000, os.makedev(1, minor))
            (self.root / "dev" / name).chmod(0o666)
        shutil.rmtree(self.root / "var/run", ignore_errors=True)
        (self.root / "var/run").symlink_to("/run")
        self._write("etc/passwd", _USERS)
        self._write("etc/group", _GROUPS)
        self._write("etc/hosts", "127.0.0.1 localhost\n10.77.0.1 h1\n10.77.0.2 h2\n")
        self._write("etc/hostname", f"{self.name}\n")
        number = self.address.rpartition(".")[2]
        uuid = f"5ab1c0de-0000-4000-8000-00000000000{number}"
        self._write("etc/machine-id", uuid.replace("-", "") + "\n")
        self._write("etc/libvirt/libvirtd.conf", _DAEMON.format(uuid=uuid))
        self._write("etc/libvirt/qemu.conf", _QEMU.format(address=self.address))
        (self.root / "srv/tick.bin").write_bytes(TICK)
        if not (self.root / "bin/sh").exists():
            (self.root / "usr/bin/sh").symlink_to("dash")
        client = self.place / "virsh"
        client.write_text(f'#!/bin/sh\nexec {self._inside("virsh")} "$@"\n')
        client.chmod(0o755)
        self.virsh = str(client)

    def _inside(self, *words: str) -> str:
        return " ".join([f"ip netns exec armlevel-{self.name} chroot {self.root}", *words])

    def _write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)

    def _mount(self, *words: str, at: Path) -> None:
        _run("mount", *words, str(at))
        self.mounts.append(at)

    def start(self) -> None:
        """Start the daemon, and wait until it answers."""
        enter = f"hostname {self.name}; exec chroot {self.root} libvirtd --listen"
        log = (self.place / "daemon.log").open("ab")
        command = ["ip", "netns", "exec", f"armlevel-{self.name}", "unshare", "--uts", "sh", "-c", enter]
        self.daemon = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        self.wait_for(lambda: self.ask("version").returncode == 0, "libvirtd answers")

    def stop(self) -> None:
        """End the daemon, and not its guests; wait until it is gone."""
        if self.daemon is not None:
            self.daemon.send_signal(signal.SIGTERM)
            self.daemon.wait(_LIMIT)
            self.daemon = None

    def wait_for(self, so: object, what: str) -> None:
        """Wait until something is so; the limit is a last stop."""
        assert callable(so)
        end = time.monotonic() + _LIMIT
        while not so():
            assert self.daemon is not None
            assert self.daemon.poll() is None, f"libvirtd ended: {self.logs()}"
            assert time.monotonic() < end, f"not within {_LIMIT:.0f} s: {what}: {self.logs()}"
            time.sleep(0.2)

    def logs(self) -> str:
        """Return the last of what the daemon said."""
        texts = [
            path.read_text(errors="replace")[-1500:]
            for path in (self.place / "daemon.log", self.root / "var/log/libvirtd.log")
            if path.exists()
        ]
        return "\n".join(texts)

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Call virsh on this host."""
        return subprocess.run(
            [self.virsh, *words], capture_output=True, text=True, check=False, timeout=_LIMIT
        )

    def guests(self) -> set[str]:
        """Return the names of the guests that run here."""
        return set(self.ask("list", "--name").stdout.split())

    def ticks(self, name: str) -> int:
        """Return how much a guest has written."""
        path = self.root / f"var/log/{name}.ticks"
        return path.stat().st_size if path.exists() else 0

    def wait_for_ticks(self, name: str, more: int = 3) -> None:
        """Wait until a guest has written more than it has now."""
        before = self.ticks(name)
        self.wait_for(lambda: self.ticks(name) >= before + more, f"{name} ticks on {self.name}")

    def end(self) -> None:
        """End all of it."""
        with contextlib.suppress(Exception):
            for name in self.guests():
                self.ask("destroy", name)
        with contextlib.suppress(Exception):
            self.stop()
        for path in (self.root / "run/libvirt/qemu").glob("*.pid"):
            with contextlib.suppress(OSError, ValueError):
                os.kill(int(path.read_text()), signal.SIGKILL)
        for place in reversed(self.mounts):
            subprocess.run(["umount", "--lazy", str(place)], check=False, capture_output=True)


@contextlib.contextmanager
def two_hosts(place: Path) -> Iterator[tuple[LibvirtHost, LibvirtHost]]:
    """Make two hosts that reach one another; skips where this user or machine cannot."""
    if os.geteuid():
        pytest.skip("two libvirtd need root: network namespaces and mounts")
    base = _base()
    one = LibvirtHost("h1", place / "h1", "10.77.0.1", "10.77.0.2")
    two = LibvirtHost("h2", place / "h2", "10.77.0.2", "10.77.0.1")
    spaces = [f"armlevel-{host.name}" for host in (one, two)]
    try:
        for space in spaces:
            subprocess.run(["ip", "netns", "del", space], check=False, capture_output=True)
            _run("ip", "netns", "add", space)
        link = ["ip", "link", "add", "al1", "netns", spaces[0], "type", "veth", "peer", "name", "al2"]
        _run(*link, "netns", spaces[1])
        for host, space, end in ((one, spaces[0], "al1"), (two, spaces[1], "al2")):
            _run("ip", "-n", space, "addr", "add", f"{host.address}/24", "dev", end)
            for name in (end, "lo"):
                _run("ip", "-n", space, "link", "set", name, "up")
            host.make(base)
            host.start()
        yield one, two
    finally:
        for host in (one, two):
            host.end()
        for space in spaces:
            subprocess.run(["ip", "netns", "del", space], check=False, capture_output=True)
