"""An override has an end and a reason, is written where libvirt keeps it, and is read back before it is told."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from armlevel.errors import UsageError
from armlevel.onefile.metadata import MOST_REASON, OVERRIDE_URI, Override
from armlevel.operations.override import LONGEST, end_of, override, remove_override
from armlevel.operations.virsh import Virsh

NOW = datetime(2026, 11, 30, 20, 0, 5, tzinfo=UTC)
WANTED = Override(until=NOW + timedelta(hours=2), reason='rack 4 & "5" <now>')

#: A virsh that knows one guest, keeps what it is given, and tells how it was called; as libvirt's, it gives an element
#: back without its namespace.
VIRSH = """#!{python}
import json, sys, pathlib
place = pathlib.Path({place!r})
words = sys.argv[1:]
with (place / "calls").open("a") as calls: print(json.dumps(words), file=calls)
verb = words[1]
given = dict(zip(words, words[1:]))
if given["--domain"] != "web-1":
    print("error: failed to get domain 'x'", "error: Domain not found", sep="\\n", file=sys.stderr)
    sys.exit(1)
if verb == "dominfo":
    print({info!r})
elif "--set" in words:
    (place / "kept").write_text({kept!r} or given["--set"])
elif "--remove" in words:
    (place / "kept").unlink(missing_ok=True)
else:
    print((place / "kept").read_text())
"""
RUNNING = "Id:             1\\nName:           web-1\\nPersistent:     yes\\nManaged save:   no\\n"
OFF = "Id:             -\\nPersistent:     yes\\nManaged save:   yes\\n"
TRANSIENT = "Id:             4\\nPersistent:     no\\nManaged save:   no\\n"


def virsh(place: Path, info: str = RUNNING, kept: str = "") -> Virsh:
    program = place / "virsh"
    text = VIRSH.format(python=sys.executable, place=str(place), info=info.replace("\\n", "\n"), kept=kept)
    program.write_text(text)
    program.chmod(0o755)
    return Virsh(program=str(program))


def calls(place: Path) -> list[list[str]]:
    return [json.loads(line) for line in (place / "calls").read_text().splitlines()]


@pytest.mark.parametrize(
    ("info", "places"), [(RUNNING, ["--live", "--config"]), (OFF, ["--config"]), (TRANSIENT, ["--live"])]
)
def test_it_is_written_where_the_guest_is(tmp_path: Path, info: str, places: list[str]):
    found = override(virsh(tmp_path, info), "web-1", WANTED)
    assert found.override == WANTED
    assert found.document()["until"] == "2026-11-30T22:00:05Z"
    written = next(words for words in calls(tmp_path) if "--set" in words)
    assert [word for word in written if word in {"--live", "--config"}] == places
    assert OVERRIDE_URI in written
    assert remove_override(virsh(tmp_path, info), "web-1").override is None
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("kept", ["<a/>", "<", "<!DOCTYPE a><a/>", "<o:override xmlns:o='x'/>"])
def test_what_libvirt_does_not_keep_is_not_told_as_written(tmp_path: Path, kept: str):
    with pytest.raises(UsageError, match="something else"):
        override(virsh(tmp_path, kept=kept), "web-1", WANTED)


def test_libvirts_own_words_reach_the_person(tmp_path: Path):
    with pytest.raises(UsageError, match="Domain not found"):
        override(virsh(tmp_path), "web-2", WANTED)
    with pytest.raises(UsageError, match="there is no"):
        override(Virsh(program=str(tmp_path / "nowhere")), "web-1", WANTED)


@pytest.mark.parametrize("reason", ["", " ", "a\nb", "\x1b[31m", "a" * (MOST_REASON + 1)])
def test_a_reason_is_one_line_of_text(tmp_path: Path, reason: str):
    with pytest.raises(UsageError, match="--reason"):
        override(virsh(tmp_path), "web-1", Override(until=WANTED.until, reason=reason))
    assert not (tmp_path / "calls").exists()


@pytest.mark.parametrize(
    ("until", "span", "hours"),
    [(None, "2h", 2), (None, "90m", 1.5), (None, "1d", 24), ("2026-11-30T22:00:05Z", None, 2)],
)
def test_an_end_is_a_time_or_a_span(until, span, hours):
    assert end_of(until, span, NOW) == NOW + timedelta(hours=hours)


@pytest.mark.parametrize(
    ("until", "span"),
    [
        (None, None),
        ("2026-11-30T22:00:00Z", "2h"),
        (None, "2"),
        (None, "0h"),
        (None, "-1h"),
        (None, "2h30m"),
        (None, "99999d"),
        (None, "32d"),
        ("2026-11-30T20:00:05Z", None),
        ("2026-11-30T19:00:00Z", None),
        ("2027-11-30T19:00:00Z", None),
        ("2026-11-30 22:00", None),
        ("tomorrow", None),
        ("", None),
    ],
)
def test_whatever_is_no_end_is_refused_in_a_sentence(until, span):
    with pytest.raises(UsageError):
        end_of(until, span, NOW)
    assert timedelta(days=31) == LONGEST
