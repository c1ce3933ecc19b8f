"""A report is taken from the key that is known, once, and never an older one after it."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from armlevel.documents import host_object, pretty
from armlevel.documents.dsse import envelope_bytes
from armlevel.documents.reports import REPORT_TYPE, Report, content_of, report_bytes, report_of
from armlevel.documents.write import canonical
from armlevel.machines import folder
from armlevel.onefile.openssh import sealed
from armlevel.operations.agents.accept import accept_report
from tests.agents.known import AT, BOOT, NEXT_BOOT, NOW, events, known, report


def taken(host, data, **more):
    found = accept_report(data, "report.json", host.agents, now=NOW, **more)
    if found.agent is not None and not found.refused:
        host.agents[found.agent.key.fingerprint] = found.agent
    return found


@pytest.fixture
def host(tmp_path):
    return known(tmp_path)


def test_a_report_of_the_key_is_taken(host):
    found = taken(host, report(host.key))
    assert (found.refused, found.agent.name, found.clock, found.status) == ("", "n1", "held", 0)
    assert found.document()["answer"] == "taken"


def test_what_is_not_newer_is_refused(host):
    first, second = report(host.key, 1), report(host.key, 2)
    assert not taken(host, second).refused
    assert taken(host, second).refused == "replayed"
    assert taken(host, first).refused == "older"
    assert taken(host, report(host.key, 2, events=events(1))).refused == "older"
    assert not taken(host, report(host.key, 3, NEXT_BOOT)).refused
    assert taken(host, report(host.key, 4, BOOT)).refused == "older-boot"
    assert not taken(host, report(host.key, 4, NEXT_BOOT)).refused


def test_another_key_is_refused_whatever_name_it_gives(host, tmp_path):
    other = known(tmp_path, "n2")
    assert taken(host, report(other.key)).refused == "unknown-key"
    both = replace_agents(host, other)
    found = taken(both, report(other.key, name="n1"))
    assert (found.agent.name, found.report.name) == ("n2", "n1")


def replace_agents(host, other):
    host.agents.update(other.agents)
    return host


def test_a_key_that_was_given_up_is_refused(host):
    ((name, agent),) = host.agents.items()
    host.agents[name] = replace(agent, standing="superseded")
    assert taken(host, report(host.key)).refused == "given-up-key"


def test_a_signature_for_something_else_is_refused(host):
    payload = report_bytes(Report(name="n1", boot_id=BOOT, sequence=1, at=AT))
    assert taken(host, sealed(REPORT_TYPE, "enrol.armlevel", payload, [host.key])).refused == "signature"
    assert taken(host, sealed(REPORT_TYPE, "file", payload, [host.key])).refused == "signature"
    other_type = sealed("application/x", "report.armlevel", payload, [host.key])
    assert taken(host, other_type).refused == "no-report"


def test_every_way_of_tampering_is_refused(host, tmp_path):
    data = report(host.key)
    whole = json.loads(data)
    payload = base64.b64decode(whole["payload"])
    changed = payload.replace(b'"sequence":1', b'"sequence":9')
    assert changed != payload
    ((fingerprint, signature),) = [
        (one["keyid"], base64.b64decode(one["sig"])) for one in whole["signatures"]
    ]
    cases = {
        "payload": envelope_bytes(REPORT_TYPE, changed, [(fingerprint, signature)]),
        "another key's name": envelope_bytes(REPORT_TYPE, payload, [("SHA256:x", signature)]),
        "half a signature": envelope_bytes(REPORT_TYPE, payload, [(fingerprint, signature[:-9])]),
        "no signature": envelope_bytes(REPORT_TYPE, payload, []),
        "two signatures": envelope_bytes(REPORT_TYPE, payload, [(fingerprint, signature)] * 2),
        "half a file": data[: len(data) // 2],
        "a line behind it": data + b"\n",
        "nothing": b"",
        "zeros": bytes(4096),
        "too much": data + b" " * (1 << 20),
        "deep": b"[" * 200_000,
    }
    answers = {name: taken(host, one).refused for name, one in cases.items()}
    assert set(answers.values()) <= {"signature", "no-report"}, answers
    assert not taken(host, data).refused


def test_a_flipped_bit_is_refused_wherever_it_is(host):
    data = report(host.key)
    for place in range(0, len(data), 7):
        bent = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        assert taken(host, bent).refused in ("signature", "no-report"), place


@pytest.mark.parametrize(
    "said",
    [
        {"sequence": 0},
        {"sequence": "1"},
        {"boot_id": "x"},
        {"boot_id": None},
        {"at": "today"},
        {"more": 1},
        {"host": {"digest": "sha256:" + "0" * 64}},
        {"events": [{"number": 1, "at": AT, "code": "a"}, {"number": 3, "at": AT, "code": "a"}]},
    ],
)
def test_what_is_no_report_is_refused_though_the_key_signed_it(host, said):
    document = json.loads(report_bytes(Report(name="n1", boot_id=BOOT, sequence=1, at=AT))) | said
    data = sealed(REPORT_TYPE, "report.armlevel", canonical(document), [host.key])
    found = taken(host, data)
    assert found.refused == "no-report"
    assert len(found.detail) > 10


@pytest.mark.parametrize("at", ["2026-11-30T00:42:00Z", "2026-11-30T01:04:00Z", "2026-13-30T00:53:20Z"])
def test_a_clock_that_differs_leaves_the_time_unknown_and_refuses_nothing(host, at):
    found = taken(host, report(host.key, at=at))
    assert (found.refused, found.clock, found.status) == ("", "unknown", 3)


def test_a_clock_that_differs_by_ten_minutes_is_held(host):
    assert taken(host, report(host.key, at="2026-11-30T00:43:20Z")).clock == "held"


def test_a_profile_is_named_by_its_digest_and_taken_where_it_is_not_there(host):
    from armlevel.documents import load_hosts

    with folder() as machines:
        (machine,) = load_hosts([str(machines / "graviton2-6.1.json")])
    document = host_object(machine)
    text, digest = pretty(document).encode(), document["digest"]
    named = (digest, content_of(text))
    wanted = taken(host, report(host.key, 1, host=named))
    assert (wanted.profile, wanted.status) == ("wanted", 3)
    found = taken(host, report(host.key, 2, host=named), beside={content_of(text): text})
    assert (found.profile, found.kept[digest], found.status) == ("taken", text, 0)
    assert taken(host, report(host.key, 3, host=named), there={digest}).profile == "there"
    lie = ("sha256:" + "0" * 64, content_of(text))
    found = taken(host, report(host.key, 4, host=lie), beside={content_of(text): text})
    assert (found.refused, found.profile, found.kept, found.status) == ("", "refused", {}, 3)
    broken = (digest, content_of(b"{"))
    found = taken(host, report(host.key, 5, host=broken), beside={content_of(b"{"): b"{"})
    assert (found.profile, bool(found.detail)) == ("refused", True)


def test_events_come_once_and_a_gap_is_seen(host):
    found = taken(host, report(host.key, 1, events=events(1, 2)))
    assert ([one.number for one in found.events], found.lost) == ([1, 2], 0)
    found = taken(host, report(host.key, 2, events=events(1, 2, 3)))
    assert ([one.number for one in found.events], found.lost) == ([3], 0)
    found = taken(host, report(host.key, 3, events=events(6, 7)))
    assert ([one.number for one in found.events], found.lost, found.status) == ([6, 7], 2, 3)
    found = taken(host, report(host.key, 4, events=events(1)))
    assert ([one.number for one in found.events], found.lost) == ([1], 1)


def test_a_report_is_what_was_written():
    whole = Report(
        name="n1",
        boot_id=BOOT,
        sequence=7,
        at=AT,
        tool="armlevel 0",
        host=("sha256:" + "1" * 64, "sha256:" + "2" * 64),
        guests="sha256:" + "3" * 64,
        events=events(4, 5),
    )
    bare = Report(name="n1", boot_id=BOOT, sequence=1, at=AT)
    for one in (whole, bare):
        assert report_of(json.loads(report_bytes(one))) == one
