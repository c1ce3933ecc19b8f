"""The guard is put on a host whole, its hook last; nothing of anybody else is touched, and each fault is named."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from armlevel.errors import UsageError
from armlevel.operations import guard_host
from armlevel.operations.guard_files import hook_bytes
from armlevel.operations.guard_host import ARCHIVE, HOOK, guard_install, guard_remove, guard_status
from armlevel.words.guard_host import CODES

FILES = {
    "__main__.py": b"raise SystemExit(0)\n",
    "armlevel/onefile/entry.py": b"",
    "armlevel/onefile/release.py": b"RELEASE = 'a'\n",
}
OTHER = FILES | {"armlevel/onefile/release.py": b"RELEASE = 'b'\n"}
FOREIGN = b"#!/bin/sh\n# a hook of somebody else\nexit 0\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "etc/libvirt").mkdir(parents=True)
    return tmp_path


def codes(root: Path, files=FILES) -> dict[str, str]:
    return {check.name: check.code for check in guard_status(files, root).checks}


def test_installed_it_is_whole_and_removed_it_is_gone(root: Path):
    found = guard_install(FILES, root)
    assert found.done == "installed"
    assert (root / HOOK).read_bytes() == hook_bytes()
    assert (root / HOOK).stat().st_mode & 0o777 == 0o755
    assert (root / ARCHIVE).stat().st_mode & 0o777 == 0o644
    assert codes(root) | {"hook": "hook-whole", "archive": "archive-whole"} == codes(root)
    assert guard_install(FILES, root).done == "installed"  # twice is once
    left = sorted(path.name for path in (root / HOOK).parent.iterdir())
    assert left == ["50-armlevel"]
    assert guard_remove(root).done == "removed"
    assert not (root / HOOK).exists()
    assert not (root / ARCHIVE).exists()
    assert guard_remove(root).done == "nothing"
    assert guard_status(FILES, root).status == 1


def test_without_libvirt_nothing_is_written(tmp_path: Path):
    with pytest.raises(UsageError, match="no libvirt here"):
        guard_install(FILES, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", [HOOK, ARCHIVE])
def test_a_file_of_somebody_else_is_neither_replaced_nor_removed(root: Path, place: str):
    (root / place).parent.mkdir(parents=True)
    (root / place).write_bytes(FOREIGN)
    for call in (lambda: guard_install(FILES, root), lambda: guard_remove(root)):
        with pytest.raises(UsageError, match="is not armlevel's"):
            call()
        assert (root / place).read_bytes() == FOREIGN
    other = ARCHIVE if place == HOOK else HOOK
    assert not (root / other).exists()


@pytest.mark.parametrize("place", [HOOK, ARCHIVE])
def test_what_is_no_file_stays(root: Path, place: str):
    for make in (lambda path: path.symlink_to("/nowhere"), os.mkfifo, lambda path: path.mkdir()):
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        make(root / place)
        with pytest.raises(UsageError, match="is not armlevel's"):
            guard_install(FILES, root)
        (root / place).rename(root / "aside")
        if (root / "aside").is_dir():
            (root / "aside").rmdir()
        else:
            (root / "aside").unlink()


def test_a_hook_beside_others_leaves_them(root: Path):
    (root / HOOK).parent.mkdir(parents=True)
    (root / "etc/libvirt/hooks/qemu").write_bytes(FOREIGN)
    (root / HOOK).with_name("10-mine").write_bytes(FOREIGN)
    guard_install(FILES, root)
    guard_remove(root)
    assert (root / "etc/libvirt/hooks/qemu").read_bytes() == FOREIGN
    assert (root / HOOK).with_name("10-mine").read_bytes() == FOREIGN


@pytest.mark.parametrize("length", [0, 1, 9, 40, 300, 1500])
def test_a_hook_that_was_cut_is_named_and_mended(root: Path, length: int):
    guard_install(FILES, root)
    (root / HOOK).write_bytes(hook_bytes()[:length])
    assert codes(root)["hook"] == "hook-cut"
    assert guard_status(FILES, root).status == 1
    guard_install(FILES, root)
    assert codes(root)["hook"] == "hook-whole"


def _write(place: str, content: bytes):
    return lambda root: (root / place).write_bytes(content)


def _cache(root: Path) -> Path:
    path = root / "var/lib/armlevel/tried"
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    ("harm", "name", "code"),
    [
        (lambda root: (root / HOOK).unlink(), "hook", "hook-absent"),
        (_write(HOOK, FOREIGN), "hook", "hook-foreign"),
        (_write(HOOK, hook_bytes() + b"# more\n"), "hook", "hook-other"),
        (lambda root: (root / HOOK).chmod(0o644), "hook", "hook-mode"),
        (lambda root: (root / HOOK).chmod(0o777), "hook", "hook-open"),
        (lambda root: (root / ARCHIVE).unlink(), "archive", "archive-absent"),
        (_write(ARCHIVE, b""), "archive", "archive-damaged"),
        (_write(ARCHIVE, b"PK\x03\x04" + b"\0" * 99), "archive", "archive-damaged"),
        (lambda root: (root / ARCHIVE).chmod(0o666), "archive", "archive-open"),
        (lambda root: (root / ARCHIVE).write_bytes(guard_host.archive_of(OTHER)), "archive", "archive-other"),
        (lambda root: _cache(root).chmod(0o666), "answers", "cache-foreign"),
        (_cache, "answers", "cache-kept" if os.geteuid() == 0 else "cache-foreign"),
    ],
)
def test_each_fault_has_its_name(root: Path, harm, name: str, code: str):
    guard_install(FILES, root)
    harm(root)
    assert codes(root)[name] == code


def test_a_write_that_fails_leaves_what_was_there(root: Path, monkeypatch: pytest.MonkeyPatch):
    guard_install(FILES, root)
    before = {place: (root / place).read_bytes() for place in (HOOK, ARCHIVE)}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UsageError):
        guard_install(OTHER, root)
    assert {place: (root / place).read_bytes() for place in (HOOK, ARCHIVE)} == before


def test_a_daemon_in_a_container_is_not_served(root: Path, monkeypatch: pytest.MonkeyPatch):
    inside = guard_host._Daemon("virtqemud", 7, "1", here=False)
    monkeypatch.setattr(guard_host, "_daemons", lambda _root: [inside])
    with pytest.raises(UsageError, match="runs in a container"):
        guard_install(FILES, root)
    assert not (root / HOOK).exists()


def test_a_daemon_is_told_once_and_never_ended(root: Path, monkeypatch: pytest.MonkeyPatch):
    sent = []
    monkeypatch.setattr(
        guard_host, "_daemons", lambda _root: [guard_host._Daemon("libvirtd", 7, "1", here=True)]
    )
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    guard_install(FILES, root)
    guard_remove(root)
    assert sent == [(7, signal.SIGHUP)] * 2


def test_every_code_has_its_words_and_every_word_a_code():
    text = Path(guard_host.__file__).read_text(encoding="utf-8")
    assert [code for code in CODES if f'"{code}"' not in text] == []
