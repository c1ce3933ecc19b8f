"""`armlevel guard` and `armlevel override`: the answer first, then what to do; nothing is said that was not done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from armlevel.operations.guard_host import HOOK
from tests.cli.hosts import Command
from tests.cli.test_json import judged
from tests.operations.test_override import OFF, RUNNING, virsh


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "etc/libvirt").mkdir(parents=True)
    return tmp_path


def test_the_guard_is_installed_looked_at_and_removed(armlevel: Command, root: Path):
    said = armlevel("guard", "install", "--root", root)
    assert (said.code, said.out.splitlines()[0]) == (0, "installed; not known: python, libvirt")
    said = armlevel("guard", "status", "--root", root)
    assert (said.code, said.out.splitlines()[0]) == (3, "guarded; not known: python, libvirt")
    (root / HOOK).write_text("")
    said = armlevel("guard", "status", "--root", root)
    assert (said.code, said.out.splitlines()[0]) == (1, "not guarded: not so: hook")
    assert "armlevel guard install" in said.out
    said = armlevel("guard", "remove", "--root", root)
    assert (said.code, said.out.splitlines()[0]) == (
        0,
        "removed: no migration, restore or start is looked at here any more",
    )
    assert armlevel("guard", "remove", "--root", root).out == "there was no guard here\n"


def test_where_there_is_no_libvirt_a_sentence_says_so(armlevel: Command, tmp_path: Path):
    said = armlevel("guard", "install", "--root", tmp_path)
    assert (said.code, said.out) == (2, "")
    assert "there is no libvirt here" in said.err


def test_an_override_says_until_when_and_what_it_does_not_cover(
    armlevel: Command, monkeypatch, tmp_path: Path
):
    virsh(tmp_path, RUNNING)
    monkeypatch.setenv("PATH", str(tmp_path))
    said = armlevel("override", "web-1", "--for", "2h", "--reason", "rack 4 is on battery")
    assert said.code == 0, said.err
    assert said.out.startswith("web-1 may move whatever the guard says, until 20")
    assert "--breaks" in said.out
    said = armlevel("override", "web-1", "--for", "2h", "--reason", "rack 4", "--breaks", "--json")
    assert judged(said.json, "override/1")["breaks"] is True
    end = datetime.now(UTC) + timedelta(hours=2)
    assert said.json["until"][:11] == end.strftime("%Y-%m-%dT")
    said = armlevel("override", "web-1", "--remove", "--json")
    assert "until" not in judged(said.json, "override/1")


def test_an_override_of_a_saved_guest_says_that_a_restore_does_not_see_it(armlevel, monkeypatch, tmp_path):
    virsh(tmp_path, OFF)
    monkeypatch.setenv("PATH", str(tmp_path))
    said = armlevel("override", "web-1", "--for", "2h", "--reason", "rack 4")
    assert "a restore does not see" in " ".join(said.out.split())


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--for", "2h"), "has a reason"),
        (("--reason", "x"), "has an end"),
        (("--for", "2h", "--until", "2030-01-01T00:00:00Z", "--reason", "x"), "has an end"),
        (("--remove", "--reason", "x"), "stands alone"),
    ],
)
def test_half_an_override_is_bad_usage(armlevel: Command, words, why):
    said = armlevel("override", "web-1", *words)
    assert (said.code, said.out) == (2, "")
    assert why in said.err
