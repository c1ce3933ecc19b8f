from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from armlevel.documents import canonical, freeze, guest_object, load, read_published, write_published
from armlevel.documents.signing import key_id, public_key
from armlevel.errors import InputError
from armlevel.profile import Facts, Given, Guest, Made, Origin, Policy, Shape, ShownImplementation
from armlevel.profile.implementation import Implementation

FOLDER = Path(__file__).parent / "frozen"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SMALL = Guest(
    "g",
    Shape(frozenset({"sve"})),
    {"ID_AA64PFR0_EL1": 0x11},
    (0x603000000013C020,),
    {"KVM_REG_ARM_PSCI_VERSION": 0x10001},
    (128,),
    Facts(cntfrq_hz=25_000_000),
    ShownImplementation(Implementation(0x413FD0C1)),
    ("a",),
    made=Made(
        "armlevel 0.1.0",
        "facts",
        "2026-11-23T10:00:00Z",
        "baseline of a; --without sve --pin X.Y=1",
        (Origin("a", f"sha256:{1:064x}"),),
        Policy(
            without=frozenset({"sve"}),
            pins={"X.Y": 1},
            implementation=Implementation(0x413FD0C1),
            assume_same_impdef=True,
        ),
        (Given("a", "dczid", 4),),
    ),
)

