"""What is written is read back the same, and the same content has the same bytes everywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

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
    load,
    new_pool,
    pretty,
    read_document,
    read_guest,
    read_host,
    verify_digest,
)
from armlevel.documents import read as reading
from armlevel.documents.plain import plain_guest, plain_host
from armlevel.documents.read import lines_of
from armlevel.errors import BadDocument
from armlevel.machines import folder
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


def readers(data: bytes) -> dict[str, Callable[[], object]]:
    """Every way of reading a document."""
    plain = plain_host if b"host-profile/1" in data else plain_guest
    return {
        "by kind": lambda: read_document(data, "g.json"),
        "verify": lambda: verify_digest(data, "g.json"),
        "plain": lambda: plain(data, "g.json"),
    }


def written(kind: str) -> tuple[dict[str, Any], list[Callable[[Any], bytes]]]:
    document = document_object(read_document(encoded(SAMPLES[kind]), "a"))
    return document, [canonical, lambda one: pretty(one).encode()]


@pytest.mark.parametrize("kind", ["host", "guest"])
def test_a_digest_that_a_document_carries_is_held_against_it_however_it_is_read(kind):
    document, spellings = written(kind)
    changed = document | {"facts": {**document["facts"], "cntfrq_hz": 24_000_000}}
    for spell in spellings:
        for read in readers(spell(document)).values():
            read()
        for name, read in readers(spell(changed)).items():
            with pytest.raises(BadDocument) as refused:
                read()
            said, found = document["digest"], digest(changed)
            assert f"g.json: digest: is {said}, but the content gives {found}" in str(refused.value), name
            assert "it was changed after it was made" in str(refused.value)


@pytest.mark.parametrize("kind", ["host", "guest"])
def test_who_made_a_document_may_be_said_otherwise_and_one_without_a_digest_is_read(kind):
    document, spellings = written(kind)
    del document["digest"]
    for spell in spellings:
        assert read_document(spell(document), "a") == read_document(encoded(SAMPLES[kind]), "a")
    remade = host_object(read_host(encoded(HOST), "a")) | {"made": {"at": "tomorrow"}}
    assert read_host(canonical(remade), "a").made.at == "tomorrow"
    with pytest.raises(BadDocument, match="the document has none"):
        verify_digest(canonical(document), "a")


def test_a_value_in_a_long_map_cannot_be_changed_unseen(tmp_path):
    # Long maps are read line by line and never parsed as a whole: each line of them is under the digest all the same.
    name = "graviton3-6.18.json"
    with folder() as place:
        data = (place / name).read_bytes()
    lines = lines_of(data, new_pool())
    assert lines is not None
    assert lines.rest.count(b'\n  "\\u0000')  # offers that say how they differ are cut as well
    pool = new_pool()
    read_host(data, name, pool)
    at = [match.start(1) for match in re.finditer(rb'": "0x[0-9a-f]{15}([0-9a-f])"', data)]
    assert len(at) > 50
    for place_ in at[::5]:
        other = data[:place_] + (b"1" if data[place_ : place_ + 1] == b"0" else b"0") + data[place_ + 1 :]
        with pytest.raises(BadDocument, match=r"but the content gives|is no|does not|twice"):
            read_host(other, name, pool)
    file = tmp_path / name
    file.write_bytes(data.replace(b'"name": "', b'"name": "x', 1))
    with pytest.raises(BadDocument, match=f"{name}: digest: is sha256:.*, but the content gives sha256:"):
        load(str(file))


def test_a_short_offer_is_read_as_any_json_is():
    with folder() as place:
        data = (place / "graviton3-6.18.json").read_bytes()
    document = json.loads(data)
    del document["digest"]
    plain = pretty(document).encode()
    at = plain.index(b"\n  },\n  {\n") + len(b"\n  },\n  {\n")
    end = plain.index(b"\n  }", at)
    short = plain[at:end]
    assert len(short) < 1024
    assert read_host(plain, "a") == read_host(canonical(document), "a")
    pool = new_pool()
    read_host(plain, "a", pool)
    for wrong in (
        short + b",\n" + short,  # every key twice
        short.replace(b'"how": ', b'"why": '),
        short.replace(b'"like": 0', b'"like": 99'),
        short + b"\n  },\n  {\n" + short,  # two offers of one shape
        b'   "name": "no offer"',
    ):
        assert wrong != short
        with pytest.raises(BadDocument):
            read_host(plain[:at] + wrong + plain[end:], "a", pool)
    for text in (b'"x0"', b'"0"', b'"\\u00000"', b"0"):
        with pytest.raises(BadDocument):
            read_host(plain[: at - 4] + b"  " + text + plain[end + 4 :], "a", pool)


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
