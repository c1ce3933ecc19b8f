"""What `armlevel run` knows of a guest, whom it believes, and with which status it ends. No KVM is needed for that."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import json
import os
import signal
import stat
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from armlevel.errors import UsageError
from armlevel.preload import start
from armlevel.preload.barrier import SECRET_SIZE, raise_barrier
from armlevel.preload.launch import Launch, Starts, sealed
from armlevel.preload.library import is_script, program_fault
from armlevel.preload.proof import Proofs, read_message, socket_pair

SECRET, PROFILE = "5e" * SECRET_SIZE, "sha256:ab"
CREATE_VM = 0xAE01
IOCTL = 29 if os.uname().machine == "aarch64" else 16
# What stands in for the library: it has the secret from the configuration that it inherited.
LIBRARY = """
import hashlib, os, re, socket, sys, time
config = os.pread(int(os.environ["ARMLEVEL_CONFIG"][3:]), 1 << 20, 0).decode()
(secret,) = re.findall("^secret (.*)", config, re.MULTILINE)
proof = socket.socket(fileno=int(os.environ["ARMLEVEL_PROOF"][3:]))
def say(text, secret=secret):
    body = "armlevel-proof 1 " + text
    proof.send(f"{body} {hashlib.sha256(f'{secret} {body}'.encode()).hexdigest()}".encode())
