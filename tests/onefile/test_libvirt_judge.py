"""The guard between two real libvirtd: a refusal reaches the source, and no fault of it ends a guest.

What trying says comes from a kept answer, because there is no KVM for Arm guests here; all else is as on a host.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from armlevel.lab import pack_guard
from armlevel.onefile.metadata import GuestMark, Override, guest_element
from armlevel.operations.guard_host import ARCHIVE, HOOK, guard_install, guard_remove
from armlevel.operations.override import override, remove_override
from armlevel.operations.virsh import Virsh
from tests.onefile.hooks import HOOK as HOOK_TEXT
from tests.onefile.libvirts import LibvirtHost, two_hosts

pytestmark = pytest.mark.slow

EMULATOR = "/usr/bin/qemu-system-aarch64"
CACHE = "var/lib/armlevel/tried"
DIGEST = "sha256:" + "5a" * 32
MARK = guest_element(GuestMark(packed="1:judged", digest=DIGEST, known="stamp"))
DOMAIN = """<domain type='qemu'><name>{name}</name><metadata>{mark}</metadata>
<memory unit='MiB'>32</memory><vcpu>1</vcpu>
<os><type arch='aarch64' machine='virt-10.0'>hvm</type><kernel>/srv/tick.bin</kernel></os>
<features><gic version='2'/></features>
<cpu mode='custom' match='exact' check='none'><model fallback='allow'>cortex-a57</model></cpu>
<devices><emulator>{emulator}</emulator><controller type='usb' model='none'/>
<serial type='file'><source path='/var/log/{name}.ticks'/></serial><memballoon model='none'/></devices></domain>"""

#: Run by the destination's own Python, on its own archive: the answer is kept as trying keeps it.
KEEP = f"""
import sys
sys.path.insert(0, "/{ARCHIVE}")
from armlevel.onefile.answers import Answers, Kept, key_of, state_of
from armlevel.onefile.found import Found
from armlevel.onefile.trying import _release
severity = sys.argv[1]
found = (Found("changed", severity, "PSCI_VERSION", "1.3", "1.1", "kernel", "restart"),) if severity else ()
answers = Answers("/{CACHE}", state_of(), _release())
answers.keep(key_of("1:judged", "{EMULATOR}"), Kept("{DIGEST}", found))
"""


@dataclass
class Pair:
    """Two hosts; guests start on the first, and the second is guarded."""

    source: LibvirtHost
    guarded: LibvirtHost

    def start(self, name: str, mark: str) -> None:
        (self.source.root / f"srv/{name}.xml").write_text(
            DOMAIN.format(name=name, mark=mark, emulator=EMULATOR)
        )
        for words in (("define", f"/srv/{name}.xml"), ("start", name)):
            done = self.source.ask(*words)
            assert done.returncode == 0, done.stderr
        self.source.wait_for_ticks(name)

    def move(self, name: str, *, back: bool = False) -> subprocess.CompletedProcess[str]:
        here, there = (self.guarded, self.source) if back else (self.source, self.guarded)
        return here.ask("migrate", "--live", name, f"qemu+tcp://{there.address}/system")

    def keep(self, severity: str = "") -> None:
        root = self.guarded.root
        (root / CACHE).unlink(missing_ok=True)
        command = ["chroot", str(root), "/usr/bin/python3", "-I", "-S", "-c", KEEP, severity]
        subprocess.run(command, check=True, timeout=300)
        assert len((root / CACHE).read_text().splitlines()) == 1 + 1

    def has_come(self, name: str) -> None:
        assert (name in self.source.guests(), name in self.guarded.guests()) == (False, True)
        self.guarded.wait_for_ticks(name)

    def has_stayed(self, name: str) -> None:
        assert (name in self.source.guests(), name in self.guarded.guests()) == (True, False)
        self.source.wait_for_ticks(name)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with two_hosts(tmp_path_factory.mktemp("hosts")) as (source, guarded):
        python = ["chroot", str(guarded.root), "/usr/bin/python3"]
        assert guard_install(pack_guard(), guarded.root, python=python).done == "installed"
        (guarded.root / "var/lib/armlevel").mkdir(parents=True)
        guarded.stop()
        guarded.start()  # a daemon on another root is not reloaded by an install
        pair = Pair(source, guarded)
        pair.start("web-1", MARK)
        pair.start("stranger", "")
        yield pair


def sentence(text: str) -> str:
    return text[text.index("armlevel: ") :].strip()


def test_a_guest_that_may_come_comes(pair: Pair):
    pair.keep()
    done = pair.move("web-1")
    assert done.returncode == 0, done.stderr
    pair.has_come("web-1")
    assert pair.move("web-1", back=True).returncode == 0  # nobody guards the source
    pair.has_stayed("web-1")


def test_a_refusal_reaches_the_source_and_the_guest_goes_on(pair: Pair, tell):
    pair.keep("stops")
    done = pair.move("web-1")
    assert done.returncode != 0
    assert sentence(done.stderr) == (
        f"armlevel: web-1 ({DIGEST[:19]}) may not run on h2: PSCI_VERSION: the guest has 1.3, h2 takes 1.1; "
        "shut it down, and start it on h2"
    )
    pair.has_stayed("web-1")
    tell(f"virsh at the source: {done.stderr.strip()}")


def test_an_override_travels_and_ends(pair: Pair):
    pair.keep("breaks")
    virsh = Virsh(program=pair.source.virsh)
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    try:
        override(virsh, "web-1", Override(until=until, reason="rack 4 & 5 on <battery>"))
        done = pair.move("web-1")
        assert "does not cover this" in done.stderr
        pair.has_stayed("web-1")
        assert override(virsh, "web-1", Override(until=until, reason="rack 4", breaks=True)).running
        done = pair.move("web-1")
        assert done.returncode == 0, done.stderr
        pair.has_come("web-1")
        assert pair.move("web-1", back=True).returncode == 0
    finally:
        remove_override(virsh, "web-1")
    assert pair.move("web-1").returncode != 0
    pair.has_stayed("web-1")


def test_a_stranger_is_never_looked_at(pair: Pair):
    pair.keep("stops")
    assert pair.move("stranger").returncode == 0
    pair.has_come("stranger")
    assert pair.move("stranger", back=True).returncode == 0
    pair.has_stayed("stranger")


def test_a_restore_is_refused_and_what_was_saved_stays(pair: Pair):
    pair.keep()
    assert pair.move("web-1").returncode == 0
    assert pair.guarded.ask("save", "web-1", "/srv/web-1.save").returncode == 0
    pair.keep("stops")
    done = pair.guarded.ask("restore", "/srv/web-1.save")
    assert "armlevel: web-1" in done.stderr
    assert (pair.guarded.root / "srv/web-1.save").stat().st_size > 0
    pair.keep()
    assert pair.guarded.ask("restore", "/srv/web-1.save").returncode == 0
    pair.has_come("web-1")
    assert pair.move("web-1", back=True).returncode == 0


#: What is wrong with the guard while the daemon is started anew -> what is written over which of its files.
BROKEN: list[tuple[str, str, bytes | None]] = [
    ("python absent", "usr/bin/python3", None),
    ("archive absent", ARCHIVE, None),
    ("archive empty", ARCHIVE, b""),
    ("archive cut", ARCHIVE, b"PK\x03\x04" + b"\0" * 500),
    ("cache absent", CACHE, None),
    ("cache forged", CACHE, b'{"kind": "armlevel-tried/1", "answers": {"a": {"answer": "runs"}}}'),
    ("cache huge", CACHE, b"[" * (4 << 20)),
    ("timeout absent", "usr/bin/timeout", None),
    ("head absent", "usr/bin/head", None),
    ("nothing wrong", CACHE, b"{}"),
    *(
        (f"hook cut at {length}", HOOK, HOOK_TEXT.encode()[:length])
        for length in (9, 10, 20, 60, 500, 1000, 1100, 1300, 1500, len(HOOK_TEXT) - 1)
    ),
]


def test_no_guest_ends_when_its_daemon_is_started_anew_beside_a_broken_guard(pair: Pair, tell):
    pair.keep()
    for name in ("web-1", "stranger"):
        assert pair.move(name).returncode == 0
    host = pair.guarded
    for what, file, content in BROKEN:
        path = host.root / file
        right, mode = path.read_bytes(), path.stat().st_mode
        path.unlink()
        if content is not None:
            path.write_bytes(content)
            path.chmod(mode)
        host.stop()
        host.start()
        assert host.guests() == {"web-1", "stranger"}, what
        for name in ("web-1", "stranger"):
            host.wait_for_ticks(name, 1)
        path.unlink(missing_ok=True)
        path.write_bytes(right)
        path.chmod(mode)
    assert len(BROKEN) == 20
    tell(f"libvirtd started anew {len(BROKEN)} times beside a broken guard: both guests went on each time")


def test_this_judge_sees_a_hook_that_kills(pair: Pair):
    host = pair.guarded
    path = host.root / HOOK
    path.write_text("#!/bin/sh\nexit 1\n")
    host.stop()
    host.start()
    host.wait_for(lambda: not host.guests(), "libvirt ends guests whose hook fails")
    path.write_text(HOOK_TEXT)
    assert guard_remove(Path(host.root)).done == "removed"
