"""`armlevel guests` tells which guests run, how each is known, and where each may go."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from armlevel.cli import guests as verb
from armlevel.documents.running import running_object
from armlevel.documents.write import host_object, pretty
from armlevel.operations import stamps
from armlevel.probe.running import Running, RunningVm
from tests.cli.hosts import Command
from tests.operations.test_guests import MIDDLE, NEW, OLD, domain, vm, words

FIRECRACKER = RunningVm(pid=8, fd=3, program="/usr/bin/firecracker", levelled=False)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    found = {}
    for name, host in (("old", OLD), ("middle", MIDDLE), ("new", NEW)):
        (tmp_path / f"{name}.json").write_text(pretty(host_object(host)))
        found[name] = str(tmp_path / f"{name}.json")
    running = Running(vms=(vm(), FIRECRACKER), kernel=OLD.software.kernel, boot_id="b")
    (tmp_path / "running.json").write_text(json.dumps(running_object(running)))
    return {**found, "running": str(tmp_path / "running.json")}


def test_the_first_line_counts_and_each_guest_says_how_it_is_known(armlevel: Command, files):
    said = armlevel("guests", "--running", files["running"], "--profile", files["old"], files["new"])
    first, *rest = said.out.splitlines()
    assert first.startswith("neoverse-n1@6.1: 2 guests, 1 known whole, 1 that may be any guest of this host")
    text = "\n".join(rest)
    assert "web-1" in text
    assert "command line" in text
    assert "firecracker" in text
    assert "its VMM is no QEMU" in text
    assert "to neoverse-n1@7.x: unknown" in text
    assert said.code == 3  # of the second nobody can say it


def test_a_guest_that_may_not_go_says_why(armlevel: Command, files, tmp_path):
    running = Running(vms=(vm(),), kernel=NEW.software.kernel)
    path = tmp_path / "new-running.json"
    path.write_text(json.dumps(running_object(running)))
    said = armlevel("guests", "--running", str(path), "--profile", files["new"], files["middle"])
    assert said.code == 1
    assert "to neoverse-n1@6.12: refused: " in said.out
    found = armlevel(
        "guests", "--running", str(path), "--profile", files["new"], files["middle"], "--json"
    ).json
    (guest,) = found["guests"]
    assert (guest["known"], guest["not_known"], guest["guest"]["kind"]) == (
        "command-line",
        [],
        "guest-profile/1",
    )
    assert guest["moves"][0]["answer"] == "refused"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--running", "running"), "--running without --profile"),
        (("--running", "running", "--profile", "old", "--stamp"), "--stamp with --running"),
        (("--events", "running"), "--events without --stamp"),
        (("--running", "old", "--profile", "old"), "running-guests/1 was expected"),
        (("--running", "running", "--profile", "new"), "probe this host again"),
        (("--running", "running", "--profile", "running"), "running.json"),
    ],
)
def test_what_does_not_go_together_is_said(armlevel: Command, files, arguments, sentence):
    said = armlevel("guests", *(files.get(word, word) for word in arguments))
    assert said.code == 2
    assert sentence in said.err
    assert "Traceback" not in said.err


def test_no_guests_is_said_and_what_could_not_be_read_is_no_none(armlevel: Command, files, monkeypatch):
    for unread, code, text in ((0, 0, "0 guests"), (3, 3, "3 processes could not be looked into")):
        running = Running(kernel=OLD.software.kernel, unread=unread)
        monkeypatch.setattr(verb, "read_running", lambda running=running: running)
        said = armlevel("guests", "--profile", files["old"])
        assert (said.code, text in said.out) == (code, True)


def test_at_events_the_guest_that_they_name_is_stamped_again(armlevel: Command, files, monkeypatch, tmp_path):
    running = Running(
        vms=(vm(domain=domain(), words=words("host", "-incoming", "defer")),), kernel=NEW.software.kernel
    )
    monkeypatch.setattr(verb, "read_running", lambda: running)
    asked: list[list[str]] = []

    def virsh(said) -> tuple[int, str]:
        asked.append(list(said))
        return 0, ""

    monkeypatch.setattr(verb, "stamp", lambda found: stamps.stamp(found, virsh))
    events = tmp_path / "events"
    events.write_text("event 'reboot' for domain 'web-1'\nevent 'reboot' for domain 'web-2'\nnonsense\n")
    said = armlevel("guests", "--profile", files["new"], "--stamp", "--events", str(events))
    assert said.out.count("stamp written") == 2
    first, again = (words[words.index("--set") + 1] for words in asked)
    assert first != again  # its counter's frequency is known now
