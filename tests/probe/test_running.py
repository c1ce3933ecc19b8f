"""Which VMs run is read of /proc, debugfs and libvirt's files; and nothing is opened for writing, asked or stopped."""

from __future__ import annotations

import ast
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from armlevel.documents.running import RUNNING_KIND, running_object, running_of
from armlevel.errors import BadDocument
from armlevel.onefile.running import main
from armlevel.probe import running as edge
from armlevel.probe.running import Running, RunningVm, read_running

STAT = "{pid} (qemu (x) system) S 1 1 1 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 5 0 {started} 1 1 1"
WORDS = ("qemu-system-aarch64", "-accel", "kvm", "-cpu", "host")
DOMAIN = "<domstatus state='running' reason='booted' pid='{pid}'><domain type='kvm'><name>a</name></domain></domstatus>"


def a_process(root: Path, pid: int, fds: dict[int, str], **more) -> Path:
    place = root / "proc" / str(pid)
    (place / "fd").mkdir(parents=True)
    (place / "ns").mkdir()
    for fd, target in fds.items():
        (place / "fd" / str(fd)).symlink_to(target)
    for name in ("mnt", "pid"):
        (place / "ns" / name).symlink_to(f"{name}:[{more.get('namespace', 1)}]")
    (place / "exe").symlink_to(more.get("program", "/usr/bin/qemu-system-aarch64"))
    (place / "stat").write_text(STAT.format(pid=pid, started=more.get("started", 77)))
    (place / "cmdline").write_bytes(b"\0".join(word.encode() for word in more.get("words", WORDS)) + b"\0")
    (place / "maps").write_text(f"00-01 r-xp 0 0:0 0 {more.get('library', '/usr/lib/libc.so.6')}\n")
    return place


def idregs_of(root: Path, pid: int, fd: int, text: str) -> None:
    place = root / f"sys/kernel/debug/kvm/{pid}-{fd}"
    place.mkdir(parents=True)
    (place / "idregs").write_text(text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "proc/self/ns").mkdir(parents=True)
    for name in ("mnt", "pid"):
        (tmp_path / "proc/self/ns" / name).symlink_to(f"{name}:[1]")
    (tmp_path / "proc/sys/kernel/random").mkdir(parents=True)
    (tmp_path / "proc/sys/kernel/random/boot_id").write_text("b-1\n")
    (tmp_path / "proc/sys/kernel/osrelease").write_text("6.12.1\n")
    return tmp_path


def test_a_vm_is_a_descriptor_of_its_process(root: Path):
    a_process(root, 40, {3: "/dev/null", 9: "anon_inode:kvm-vm", 10: "anon_inode:kvm-vcpu:0"})
    a_process(root, 41, {3: "/dev/kvm"})
    idregs_of(root, 40, 9, "SYS_CTR_EL0:\t0000000000000001\n")
    (root / "run/libvirt/qemu").mkdir(parents=True)
    (root / "run/libvirt/qemu/a.xml").write_text(DOMAIN.format(pid=40))
    found = read_running(str(root))
    assert (found.boot_id, found.kernel, found.unread, found.has_idregs) == ("b-1", "6.12.1", 0, True)
    (vm,) = found.vms
    assert (vm.pid, vm.fd, vm.beside, vm.words, vm.started) == (40, 9, 0, WORDS, 77)
    assert (vm.replaced, vm.levelled, vm.apart) == (False, False, False)
    assert (vm.idregs or "").startswith("SYS_CTR_EL0")
    assert "<name>a</name>" in (vm.domain or "")


def test_what_is_odd_about_a_process_is_read(root: Path):
    program = "/usr/bin/qemu-system-aarch64 (deleted)"
    place = a_process(
        root, 40, {9: "anon_inode:kvm-vm"}, program=program, namespace=2, library="/l/libarmlevel.so"
    )
    (vm,) = read_running(str(root)).vms
    assert (vm.program, vm.replaced, vm.levelled, vm.apart) == (program[:28], True, True, True)
    for name in ("cmdline", "maps"):
        (place / name).unlink()
    (place / "exe").unlink()
    (vm,) = read_running(str(root)).vms
    assert (vm.program, vm.replaced, vm.levelled, vm.words, vm.idregs) == (None, None, None, (), None)


def test_several_vms_of_one_process_know_of_each_other(root: Path):
    a_process(root, 40, {9: "anon_inode:kvm-vm", 12: "anon_inode:kvm-vm"})
    assert [(vm.fd, vm.beside) for vm in read_running(str(root)).vms] == [(9, 1), (12, 1)]


def test_a_process_number_that_changes_hands_meanwhile_gives_no_vm(root: Path, monkeypatch):
    a_process(root, 40, {9: "anon_inode:kvm-vm"})
    times = iter((77, 78))
    monkeypatch.setattr(edge, "_started", lambda process: next(times))
    assert read_running(str(root)).vms == ()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_processes_that_may_not_be_read_are_counted(root: Path):
    place = a_process(root, 40, {9: "anon_inode:kvm-vm"})
    (place / "fd").chmod(0)
    try:
        assert read_running(str(root)).unread == 1
    finally:
        (place / "fd").chmod(0o700)


