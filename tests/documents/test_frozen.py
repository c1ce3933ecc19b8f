from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from armlevel.documents import canonical, freeze, guest_object, load, read_published, write_published
from armlevel.documents.signing import key_id, public_key
from armlevel.errors import InputError
from armlevel.profile import Facts, Guest, Made, Paint, Shape
from armlevel.profile.paint import Implementation

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
    Paint(Implementation(0x413FD0C1)),
    ("a",),
    made=Made("armlevel 0.1.0", "facts", "2026-11-23T10:00:00Z", "baseline of a; --without sve --pin X.Y=1"),
)

#: What each of these was when /1 was frozen. No version of armlevel may read anything else out of these files.
GOLDEN = {
    "graviton2-1.json": (
        "367c907def91e1a17dcb4aa0d518dd42e297ff3d0267ec547677a83105ff1d6a",
        "bc2af504b5162465bdd00f59a339178a8354a5bb3f558621bf59200c833661d0",
        61,
    ),
    "graviton2-2.json": (
        "4925835b9e44c1cb8c90d03839f759b9d40fb80285dbee84ccfe633e3384263e",
        "bfd04366c0aaba7aacd5ed45c43afbae22cd68bd76ea0a3e8c97c20dc984699b",
        61,
    ),
    "graviton2-5.10-1.json": (
        "b454a77c7b02a8b25e8aad99aa2f3c7d97aabdb6d00e88f07e1a07efe898bb77",
        "6001f5462fd4ea45e7839295f14570ea5f0d3705d04583a5bedd1df897c427f3",
        61,
    ),
    "graviton2-6.1-1.json": (
        "0bd8babddb4d142ecff035ff4b173e9ff9d55ed65bfded62ab3922c504d665cb",
        "5e68955dbcfc7f87bf4cac562843690e72d4ac97bfe1ef049ed3932f7ec32c43",
        61,
    ),
    "graviton2-6.18-1.json": (
        "1ab2b44c959d3baa4a0c067b2da2e7738dff155f6759b0abb9b1b95e7915d731",
        "d4cc8a29fd5d1aed3c111e4dc0cdd6a5b24ade5cdfb0c799afa694f8553ec7c6",
        72,
    ),
    "graviton3-5.10-1.json": (
        "a3d6de7e1fcdbf17b1f538d355a1544369810058c277b3e2aa87257566e4bd79",
        "da57f3153e7d14899e496e4da31fd28c825e9214913159ab52379da5c3661162",
        61,
    ),
    "graviton3-6.1-1.json": (
        "e4e11d0da937ce561f9cab63e75c58cdbbdbaf384e6d701d350926434667b192",
        "ed19d99cb321d2062cbc86354ab7f78edec796e65ba08d516707639bc1fd2edb",
        61,
    ),
    "graviton3-6.18-1.json": (
        "c94e8f1bc30eda3d170c70da3a87fc99df0c495f78ac0e877257b329137733fc",
        "a501889e36083c3521214c2ecd481cee2919f77be963f2279591a07506bbbec3",
        72,
    ),
    "graviton4-6.1-1.json": (
        "50ebaac3a79e3aa76233e40f177e9eca22a1a3ed6e18cb63f56133bcdd5f422a",
        "43dc996d2db05597b2e2670f8e99e43ba66b1a05de47f2386d779c33abf487a7",
        61,
    ),
    "graviton4-6.18-1.json": (
        "fa2681d5d942a8ac36d8b35d17067c732563291f9cb6b45ac2a214c77c544ed5",
        "1fa670ae1da625691eed3168b43372dabbced5b76dd74515ac42f51ea951435a",
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
    assert frozen.lineage.policy == ("--without sve", "--pin X.Y=1")
    assert frozen.lineage.source == "baseline of a"


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
