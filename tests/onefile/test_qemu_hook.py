"""The hook cannot hurt: strangers always pass, its own faults refuse nobody, and at a reconnect nothing is started."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from armlevel.operations.guard_files import START
from tests.onefile import hooks
from tests.onefile.hooks import HOOK, LETS, LEVELLED, MARKED, PLACES, REFUSES, SENTENCE, STRANGER, Host

#: Every operation and stage of libvirt's hooks (docs/hooks.rst), and some that a later libvirt may add.
CALLS = [
    *((operation, "begin") for operation in ("prepare", "start", "started", "stopped", "release")),
    *((operation, "end") for operation in ("prepare", "start", "stopped", "release", "migrate", "restore")),
    *((operation, "begin") for operation in ("migrate", "restore", "reconnect", "attach")),
    ("reconnect", "end"),
    ("network", "begin"),
    ("migrate2", "begin"),
    ("*", "begin"),
    ("migrate", "*"),
    ("", ""),
    ("migrate/begin", ""),
    ("", "migrate/begin"),
    ("-h", "--help"),
    ("$(exit 3)", "begin"),
    ("migrate\n", "begin"),
    ("migrate", "begin\n"),
]
GUARDED = {("migrate", "begin"), ("restore", "begin"), ("prepare", "begin")}
UNGUARDED = [call for call in CALLS if call not in GUARDED]

#: A hook that was cut before these lengths cannot be run by anybody: its first line is not whole.
NOT_RUNNABLE = len("#!/bin/sh")
#: And of the second line these four beginnings are commands that fail: `!`, `! `, `! trap`, `! trap `.
CUT_IN_THE_TRAP = {NOT_RUNNABLE + add for add in (2, 3, 7, 8)}


@pytest.fixture(params=["sh", "busybox"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Host:
    return Host(tmp_path, hooks.shells()[request.param])


def test_the_lines_that_name_places_are_the_hooks_own():
    assert [HOOK.count(line) for line in PLACES] == [1, 1]
    assert set(UNGUARDED) | GUARDED == set(CALLS)
    assert f"\nstart='{START}'\n" in HOOK


@pytest.mark.parametrize(("operation", "stage"), UNGUARDED)
@pytest.mark.parametrize("xml", [MARKED, None], ids=["marked", "closed"])
def test_a_call_that_is_not_the_guards_passes_before_anything_is_started(
    host: Host, operation: str, stage: str, xml: bytes | None
):
    found = host.call(operation, stage, xml=xml)
    assert (found.status, found.out, found.err, found.started) == (0, "", "", ())


@pytest.mark.parametrize("operation", ["migrate", "restore"])
def test_a_refusal_reaches_the_one_who_moves_word_by_word(host: Host, operation: str):
    found = host.call(operation)
    assert (found.status, found.out, found.err) == (1, "", f"{SENTENCE}\n")
    assert "logger" not in found.started


def test_a_guest_that_may_come_comes_and_says_nothing(host: Host):
    host.program = "import sys; sys.stdin.read(); print('<domain/>'); print('note', file=sys.stderr)"
    found = host.call()
    assert (found.status, found.out, found.err) == (0, "", "")
    assert found.started.count("python3") == 1


def test_the_whole_xml_arrives(host: Host, tmp_path: Path):
    copy = tmp_path / "copy"
    host.program = f"import sys; open({str(copy)!r}, 'wb').write(sys.stdin.buffer.read())"
    odd = MARKED.replace(b"web-1", "wéb \\n\\c%s $(id) `id` 'a' \"b\"".encode())
    assert host.call(xml=odd).status == 0
    assert copy.read_bytes() == odd


@pytest.mark.parametrize("operation", ["migrate", "restore", "prepare"])
@pytest.mark.parametrize("xml", [STRANGER, b"", None, b"\0\xff", b"<!DOCTYPE a>"])
def test_a_stranger_passes_before_python_is_started(host: Host, operation: str, xml: bytes | None):
    found = host.call(operation, xml=xml)
    assert (found.status, found.out) == (0, "")
    assert set(found.started) <= {"timeout", "head"}


def test_a_start_is_looked_at_only_where_there_is_a_level(host: Host):
    assert "python3" not in host.call("prepare").started
    found = host.call("prepare", xml=LEVELLED)
    assert "python3" in found.started
    assert (found.status, found.out, found.err) == (0, "", "")


#: What goes wrong in the guard itself -> the archive, what is missing, what stands in a program's place.
FAULTS: dict[str, dict] = {
    "no python": {"missing": frozenset({"python3"})},
    "python being replaced": {"instead": {"python3": "exit 126"}},
    "python killed": {"instead": {"python3": "kill -9 $$"}},
    "python terminated": {"instead": {"python3": "kill -15 $$"}},
    "no memory": {"instead": {"python3": "ulimit -v 1; exec cat"}},
    "no timeout": {"missing": frozenset({"timeout"})},
    "no head": {"missing": frozenset({"head"})},
    "no programs": {"missing": frozenset({"timeout", "head", "python3", "logger"})},
    "no logger, no archive": {"missing": frozenset({"logger"}), "program": None},
    "a logger that fails": {"instead": {"logger": "echo no >&2; exit 1"}, "program": None},
    "no archive": {"program": None},
    "empty archive": {"program": b""},
    "damaged archive": {"program": b"PK\x03\x04" + b"\0" * 100},
    "archive that is no program": {"program": b"\x7fELF\0"},
    "a traceback": {"program": "raise RuntimeError('armlevel: broken')"},
    "a wrong status": {"program": REFUSES.replace("exit(1)", "exit(2)")},
    "a refusal without a word": {"program": "raise SystemExit(1)"},
    "a refusal of somebody else": {"program": REFUSES.replace("armlevel: ", "warning: ")},
    "an abort": {"program": "import os; os.abort()"},
    "no room to write": {"program": "import os; os.write(os.open('/dev/full', os.O_WRONLY), b'x')"},
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operation", ["migrate", "restore", "prepare"])
def test_the_guards_own_fault_refuses_nobody(host: Host, fault: str, operation: str):
    if fault in {"no timeout", "no head"} and "busybox" in host.shell[0]:
        assert host.call("reconnect").status == 0
        return  # it has its own, and nothing is missing
    for name, value in FAULTS[fault].items():
        setattr(host, name, value)
    for xml in (LEVELLED, STRANGER):
        found = host.call(operation, xml=xml)
        assert (found.status, found.out) == (0, "")  # libvirt reads the rest only with a refusal


def test_a_fault_is_told_to_the_journal(tmp_path: Path):
    told = tmp_path / "told"
    host = Host(tmp_path, hooks.shells()["sh"], program=None)
    host.instead = {"logger": f'printf "%s\\n" "$*" > {told}'}
    host.call()
    assert told.read_text().startswith("-t armlevel-guard -p daemon.warning -- the guard did not answer")


def test_a_guard_that_hangs_is_ended_by_its_limit(host: Host):
    # The limit is timeout's own business, and its two seconds are measured elsewhere: here it is over at once.
    host.program = "import signal; signal.pause()"
    soon = f'exec {shutil.which("timeout")} -s KILL 0.2 "$@"'
    host.instead = {"timeout": f'shift 3; case $1 in python3) {soon} ;; esac; exec "$@"'}
    found = host.call()
    assert (found.status, found.out) == (
        0,
        "",
    )  # what a shell says of it (Killed) libvirt reads only with a refusal
    assert "timeout -s KILL 2 python3" in HOOK


def test_two_seconds_are_given_to_whatever_may_wait():
    lines = [line for line in HOOK.splitlines() if not line.startswith("#")]
    for program in ("head", "python3", "logger"):
        users = [line for line in lines if f"{program} " in line and not line.startswith("#")]
        assert users
        assert all(f"timeout -s KILL 2 {program}" in line for line in users)


@pytest.mark.parametrize("environment", [{}, {"PATH": ""}, {"PATH": "/nowhere"}, {"PYTHONHOME": "/nowhere"}])
def test_the_environment_decides_nothing(host: Host, environment: dict[str, str]):
    assert host.call(environment=environment).status == 1
    assert host.call("reconnect", environment=environment).started == ()


@pytest.mark.parametrize("domain", ["-rf", "a b", "$(touch x)", "a;b", "*", "", "ü" * 200, "a\nb"])
def test_a_domain_may_be_called_anything(host: Host, domain: str):
    host.program = (
        "import sys; sys.exit(0 if sys.argv[1:3] == ['hook', 'migrate'] and len(sys.argv) == 4 else 7)"
    )
    assert host.call(domain=domain).started.count("logger") == 0
    assert host.call("reconnect", domain=domain).status == 0


def test_a_huge_domain_is_read_to_its_limit_and_no_further(host: Host):
    pad = b"<!-- " + b"x" * (9 << 20) + b" -->"
    host.program = LETS
    found = host.call(xml=STRANGER + pad)
    assert (found.status, found.err) == (0, "")
    assert "python3" not in found.started
    assert host.call(xml=MARKED + pad).started.count("python3") == 1


def test_a_file_system_without_room_changes_nothing(tmp_path: Path):
    # No byte may be written to any file; pipes are none. What each program tells of itself cannot be written either.
    host = Host(tmp_path, ["/bin/sh", "-c", 'trap "" XFSZ; ulimit -f 0; exec /bin/sh "$@"', "sh"])
    for call, status in (("reconnect", 0), ("migrate", 1)):
        assert (host.call(call).status, host.call(call, xml=STRANGER).status) == (status, 0)


def cut_hooks(lengths: range | list[int]) -> list[int]:
    return [length for length in lengths if length >= NOT_RUNNABLE and length not in CUT_IN_THE_TRAP]


def hurts(host: Host, length: int) -> bool:
    """Return whether a hook of so many bytes ends a running guest, or refuses a stranger."""
    host.text = HOOK[:length]
    return bool(host.call("reconnect").status or host.call("migrate", xml=STRANGER).status)


def test_a_hook_that_was_cut_lets_all_pass(host: Host):
    some = [*range(NOT_RUNNABLE, 120), *range(120, len(HOOK), 37)]
    assert [length for length in cut_hooks(some) if hurts(host, length)] == []


@pytest.mark.slow
def test_a_hook_that_was_cut_anywhere_lets_all_pass(host: Host):
    assert [length for length in cut_hooks(range(len(HOOK) + 1)) if hurts(host, length)] == []


def test_the_lengths_that_hurt_are_no_more_than_is_said(host: Host):
    hurting = {length for length in range(NOT_RUNNABLE, 45) if hurts(host, length)}
    assert hurting == CUT_IN_THE_TRAP


@pytest.mark.parametrize("signal", [1, 2, 15])
def test_a_signal_is_no_refusal(host: Host, tmp_path: Path, signal: int):
    host.shell = ["/bin/sh", "-c", f'echo $$ > {tmp_path}/pid; exec "$@"', "sh", *host.shell]
    host.instead = {"python3": f'kill -{signal} $(/bin/cat {tmp_path}/pid); exec {sys.executable} "$@"'}
    found = host.call()
    assert (found.status, found.out, found.err) == (0, "", "")
    assert "python3" in found.started
