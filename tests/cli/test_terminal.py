"""On a real terminal: nothing is wider than it, and colour says what a word means."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from armlevel.cli.app import VERBS, run
from armlevel.documents import host_object, pretty
from tests.cli.hosts import host, write
from tests.cli.terminals import cells, in_terminal
from tests.fidelity.hosts import read

WIDTHS = (60, 80, 120, 200)
LONG = "a-host-with-a-name-that-is-longer-than-any-line-of-a-narrow-terminal.example.org"
GUEST = "@graviton2-6.1"

# What each verb says: answers, refusals, and bad input on stderr.
COMMANDS: dict[str, list[list[str]]] = {
    "probe": [["--help"]],
    "collect": [["--hosts", "/nowhere/" + LONG, "-d", "{folder}"], [LONG]],
    "show": [[GUEST], ["{frozen}"], ["{folder}", "--explain"], ["/nowhere/" + LONG]],
    "diff": [[GUEST, "@graviton3-6.18"], ["{folder}/0.json", "{folder}/1.json"]],
    "baseline": [["@graviton2*"], ["@graviton3*", "--explain"], ["{folder}"]],
    "check": [[GUEST, "@graviton2*"], ["{folder}/0.json", "{folder}", "--explain"], ["{new}", "{old}"]],
    "migrate": [[GUEST, "@graviton2-6.18"], ["@graviton3-6.18", "@graviton2-5.10", "--vmm", "qemu-11.1"]],
    "matrix": [["@graviton3-6*", "{folder}"]],
    "plan": [["@graviton2-6*", "{folder}"]],
    "freeze": [["{guest}", "--name", "pool", "--version", "2", "-o", "{folder}/x.txt"]],
    "verify-signature": [["{frozen}", "--key", "{frozen}"]],
    "drift": [["@graviton2*", "--since", "@graviton2*"], ["@graviton3*", "--guest", "{guest}"]],
    "verify": [["--help"]],
    "run": [["--guest", "{guest}", "--host", "@graviton3-6.18", "--", "qemu-system-aarch64", "-M", "virt"]],
    "lab": [["--help"], ["run", "--help"], ["verify", "{guest}", "neoverse-n1@6.12"]],
    "import": [["/nowhere/" + LONG]],
    "export": [["{guest}", "--to", "libvirt", "-o", "{folder}/x.xml"], ["{guest}", "--to", "nothing"]],
    "explain": [["Failed to put registers after init: Invalid argument"], ["0x603000000013c020"], ["what?"]],
    "machines": [[], ["graviton3-6.18"], ["nobody"]],
    "doctor": [[]],
    "guard": [["status", "--root", "{folder}"], ["install", "--root", "/nowhere/" + LONG]],
    "override": [[LONG], [LONG, "--for", "2", "--reason", LONG]],
    "guests": [["--running", "{running}", "--profile", "{new}", "{old}", "{folder}"]],
    "agent": [["enrol", "--help"], ["list", "{agents}"], ["accept", "{agents}", "/nowhere/" + LONG]],
    "fleet": [
        ["list", "--fleet", "{fleet}"],
        ["show", LONG, "--fleet", "{fleet}"],
        ["log", "--fleet", "{fleet}"],
        ["level", "web", "--fleet", "{fleet}"],
        ["check", "web", "--add", "@graviton3-6.18", "--fleet", "{fleet}"],
        ["why", "web", "--fleet", "{fleet}"],
        ["audit", "--fleet", "/nowhere/" + LONG],
    ],
    "facts": [["SVE", "ID_AA64PFR0_EL1", "Neoverse N1"], ["Neovers"]],
    "completion": [["--help"], ["tcsh"]],
}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Make a guest, a frozen profile, and a folder of hosts whose names are long or hostile."""
    folder = tmp_path_factory.mktemp("hosts")
    limits = {"ID_AA64ISAR0_EL1": 0}
    for place, one in enumerate([host(LONG), host("日本-ホスト", limits=limits), host("refused")]):
        (path,) = write(tmp_path_factory.mktemp("one"), one)
        Path(path).rename(folder / f"{place}.json")
    elsewhere = tmp_path_factory.mktemp("guests")
    guest, frozen = elsewhere / "guest.json", elsewhere / "frozen.json"
    assert run(["baseline", "@graviton2-6.18", "-o", str(guest)]) == 0
    assert run(["freeze", str(guest), "--name", "pool", "--version", "1", "-o", str(frozen)]) == 0
    # Fields that announce features with long names, beside values that take the room.
    ends = {}
    for key, name in (("new", "neoverse-n1@7.x"), ("old", "cortex-a72@6.12")):
        ends[key] = str(elsewhere / f"{key}.json")
        Path(ends[key]).write_text(pretty(host_object(read([name])[0])), encoding="ascii")
    running = elsewhere / "running"
    kernel = read(["neoverse-n1@7.x"])[0].software.kernel
    words = ["q", "-accel", "kvm", "-cpu", "host", "-M", "virt-10.0", "-name", LONG]
    vms = [
        {
            "pid": 4,
            "fd": 9,
            "beside": 0,
            "program": "/q/qemu-system-aarch64",
            "words": words,
            "levelled": False,
        },
        {"pid": 5, "fd": 9, "beside": 0, "program": f"/{LONG}", "domain": "<domain />"},
    ]
    found = {"kind": "running-guests/1", "kernel": kernel, "vms": vms, "unread": 3}
    found |= {"has_idregs": False, "qemu_configured": False}
    running.write_text(json.dumps(found), encoding="ascii")
    fleet, agents = str(elsewhere / "fleet.db"), str(elsewhere / "agents")
    for words in (
        ["init"],
        ["add", str(folder), "@graviton2*", "--label", "rack=r1"],
        ["pool", "create", "web", "--host", "graviton2@6.18"],
        ["accept", "web", "--reason", LONG],
    ):
        assert run(["fleet", *words, "--fleet", fleet]) == 0
    public = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key()
    form = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    (elsewhere / "agent.pub").write_bytes(public.public_bytes(*form))
    assert run(["agent", "enrol", agents, "--key", str(elsewhere / "agent.pub"), "--name", LONG]) == 0
    places = {"folder": str(folder), "guest": str(guest), "frozen": str(frozen), "running": str(running)}
    places |= {"fleet": fleet, "agents": agents}
    return {**places, **ends}


