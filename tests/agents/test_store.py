"""Agents in a directory: what was taken stays, through the terminal, and after a kill nothing is half there."""

from __future__ import annotations

import json
import os
import time

import pytest

from armlevel.cli.app import run
from armlevel.documents import host_object, load_hosts, pretty
from armlevel.machines import folder
from armlevel.onefile.openssh import make_key
from armlevel.onefile.sender import ask_to_be_known, send
from armlevel.onefile.spool import Probed, add_event, boot_id, write_probed
from tests.agents.known import public, ssh_key


@pytest.fixture
def host(tmp_path):
    """A host whose prober ran in this boot."""
    state = tmp_path / "state"
    state.mkdir()
    with folder() as machines:
        (machine,) = load_hosts([str(machines / "graviton2-6.1.json")])
    document = host_object(machine)
    (state / "host.json").write_text(pretty(document))
    write_probed(state, Probed(boot_id(), "2026-11-30T20:00:00Z", document["digest"]))
    add_event(state, "2026-11-30T20:00:00Z", "booted", {"boot_id": boot_id()})
    return tmp_path


def sent(host, name="n1"):
    return send(host / "state", host / "own", host / "spool", name=name)


def told(capsys, *words):
    status = run([str(one) for one in words])
    out = capsys.readouterr()
    return status, out.out, out.err


def test_from_the_host_to_the_store_and_what_is_wrong_is_said(host, capsys):
    store = host / "store"
    sent(host)
    status, out, _ = told(capsys, "agent", "accept", store, host / "spool")
    assert (status, "nobody is known by its key" in out) == (1, True)
    public_key = host / "key.pub"
    public_key.write_text(make_key(host / "own/agent_key"))
    status, out, _ = told(capsys, "agent", "enrol", store, "--key", public_key, "--name", "n1")
    assert (status, out.splitlines()[0]) == (0, "enrolled: n1, by hand")
    status, out, _ = told(capsys, "agent", "accept", store, host / "spool", "--json")
    answer = json.loads(out)
    assert (status, answer["profile"], answer["events"], answer["host"]) == (0, "taken", 1, "n1")
    assert (store / "profiles" / f"{answer['digest'][7:]}.json").read_bytes() == (
        host / "state/host.json"
    ).read_bytes()
    assert told(capsys, "agent", "accept", store, host / "spool")[0] == 1  # replayed
    sent(host)
    status, out, _ = told(capsys, "agent", "accept", store, host / "spool", "--json")
    assert (status, json.loads(out)["profile"], json.loads(out)["events"]) == (0, "there", 0)
    status, out, _ = told(capsys, "agent", "list", store)
    assert (status, out.splitlines()[0]) == (0, "1 host known")
    assert told(capsys, "agent", "retire", store, "n1")[0] == 0
    sent(host)
    status, out, _ = told(capsys, "agent", "accept", store, host / "spool")
    assert (status, "given up" in out) == (1, True)
    assert told(capsys, "agent", "retire", store, "n1")[0] == 2


def test_a_token_through_the_terminal_is_used_once(host, capsys):
    store = host / "store"
    status, out, _ = told(capsys, "agent", "token", store, "--name", "n*")
    token = out.split()[0]
    assert (status, token.startswith("al_")) == (0, True)
    kept = [one.read_text() for one in store.rglob("*") if one.is_file()]
    assert kept
    assert not any(token.split("_")[2] in one for one in kept)
    for own, wanted in (("own", 0), ("other", 1)):
        ask_to_be_known(host / own, host / f"{own}.json", name=f"n-{own}", token=token)
        status, out, _ = told(capsys, "agent", "enrol", store, "--request", host / f"{own}.json")
        assert status == wanted, out
    assert "used before" in out


def test_the_host_key_through_the_terminal(host, capsys):
    key = ssh_key(host, "host")
    (host / "known_hosts").write_text(f"n1 {public(key)}\n")
    ask_to_be_known(host / "own", host / "request", name="n1", host_key=key)
    words = ("agent", "enrol", host / "store", "--request", host / "request")
    status, out, _ = told(capsys, *words)
    assert (status, "--known-hosts" in out) == (1, True)
    assert told(capsys, *words, "--known-hosts", host / "known_hosts")[0] == 0


def test_what_was_probed_in_another_boot_is_not_reported(host):
    assert sent(host).host is not None
    write_probed(host / "state", Probed("0" * 8 + "-0000" * 3 + "-" + "0" * 12, "x", "sha256:" + "0" * 64))
    report = sent(host)
    assert (report.host, report.sequence) == (None, 2)


def test_a_profile_that_is_not_the_one_that_was_probed_is_not_reported(host):
    (host / "state/host.json").write_text("{}")
    assert sent(host).host is None
    (host / "state/host.json").write_bytes(b"\xff" * 100)
    assert sent(host).host is None


