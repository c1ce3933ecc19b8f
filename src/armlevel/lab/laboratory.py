"""The lab as its users see it: name a host, get something run in it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import TypeVar

from armlevel.errors import LabError
from armlevel.lab.archive import Archive
from armlevel.lab.collector import pack_collector, pack_control
from armlevel.lab.hosts import EmulatedHost
from armlevel.lab.images import archive_of, base_image, bytecode_image, write_archive
from armlevel.lab.jobs import Job, Result
from armlevel.lab.libvirt_image import libvirt_image
from armlevel.lab.lines import LINES
from armlevel.lab.link import Endpoint, link
from armlevel.lab.machine import PATIENCE, EmulatedMachine
from armlevel.lab.parts import Emulator, Kernel, find_emulator, find_kernel, find_userland, kernel_of
from armlevel.lab.session import LIBVIRT_ROOM, ROOM, Session
from armlevel.lab.settings import LabSettings
from armlevel.lab.store import Store, content_key
from armlevel.lab.vmms import guest_image, module_image, vmm_image

__all__ = ["KernelState", "LabProbe", "Laboratory"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KernelState:
    """One kernel line now: its release and whether it is cached, or why the lab cannot have it."""

    line: str
    needed: bool
    release: str = ""
    cached: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class LabProbe:
    """A host profile as the probe wrote it, what it remarked, and how long the host ran, in seconds."""

    host: EmulatedHost
    text: str
    remarks: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Laboratory:
    """Everything emulated hosts are made of, fetched and built when first needed.

    ``tell`` hears one line for each thing that takes a while, ``watch`` sees a folder fill with so many bytes.
    Safe to use from several threads and processes.
    """

    settings: LabSettings
    tell: Callable[[str], None] = lambda _what: None
    refresh: bool = False
    watch: Callable[[Path, int], AbstractContextManager[None]] = lambda _folder, _size: nullcontext()
    _emulators: list[Emulator] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def run(
        self, host: EmulatedHost, job: Job, timeout: float = PATIENCE, extra: Sequence[Path] = ()
    ) -> Result:
        """Boot ``host``, run ``job`` in it; ``extra`` archives lie over the base, under the job's files."""
        return self._machine(host, extra).run(host, job, timeout)

    def session(
        self,
        host: EmulatedHost,
        qemus: Sequence[str] = ("10",),
        files: Mapping[str, bytes] | None = None,
        endpoint: Endpoint | None = None,
        *,
        libvirt: bool = False,
    ) -> Session:
        """Return a host that stays: it boots with these QEMUs when its ``with`` block begins, then starts guests.

        ``files`` lie under ``/job``; ``endpoint`` is its end of a link to another host; ``libvirt``: its programs
        are there (:mod:`armlevel.lab.libvirt_host` starts them).
        """
        inside = {f"inside/{path}": data for path, data in pack_control().items()}
        roomy = replace(host, memory=max(host.memory, LIBVIRT_ROOM if libvirt else ROOM))
        more = (libvirt_image(self._archive()),) if libvirt else ()
        machine = self._machine(roomy, (*more, *self.vmm_images(host, *reversed(qemus))))
        return Session(machine=machine, host=roomy, files={**(files or {}), **inside}, endpoint=endpoint)

    @contextmanager
    def pair(
        self,
        one: EmulatedHost,
        other: EmulatedHost,
        qemus: Sequence[str] = ("10",),
        *,
        libvirt: bool = False,
    ) -> Iterator[tuple[Session, Session]]:
        """Boot two hosts that stay until the block ends, with a link between them."""
        with (
            link() as ends,
            self.session(one, qemus, endpoint=ends[0], libvirt=libvirt) as here,
            self.session(other, qemus, endpoint=ends[1], libvirt=libvirt) as there,
        ):
            yield here, there

    def probe(
        self, host: EmulatedHost, collector: Mapping[str, bytes], timeout: float = PATIENCE
    ) -> LabProbe:
        """Run the probe in ``host`` and return the host profile it wrote; what Python compiled for it is kept."""
        script = f'python3 -I inside -o "$OUT/host.json" -n {shlex.quote(str(host))}'
        result = self.run_packed(host, script, collector, {}, timeout)
        text = result.files.get("host.json", b"").decode()
        remarks = result.stderr.strip().splitlines()
        if result.status or not text:
            raise LabError(
                f"the probe failed in {host}: {remarks[-1] if remarks else f'exit status {result.status}'}"
            )
        return LabProbe(host, text, tuple(remarks), result.seconds)

    def profile(self, host: EmulatedHost) -> bytes:
        """Return the host profile of ``host``, probed once for each kernel, QEMU and probe, and kept."""
        collector, release = pack_collector(), self._kernel(host).release
        parts = (part for item in sorted(collector.items()) for part in item)
        key = content_key(str(host), release, self.emulator().version, *parts)

        def make(place: Path) -> None:
            self.tell(f"probing {host}")
            (place / "host.json").write_text(self.probe(host, collector).text, encoding="ascii")

        return (self.store().entry("profiles", key, make) / "host.json").read_bytes()

    def verify(
        self, host: EmulatedHost, guest: bytes, verifier: Mapping[str, bytes], timeout: float = PATIENCE
    ) -> bytes:
        """Apply a guest profile (the document's bytes) in ``host``; return what was found, as JSON."""
        script = 'python3 -I inside guest.json "$OUT/applied.json"'
        result = self.run_packed(host, script, verifier, {"guest.json": guest}, timeout)
        if result.status or "applied.json" not in result.files:
            errors = result.stderr.strip().splitlines()
            why = errors[-1] if errors else f"exit status {result.status}"
            raise LabError(f"the guest could not be applied in {host}: {why}")
        return result.files["applied.json"]

    def run_packed(
        self,
        host: EmulatedHost,
        script: str,
        packed: Mapping[str, bytes],
        files: Mapping[str, bytes],
        timeout: float,
    ) -> Result:
        """Run a script in ``host`` beside a ``packed`` program, which lies in ``inside``; ``files`` lie beside both.

        What Python compiles for packed code there is kept, and sent along the next time.
        """
        image, store = base_image(self._archive(), find_userland(self._archive())), self.store()
        key = content_key(image.parent.name, *(part for item in sorted(packed.items()) for part in item))
        compiled = store.path("bytecode", key) / "bytecode.cpio"
        known = compiled.exists()
        inside = {f"inside/{path}": data for path, data in packed.items()}
        job = Job(script, {**inside, **files}, learn=not known)
        result = self.run(host, job, timeout, (compiled,) if known else ())
        if not known and not result.status:
            learnt = archive_of(result.bytecode)
            store.entry("bytecode", key, lambda place: write_archive(place / "bytecode.cpio", learnt))
        return result

    def vmm_images(self, host: EmulatedHost, qemu: str = "10", *more: str) -> tuple[Path, ...]:
        r"""Return archives with which ``host`` runs guests: QEMU ("10", "11" or both), a small guest, network modules.

        Give them to :meth:`run` as ``extra``; the host should have ``memory=1024``. Inside there are then
        ``/usr/bin/qemu-system-aarch64`` (the last QEMU named; each is also ``/opt/qemu-10/qemu-system-aarch64`` ...),
        ``/guest/vmlinuz`` and ``/guest/initrd``, and a job may run::

            qemu-system-aarch64 -M virt,gic-version=3 -accel kvm -cpu host -m 128M -nodefaults -display none \
                -serial file:/tmp/console -kernel /guest/vmlinuz -initrd /guest/initrd -append "console=ttyAMA0 quiet"

        The guest says `tick N UPTIME` four times a second, and more when its console reads `state` (``guest.sh``).
        Stock Debian packages, fetched once; nothing of QEMU's own data is there (no firmware, no option ROMs: a PCI
        network card takes ``romfile=``).
        """
        archive = self._archive()
        images = [vmm_image(archive, version) for version in (*more, qemu)]
        return (*images, guest_image(archive), module_image(archive, host.line, host.pages))

    def prepare(self, host: EmulatedHost) -> str:
        """Fetch and build all that ``host`` needs; return the release of its kernel."""
        self._machine(host, ())
        return self._kernel(host).release

    def fleet(
        self, hosts: Sequence[EmulatedHost], ask: Callable[[EmulatedHost], T], jobs: int = 1
    ) -> Iterator[tuple[EmulatedHost, T | LabError]]:
        """Ask every host, ``jobs`` at a time; yield each answer, or why there is none, as it comes."""
        with ThreadPoolExecutor(max_workers=jobs) as pool:
            waiting = {pool.submit(ask, host): host for host in hosts}
            try:
                for done in as_completed(waiting):
                    problem = done.exception()
                    if isinstance(problem, LabError):
                        yield waiting[done], problem
                    else:
                        yield waiting[done], done.result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def kernels(self, lines: Sequence[str] = ()) -> list[KernelState]:
        """Return what the mirror has of each kernel line; for a line that is gone, why."""
        needed = {row.name: row.needed for row in LINES}
        archive, states = self._archive(), []
        for line in lines or list(needed):
            try:
                kernel = find_kernel(archive, line)
            except LabError as exc:
                states.append(KernelState(line, needed.get(line, False), problem=str(exc)))
                continue
            cached = archive.store.path("kernels", kernel.key).is_dir()
            states.append(KernelState(line, needed.get(line, False), kernel.release, cached))
        return states

    def emulator(self) -> Emulator:
        """Return the QEMU that runs the hosts."""
        with self._lock:
            if not self._emulators:
                self._emulators.append(find_emulator(self._archive()))
            return self._emulators[0]

    def store(self) -> Store:
        """Return the store of the lab's cache directory."""
        return Store(
            self.settings.cache, lambda what: self.tell(f"waiting for another run that makes {what}")
        )

    def _kernel(self, host: EmulatedHost) -> Kernel:
        return find_kernel(self._archive(), host.line, host.pages)

    def _archive(self) -> Archive:
        return Archive(self.settings, self.store(), self.tell, self.refresh, self.watch)

    def _machine(self, host: EmulatedHost, extra: Sequence[Path]) -> EmulatedMachine:
        emulator, archive, store = self.emulator(), self._archive(), self.store()
        image = kernel_of(archive, self._kernel(host))
        base = base_image(archive, find_userland(archive))
        bare = EmulatedMachine(emulator.command, image, (base,), store.root / "runs")

        def learn(job: Job) -> Result:
            self.tell(f"booting {host} once to compile Python's library")
            return bare.run(EmulatedHost(cpu=host.cpu, line=host.line), job)

        bytecode = bytecode_image(store, base, learn)
        return EmulatedMachine(emulator.command, image, (base, bytecode, *extra), store.root / "runs")