@pytest.mark.parametrize("verb", VERBS)
def test_nothing_is_wider_than_the_terminal(verb: str, places: dict[str, str]):
    for arguments in [["--help"], *COMMANDS[verb], ["--no-such-option"]]:
        line = [verb, *(text.format(**places) for text in arguments)]
        for width in WIDTHS:
            seen = in_terminal(partial(run, line), width)
            assert seen.raw
            assert cells(seen.widest) <= width, (line, width)
            assert "Traceback" not in seen.raw


def test_a_wide_terminal_is_used_and_a_narrow_one_obeyed(places: dict[str, str]):
    tall = [
        len(in_terminal(lambda: run(["check", places["guest"], "@*"]), width).lines)
        for width in (40, 80, 200)
    ]
    assert tall == sorted(tall, reverse=True)
    assert len(set(tall)) == 3


def test_a_name_is_not_coloured_for_what_it_says(places: dict[str, str]):
    seen = in_terminal(lambda: run(["check", GUEST, f"{places['folder']}/2.json", "@graviton2-5.10"]), 120)
    assert "\x1b[31mrefused\x1b[0m" in seen.raw
    (row,) = [line for line in seen.raw.splitlines() if line.startswith("  refused ")]
    assert row.count("\x1b[31m") <= 2


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_that_wants_no_colour_gets_none(name: str, value: str):
    seen = in_terminal(lambda: run(["check", GUEST, GUEST]), 80, {name: value})
    assert seen.code == 0
    assert "\x1b[" not in seen.raw


def test_bad_usage_is_wrapped_on_stderr():
    seen = in_terminal(lambda: run(["check", GUEST, "@nowhere"]), 60)
    assert seen.code == 2
    assert len(seen.lines) > 2
    assert seen.lines[1].startswith("    ")
