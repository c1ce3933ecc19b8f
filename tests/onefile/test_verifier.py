"""What is sent into a host to apply a guest profile reads the same guest as the rest of armlevel."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from armlevel.arch import load
from armlevel.documents import canonical, guest_object, host_object, load_hosts, pretty, read_guest, read_host
from armlevel.documents.plain import plain_guest, plain_host
from armlevel.engine import level
from armlevel.errors import BadDocument
from armlevel.machines import folder, names
from armlevel.probe import plan_of
from armlevel.profile import Guest
from tests.documents import samples


def baseline(name: str) -> Guest:
    with folder() as place:
        guest = level(load_hosts([str(place / f"{name}.json")]), load()).guest
    assert guest is not None
    return guest


@pytest.mark.parametrize("name", names())
def test_a_guest_is_read_the_same_without_anything_installed(name: str):
    text = pretty(guest_object(baseline(name))).encode()
    assert plain_guest(text, name) == read_guest(text, name)


@pytest.mark.parametrize("name", names())
def test_a_host_is_read_the_same_without_anything_installed(name: str):
    with folder() as place:
        data = (place / f"{name}.json").read_bytes()
    assert plain_host(data, name) == read_host(data, name)
    assert plain_host(canonical(host_object(read_host(data, name))), name) == read_host(data, name)


def test_small_documents_are_read_the_same_without_anything_installed():
    host, guest = samples.encoded(samples.HOST), samples.encoded(samples.GUEST)
    assert plain_host(host, "a") == read_host(host, "a")
    assert plain_guest(guest, "g") == read_guest(guest, "g")


def without(document: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != key}


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no guest": (samples.HOST, "kind: 'host-profile/1' is not one of guest-profile/1"),
    "no registers": (without(samples.GUEST, "registers"), "registers: is missing"),
    "an unknown key": ({**samples.GUEST, "colour": "red"}, "colour: unknown key"),
    "a value that is none": ({**samples.GUEST, "registers": {"CTR_EL0": 17}}, "registers.CTR_EL0: 17 is not a value"),
    "a list that is none": ({**samples.GUEST, "sve_vls": 128}, "sve_vls: 128 is not a list"),
    "a true number": ({**samples.GUEST, "pmu_counters": True}, "pmu_counters: True is not an integer"),
    "an unknown feature": ({**samples.GUEST, "shape": {"features": ["avx"]}}, "shape.features[0]: "),
    "a number that is null": ({**samples.GUEST, "implementation": {"midr": None}}, ".midr: null says nothing"),
    "a short MIDR": ({**samples.GUEST, "implementation": {"midr": "0x1"}}, "implementation.midr: '0x1' is not a value"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_document_is_refused_with_a_sentence(name: str):
    document, sentence = BAD[name]
    with pytest.raises(BadDocument) as refused:
        plain_guest(json.dumps(document).encode(), "g.json")
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[" * 100_000, b"\xff", b'{"a": 1, "a": 1}', b"NaN", b"[]", b"1"]
)
@pytest.mark.parametrize("read", [plain_guest, plain_host])
def test_what_is_no_document_is_refused_with_a_sentence(read: Callable[[bytes, str], object], data: bytes):
    with pytest.raises(BadDocument, match=r"x\.json: "):
        read(data, "x.json")


def test_the_plan_answers_what_applying_asks_as_the_catalogue_does():
    plan, catalogue = plan_of(load()), load()
    assert len(plan.registers) > 50
    for name, row in plan.registers.items():
        register = catalogue.registers[name]
        assert row.encoding == register.encoding
        assert row.reserved_mask == register.reserved_mask
        assert {field.subject for field in row.fields} == {field.subject for field in register.fields}
    derived = {name for name, register in catalogue.registers.items() if register.derived}
    assert plan.kvm_ids == {name: number for name, number in catalogue.kvm_ids.items() if name not in derived}