"""
RUNS, MADE, ENDS = (
    "say('runs sha256:ab 1 0 83');",
    "say('made sha256:ab 1');",
    "say('ends sha256:ab no, it cannot');",
)


def message(text: str, secret: str = SECRET) -> bytes:
    body = f"armlevel-proof 1 {text}"
    return f"{body} {hashlib.sha256(f'{secret} {body}'.encode()).hexdigest()}".encode()


def in_child(act: Callable[[], object]) -> int:
    """Return the exit code of ``act`` in a process of its own, negative for a signal."""
    if not (process := os.fork()):
        try:
            act()
        finally:
            os._exit(70)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def calling(request: int, words: tuple[int, ...], *, secret: bytes, user: int = 0) -> Callable[[], None]:
    def act() -> None:
        if user:
            os.setresuid(user, user, user)
        raise_barrier(secret)
        call = ctypes.CDLL(None, use_errno=True).syscall
        call(*[ctypes.c_long(word) for word in (IOCTL, 1000, request, 0, *words)])
        os._exit(ctypes.get_errno())

    return act


@pytest.mark.parametrize("user", [0, 65534] if os.getuid() == 0 else [0])
def test_only_who_brings_the_secret_along_makes_a_vm(user: int):
    secret = os.urandom(SECRET_SIZE)
    right = struct.unpack(">3q", secret)
    assert in_child(calling(CREATE_VM, right, secret=secret, user=user)) == errno.EBADF
    assert in_child(calling(CREATE_VM + 1, (0, 0, 0), secret=secret, user=user)) == errno.EBADF
    wrong = [(0, 0, 0), right[::-1], (right[0] ^ 1, *right[1:]), (*right[:2], right[2] ^ 1 << 40)]
    for words in wrong:
        assert in_child(calling(CREATE_VM, words, secret=secret, user=user)) == -signal.SIGSYS
    # The kernel looks at the lower half of the request alone.
    assert in_child(calling(CREATE_VM | 1 << 32, (0, 0, 0), secret=secret, user=user)) == -signal.SIGSYS


def test_what_is_started_later_is_under_the_filter_as_well():
    code = f"import ctypes; ctypes.CDLL(None).syscall(*map(ctypes.c_long, ({IOCTL}, 0, {CREATE_VM}, 0, 0, 0, 0)))"

    def act() -> None:
        raise_barrier(bytes(range(SECRET_SIZE)))
        os._exit(subprocess.call([sys.executable, "-c", code], env={}) == -signal.SIGSYS)

    assert in_child(act) == 1


def test_a_message_is_read_only_if_it_was_made_with_the_secret():
    whole = message("runs sha256:ab 1 0 83")
    found = read_message(whole, SECRET)
    assert found is not None
    assert (found.what, found.profile, found.words) == ("runs", PROFILE, "1 0 83")
    damaged = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(len(whole))]
    others = [
        message("runs sha256:ab 1 0 83", "5f" * SECRET_SIZE),
        message("goes x"),
        b"",
        b"\xff\xfe ",
        whole[:-1],
    ]
    assert [read_message(one, SECRET) for one in [*damaged, *others]] == [None] * (len(damaged) + len(others))


def test_of_whom_a_proof_is_the_kernel_says():
    ours, theirs = socket_pair()
    known = Proofs(SECRET, PROFILE)
    child = os.fork()
    if not child:
        theirs.send(message("runs sha256:ab 1 0 83"))
        os._exit(0)
    os.waitpid(child, 0)
    theirs.close()
    known.receive(ours)
    assert (known.proved, known.process, known.forged) == ("1 0 83", child, False)
    known.receive(ours)
    assert known.closed
    ours.close()


def test_the_proof_of_another_profile_is_a_forgery():
    known = Proofs(SECRET, PROFILE)
    known.take(message("runs sha256:other 1 0 83"), 1)
    assert (known.proved, known.forged) == ("", True)


def begin(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch, **starts: bool) -> tuple[int, str]:
    """Start a program that says so much, as execute does it; its status, and what was said by then and afterwards."""
    monkeypatch.setattr(start, "_check_device", lambda: None)
    monkeypatch.setattr(start, "program_fault", lambda _path: "")
    monkeypatch.setattr(start, "is_script", lambda _path: False)
    program = tmp_path / "program"
    program.write_text(f"#!{sys.executable}\n{LIBRARY}\n{text}\n", encoding="utf-8")
    program.chmod(0o755)
    what = Launch(
        (str(program),), (), sealed(["armlevel-preload 1"]), PROFILE, Starts(str(program), **starts)
    )
    read, write = os.pipe()

    def act() -> None:
        os.dup2(write, 2)
        os.close(write)
        os.close(read)
        os._exit(start.execute(what, os.environ))

    process = os.fork()
    if not process:
        try:
            act()
        finally:
            os._exit(70)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        said = pipe.read().decode()
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), said


@pytest.mark.parametrize(
    ("text", "starts", "status", "said"),
    [
        # QEMU in this process's place: its status, and one sentence from the background.
        (f"{RUNS}", {}, 0, "armlevel: proved: VM 1 of process "),
        (f"{RUNS} {MADE} sys.exit(7)", {}, 7, "(83 registers read back before vCPU 0 ran)"),
        ("sys.exit(3)", {}, 3, "armlevel: QEMU ended, and no guest ran"),
        (f"{ENDS} sys.exit(1)", {}, 1, ""),
        ("say('runs sha256:ab 1 0 83', 'no secret'); time.sleep(600)", {}, -9, "was not said by the library"),
        ("proof.close(); time.sleep(600)", {}, -9, "it cut the library off"),
        # A program that may do as it likes.
        (f"{RUNS}", {"direct": False}, 0, "armlevel: proved: VM 1"),
        (f"{RUNS} sys.exit(5)", {"direct": False}, 5, "armlevel: proved: VM 1"),
        ("sys.exit(0)", {"direct": False}, 1, "no guest was proved to be what the profile says"),
        (f"{MADE}", {"direct": False}, 1, "no guest was proved to be what the profile says"),
        (f"{ENDS} sys.exit(0)", {"direct": False}, 1, "armlevel: no guest runs"),
        ("os.kill(os.getpid(), 15); time.sleep(600)", {"direct": False}, 143, "no guest was proved"),
        ("proof.send(b'forged'); time.sleep(600)", {"direct": False}, 1, "was not said by the library"),
        # What it leaves behind proves the guest; or ends without one.
        (f"os.fork() and os._exit(0); {RUNS} time.sleep(.1)", {"direct": False}, 0, "armlevel: proved: VM 1"),
        ("os.fork() and os._exit(0); time.sleep(.1)", {"direct": False}, 1, "no guest was proved"),
        (f"os.fork() and os._exit(0); {RUNS}", {"detaches": True}, 0, "armlevel: proved: VM 1"),
        (
            f"os.fork() and os._exit(0); {ENDS}",
            {"detaches": True},
            1,
            "armlevel: no guest runs: no, it cannot",
        ),
        (
            f"os.fork() and os._exit(0); {MADE}",
            {"detaches": True, "waits": True},
            0,
            "the VM is made and waits",
        ),
    ],
)
def test_the_status_is_0_only_with_a_proof(tmp_path, monkeypatch, text, starts, status, said):  # noqa: PLR0917
    found = begin(tmp_path, text, monkeypatch, **starts)
    assert found[0] == status
    assert said in found[1]
    assert bool(found[1]) is bool(said)


def test_signals_reach_a_program_that_is_not_qemu_itself(tmp_path, monkeypatch):
    text = (
        "import signal; signal.signal(signal.SIGTERM, lambda *_: sys.exit(9)); "
        f"{RUNS} os.kill(os.getppid(), 15); signal.pause()"
    )
    status, said = begin(tmp_path, text, monkeypatch, direct=False)
    assert status == 9
    assert "armlevel: proved" in said


def test_qemu_keeps_the_process_and_what_it_inherits(tmp_path, monkeypatch):
    seen = tmp_path / "seen"
    text = (
        'held = sorted(int(name) for name in os.listdir("/proc/self/fd")); '
        f"open({str(seen)!r}, 'w').write(f'{{os.getpid()}} {{held}}'); {RUNS}"
    )
    _, said = begin(tmp_path, text, monkeypatch)
    process, _, held = seen.read_text().partition(" ")
    assert f"of process {process} " in said
    # What armlevel run adds has a number that no command line means.
    assert len([number for number in json.loads(held) if number >= 512]) == 2


@pytest.mark.parametrize("direct", [True, False])
def test_a_program_that_cannot_be_started_is_said(monkeypatch: pytest.MonkeyPatch, direct: bool):
    monkeypatch.setattr(start, "_check_device", lambda: None)
    starts = Starts("/nowhere/qemu", direct=direct)
    what = Launch(("/nowhere/qemu",), (), sealed(["armlevel-preload 1"]), PROFILE, starts)

    def act() -> None:
        try:
            start.execute(what, {})
        except UsageError as exc:
            os._exit("/nowhere/qemu cannot be started" in str(exc))

    assert in_child(act) == 1


def test_a_script_is_not_asked_whether_qemu_could(tmp_path):
    script = tmp_path / "qemu-system-aarch64"
    script.write_text("#!/bin/sh\n", encoding="utf-8")
    script.chmod(0o755)
    assert is_script(script)
    with pytest.raises(UsageError, match="is a script, and may do anything"):
        start.execute(Launch((str(script), "-version"), (), b"", "", Starts(str(script))), os.environ)


def test_a_program_that_the_loader_starts_without_the_library_is_refused(tmp_path):
    header = struct.pack(
        "<4sBBBBB7xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 0, 3, 183, 1, 0, 64, 0, 0, 64, 56, 1, 64, 0, 0
    )
    program = tmp_path / "qemu"
    program.write_bytes(header + struct.pack("<I52x", 3))
    assert program_fault(program) == ""
    program.chmod(0o4755)
    assert "gains privileges" in program_fault(program)
    program.chmod(0o755)
    program.write_bytes(header + struct.pack("<I52x", 1))
    assert "is linked statically" in program_fault(program)
    program.write_bytes(header[:18] + b"\x3e" + header[19:])
    assert "is no program for 64-bit Arm" in program_fault(program)
    program.write_bytes(b"\x7fELF")
    assert "is no program for 64-bit Arm" in program_fault(program)


def test_the_registers_of_a_guest_are_nobody_elses(tmp_path):
    dump = tmp_path / "dump"
    dump.write_text("", encoding="utf-8")
    dump.chmod(0o644)
    start._make_private(str(dump))
    start._make_private(str(tmp_path / "new"))
    start._make_private("/dev/null")
    assert [stat.S_IMODE(path.stat().st_mode) for path in (dump, tmp_path / "new")] == [0o600, 0o600]
    assert stat.S_IMODE(Path("/dev/null").stat().st_mode) == 0o666
