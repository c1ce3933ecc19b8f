"""libvirt's real daemon in an emulated host, asked with virsh as a person asks it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from armlevel.lab.hosts import EmulatedHost
from armlevel.lab.laboratory import Laboratory
from armlevel.lab.session import Refused, Session

__all__ = ["Domain", "LibvirtHost", "Said", "libvirt_pair", "start_all"]

_OURS = uuid.UUID("5f0c7a52-61a5-4c3e-9c7e-2f6d0e0a1c11")  # a name space for UUIDs: the same each time
_QEMU_XMLNS = "http://libvirt.org/schemas/domain/qemu/1.0"
_GUEST_WORDS = "console=ttyAMA0 quiet loglevel=1 init_on_alloc=0 audit=0"


@dataclass(frozen=True, slots=True)
class Said:
    """What a program of a host said: exit status, standard output and error, and how long it took, in seconds."""

    status: int
    out: str
    err: str
    seconds: float
    cpu: float = 0.0

    @property
    def words(self) -> str:
        """Return both outputs, as a terminal shows them, without the spaces around."""
        return "\n".join(filter(None, (self.out.strip(), self.err.strip())))


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """A guest as libvirt defines it: the lab's small guest, with the host's CPU passed through.

    ``pmu`` is libvirt's own switch (`<pmu state='off'/>`); ``cpu`` are further options of QEMU's CPU, for
    `<qemu:commandline>`: libvirt has no words for them. ``metadata`` is XML, ``devices`` too.
    """

    name: str = "guest"
    machine: str = "virt-10.0"
    emulator: str = "/usr/bin/qemu-system-aarch64"
    vcpus: int = 1
    memory: int = 128
    pmu: bool | None = None
    cpu: tuple[str, ...] = ()
    metadata: str = ""
    gic: str = "3"

    @property
    def uuid(self) -> str:
        """Return the domain's UUID: one for each name."""
        return str(uuid.uuid5(_OURS, self.name))

    @property
    def console(self) -> str:
        """Return the socket that its QEMU connects the guest's console to."""
        return f"/run/armlevel/{self.name}.console"

    def xml(self) -> str:
        """Return the domain's XML."""
        features = [f"<gic version={quoteattr(self.gic)}/>"]
        features += [] if self.pmu is None else [f"<pmu state='{'on' if self.pmu else 'off'}'/>"]
        return "\n".join(
            [
                f"<domain type='kvm' xmlns:qemu='{_QEMU_XMLNS}'>",
                f"  <name>{escape(self.name)}</name>",
                f"  <uuid>{self.uuid}</uuid>",
                *([f"  <metadata>{self.metadata}</metadata>"] if self.metadata else []),
                f"  <memory unit='MiB'>{self.memory}</memory>",
                f"  <vcpu>{self.vcpus}</vcpu>",
                "  <os>",
                f"    <type arch='aarch64' machine={quoteattr(self.machine)}>hvm</type>",
                "    <kernel>/guest/vmlinuz</kernel>",
                "    <initrd>/guest/initrd</initrd>",
                f"    <cmdline>{_GUEST_WORDS}</cmdline>",
                "  </os>",
                f"  <features>{''.join(features)}</features>",
                "  <cpu mode='host-passthrough' check='none'/>",
                "  <devices>",
                f"    <emulator>{escape(self.emulator)}</emulator>",
                "    <controller type='usb' model='none'/>",
                "    <memballoon model='none'/>",
                "    <serial type='unix'>",
                f"      <source mode='connect' path={quoteattr(self.console)}/>",
                "    </serial>",
                "  </devices>",
                *self._commandline(),
                "</domain>",
                "",
            ]
        )

    def _commandline(self) -> Iterable[str]:
        # QEMU takes a second -cpu instead of the first; so all of what libvirt says of it is said again.
        if self.cpu:
            pmu = [] if self.pmu is None else [f"pmu={'on' if self.pmu else 'off'}"]
            text = ",".join(["host", *pmu, *self.cpu])
            yield "  <qemu:commandline>"
            yield "    <qemu:arg value='-cpu'/>"
            yield f"    <qemu:arg value={quoteattr(text)}/>"
            yield "  </qemu:commandline>"


@dataclass(frozen=True, slots=True)
class LibvirtHost:
    """A booted host with libvirt: ``name`` is what it calls itself, ``peers`` are the addresses of both by name.

    ``qemu`` is the one that `/usr/bin/qemu-system-aarch64` is there.
    """

    session: Session
    name: str
    peers: Mapping[str, str]
    qemu: str = "10"

    def start(self, files: Mapping[str, str] | None = None) -> Said:
        """Name the host and start libvirt's daemon; ``files`` are written before; return once it answers."""
        hosts = ["127.0.0.1 localhost", *(f"{address} {name}" for name, address in self.peers.items())]
        self.session.ask(
            "files",
            files={
                "/etc/hosts": "\n".join(hosts) + "\n",
                "/proc/sys/kernel/hostname": self.name,
                **(files or {}),
            },
        )
        host = uuid.uuid5(_OURS, self.name)
        self.run("sh", "-c", f"echo 'host_uuid = \"{host}\"' >> /etc/libvirt/libvirtd.conf")
        qemu = f"/opt/qemu-{self.qemu}/qemu-system-aarch64"
        self.run("ln", "-sf", qemu, "/usr/bin/qemu-system-aarch64")
        started = self.run("libvirtd", "--daemon", "--listen")
        if started.status:
            raise Refused(f"libvirt's daemon does not start: {started.words}")
        # It asks QEMU what it can do, once: both hosts do that at the same time here, and no guest waits for it.
        asked = self.virsh("capabilities")
        if asked.status:
            raise Refused(f"libvirt's daemon does not answer: {asked.words}")
        return started

    def run(
        self, *command: str, text: str = "", environ: Mapping[str, str] | None = None, seconds: float = 900.0
    ) -> Said:
        """Run a program in the host."""
        done: dict[str, Any] = self.session.ask(
            "run", command=list(command), text=text, environ=dict(environ or {}), seconds=seconds
        )
        return Said(done["exit"], done["out"], done["err"], done["seconds"], done["cpu"])

    def virsh(self, *words: str) -> Said:
        """Ask libvirt of this host; no patience of virsh's own."""
        return self.run("virsh", "-k", "0", *words)

    def boot_anew(self) -> None:
        """Boot the host anew; nothing that was on it is left, and libvirt is not started."""
        self.session.__exit__(None, None, None)
        self.session.__enter__()


@contextmanager
def libvirt_pair(
    lab: Laboratory, one: EmulatedHost, other: EmulatedHost, qemus: tuple[str, str] = ("10", "10")
) -> Iterator[tuple[LibvirtHost, LibvirtHost]]:
    """Boot two hosts that stay until the block ends, `host-a` and `host-b`; :func:`start_all` starts libvirt.

    ``qemus`` are that of the one and that of the other.
    """
    with lab.pair(one, other, tuple(dict.fromkeys(qemus)), libvirt=True) as sessions:
        names = ("host-a", "host-b")
        peers = {
            name: session.endpoint.address
            for name, session in zip(names, sessions, strict=True)
            if session.endpoint is not None
        }
        here, there = (
            LibvirtHost(session, name, peers, qemu)
            for name, session, qemu in zip(names, sessions, qemus, strict=True)
        )
        yield here, there


def start_all(hosts: Sequence[LibvirtHost]) -> None:
    """Start libvirt in all hosts at once."""
    with ThreadPoolExecutor(max_workers=len(hosts)) as pool:
        list(pool.map(LibvirtHost.start, hosts))
