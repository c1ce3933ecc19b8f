"""What is not recorded is the absence of a key: no 0 and no null stands for it, in a document or in a schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from armlevel.documents import guest_object, host_object, new_pool, read_guest, read_host
from armlevel.errors import BadDocument
from armlevel.profile import Cpu, Guest, Host, Implementation, Offer, Shape, ShownImplementation
from tests.documents.samples import GUEST, HOST
from write_schemas import FOLDER

PARTLY = Implementation(0x481FD010, 0)


def encoded(document: dict[str, Any]) -> bytes:
    return json.dumps({key: value for key, value in document.items() if key != "digest"}).encode()


def test_a_host_whose_aidr_and_number_of_cpus_are_not_recorded_has_no_key_for_them():
    host = Host("a", (Offer(Shape()),), (Cpu(PARTLY), Cpu(Implementation(), 4)))
    document = host_object(host)
    assert document["cpus"] == [
        {"midr": "0x00000000481fd010", "revidr": "0x0000000000000000"},
        {"count": 4},
    ]
    assert read_host(encoded(document), "a").cpus == host.cpus


def test_a_guest_whose_aidr_is_not_recorded_has_no_key_for_it():
    guest = Guest("g", Shape(), {}, implementation=ShownImplementation(PARTLY, (PARTLY, Implementation(1))))
    document = guest_object(guest)
    assert document["implementation"] == {
        "midr": "0x00000000481fd010",
        "revidr": "0x0000000000000000",
        "targets": [
            {"midr": "0x00000000481fd010", "revidr": "0x0000000000000000"},
            {"midr": "0x0000000000000001"},
        ],
    }
    assert read_guest(encoded(document), "g").implementation == guest.implementation


@pytest.mark.parametrize(
    ("cpu", "sentence"),
    [
        ({"midr": "0x00000000481fd010", "aidr": None}, "cpus[0]: null says nothing: leave 'aidr' out"),
        ({"midr": "0x00000000481fd010", "count": None}, "cpus[0]: null says nothing: leave 'count' out"),
        ({"midr": "0x00000000481fd010", "count": 0}, "cpus[0].count: 0 is below 1"),
    ],
)
def test_neither_null_nor_a_count_of_0_stands_for_what_is_not_recorded(cpu, sentence):
    with pytest.raises(BadDocument) as caught:
        read_host(encoded(HOST | {"cpus": [cpu]}), "a")
    assert sentence in str(caught.value)


def test_no_schema_takes_0_null_or_an_empty_text_where_a_key_is_left_out():
    defaults = [value for path in FOLDER.iterdir() for value in defaults_of(json.loads(path.read_text()))]
    assert len(defaults) > 20
    for value in defaults:
        assert value is not None
        assert value != ""
        assert value is False or value != 0
        assert not str(value).startswith("0x")
        assert not (isinstance(value, dict) and None in value.values())


def defaults_of(part: Any) -> Iterator[Any]:
    if isinstance(part, list):
        for item in part:
            yield from defaults_of(item)
    elif isinstance(part, dict):
        if "default" in part and "properties" not in part:
            yield part["default"]
        for value in part.values():
            yield from defaults_of(value)


def test_a_null_at_the_top_of_a_document_is_refused_in_a_sentence():
    with pytest.raises(BadDocument, match="null says nothing: leave 'software' out"):
        read_host(encoded(HOST | {"software": None}), "a")


@pytest.mark.parametrize("after_a_good_one", [False, True])
def test_a_register_list_of_integers_is_refused_whatever_was_read_before(after_a_good_one):
    pool = new_pool()
    if after_a_good_one:
        assert read_host(encoded(HOST), "good", pool).offers[0].register_list
    offers = [dict(offer) for offer in HOST["offers"]]
    offers[0]["register_list"] = sorted(int(text, 16) for text in offers[0]["register_list"])
    with pytest.raises(BadDocument) as caught:
        read_host(encoded(HOST | {"offers": offers}), "bad", pool)
    assert "is not a value like" in str(caught.value)


@pytest.mark.parametrize("after_a_good_one", [False, True])
def test_a_guest_whose_registers_are_integers_is_refused_whatever_was_read_before(after_a_good_one):
    pool = new_pool()
    if after_a_good_one:
        assert read_guest(encoded(GUEST), "good", pool).registers
    registers = {name: int(text, 16) for name, text in GUEST["registers"].items()}
    with pytest.raises(BadDocument) as caught:
        read_guest(encoded(GUEST | {"registers": registers}), "bad", pool)
    assert str(caught.value).count("is not a value like") == len(registers)
