"""Starting QEMU, and knowing what became of its guest.

A program that is QEMU takes this process's place: number, descriptors, signals and exit status are its own, as libvirt
and systemd want it; a process in the background reads the proof, says it, and is gone. A program that may start QEMU as
it likes (a script), or a QEMU that detaches itself, is a child of this process, which passes signals on and ends with
its status, but never with 0 while no guest was proved. docs/decisions/0025 says why.
"""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import signal
import socket
import stat
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from armlevel.errors import UsageError
from armlevel.preload.barrier import SECRET_SIZE, raise_barrier
from armlevel.preload.launch import Launch, high, in_memory, with_lines
from armlevel.preload.library import DEVICE, is_script, program_fault
from armlevel.preload.proof import Proofs, socket_pair

__all__ = ["execute"]

_KVM = "/dev/kvm"
_LAST_MOMENT = 10_000  # milliseconds between the end of a process's descriptors and its own
_PASSED_ON = ("TERM", "HUP", "INT", "QUIT", "USR1", "USR2", "CONT")
_PARENT_DEATH = 1  # prctl


def execute(what: Launch, environ: Mapping[str, str]) -> int:
    """Start the command: in this process's place, else return its status. Without a configuration nothing is levelled.

    Raises:
        UsageError: this machine has no KVM, or the command cannot be started.

    """
    if not what.config:
        if not (what.starts.direct and _is_program(what.starts.program, environ)):
            raise UsageError(
                f"QEMU is not started: {what.starts.program} is a script, and may do anything",
                hint="ask QEMU itself",
            )
        _become(what.command, environ)
    _check_device()
    added = dict(what.environment)
    _make_private(added.get("ARMLEVEL_DUMP", ""))
    if not what.profile:
        config = in_memory(what.config)
        _become(what.command, {**environ, **added, "ARMLEVEL_CONFIG": f"fd:{config}"})
    direct = what.starts.direct and _is_program(what.starts.program, environ)
    secret = os.urandom(SECRET_SIZE)
    lines = [f"secret {secret.hex()}"] + ([] if direct else ["wrapped"])
    ours, theirs = socket_pair()
    told = {
        "ARMLEVEL_CONFIG": f"fd:{in_memory(with_lines(what.config, *lines))}",
        "ARMLEVEL_PROOF": f"fd:{high(theirs.detach())}",
    }
    begun = _Begun(what, {**environ, **added, **told}, secret, ours, Proofs(secret.hex(), what.profile))
    return begun.replace() if direct and not what.starts.detaches else begun.supervise()


class _Begun:
    # One start: what it needs, and what is known of it.
    def __init__(
        self, what: Launch, environ: Mapping[str, str], secret: bytes, ours: socket.socket, proofs: Proofs
    ) -> None:
        self.what, self.environ, self.secret = what, environ, secret
        self.ours, self.proofs = ours, proofs
        self.child = 0

    def replace(self) -> NoReturn:
        """Become the command; a process in the background, nobody's child, waits for the proof."""
        raise_barrier(self.secret)
        main = _process(os.getpid())
        _in_background(lambda: self._watch(main), keep=(self.ours.fileno(), main))
        self.ours.close()
        os.close(main)
        _become(self.what.command, self.environ)

    def _watch(self, main: int) -> None:
        known = self.proofs
        while not (known.proved or known.ended or known.forged or known.closed):
            known.receive(self.ours)
        if known.proved:
            self._say_proved()
        elif known.ended:
            return  # the library has said it
        elif _is_ready(main, 0 if known.forged else _LAST_MOMENT):
            _say("QEMU ended, and no guest ran")
        else:
            signal.pidfd_send_signal(main, signal.SIGKILL)
            _say(f"QEMU was ended: {self._fault()}")

    def supervise(self) -> int:
        """Start the command as a child, and return the status to end with."""
        self.child, read = self._start_child()
        with os.fdopen(read, "rb") as pipe:
            if fault := pipe.read():
                os.waitpid(self.child, 0)
                raise UsageError(fault.decode())
        main = _process(self.child)
        for name in _PASSED_ON:
            signal.signal(getattr(signal, f"SIG{name}"), self._pass_on)
        return self._verdict(self._follow(main), main)

    def _start_child(self) -> tuple[int, int]:
        read, write = os.pipe()
        child = os.fork()
        if child:
            os.close(write)
            # From here on nobody but the child and what it starts can send.
            for name in ("ARMLEVEL_CONFIG", "ARMLEVEL_PROOF"):
                os.close(int(self.environ[name].removeprefix("fd:")))
            return child, read
        try:
            ctypes.CDLL(None).prctl(_PARENT_DEATH, signal.SIGTERM, 0, 0, 0)
            raise_barrier(self.secret)
            _become(self.what.command, self.environ)
        except UsageError as exc:
            os.write(write, str(exc).encode())
        finally:
            os._exit(1)

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        if self.child:
            os.kill(self.child, number)  # not reaped yet, so the number is still its own
        else:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    def _follow(self, main: int) -> int | None:
        # Until the child has ended and it is known what became of its guest; None if it was not waited for.
        status: int | None = None
        poller = select.poll()
        for descriptor in (main, self.ours.fileno()):
            poller.register(descriptor, select.POLLIN)
        while not self._settled(status):
            for descriptor, _ in poller.poll():
                if descriptor == main:
                    poller.unregister(main)
                    ended, self.child = self.child, 0
                    status = os.waitstatus_to_exitcode(os.waitpid(ended, 0)[1])
                    continue
                self._receive()
                if self.proofs.closed:
                    poller.unregister(self.ours)
        while not self.proofs.closed and _is_ready(self.ours.fileno(), 0):
            self._receive()
        return status

    def _settled(self, status: int | None) -> bool:
        known = self.proofs
        if known.forged or (status or 0) != 0:
            return True
        waits = known.made and self.what.starts.waits
        return status == 0 and bool(known.proved or known.ended or known.closed or waits)

    def _receive(self) -> None:
        before = self.proofs.proved
        self.proofs.receive(self.ours)
        if self.proofs.proved and not before:
            self._say_proved()

    def _verdict(self, status: int | None, main: int) -> int:
        known = self.proofs
        if known.forged:
            if status is None:
                signal.pidfd_send_signal(main, signal.SIGKILL)
                os.waitpid(self.child, 0)
            _say(f"{self.what.command[0]} was ended: {self._fault()}")
            return 1
        code = status or 0
        code = 128 - code if code < 0 else code
        if known.proved:
            return code
        if known.ended:
            # QEMU in the background has no standard error any more.
            _say(f"no guest runs: {known.ended}" if self.what.starts.detaches else "no guest runs")
        elif code == 0 and known.made and self.what.starts.waits:
            _say("the VM is made and waits: it ends, or is what the profile says before it runs")
            _in_background(self._watch_rest, keep=(self.ours.fileno(),))
            return 0
        else:
            _say(
                f"no guest was proved to be what the profile says: {self.what.command[0]} ended with status {code}"
            )
        return code or 1

    def _watch_rest(self) -> None:
        known = self.proofs
        while not (known.proved or known.ended or known.closed):
            self._receive()
        if known.ended:
            _say(f"no guest runs: {known.ended}")

    def _say_proved(self) -> None:
        vm, vcpu, registers = self.proofs.proved.split(" ")
        _say(
            f"proved: VM {vm} of process {self.proofs.process} is what profile {self.proofs.profile} says "
            f"({registers} registers read back before vCPU {vcpu} ran)"
        )

    def _fault(self) -> str:
        if self.proofs.forged:
            return "what it said of its guest was not said by the library"
        return "it cut the library off, so that nothing proves what its guest is"