def test_the_spool_holds_the_newest_report_and_what_it_names(host):
    for _ in range(3):
        sent(host)
    (host / "spool/sha256-old.json").write_text("old")
    sent(host)
    names = sorted(one.name for one in (host / "spool").iterdir())
    assert len(names) == 2
    assert names[0] == "report.json"
    assert names[1].startswith("sha256-")


def test_events_are_the_newest_and_broken_ones_are_left_out(tmp_path):
    from armlevel.documents.reports import MOST_EVENTS
    from armlevel.onefile.spool import events_of

    path = tmp_path / "events.json"
    many = [{"number": one, "at": "t", "code": "c"} for one in range(1, 2 * MOST_EVENTS)]
    path.write_text(json.dumps({"events": many}))
    add_event(tmp_path, "2026-11-30T20:00:00Z", "booted", {})
    events = events_of(tmp_path)
    assert (len(events), events[-1].number) == (MOST_EVENTS, 2 * MOST_EVENTS)
    for broken in ("", "[]", "{", '{"events": [1]}', '{"events": [{"number": "x"}]}', "[" * 100_000):
        path.write_text(broken)
        assert events_of(tmp_path) == ()


def test_a_counter_that_was_broken_is_not_begun_anew(host):
    sent(host)
    (host / "own/sent.json").write_text("{}")
    from armlevel.errors import UsageError

    with pytest.raises(UsageError, match="enrol this host again"):
        sent(host)


def test_a_store_that_something_else_changed_is_refused_by_name(host, capsys):
    store = host / "store"
    told(capsys, "agent", "token", store, "--name", "n*")
    (store / "tokens/x.json").write_text("{}")
    status, _, err = told(capsys, "agent", "list", store)
    assert status == 0  # it asks for agents alone
    for text in ("{}", "[]", "", "[" * 100_000, '{"key": "x", "name": 1}'):
        (store / "agents/x.json").write_text(text)
        status, _, err = told(capsys, "agent", "list", store)
        assert (status, "x.json" in err) == (2, True)
        assert "fault of armlevel" not in err


@pytest.mark.parametrize(
    "words",
    [
        ("accept", "STORE", "/nonexistent"),
        ("enrol", "STORE"),
        ("enrol", "STORE", "--ssh", "-oProxyCommand=x"),
        ("enrol", "STORE", "--key", "/dev/null", "--name", "n1"),
        ("enrol", "STORE", "--request", "/dev/null", "--name", "n1"),
        ("token", "STORE", "--name", "n*", "--hours", "25"),
        ("token", "STORE", "--name", "n*", "--hours", "nan"),
        ("list", "/nonexistent"),
        ("retire", "/nonexistent", "n1"),
    ],
)
def test_bad_questions_are_a_sentence(words, tmp_path, capsys):
    words = [str(tmp_path / "store") if one == "STORE" else one for one in words]
    status, out, err = told(capsys, "agent", *words)
    assert (status, out) == (2, "")
    assert len(err.strip()) > 20
    assert "Traceback" not in err
    assert "fault of armlevel" not in err


def test_a_clock_that_is_wrong_by_hours_leaves_the_time_unknown(host, capsys, monkeypatch):
    store = host / "store"
    (host / "key.pub").write_text(make_key(host / "own/agent_key"))
    told(capsys, "agent", "enrol", store, "--key", host / "key.pub", "--name", "n1")
    sent(host)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 4000)
    status, out, _ = told(capsys, "agent", "accept", store, host / "spool")
    assert (status, "unknown" in out) == (3, True)


def test_the_key_is_fetched_over_an_ssh_session(host, capsys, monkeypatch):
    # ssh itself is OpenSSH's: what stands in for it here does on this machine what it is told to do on the other.
    programs = host / "programs"
    programs.mkdir()
    make_key(host / "own/agent_key")
    asked = host / "asked"
    (programs / "ssh").write_text(
        f'#!/bin/sh\necho "$@" > {asked}\n[ "$4" = n1 ] || {{ echo "ssh: no such host" >&2; exit 255; }}\n'
        f"cat {host}/own/agent_key.pub\n"
    )
    (programs / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    status, out, _ = told(capsys, "agent", "enrol", host / "store", "--ssh", "n1")
    assert (status, out.splitlines()[0]) == (0, "enrolled: n1, by ssh session")
    assert asked.read_text().split()[-2:] == ["cat", "/var/lib/armlevel-sender/agent_key.pub"]
    status, _, err = told(capsys, "agent", "enrol", host / "store", "--ssh", "n2")
    assert (status, "no such host" in err) == (2, True)
    monkeypatch.setenv("PATH", str(host))
    status, _, err = told(capsys, "agent", "enrol", host / "store", "--ssh", "n1")
    assert (status, "there is no ssh here" in err) == (2, True)
