"""What is written is read back the same, and the same content has the same bytes everywhere."""

from __future__ import annotations

import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from armlevel.documents import (
    canonical,
    digest,
    document_object,
    guest_object,
    host_object,
    new_pool,
    pretty,
    read_document,
    read_guest,
    read_host,
    verify_digest,
)
from armlevel.documents import read as reading
from armlevel.errors import BadDocument
from armlevel.profile import Accepts, Guest, Host, Offer, Shape
from tests.documents.samples import GUEST, HOST, VERDICT, encoded, host

SAMPLES = {"host": HOST, "guest": GUEST, "verdict": VERDICT}


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_document_survives_reading_and_writing(kind):
    sample = SAMPLES[kind]
    document = read_document(encoded(sample), "sample")
    for written in (canonical(document_object(document)), pretty(document_object(document)).encode()):
        assert read_document(written, "written") == document


@pytest.mark.parametrize("kind", SAMPLES)
def test_nothing_of_a_document_is_lost(kind):
    sample = SAMPLES[kind]
    written = document_object(read_document(encoded(sample), "sample"))
    assert {key: written[key] for key in sample} == {
        **sample,
        **({"implementation": written["implementation"]} if kind == "guest" else {}),
    }


@pytest.mark.parametrize("kind", SAMPLES)
def test_canonical_bytes_are_those_of_rfc_8785(kind):
    sample = SAMPLES[kind]
    document = document_object(read_document(encoded(sample), "sample"))
    assert canonical(document) == rfc8785.dumps(document)


json_texts = st.text(st.characters(exclude_categories=["Cs"]))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2**53 - 1) | json_texts,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(max_codepoint=126)), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(st.characters(max_codepoint=126)), json_values))
def test_canonical_bytes_are_those_of_rfc_8785_for_whatever_a_document_can_hold(document):
    assert canonical(document) == rfc8785.dumps(document)


@given(json_values)
def test_pretty_text_is_the_same_json(value):
    assert json.loads(pretty(value)) == value


def test_a_digest_says_what_a_document_says_and_not_who_made_it_when():
    document = host_object(read_host(encoded(HOST), "a"))
    assert document["digest"] == digest(document)
    assert digest(host_object(read_host(encoded(host(made={"at": "tomorrow"})), "a"))) == document["digest"]
    assert digest(host_object(read_host(encoded(host(name="b")), "a"))) != document["digest"]


def test_reading_computes_no_digest_but_verifying_does(monkeypatch):
    document = guest_object(read_guest(encoded(GUEST), "g"))
    data = canonical(document)
    assert verify_digest(data, "g") == document["digest"]
    changed = canonical(document | {"name": "other"})
    with pytest.raises(
        BadDocument, match=r"but the content gives sha256:.*; it was changed after it was made"
    ):
        verify_digest(changed, "g")
    with pytest.raises(BadDocument, match="the document has none"):
        verify_digest(encoded(GUEST), "g")

    def never(*_: object) -> str:
        raise AssertionError

    monkeypatch.setattr("hashlib.sha256", never)
    assert read_guest(changed, "g").name == "other"


def test_an_older_kind_is_upgraded_step_by_step(monkeypatch):
    def from_minus_one(document):
        return {"kind": "host-profile/0", "name": document["title"], "offers": document["offers"]}

    def from_zero(document):
        return document | {"kind": "host-profile/1"}

    monkeypatch.setitem(reading.UPGRADES, "host-profile/-1", from_minus_one)
    monkeypatch.setitem(reading.UPGRADES, "host-profile/0", from_zero)
    old = {"kind": "host-profile/-1", "title": "old", "offers": HOST["offers"]}
    assert read_host(encoded(old), "old").name == "old"


def test_an_upgrade_that_goes_in_circles_ends(monkeypatch):
    monkeypatch.setitem(reading.UPGRADES, "host-profile/0", lambda document: document)
    with pytest.raises(BadDocument, match="kind: 'host-profile/0' is unknown"):
        read_host(encoded(host(kind="host-profile/0")), "old")


def test_an_unknown_register_or_field_is_kept_by_its_bits():
    sample = host()
    sample["offers"][0]["limits"]["ID_AA64FUTURE0_EL1"] = "0xfedcba9876543210"
    sample["offers"][0]["accepts"]["ID_AA64FUTURE0_EL1.NEW"] = [0, 2**52]
    read = read_host(encoded(sample), "a")
    assert read.offers[0].limits["ID_AA64FUTURE0_EL1"] == 0xFEDCBA9876543210
    assert read.offers[0].accepts["ID_AA64FUTURE0_EL1.NEW"] == Accepts.of([0, 2**52])
    assert read_host(canonical(host_object(read)), "b") == read


def test_an_offer_that_is_like_another_is_completed_by_it():
    read = read_host(encoded(HOST), "a")
    whole = read.offer(Shape(frozenset({"pmu_v3", "sve"})))
    assert whole is not None
    assert whole.limits["MIDR_EL1"] == 0x411FD401
    assert whole.limits["ID_AA64PFR0_EL1"] == 0x1101000121111112
    assert whole.register_list == (0x603000000013C000, 0x603000000013C020)


def test_equal_parts_of_documents_are_one_object():
    pool = new_pool()
    one, two = (read_host(encoded(host(name=name)), name, pool) for name in "ab")
    assert one.offers is two.offers
    sample = host(name="c")
    sample["offers"][0]["limits"]["MIDR_EL1"] = "0x0000000000000000"
    three = read_host(encoded(sample), "c", pool)
    assert three.offers != one.offers
    assert three.offers[0].accepts is one.offers[0].accepts
    assert three.offers[0].register_list is one.offers[0].register_list


def test_profiles_that_say_nothing_are_written_and_read():
    for empty in (Host("a", (Offer(Shape()),)), Host("", (Offer(Shape(), register_list=(), sve_vls=()),))):
        assert read_host(canonical(host_object(empty)), "a") == empty
    guest = Guest("g", Shape(), {})
    assert read_guest(canonical(guest_object(guest)), "g") == guest


@given(st.dictionaries(st.integers(0, 15), st.integers(0, 15)), st.sets(st.integers(0, 15)), st.booleans())
def test_what_kvm_accepts_survives(changed, values, anything):
    accepts = Accepts.of(
        None if anything else values, changed=changed, unsure=values, others="unknown", how="masks"
    )
    offer = Offer(Shape(), accepts={"ID_AA64ISAR0_EL1.RNDR": accepts})
    sample = Host("a", (offer,))
    assert read_host(canonical(host_object(sample)), "a") == sample


@given(st.integers(0, 2**128 - 1))
def test_a_value_of_any_width_survives(value):
    sample = Host("a", (Offer(Shape(), state={"V0": value}),))
    assert read_host(canonical(host_object(sample)), "a") == sample
