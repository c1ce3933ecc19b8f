"""A guest CPU survives its packing, whatever it is; and nothing else is taken for one."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from armlevel.arch import load
from armlevel.documents import guest_object, read_guest
from armlevel.documents.packed import (
    _USUAL,
    LONGEST,
    MOST_STARTS,
    UnknownPacking,
    digest_of,
    pack,
    unpack,
    what_is_kept,
)
from armlevel.engine import level
from armlevel.engine.passthrough import guest_of_offer
from armlevel.errors import BadDocument, UsageError
from armlevel.profile import Facts, Guest, GuestMachine, Host, Made, Shape
from tests.documents.samples import GUEST, encoded
from tests.fidelity.hosts import read
from tests.laws.fleet import catalogue, recorded
from tests.laws.strategies import QUICK, fleets

SAMPLE = read_guest(encoded(GUEST), "sample")
KIB = 1024


def written(body: Any, *, raw: bytes | None = None) -> str:
    """Pack what no guest is."""
    press = zlib.compressobj(9, zdict=_USUAL)
    data = json.dumps(body).encode() if raw is None else raw
    return "1:" + base64.b64encode(press.compress(data) + press.flush()).decode()


def body_of(text: str) -> dict[str, Any]:
    press = zlib.decompressobj(zdict=_USUAL)
    body: dict[str, Any] = json.loads(press.decompress(base64.b64decode(text[2:])))
    return body


def guests_of(host: Host) -> list[Guest]:
    whole = [host.offer(shape) for shape in host.shapes]
    return [guest_of_offer(host, offer, load()) for offer in whole if offer is not None]


def test_the_guests_of_recorded_machines_are_small_and_come_back(tell):
    hosts = [*recorded(), *read(["neoverse-n1@6.12", "max@7.x,mte=on", "a64fx@6.1"])]
    texts = []
    for guest in (guest for host in hosts for guest in guests_of(host)):
        machine = GuestMachine(
            vmm="qemu", machine="virt-10.0", gic=3, memory=1 << 34, windows={"ecam": 1 << 38}
        )
        text = pack(replace(guest, machine=machine))
        assert replace(unpack(text), machine=None) == what_is_kept(guest)
        texts.append(text)
    assert len(texts) > 40
    assert all(text.isascii() and text.isprintable() and not set(text) & set("<>&\"' ") for text in texts)
    tell(f"packed guests: {len(texts)} of recorded machines, at most {max(map(len, texts))} characters")
    assert max(map(len, texts)) <= 3 * KIB


@settings(max_examples=20, phases=QUICK)
@given(fleets(hosts=(1, 3)))
def test_the_guests_of_random_fleets_come_back(fleet: tuple[Host, ...]):
    outcome = level(fleet, catalogue())
    levelled = [] if outcome.guest is None else [outcome.guest]
    event(f"levelled: {bool(levelled)}")
    for guest in (*guests_of(fleet[0])[:2], *levelled):
        again = unpack(pack(guest))
        assert again == what_is_kept(guest)
        assert guest_object(again)["digest"] == guest_object(what_is_kept(guest))["digest"]


@settings(max_examples=40)
@given(
    st.lists(st.integers(0x6000_0000_0000_0000, 0x60FF_FFFF_FFFF_FFFF), unique=True, max_size=60),
    st.dictionaries(
        st.sampled_from(["CTR_EL0", "ID_X", "S3_0_C0_C7_7", "CCSIDR_EL1[0]"]), st.integers(0, (1 << 64) - 1)
    ),
    st.none() | st.integers(0, 31),
    st.text(max_size=20),
)
def test_whatever_a_guest_holds_comes_back(ids, registers, counters, name):
    guest = replace(SAMPLE, register_list=tuple(sorted(ids)), registers=registers, pmu_counters=counters)
    guest = replace(guest, name=name if name.isprintable() else "g")
    assert unpack(pack(guest)) == what_is_kept(guest)


def test_what_is_lost_decides_no_answer():
    starts = tuple(map(str, range(MOST_STARTS + 1)))
    many = replace(SAMPLE, made=Made("armlevel"), starts_on=starts)
    kept = unpack(pack(many))
    assert kept == replace(SAMPLE, starts_on=())
    different = {key for key in guest_object(many) if guest_object(many)[key] != guest_object(kept).get(key)}
    assert different == {"digest", "made", "starts_on"}
    assert digest_of(many) == digest_of(kept) == guest_object(kept)["digest"]
    few = replace(many, starts_on=starts[:MOST_STARTS])
    assert digest_of(unpack(pack(few))) == guest_object(few)["digest"]


def test_what_is_not_recorded_stays_so():
    bare = Guest("", Shape(), {})
    assert unpack(pack(bare)) == bare
    assert unpack(pack(replace(bare, register_list=()))).register_list == ()
    assert unpack(pack(bare)).facts == Facts()


@pytest.mark.parametrize("version", ["0", "2", "10", "999999999"])
def test_another_version_is_unknown_and_named(version):
    with pytest.raises(
        UnknownPacking, match=f"of version {version}, which this armlevel does not read"
    ) as caught:
        unpack(f"{version}:whatever it is ☃")
    assert caught.value.version == version


def test_more_than_is_read_is_not_packed():
    ids = tuple(0x6030_0000_0000_0000 + number for number in range(9000))
    with pytest.raises(UsageError, match="larger than"):
        pack(replace(SAMPLE, register_list=ids))


def _with(**changes: Any) -> dict[str, Any]:
    return body_of(pack(SAMPLE)) | changes


REFUSED = {
    "nothing": "",
    "no version": "eJw=",
    "a version of letters": "one:eJw=",
    "a version of other digits": "\N{FULLWIDTH DIGIT ONE}:eJw=",
    "an endless version": "1" * 100_000,
    "no base64": "1:<armlevel/>",
    "not ASCII": "1:é",
    "empty": "1:",
    "no deflate": "1:" + base64.b64encode(b"no deflate at all").decode(),
    "cut off": pack(SAMPLE)[:-40],
    "added to": "1:" + base64.b64encode(base64.b64decode(pack(SAMPLE)[2:]) + b"more").decode(),
    "a bomb": written(None, raw=b" " * (1 << 25)),
    "too long": "1:" + "A" * LONGEST,
    "no JSON": written(None, raw=b"{"),
    "no UTF-8": written(None, raw=b"\xff"),
    "deep": written(None, raw=b"[" * 100_000),
    "a list": written([]),
    "a text": written("guest"),
    "no key": written({}),
    "another kind": written(_with(kind="host-profile/1")),
    "a digest": written(_with(digest="sha256:" + "0" * 64)),
    "an unknown key": written(_with(more=1)),
    "null": written(_with(name=None)),
    "twice": written(None, raw=b'{"shape":{},"registers":{},"registers":{}}'),
    "a huge number": written(None, raw=b'{"shape":{},"registers":{},"pmu_counters":' + b"9" * 100_000 + b"}"),
    "NaN": written(None, raw=b'{"shape":{},"registers":{},"pmu_counters":NaN}'),
    "a fraction": written(_with(pmu_counters=1.5)),
    "a truth for a number": written(_with(pmu_counters=True)),
    "a wide register": written(_with(registers={"CTR_EL0": "1" * 17})),
    "a register that is a number": written(_with(registers={"CTR_EL0": 1})),
    "registers in a list": written(_with(registers=[1])),
    "a name that is none": written(_with(registers={"rm -rf": "1"})),
    "an id that is none": written(_with(register_list=[1 << 62])),
    "ids without end": written(_with(register_list=[[1, 10**9]])),
    "an id twice": written(_with(register_list=[3, 0])),
    "ids backwards": written(_with(register_list=[3, -1])),
    "half a step": written(_with(register_list=[[1]])),
    "steps of texts": written(_with(register_list=["1"])),
    "steps of truths": written(_with(register_list=[True])),
    "a list that is none": written(_with(register_list={})),
    "an unknown shape": written(_with(shape={"features": ["sme"]})),
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_is_no_packed_guest_is_refused_in_a_sentence(text):
    with pytest.raises(BadDocument) as caught:
        unpack(text)
    assert str(caught.value).startswith("the packed guest CPU: ")
    assert len(str(caught.value)) < KIB


def test_damage_is_never_another_guest():
    text, chance, refused = pack(SAMPLE), Random(13), set()
    for _ in range(300):
        at, letter = chance.randrange(2, len(text)), chance.choice("ABCxyz019+/=é\0")
        try:
            assert unpack(text[:at] + letter + text[at + 1 :]) == SAMPLE
        except BadDocument as exc:
            refused.add(" ".join(str(exc).split()[:6]))
    assert refused == {"the packed guest CPU: is damaged:"}