def _is_program(name: str, environ: Mapping[str, str]) -> bool:
    # Whether it is no script; one that the loader starts without the library is refused.
    path = shutil.which(name, path=environ.get("PATH"))
    if path is None:
        raise UsageError(f"{name} cannot be started: there is no such program")
    if is_script(Path(path)):
        return False
    if fault := program_fault(Path(path)):
        raise UsageError(f"QEMU is not started: {fault}")
    return True


def _check_device() -> None:
    if not os.access(_KVM, os.R_OK | os.W_OK):
        there = os.path.exists(_KVM)  # noqa: PTH110 (one question, no path object needed)
        raise UsageError(
            f"no permission to open {_KVM}" if there else f"this machine has no KVM: there is no {_KVM}",
            hint="add the user to group kvm"
            if there
            else "run this on the Arm host where the guest is to be",
        )
    if os.path.lexists(DEVICE):
        raise UsageError(
            f"there is something at {DEVICE}, and a guest would start without its profile if the library did not load",
            hint=f"remove {DEVICE}",
        )


def _make_private(dump: str) -> None:
    # The registers of a guest have its secrets: nobody else reads the file, also if it was there before.
    if not dump:
        return
    try:
        descriptor = os.open(dump, os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK, 0o600)
    except OSError as exc:
        raise UsageError(
            f"the registers cannot be written to {dump}: {(exc.strerror or str(exc)).lower()}"
        ) from exc
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.fchmod(descriptor, 0o600)
    os.close(descriptor)


def _become(command: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    try:
        os.execvpe(command[0], list(command), environ)  # noqa: S606 (that is the verb)
    except OSError as exc:
        raise UsageError(f"{command[0]} cannot be started: {(exc.strerror or str(exc)).lower()}") from exc


def _in_background(action: Callable[[], None], keep: Sequence[int]) -> None:
    # The action, in a process that is nobody's child and holds nothing of what QEMU inherits.
    if helper := os.fork():
        os.waitpid(helper, 0)
        return
    try:
        if os.fork():
            return
        for name in ("INT", "QUIT", "HUP"):
            signal.signal(getattr(signal, f"SIG{name}"), signal.SIG_IGN)
        for descriptor in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208 (names, no paths)
            if descriptor not in {2, *keep}:
                with suppress(OSError):  # the list's own is closed by now
                    os.close(descriptor)
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(null, 1)
        action()
    finally:
        os._exit(0)


def _process(number: int) -> int:
    try:
        return os.pidfd_open(number)
    except OSError as exc:
        raise UsageError(
            f"QEMU is not started: this kernel cannot watch a process: {(exc.strerror or str(exc)).lower()}",
            hint="use Linux 5.3 or newer",
        ) from exc


def _is_ready(descriptor: int, milliseconds: int) -> bool:
    # A process is when it has ended.
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(milliseconds))


def _say(sentence: str) -> None:
    # Not through sys.stderr: a process that was forked off has a copy of what that has not yet written.
    os.write(2, f"armlevel: {sentence}\n".encode())