#: What each of these was when /1 was frozen. No version of armlevel may read anything else out of these files.
GOLDEN = {
    "graviton2-1.json": (
        "3125a4f4f7c64b4ab9b42e3cc1f5812d5f714b9f1c0c0954f38869cb31462622",
        "89bcd525b63af5a6102735727e57e6efef42cc8751a5ea315ab1813cb3902e81",
        61,
    ),
    "graviton2-2.json": (
        "bea8c2c66c9c600af37eb28fad9d2065e7c066985185bd0318d8bc1d9dfd36ac",
        "60d7a9acc24c63a3996313b8559cc4e0005f20f07ba3d750affa2fce4b0a7c77",
        61,
    ),
    "graviton2-5.10-1.json": (
        "678ba0d649f1229a7b3f0ac9f0adda050ba0273e2c280ae1bb39b11d9de95e6e",
        "efba0f8684f75ece7011b7d3c6b472ca5f0e5ac731928e996814c935abb51a1b",
        61,
    ),
    "graviton2-6.1-1.json": (
        "1107a2fc767a5746cb730c9ebecb252e437b86b1fcde7d2a48b5f1449837e49f",
        "9eb44c1715ab1b17b4a1c6d4131b68ed56e55d12198af59ac8b8bb21e668f314",
        61,
    ),
    "graviton2-6.18-1.json": (
        "8a713e9f164a2363ff85ecd5e7ecea851a8a6abbe4da84110a961bba17287b0f",
        "68957aa0e7ca8d2913b27014304761356c46f36e501bab6d845a985ac25df9fa",
        72,
    ),
    "graviton3-5.10-1.json": (
        "b62c383c5ee6706d89e79d4605f9e0dd81599b3e86a84368992643d0810b0055",
        "c9d2bbebf532aff725ae7025704202f85843e91a9d6e7597fc09bd3d0f938522",
        61,
    ),
    "graviton3-6.1-1.json": (
        "2eb9aae96650074ea3f9b7b11c61817a37adf9fe41d8320a40853aad5da6a027",
        "0c97c06f54e0a1ded6bf0a436b858298dc0f130e438c7c0837a7cf1886f5a990",
        61,
    ),
    "graviton3-6.18-1.json": (
        "4f9d2a6a0e94b088b5d8cc286648ff4168f1c935b3191f008326443a3b22f64d",
        "c0f4b5f2219d407d0fa8bf5ce97561b1873714ce8f72453a1b77d1fa7d45956e",
        72,
    ),
    "graviton4-6.1-1.json": (
        "47ca8d040a08969af73296af996a416f427ae00e50ec557bf8b13c6df36dd9b0",
        "ace237b9c32f713b1c1a4cbda3eacb4ded3706dfc6c4af7db5b2e162e75e3aa7",
        61,
    ),
    "graviton4-6.18-1.json": (
        "892e7dcbfb957123989b58916480706d9ede99978cb1b857d67cd2c28a66ead3",
        "895d9c393daa96aeb584aa79220b5ae76ff682c2d223124f9488205a0f8ad6f7",
        72,
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_an_old_frozen_profile_is_read_with_the_digest_it_had(name: str) -> None:
    path = FOLDER / name
    found = read_published(path.read_bytes(), name)
    whole, guest, registers = GOLDEN[name]
    assert found.frozen.digest == f"sha256:{whole}"
    assert guest_object(found.frozen.guest)["digest"] == f"sha256:{guest}"
    assert len(found.frozen.guest.registers) == registers
    assert load(str(path)) == found.frozen.guest


def test_every_frozen_file_here_is_a_golden_one() -> None:
    assert {path.name for path in FOLDER.glob("*.json")} == set(GOLDEN)
    assert len(GOLDEN) == 10


def test_two_of_them_were_signed_with_the_key_beside_them() -> None:
    key = key_id(public_key((FOLDER / "public.pem").read_bytes(), "public.pem"))
    signed = [
        name for name in GOLDEN if read_published((FOLDER / name).read_bytes(), name).signed_by == (key,)
    ]
    assert signed == ["graviton2-2.json", "graviton4-6.1-1.json"]


def test_what_is_written_is_read_back() -> None:
    frozen = freeze(SMALL, "web", "1")
    for key in (None, KEY):
        found = read_published(write_published(frozen, key), "f")
        assert found.frozen.guest == frozen.guest
        assert (found.frozen.lineage, found.frozen.digest) == (frozen.lineage, frozen.digest)
    assert (frozen.lineage.hosts, frozen.lineage.policy) == (SMALL.made.hosts, SMALL.made.policy)
    assert (frozen.lineage.source, frozen.lineage.given) == (SMALL.made.source, SMALL.made.given)


def test_a_source_is_a_text_and_nothing_is_read_out_of_it() -> None:
    """A file name may hold what looks like an option; what was not recorded as a choice is none."""
    guest = replace(SMALL, made=Made(source="passthrough guest of x; --without sve"))
    line = freeze(guest, "web", "1").lineage
    assert (line.source, line.policy, line.given) == (guest.made.source, None, ())
    assert line.hosts == (Origin("a"),)


@pytest.mark.parametrize("key", [None, KEY], ids=["bare", "signed"])
def test_a_frozen_profile_with_any_one_bit_flipped_is_refused(key: Ed25519PrivateKey | None) -> None:
    data = write_published(freeze(SMALL, "web", "1"), key)
    for at in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            with pytest.raises(InputError):
                read_published(bytes(changed), "f")


def test_the_same_holds_where_files_are_opened(tmp_path: Path, tell) -> None:
    rng = random.Random(5)
    count = 0
    for name in ("graviton2-1.json", "graviton2-2.json"):
        data = (FOLDER / name).read_bytes()
        places = {*range(40), *range(len(data) - 200, len(data)), *rng.sample(range(len(data)), 200)}
        for at in sorted(places):
            changed = bytearray(data)
            changed[at] ^= 1 << rng.randrange(8)
            path = tmp_path / "f.json"
            path.write_bytes(changed)
            with pytest.raises(InputError) as caught:
                load(str(path))
            assert str(caught.value).startswith(str(path))
            count += 1
    tell(f"{count} frozen files with one bit flipped: all refused")


def test_the_reason_of_a_refusal_is_said() -> None:
    data = write_published(freeze(SMALL, "web", "1"))
    cases = {
        data.replace(b'"version":"1"', b'"version":"2"'): "digest: is 'sha256:",
        data + b"\n": "the bytes are not those that were frozen",
        json.dumps(json.loads(data), indent=1).encode(): "the bytes are not those that were frozen",
        data[:-40]: "the JSON text ends too early",
    }
    signed = write_published(freeze(SMALL, "web", "1"), KEY)
    document = json.loads(signed)
    document["signatures"][0]["keyid"] = key_id(Ed25519PrivateKey.generate().public_key())
    cases[canonical(document) + b"\n"] = "signatures[0]: the signature does not fit the content"
    cases[canonical(document | {"signatures": []}) + b"\n"] = "signatures: there is none"
    cases[canonical(document | {"payloadType": "text/plain"}) + b"\n"] = "payloadType"
    cases[canonical(document | {"more": 1}) + b"\n"] = "and nothing else"
    for changed, reason in cases.items():
        with pytest.raises(InputError, match="f: ") as caught:
            read_published(changed, "f")
        assert reason in str(caught.value)
