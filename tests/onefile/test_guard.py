"""What the guard answers libvirt: refused is what trying refuses; whatever is wrong with the guard itself passes."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from armlevel.lab import pack_guard
from armlevel.onefile import guard, journal
from armlevel.onefile.codes import CODES
from armlevel.onefile.found import Found
from armlevel.onefile.guard import judge, main
from armlevel.onefile.metadata import DomainMarks, GuestMark, Override, guest_element, override_element
from armlevel.onefile.trying import Tried
from armlevel.operations.guard_host import archive_of
from armlevel.words.guard import Arrival

DIGEST = "sha256:" + "5a" * 32
NOW = datetime(2026, 11, 30, 20, tzinfo=UTC)
STOPS = Found("changed", "stops", "PSCI_VERSION", "1.3", "1.1", "kernel", "restart")
BREAKS = Found("counters-fewer", "breaks", "PMCR_EL0.N", "6", "4", "silicon", "elsewhere")
DOUBT = Found("kvm-failed", "unknown", "KVM", host="no permission")
TRIED = {
    "runs": Tried("runs", (), DIGEST),
    "stops": Tried("refused", (STOPS,), DIGEST),
    "breaks": Tried("refused", (BREAKS,), DIGEST),
    "both": Tried("refused", (BREAKS, STOPS), DIGEST),
    "unknown": Tried("unknown", (DOUBT,), DIGEST),
    "not read": Tried("unknown", (DOUBT,)),
}
HOUR = timedelta(hours=1)
OVERRIDES = {
    "none": None,
    "holds": Override(until=NOW + HOUR, reason="rack 4"),
    "breaks": Override(until=NOW + HOUR, reason="rack 4", breaks=True),
    "ended": Override(until=NOW - HOUR, reason="rack 4", breaks=True),
}


def mark(**more) -> GuestMark:
    return GuestMark(**({"packed": "1:a", "digest": DIGEST, "known": "idregs"} | more))


def answered(tried: Tried, override: str = "none", operation: str = "migrate", **more):
    marks = DomainMarks(name="web-1", guest=mark(**more), override=OVERRIDES[override])
    return judge(Arrival(operation, "web-1", "h2", DIGEST), marks, lambda: NOW, lambda *_: tried)


#: (what trying said, override) -> whether it is refused.
TABLE = {
    ("runs", "none"): False,
    ("stops", "none"): True,
    ("breaks", "none"): True,
    ("both", "none"): True,
    ("stops", "holds"): False,
    ("breaks", "holds"): True,
    ("both", "holds"): True,
    ("both", "breaks"): False,
    ("breaks", "breaks"): False,
    ("stops", "ended"): True,
    ("breaks", "ended"): True,
    ("runs", "ended"): False,
    ("unknown", "none"): False,
    ("not read", "none"): False,
    ("unknown", "ended"): False,
}


@pytest.mark.parametrize(("tried", "override"), TABLE)
@pytest.mark.parametrize("operation", ["migrate", "restore"])
def test_an_arrival_is_refused_where_trying_refuses_it_and_no_override_covers_that(
    tried, override, operation
):
    found = answered(TRIED[tried], override, operation)
    assert (found.refusal is not None) == TABLE[tried, override]
    assert found.event in journal.MESSAGE_IDS


@pytest.mark.parametrize(("choice", "refused"), [("warn", False), ("let", False), ("refuse", True)])
def test_what_is_unknown_is_the_pools_choice(choice, refused):
    for tried in ("unknown", "not read"):
        found = answered(TRIED[tried], unknown=choice)
        assert (found.refusal is not None) == refused
        assert (found.event is None) == (choice == "let")
        assert answered(TRIED[tried], "holds", unknown=choice).refusal is None
    assert answered(TRIED["runs"], unknown=choice).refusal is None


@pytest.mark.parametrize("wrong", [{"packed": None}, {"digest": None}, {"digest": "sha256:" + "0" * 64}])
@pytest.mark.parametrize("tried", ["runs", "stops"])
def test_a_mark_that_is_not_of_its_digest_is_unknown_whatever_was_tried(wrong, tried):
    assert answered(TRIED[tried], **wrong).event == "unknown-let"
    assert answered(TRIED[tried], unknown="refuse", **wrong).refusal is not None


def test_a_yes_without_a_digest_is_none():
    assert answered(Tried("runs")).event == "unknown-let"


@pytest.mark.parametrize("tried", TRIED)
def test_a_start_is_never_refused(tried):
    found = answered(TRIED[tried], operation="prepare", level="web-2", unknown="refuse")
    assert found.refusal is None
    expected = {"runs": "on-level", "refused": "off-level", "unknown": None}[TRIED[tried].answer]
    assert found.event == expected


def test_nothing_is_tried_for_who_has_no_mark_or_at_a_start_no_level():
    def never(*_):
        raise AssertionError

    for operation, marks in (("migrate", DomainMarks()), ("prepare", DomainMarks(guest=mark()))):
        assert judge(Arrival(operation, "a", "h2"), marks, never, never) == guard.Answer()


def test_the_emulator_of_the_domain_is_the_one_that_is_tried_for():
    asked = []

    def trier(packed, emulator):
        asked.append((packed, emulator))
        return TRIED["runs"]

    judge(Arrival("migrate", "a", "h2"), DomainMarks(guest=mark(), emulator="/opt/qemu"), lambda: NOW, trier)
    assert asked == [("1:a", "/opt/qemu")]


@pytest.mark.parametrize("operation", ["migrate", "restore"])
@pytest.mark.parametrize("override", ["none", "ended", "holds"])
@pytest.mark.parametrize("code", CODES)
def test_a_refusal_is_one_line_with_guest_field_values_and_remedy(code, override, operation):
    found = Found(code, "breaks", "PMCR_EL0.N", "6\nx", "\x1b[31m4", "kernel", "elsewhere")
    said = answered(Tried("refused", (found,) * 5, DIGEST), override, operation).refusal
    assert said is not None
    assert said.startswith("armlevel: web-1 (sha256:5a5a5a5a5a5a) may not run on h2: ")
    assert said.isprintable()
    assert "and 2 more" in said
    assert len(said) < 1000
    assert ("virsh start --force-boot web-1" in said) == (operation == "restore")


@pytest.mark.parametrize(
    ("code", "guest", "host"), [("feature-missing", "yes", "no"), ("list-lacks", "listed", "not listed")]
)
def test_what_is_there_or_not_is_told_without_a_value(code, guest, host):
    said = answered(
        Tried("refused", (Found(code, "stops", "TCR2_EL1", guest, host, remedy="restart"),), DIGEST)
    ).refusal
    assert said is not None
    assert "TCR2_EL1" in said
    assert f"has {guest}" not in said
    assert f"takes {host}" not in said


def test_an_override_is_told_only_where_it_would_help():
    assert "--breaks --reason" in (answered(TRIED["breaks"]).refusal or "")
    assert "override" not in (answered(TRIED["stops"]).refusal or "")
    assert "does not cover" in (answered(TRIED["both"], "holds").refusal or "")
    assert "has ended" in (answered(TRIED["stops"], "ended").refusal or "")


# ---- the program


def domain(*elements: str) -> bytes:
    return f"<domain><name>web-1</name><metadata>{''.join(elements)}</metadata></domain>".encode()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    heard: list[tuple[str, str]] = []
    monkeypatch.setattr(guard, "tell", lambda event, line, fields: heard.append((event, line)))
    return heard


def called(monkeypatch, xml: bytes, tried, operation="migrate", name="web-1") -> int:
    def trier(*_):
        if isinstance(tried, Exception):
            raise tried
        return tried

    monkeypatch.setattr(guard, "_try_here", trier)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(xml)))
    return main([operation, name])


def test_a_refusal_is_status_1_and_one_line(monkeypatch, capsys, told):
    assert called(monkeypatch, domain(guest_element(mark())), TRIED["stops"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("armlevel: web-1 (sha256:5a5a5a5a5a5a) may not run on ")
    assert said.err.count("\n") == 1
    assert [event for event, _ in told] == ["refused"]


def test_an_override_in_the_domain_is_honoured_and_told(monkeypatch, capsys, told):
    until = datetime.now(UTC).replace(microsecond=0) + HOUR
    override = override_element(Override(until=until, reason="rack 4 on battery"))
    assert called(monkeypatch, domain(guest_element(mark()), override), TRIED["stops"]) == 0
    assert capsys.readouterr().err == ""
    (event, line) = told[0]
    assert event == "overridden"
    assert "rack 4 on battery" in line
    assert "PSCI_VERSION" in line


@pytest.mark.parametrize(
    ("xml", "tried", "event"),
    [
        (domain(guest_element(mark())), RuntimeError("x"), "fault"),
        (domain(guest_element(mark())), MemoryError(), "fault"),
        (domain(guest_element(mark())), RecursionError(), "fault"),
        (b"<domain>", TRIED["stops"], "fault"),
        (b"<!DOCTYPE a><domain/>", TRIED["stops"], "fault"),
        (b"", TRIED["stops"], "fault"),
        (domain(), TRIED["stops"], None),
        (domain(guest_element(mark())), TRIED["runs"], "let"),
    ],
)
def test_whatever_goes_wrong_in_the_guard_passes_and_is_told(  # noqa: PLR0917 - fixtures, and a row
    monkeypatch, capsys, told, xml, tried, event
):
    assert called(monkeypatch, xml, tried) == 0
    assert capsys.readouterr().err == ""
    assert [one for one, _ in told] == ([event] if event else [])


@pytest.mark.parametrize("words", [[], ["migrate"], ["reconnect", "a"], ["migrate", "a", "b"], ["", ""]])
def test_what_is_no_call_is_bad_usage(words, capsys):
    assert main(words) == 2
    assert "usage" in capsys.readouterr().err


def test_a_start_off_its_level_is_noted_until_it_is_on_it(monkeypatch, tmp_path, told):
    monkeypatch.setattr(guard, "_note_start", lambda answer, right=guard._note_start: right(answer, tmp_path))
    uuid = "0a1b2c3d-0000-4000-8000-000000000001"
    xml = domain(guest_element(mark(level="web-2"))).replace(
        b"<metadata>", f"<uuid>{uuid}</uuid><metadata>".encode()
    )
    assert called(monkeypatch, xml, TRIED["stops"], "prepare") == 0
    assert (tmp_path / "off-level" / uuid).read_text() == f"web-2 {DIGEST}\n"
    assert called(monkeypatch, xml, TRIED["runs"], "prepare") == 0
    assert list((tmp_path / "off-level").iterdir()) == []
    hostile = xml.replace(uuid.encode(), b"../../etc/x")
    assert called(monkeypatch, hostile, TRIED["stops"], "prepare") == 0
    assert list((tmp_path / "off-level").iterdir()) == []
    assert [event for event, _ in told] == ["off-level", "on-level", "off-level"]


# ---- the journal


def test_an_event_reaches_the_journal_whole_and_on_one_line(tmp_path: Path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "socket"))
        journal.tell("refused", "a\nMESSAGE_ID=b", {"domain": "x\ny"}, journal=tmp_path / "socket")
        lines = listener.recv(65536).decode().splitlines()
    assert lines[0] == "MESSAGE=a\\nMESSAGE_ID=b"
    assert f"MESSAGE_ID={journal.MESSAGE_IDS['refused'][0]}" in lines
    assert "ARMLEVEL_DOMAIN=x\\ny" in lines
    assert all("=" in line for line in lines)


def test_without_a_journal_it_goes_to_syslog_and_without_both_nowhere(tmp_path: Path):
    nowhere = tmp_path / "nowhere"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "log"))
        journal.tell("refused", "told", {}, journal=nowhere, syslog=tmp_path / "log")
        assert listener.recv(65536).decode().endswith(": told")
    journal.tell("refused", "told", {}, journal=nowhere, syslog=nowhere)
    journal.tell("refused", "told", {}, journal=tmp_path, syslog=tmp_path)


def test_each_event_has_an_id_of_its_own():
    ids = [ident for ident, _ in journal.MESSAGE_IDS.values()]
    assert len(set(ids)) == len(ids)
    assert all(len(ident) == 32 and int(ident, 16) for ident in ids)


# ---- as one file


def test_the_packed_guard_answers_a_hook_with_the_standard_library_alone(tmp_path: Path):
    path = tmp_path / "guard.pyz"
    path.write_bytes(archive_of(pack_guard(), [sys.executable]))
    command = [sys.executable, "-I", "-S", "-B", str(path), "hook", "migrate", "web-1"]
    environment = {"PATH": os.environ["PATH"]}
    for xml in (domain(), domain(guest_element(mark(packed="9:other"))), b"<domain", domain("<a>" * 5)):
        done = subprocess.run(command, input=xml, capture_output=True, env=environment)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    refuses = domain(guest_element(mark(packed="9:other", unknown="refuse")))
    done = subprocess.run(command, input=refuses, capture_output=True, env=environment)
    assert done.returncode == 1
    assert b"was written by another armlevel" in done.stderr


def test_each_part_of_the_archive_has_bytecode_and_its_source():
    import zipfile

    with zipfile.ZipFile(io.BytesIO(archive_of(pack_guard(), [sys.executable]))) as archive:
        names = set(archive.namelist())
    sources = {name for name in names if name.endswith(".py")}
    assert {f"{name}c" for name in sources} == names - sources
    assert archive_of({"a.py": b"x = 1\n"}, ["/nowhere"]) == archive_of({"a.py": b"x = 1\n"}, ["/bin/false"])
