"""The file of the Nova filter says what check says, of every guest CPU on every kind of host."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from typing import Any

import jsonschema
import pytest

from armlevel import engine
from armlevel.documents import digest, guest_object
from armlevel.engine import Verdict
from armlevel.errors import UnknownName, UsageError
from armlevel.operations.check import check
from armlevel.operations.export import export
from armlevel.operations.named import guests_named, load_hosts
from armlevel.operations.nova_filter import export_filter, instances_of, nova_filter
from armlevel.profile import Guest, Host
from tests.repository.frame import ROOT

SCHEMA = json.loads((ROOT / "docs/schemas/nova-filter-1.json").read_text(encoding="utf-8"))
UUID = "9f1c4a52-4f0e-4d2b-9d0c-0c2f3a7b8e11"


@pytest.fixture(scope="module")
def guests() -> list[Guest]:
    return guests_named(["@graviton2-6.1", "@graviton2-6.18", "@graviton4-6.1"], vmm="qemu")


@pytest.fixture(scope="module")
def hosts() -> list[Host]:
    return load_hosts("@graviton2-*", "@graviton4-*")


def test_each_answer_is_that_of_check(guests: list[Guest], hosts: list[Host], tell):
    document = nova_filter(guests, hosts).document()
    jsonschema.validate(document, SCHEMA)
    seen = set()
    for guest, host in product(guests, hosts):
        (verdict,) = check(guest, [host]).verdicts
        said = document["answers"][digest(guest_object(guest))][document["hosts"][host.name]]
        assert (said["start"], said["arrive"]) == (verdict.start, verdict.arrive)
        assert said.get("not_judged", []) == list(verdict.not_judged)
        for side, answer in (("start", verdict.start), ("arrive", verdict.arrive)):
            because = said.get("because", {}).get(side, [])
            assert bool(because) == (answer == "refused")
            assert {*because} <= {one.subject.key for one in verdict.findings}
        seen |= {verdict.start, verdict.arrive}
    assert seen >= {"runs", "refused"}
    tell(f"nova filter: {len(guests) * len(hosts)} answers are those of check")


def test_hosts_of_one_kind_are_judged_once(guests: list[Guest], hosts: list[Host], monkeypatch):
    asked: list[str] = []
    judge = engine.check

    def counted(guest: Guest, host: Host, *rest: Any) -> Verdict:
        asked.append(host.name)
        return judge(guest, host, *rest)

    monkeypatch.setattr(engine, "check", counted)
    twins = [replace(hosts[0], name=f"n{number}") for number in range(5)]
    found = nova_filter(guests[:1], twins)
    assert asked == ["n0"]
    assert len({*found.hosts.values()}) == 1
    assert len(found.hosts) == 5


def test_what_is_not_recorded_is_told_and_is_no_plain_yes(guests: list[Guest], hosts: list[Host]):
    there = next(host for host in hosts if host.name == "graviton2@6.1")
    host = replace(there, facts=replace(there.facts, cntfrq_hz=None))
    found = export_filter(nova_filter(guests[:1], [host]))
    said = json.loads(found.text)["answers"][digest(guest_object(guests[0]))]
    assert "unknown" in {answer for one in said.values() for answer in (one["start"], one["arrive"])}
    assert (found.answer, found.status) == ("unknown", 3)
    assert [one.subject for one in found.left] == [f"{guests[0].name} on {host.name}"]


def test_nothing_is_said_about_nothing(guests: list[Guest], hosts: list[Host]):
    for some, there in (([], hosts), (guests, [])):
        with pytest.raises(UsageError, match="nothing to tell the filter"):
            nova_filter(some, there)
    with pytest.raises(UsageError, match="not one ID register"):
        nova_filter([replace(guests[0], registers={}, implementation=None)], hosts)
    with pytest.raises(UsageError, match="about many guests"):
        export(guests[0], "openstack", "filter")


def test_two_hosts_of_one_name_are_refused(guests: list[Guest], hosts: list[Host]):
    with pytest.raises(UsageError, match="two hosts are called n1, and"):
        nova_filter(guests, [replace(hosts[0], name="n1"), replace(hosts[1], name="n1#2")])
    assert nova_filter(guests, [replace(hosts[0], name="rack#2")]).hosts


def test_instances_have_a_birth_and_may_have_a_level(guests: list[Guest], hosts: list[Host]):
    other = UUID[:-1] + "2"
    mark = digest(guest_object(guests[0]))
    text = f"\n# pool\n{UUID.upper()}\t{guests[0].name}\n  {other} {mark}  level \n"
    instances = instances_of(text, "births", guests)
    assert instances == {UUID: {"birth": mark}, other: {"birth": mark, "level": mark}}
    document = nova_filter(guests, hosts, instances, unknown="refuse").document()
    jsonschema.validate(document, SCHEMA)
    assert document["instances"] == instances
    assert document["unknown"] == "refuse"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (UUID, "line 1: not of the form UUID GUEST"),
        ("web-1 web", "line 1: not of the form"),
        (f"{{{UUID[1:-1]}}} web", "line 1: not of the form"),
        (f"{UUID} nobody", "births, line 1 is called 'nobody'"),
        (
            f"{UUID} graviton2@6.1 passthrough\n{UUID} graviton2@6.1 passthrough",
            "line 2: instance .* already",
        ),
    ],
)
def test_a_line_that_is_none_is_refused_by_its_number(guests: list[Guest], text: str, words: str):
    with pytest.raises((UsageError, UnknownName), match=words):
        instances_of(text, "births", guests)


def test_names_that_nobody_has_are_refused(guests: list[Guest], hosts: list[Host]):
    with pytest.raises(UnknownName):
        nova_filter(guests, hosts, {UUID: {"birth": "sha256:00"}})
    with pytest.raises(UnknownName):
        nova_filter(guests, hosts, unknown="perhaps")
    with pytest.raises(UsageError, match="2 guests are called"):
        instances_of(
            f"{UUID} web", "births", [replace(guests[0], name="web"), replace(guests[1], name="web")]
        )
