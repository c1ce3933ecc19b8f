"""The elements in a domain's XML are read as they were written, and what is hostile or unclear says nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armlevel.onefile import metadata
from armlevel.onefile.metadata import (
    BadDomain,
    GuestMark,
    Override,
    guest_element,
    override_element,
    read_domain,
)

DIGEST = "sha256:" + "5a" * 32
MARK = GuestMark(packed="1:abc+/=", digest=DIGEST, known="idregs")
UNTIL = datetime(2026, 11, 30, 22, 0, tzinfo=UTC)
OVERRIDE = Override(until=UNTIL, reason='rack 4 on battery & "hot" <now>')

_WORDS = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)
_MARKS = st.builds(
    GuestMark,
    packed=st.from_regex(r"1:[!-~]{1,200}", fullmatch=True),
    digest=st.just(DIGEST),
    known=st.sampled_from(["idregs", "command-line", "own-values", "stamp", "any"]),
    pool=st.none() | _WORDS,
    level=st.none() | _WORDS,
    unknown=st.sampled_from(["warn", "refuse", "let"]),
)
_OVERRIDES = st.builds(
    Override,
    until=st.integers(946684800, 4102444800).map(lambda at: datetime.fromtimestamp(at, UTC)),
    reason=st.text(min_size=1, max_size=80).filter(lambda text: text.isprintable() and text == text.strip()),
    breaks=st.booleans(),
)


def domain(*elements: str, devices: str = "") -> bytes:
    inside = "".join(elements)
    return (
        f"<domain type='kvm'><name>web-1</name><uuid>7</uuid><metadata>{inside}</metadata>"
        f"<devices><emulator>/usr/bin/qemu</emulator>{devices}</devices></domain>"
    ).encode()


@given(_MARKS, _OVERRIDES)
def test_what_is_written_is_read_back(mark: GuestMark, override: Override):
    marks = read_domain(domain(guest_element(mark), override_element(override)))
    assert (marks.guest, marks.override, marks.unread) == (mark, override, ())


def test_the_rest_of_the_domain_is_read_too():
    marks = read_domain(domain(guest_element(MARK)))
    assert (marks.name, marks.uuid, marks.emulator) == ("web-1", "7", "/usr/bin/qemu")


@pytest.mark.parametrize("element", [guest_element(MARK), override_element(OVERRIDE)])
def test_an_element_is_one_element_of_its_namespace(element: str):
    root = ET.fromstring(element)  # noqa: S314 - it is our own
    assert root.tag.startswith("{https://armlevel.dev/")
    assert len(root) == 0


def test_virsh_gets_the_element_without_its_namespace():
    assert guest_element(MARK, named=False).startswith("<guest digest=")
    assert override_element(OVERRIDE, named=False).startswith("<override until=")


def test_a_guest_that_is_not_whole_is_not_written():
    with pytest.raises(ValueError, match="whole"):
        guest_element(GuestMark(packed=None, digest=DIGEST, known="any"))


@pytest.mark.parametrize("place", ["description", "os", "domain"])
def test_an_element_elsewhere_is_none_of_ours(place: str):
    text = f"<domain><name>a</name><{place}>{guest_element(MARK)}</{place}></domain>"
    assert read_domain(text.encode()).guest is None


def test_an_element_inside_another_ones_metadata_is_none_of_ours():
    other = f'<o:x xmlns:o="urn:o">{guest_element(MARK)}{override_element(OVERRIDE)}</o:x>'
    marks = read_domain(domain(other))
    assert (marks.guest, marks.override) == (None, None)


def test_a_guest_with_an_element_in_it_says_nothing():
    marks = read_domain(domain(guest_element(MARK).replace("1:abc", "1:<b/>abc")))
    assert marks.guest == GuestMark(packed=None, digest=None, known=None)


def test_an_element_of_another_namespace_or_version_is_none_of_ours():
    other = guest_element(MARK).replace("guest/1", "guest/2")
    assert read_domain(domain(other, "<guest digest='x'>1:a</guest>")).guest is None


def test_two_elements_say_nothing():
    twice = read_domain(domain(guest_element(MARK), guest_element(MARK)))
    assert twice.guest == GuestMark(packed=None, digest=None, known=None)
    assert twice.unread == ("guest",)
    twice = read_domain(domain(override_element(OVERRIDE), override_element(OVERRIDE)))
    assert (twice.override, twice.unread) == (None, ("override",))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (DIGEST, "md5:00"),
        (DIGEST, DIGEST.upper()),
        (DIGEST, ""),
        ("1:abc+/=", ""),
        ("1:abc+/=", "ünï"),
        ("1:abc+/=", "a" * (metadata.MOST_PACKED + 1)),
    ],
)
def test_a_guest_whose_values_are_not_right_is_named(old: str, new: str):
    marks = read_domain(domain(guest_element(MARK).replace(old, new)))
    assert marks.guest is not None
    assert marks.unread == ("guest",)
    assert None in {marks.guest.packed, marks.guest.digest}


def test_the_pools_choice_is_read_where_the_rest_cannot_be():
    marks = read_domain(
        domain(f'<a:guest xmlns:a="{metadata.GUEST_URI}" digest="no" unknown="refuse">x</a:guest>')
    )
    assert marks.guest is not None
    assert (marks.guest.unknown, marks.unread) == ("refuse", ("guest",))


@pytest.mark.parametrize("choice", ["", "REFUSE", "no", "refuse "])
def test_a_choice_that_is_none_is_to_warn(choice: str):
    element = f'<a:guest xmlns:a="{metadata.GUEST_URI}" digest="{DIGEST}" unknown="{choice}">1:a</a:guest>'
    guest = read_domain(domain(element)).guest
    assert guest is not None
    assert guest.unknown == "warn"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2026-11-30T22:00:00Z", ""),
        ("2026-11-30T22:00:00Z", "2026-11-30"),
        ("2026-11-30T22:00:00Z", "2026-11-30T22:00:00+02:00"),
        ("2026-11-30T22:00:00Z", "for ever"),
        ('breaks="no"', 'breaks="maybe"'),
        ('breaks="no"', 'breaks=""'),
        ("rack 4", "rack&#10;4"),
        ("rack 4", "\u202e"),
        ("rack 4", "a" * 1000),
    ],
)
def test_an_override_that_is_not_right_is_none(old: str, new: str):
    text = override_element(OVERRIDE)
    marks = read_domain(domain(text.replace(old, new)))
    assert old in text
    assert (marks.override, marks.unread) == (None, ("override",))


def test_an_override_without_a_reason_or_an_end_is_none():
    for left_out in ("until", "reason"):
        parts = {"until": "2026-11-30T22:00:00Z", "reason": "x"}
        del parts[left_out]
        told = "".join(f' {key}="{value}"' for key, value in parts.items())
        marks = read_domain(domain(f'<o:override xmlns:o="{metadata.OVERRIDE_URI}"{told}/>'))
        assert (marks.override, marks.unread) == (None, ("override",))


def test_an_override_ends():
    assert OVERRIDE.holds(UNTIL - timedelta(seconds=1))
    assert not OVERRIDE.holds(UNTIL)


NOVA = """<nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1"><nova:flavor name="m1">
<nova:extraSpecs><nova:extraSpec name="hw:pmu">false</nova:extraSpec>
<nova:extraSpec name="trait:CUSTOM_ARMLEVEL_START_5A5A">required</nova:extraSpec>
<nova:extraSpec name="trait:CUSTOM_ARMLEVEL_ARRIVE_5A5A">forbidden</nova:extraSpec>
<nova:extraSpec name="trait:CUSTOM_OTHER">required</nova:extraSpec></nova:extraSpecs></nova:flavor></nova:instance>"""


def test_novas_traits_are_read_where_nova_writes_them():
    assert read_domain(domain(NOVA)).traits == ("CUSTOM_ARMLEVEL_START_5A5A",)
    assert read_domain(domain(NOVA.replace("openstack.org", "example.org"))).traits == ()
    assert read_domain(domain(NOVA.replace("flavor", "image"))).traits == ()


@pytest.mark.parametrize(
    ("xml", "why"),
    [
        (b"", "not well-formed"),
        (b"<domain>", "not well-formed"),
        (b"\x00\x01", "not well-formed"),
        (b"<domain/><domain/>", "not well-formed"),
        (b"<network><name>a</name></network>", "no domain"),
        (b"<!DOCTYPE domain><domain/>", "document type"),
        (b'<!DOCTYPE d [<!ENTITY a "b">]><domain>&a;</domain>', "document type"),
        (b'<!DOCTYPE d SYSTEM "file:///etc/passwd"><domain/>', "document type"),
        (b"<domain>&a;</domain>", "not well-formed"),
        (b'<?xml version="1.0" encoding="klingon"?><domain/>', "encod"),
        (b'<?xml version="1.0" encoding="rot13"?><domain/>', "encod"),
        (b'<?xml version="1.0" encoding="base64"?><domain/>', "encod"),
        (b"<domain>" + b" " * metadata.MOST_XML + b"</domain>", "bytes"),
    ],
)
def test_hostile_xml_is_refused_in_a_sentence(xml: bytes, why: str):
    with pytest.raises(BadDomain, match=why):
        read_domain(xml)


def test_a_deep_domain_costs_no_stack():
    deep = 200_000
    marks = read_domain(domain(guest_element(MARK), devices="<a>" * deep + "</a>" * deep))
    assert marks.guest == MARK


@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 40))
def test_whatever_stands_there_is_read_or_refused(noise: bytes, at: int, gone: int):
    xml = domain(guest_element(MARK), override_element(OVERRIDE))
    xml = xml[:at] + noise + xml[at + gone :]
    try:
        marks = read_domain(xml)
    except BadDomain as exc:
        assert str(exc)  # noqa: PT017 - either of the two is right
    else:
        assert marks.override in {OVERRIDE, None} or marks.override.reason
