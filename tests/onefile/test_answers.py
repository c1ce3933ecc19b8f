"""The file of answers: what holds is said again, and whatever is odd about it is a miss, never a yes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armlevel.onefile import trying
from armlevel.onefile.answers import LARGEST, Answers, Kept, build_of, key_of, state_of
from armlevel.onefile.codes import Code
from armlevel.onefile.found import Found
from armlevel.onefile.trying import Tried

STATE = {"boot_id": "b", "cpus": "0-3"}
YES = Kept("sha256:" + "0" * 64)
NO = Kept(YES.digest, (Found("refused", "stops", "CTR_EL0", "0x1", "0x0", "silicon", "restart"),))
US = os.geteuid()


def answers(path: Path, release: str = "r", **state: str) -> Answers:
    return Answers(path, {**STATE, **state}, release, owner=US)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    path = tmp_path / "tried"
    assert answers(path).keep("yes", YES)
    assert answers(path).keep("no", NO)
    return path


def test_an_answer_is_said_again_and_nobody_else_reads_it(kept):
    assert answers(kept).get("yes") == YES
    assert answers(kept).get("no") == NO
    assert answers(kept).get("other") is None
    assert kept.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in kept.parent.iterdir()] == ["tried"]


@pytest.mark.parametrize("change", [{"boot_id": "c"}, {"cpus": "0-2"}, {"release": "s"}], ids=str)
def test_another_boot_other_cpus_or_another_program_void_every_answer(kept, change):
    assert answers(kept, **change).get("yes") is None


def test_no_clock_voids_an_answer(kept):
    os.utime(kept, (0, 0))
    assert answers(kept).get("yes") == YES


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)


def _linked(path: Path) -> None:
    path.rename(path.with_name("real"))
    path.symlink_to(path.with_name("real"))


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _instead(path: Path, line: str, of: str = "yes") -> None:
    lines = path.read_text().splitlines(keepends=True)
    (index,) = (number for number, one in enumerate(lines) if one.startswith(f"{of}\t"))
    _write(path, "".join([*lines[:index], line, *lines[index + 1 :]]).encode())


ODD: dict[str, Callable[[Path], object]] = {
    "gone": lambda path: path.unlink(),
    "empty": lambda path: _write(path, b""),
    "an end of a line": lambda path: _write(path, b"\n"),
    "no text": lambda path: _write(path, path.read_bytes() + b"\xff\n"),
    "no answers": lambda path: _write(path, path.read_bytes().splitlines(keepends=True)[0]),
    "no head": lambda path: _write(path, b"".join(path.read_bytes().splitlines(keepends=True)[1:])),
    "another kind": lambda path: _write(path, path.read_bytes().replace(b"tried/1", b"tried/2")),
    "truncated": lambda path: _write(path, path.read_bytes()[:-20]),
    "huge": lambda path: _write(path, path.read_bytes() + b" " * LARGEST),
    "others may write it": lambda path: path.chmod(0o622),
    "others may write its directory": lambda path: path.parent.chmod(0o777),
    "a link": _linked,
    "a second name": lambda path: os.link(path, path.with_name("second")),
    "a pipe": _fifo,
    "a directory": _directory,
    "no digest": lambda path: _instead(path, "yes\truns\t\n"),
    "a key alone": lambda path: _instead(path, "yes\n"),
    "an answer alone": lambda path: _instead(path, "yes\truns\n"),
    "another answer": lambda path: _instead(path, f"yes\tyes\t{YES.digest}\n"),
    "an answer that its findings deny": lambda path: _instead(
        path, path.read_text().splitlines()[2].replace("no\trefused", "yes\truns") + "\n"
    ),
    "an answer without what it hangs on": lambda path: _instead(path, f"yes\trefused\t{YES.digest}\n"),
    "findings that are none": lambda path: _instead(path, f"yes\truns\t{YES.digest}\t\n"),
    "a finding that is short": lambda path: _instead(path, f"yes\trefused\t{YES.digest}\trefused\x1fstops\n"),
    "a finding that is long": lambda path: _instead(
        path, path.read_text().splitlines()[2].replace("no\t", "yes\t") + "\x1fmore\n"
    ),
}


@pytest.mark.parametrize("make", ODD.values(), ids=ODD)
def test_whatever_is_odd_is_a_miss(kept, make):
    make(kept)
    assert answers(kept).get("yes") is None


@pytest.mark.skipif(US != 0, reason="only root gives a file away")
def test_the_file_of_another_is_a_miss_and_is_not_added_to(kept):
    os.chown(kept, 65534, 65534)
    assert answers(kept).get("yes") is None
    os.chown(kept.parent, 65534, 65534)
    assert not answers(kept).keep("yes", YES)


def test_who_is_not_the_owner_keeps_nothing(tmp_path):
    path = tmp_path / "tried"
    assert not Answers(path, STATE, "r", owner=US + 1).keep("yes", YES)
    assert not path.exists()


@pytest.mark.parametrize("make", [_linked, _fifo, _directory])
def test_what_is_no_file_is_not_replaced(kept, make):
    make(kept)
    assert not answers(kept).keep("more", YES)
    assert not kept.is_file() or kept.is_symlink()


def test_a_place_that_is_not_there_or_is_full_costs_the_answer_and_nothing_else(tmp_path, monkeypatch):
    assert not answers(tmp_path / "none" / "tried").keep("yes", YES)

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    tmp_path.chmod(0o755)
    monkeypatch.setattr(os, "fsync", full)
    assert not answers(tmp_path / "tried").keep("yes", YES)
    assert list(tmp_path.iterdir()) == []


def test_the_file_does_not_grow_without_end(tmp_path):
    tmp_path.chmod(0o755)
    path = tmp_path / "tried"
    one = answers(path)
    for number in range(150):
        one.keep(str(number), YES)
    again = answers(path)
    assert again.get("0") is None
    assert again.get("149") == YES
    large = Kept(NO.digest, (Found("refused", "stops", "x" * 5000),) * 150)
    for number in range(3):
        assert answers(path).keep(f"large {number}", large)
    assert path.stat().st_size <= LARGEST
    assert answers(path).get("large 2") == large


@pytest.mark.parametrize("bad", ["a\tb", "a\nb", "a\x1fb", "\udcff"])
def test_what_would_break_a_line_is_not_kept_and_what_was_kept_stays(kept, bad):
    before = kept.read_bytes()
    for key, answer in (
        (bad, YES),
        ("more", Kept(f"{YES.digest}{bad}")),
        ("more", Kept(YES.digest, (Found("refused", "stops", "CTR_EL0", bad),))),
    ):
        assert not answers(kept).keep(key, answer)
        assert answers(kept).get(key) is None
    assert kept.read_bytes() == before


@given(st.dictionaries(st.text(), st.lists(st.tuples(*[st.text()] * 5), max_size=3), max_size=4))
def test_what_is_kept_is_read_as_it_was(cases):
    with tempfile.TemporaryDirectory() as folder:
        path, held = Path(folder, "tried"), {}
        for key, rows in cases.items():
            answer = Kept(YES.digest, tuple(Found("changed", "note", *row) for row in rows))
            if answers(path).keep(key, answer):
                held[key] = answer
        assert {key: answers(path).get(key) for key in cases} == {key: held.get(key) for key in cases}


def test_another_build_of_the_vmm_is_another_question(tmp_path):
    program = tmp_path / "qemu"
    program.write_text("1")
    first = key_of("1:x", str(program))
    assert first == key_of("1:x", str(program)) != key_of("1:y", str(program))
    program.write_text("22")
    assert key_of("1:x", str(program)) != first
    assert build_of(str(tmp_path / "none")) == "none"
    assert build_of("a\0b") == "none"


def test_the_state_is_this_boot_and_its_cpus(tmp_path):
    assert state_of(str(tmp_path)) is None
    here = state_of()
    assert here is None or set(here) == {"boot_id", "cpus"}


def test_trying_takes_the_answer_that_holds_and_keeps_no_passing_one(tmp_path, monkeypatch):
    tmp_path.chmod(0o755)
    cache, asked = tmp_path / "tried", []
    monkeypatch.setattr(trying, "state_of", lambda: STATE)

    def fresh(text: str, _device: str, _emulator: str) -> Tried:
        asked.append(text)
        code: Code = "kvm-failed" if text == "1:bad" else "refused"
        return Tried("refused", (Found(code, "stops", "CTR_EL0"),), "sha256:1")

    monkeypatch.setattr(trying, "_fresh", fresh)
    for text in ("1:good", "1:good\n", "1:bad", "1:bad"):
        said = trying.tried(text, cache=cache, owner=US)
        assert (said.answer, said.digest) == ("refused", "sha256:1")
    assert asked == ["1:good", "1:bad", "1:bad"]
    assert trying.tried("1:good", cache=cache, owner=US).cached
    assert not trying.tried("1:good", cache=cache, owner=US + 1).cached


def test_what_fails_inside_is_unknown(tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise MemoryError("no")

    monkeypatch.setattr(trying, "_fresh", fail)
    said = trying.tried("1:x", cache=tmp_path / "tried")
    assert (said.answer, said.findings[0].code, said.findings[0].subject) == (
        "unknown",
        "kvm-failed",
        "MemoryError",
    )