def test_files_that_may_not_be_listed_are_counted(root: Path, monkeypatch):
    a_process(root, 40, {9: "anon_inode:kvm-vm"})
    listed = os.listdir

    def refuse(path):
        if str(path).endswith("/fd"):
            raise PermissionError(13, "no")
        return listed(path)

    monkeypatch.setattr(os, "listdir", refuse)
    assert (read_running(str(root)).vms, read_running(str(root)).unread) == ((), 1)


def test_a_file_that_never_ends_is_not_read(root: Path, monkeypatch):
    a_process(root, 40, {9: "anon_inode:kvm-vm"}, words=("qemu-system-aarch64", "x" * 5000))
    monkeypatch.setattr(edge, "_WORDS", 1000)
    assert read_running(str(root)).vms[0].words == ()


def test_nowhere_runs_nothing(tmp_path: Path):
    assert read_running(str(tmp_path)) == Running()


# ---- nothing is written


def test_the_reader_has_one_place_that_opens_and_it_opens_for_reading():
    tree = ast.parse(inspect.getsource(edge))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [ast.unparse(call.func) for call in calls]
    assert [name for name in named if name.endswith("open")] == ["os.open"]
    (opened,) = [call for call in calls if ast.unparse(call.func) == "os.open"]
    assert ast.unparse(opened.args[1]) == "os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK"
    touching = (
        "write",
        "unlink",
        "mkdir",
        "kill",
        "ioctl",
        "ptrace",
        "run",
        "Popen",
        "connect",
        "chmod",
        "rename",
    )
    assert [name for name in named if name.rpartition(".")[2].startswith(touching)] == []
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported == {"errno", "os", "re"}


_AUDITED = """
import sys
from armlevel.probe.running import read_running
seen = []
sys.addaudithook(lambda event, given: seen.append((event, given)))
found = read_running(sys.argv[1])
watched = [one for one in seen if not one[0].startswith(("os.listdir", "os.scandir", "marshal", "object."))]
bad = [one for one in watched if one[0] != "open" or one[1][2] & 0o3 or one[1][2] & 0o1100]
print(len(found.vms), sum(one[0] == "open" for one in watched), bad)
"""


@pytest.mark.parametrize("where", ["here", "copy"])
def test_the_interpreter_itself_sees_nothing_but_files_opened_for_reading(root: Path, where):
    for pid in (40, 41):
        a_process(root, pid, {9: "anon_inode:kvm-vm"})
        idregs_of(root, pid, 9, "SYS_CTR_EL0:\t0000000000000001\n")
    done = subprocess.run(
        [sys.executable, "-c", _AUDITED, str(root) if where == "copy" else "/"],
        capture_output=True,
        text=True,
        check=True,
    )
    vms, opened, bad = done.stdout.strip().split(" ", 2)
    assert bad == "[]"
    assert int(opened) >= (10 if where == "copy" else 2)
    assert where == "here" or vms == "2"


# ---- as a document

A_VM = RunningVm(
    pid=4, fd=9, program="/q", words=("q", "-cpu"), levelled=False, idregs="SYS_A:\t0", domain="<d/>"
)


def test_what_was_read_is_the_same_after_it_was_written_down():
    running = Running(
        vms=(A_VM, RunningVm(pid=5, fd=1)), unread=3, boot_id="b", kernel="6.12.1", has_idregs=True
    )
    said = running_object(running)
    assert said["kind"] == RUNNING_KIND
    assert "idregs" not in said["vms"][1]
    assert running_of(json.dumps(said).encode(), "x") == running


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"kind": "guests/1"}',
        '{"kind": "running-guests/1", "vms": {}}',
        '{"kind": "running-guests/1", "vms": [1]}',
        '{"kind": "running-guests/1", "vms": [{"pid": 1}]}',
        '{"kind": "running-guests/1", "vms": [{"pid": true, "fd": 1}]}',
        '{"kind": "running-guests/1", "vms": [{"pid": 1, "fd": -1}]}',
        '{"kind": "running-guests/1", "vms": [{"pid": 1, "fd": 1, "words": [1]}]}',
        '{"kind": "running-guests/1", "vms": [{"pid": 1, "fd": 1, "words": "q"}]}',
        '{"kind": "running-guests/1", "vms": [{"pid": 1, "fd": 1, "levelled": "no"}]}',
        '{"kind": "running-guests/1", "surprise": 1}',
        '{"kind": "running-guests/1", "boot_id": 7}',
        "[" * 100_000,
    ],
)
def test_what_no_reader_writes_is_refused_in_a_sentence(text):
    with pytest.raises(BadDocument, match="armlevel-guests on the host prints one"):
        running_of(text.encode(), "x.json")


def test_a_count_or_a_flag_that_is_left_out_is_not_taken_for_0_or_no():
    whole = running_object(Running(vms=(RunningVm(pid=1, fd=2),)))
    assert running_of(json.dumps(whole).encode(), "x.json").vms
    (vm,) = whole["vms"]
    left_out = [{k: v for k, v in whole.items() if k != key} for key in whole if key != "kind"]
    left_out += [whole | {"vms": [{k: v for k, v in vm.items() if k != key}]} for key in vm]
    assert len(left_out) >= 7
    for one in left_out:
        with pytest.raises(BadDocument, match=r"is missing|no list of VMs"):
            running_of(json.dumps(one).encode(), "x.json")


def test_the_program_for_hosts_prints_what_it_reads(capsys):
    assert main([]) == 0
    assert running_of(capsys.readouterr().out.encode(), "-").kernel
    assert main(["--write"]) == 2
