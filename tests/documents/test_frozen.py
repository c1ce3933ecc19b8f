from __future__ import annotations

import base64
import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from armlevel.documents import canonical, digest, freeze, guest_object, load, read_published, write_published
from armlevel.documents.frozen import frozen_bytes
from armlevel.documents.signing import key_id, public_key
from armlevel.errors import InputError, UsageError
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
    ShownImplementation(Implementation(0x413FD0C1, 0, 0)),
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
        "2a4afd7d94f6eccf1e5ef19931661d3cda2e5628c1e2ac9be690f242f04629d6",
        "89bcd525b63af5a6102735727e57e6efef42cc8751a5ea315ab1813cb3902e81",
        61,
    ),
    "graviton2-2.json": (
        "37d6dab920d920d02bae334b8aa1e380bcef5737cf23be589feb3a35f47187d6",
        "60d7a9acc24c63a3996313b8559cc4e0005f20f07ba3d750affa2fce4b0a7c77",
        61,
    ),
    "graviton2-5.10-1.json": (
        "e00899e2d229ee3d6eba18db38ae87ad1fa8ad17ece53ff28e0439afc1d24f32",
        "efba0f8684f75ece7011b7d3c6b472ca5f0e5ac731928e996814c935abb51a1b",
        61,
    ),
    "graviton2-6.1-1.json": (
        "c8985ca6d2eceeed187f319bfc14eb9da2556c1a480280d1a5ecea7ed36a0ce6",
        "9eb44c1715ab1b17b4a1c6d4131b68ed56e55d12198af59ac8b8bb21e668f314",
        61,
    ),
    "graviton2-6.18-1.json": (
        "c2994dc35ccb6b92e1466cf5010cfa556a36eafbf08c8f5a78d6a933263d9e3d",
        "68957aa0e7ca8d2913b27014304761356c46f36e501bab6d845a985ac25df9fa",
        72,
    ),
    "graviton3-5.10-1.json": (
        "6486eff6c23d1469395d1c28b6e479691185d3c669efe9f00c408b90826b9e34",
        "c9d2bbebf532aff725ae7025704202f85843e91a9d6e7597fc09bd3d0f938522",
        61,
    ),
    "graviton3-6.1-1.json": (
        "841faa5eccd57a1f0eed9f419ab95e7f84fb9044ab14f04a8dd4aaea279511a2",
        "0c97c06f54e0a1ded6bf0a436b858298dc0f130e438c7c0837a7cf1886f5a990",
        61,
    ),
    "graviton3-6.18-1.json": (
        "22e6832e61d52ab828e3e34a6cdc795c2dc7d0bed3efc16dfb43d98926d3651e",
        "c0f4b5f2219d407d0fa8bf5ce97561b1873714ce8f72453a1b77d1fa7d45956e",
        72,
    ),
    "graviton4-6.1-1.json": (
        "5ada92c157307bb10d76e3d4d6a713c2bdea5193c8278c9fb96a364d3a4d73b0",
        "ace237b9c32f713b1c1a4cbda3eacb4ded3706dfc6c4af7db5b2e162e75e3aa7",
        61,
    ),
    "graviton4-6.18-1.json": (
        "279e2790e02728444be6915afc98209128a148170dd12f4851ffb79fb3bf66d6",
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


def _small_order() -> set[bytes]:
    # The points of small order of edwards25519 (RFC 8032, 5.1), found by multiplying points by the order of the large
    # subgroup; each in every way that 32 bytes can say it.
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, p) % p
    order = 2**252 + 27742317777372353535851937790883648493

    def add(one: tuple[int, int], two: tuple[int, int]) -> tuple[int, int]:
        (a, b), (x, y) = one, two
        k = d * a * x * b * y % p
        return (a * y + x * b) * pow(1 + k, -1, p) % p, (b * y + a * x) * pow(1 - k, -1, p) % p

    def times(n: int, point: tuple[int, int]) -> tuple[int, int]:
        total = (0, 1)
        while n:
            total, point, n = add(total, point) if n & 1 else total, add(point, point), n >> 1
        return total

    found: set[tuple[int, int]] = set()
    y = 1
    while len(found) < 8:
        y += 1
        square = (y * y - 1) * pow(d * y * y + 1, -1, p) % p
        root = pow(square, (p + 3) // 8, p)
        root = root if root * root % p == square else root * pow(2, (p - 1) // 4, p) % p
        if root * root % p == square:
            point = times(order, (root, y))
            found |= {times(n, point) for n in range(8)}
    ways = {y + more for _, y in found for more in (0, p) if y + more < 2**255}
    return {(y | sign << 255).to_bytes(32, "little") for y in ways for sign in (0, 1)}


def test_a_key_of_small_order_is_none(tmp_path: Path) -> None:
    weak = _small_order()
    assert len(weak) == 14
    envelope = json.loads(write_published(freeze(SMALL, "web", "1"), KEY))
    prefix = bytes.fromhex("302a300506032b6570032100")  # RFC 8410: an Ed25519 public key
    for raw in weak:
        signature = base64.b64encode(b"\1" + bytes(63)).decode()
        envelope["signatures"] = [{"keyid": base64.b64encode(raw).decode(), "sig": signature}]
        with pytest.raises(InputError, match="small order"):
            read_published(canonical(envelope) + b"\n", "f")
        pem = (
            b"-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(prefix + raw) + b"-----END PUBLIC KEY-----\n"
        )
        with pytest.raises(UsageError) as caught:
            public_key(pem, "k")
        assert "small order" in str(caught.value) or "no public key" in str(caught.value)
    assert key_id(KEY.public_key())


def test_there_is_exactly_one_signature() -> None:
    envelope = json.loads(write_published(freeze(SMALL, "web", "1"), KEY))
    envelope["signatures"] *= 2
    with pytest.raises(InputError, match="there is 2, and an envelope of ours has one"):
        read_published(canonical(envelope) + b"\n", "f")


@pytest.mark.parametrize(
    ("name", "version"), [("web", "1-2"), ("a/b", "1"), ("", "1"), ("a\n", "1"), (".a", "1")]
)
def test_a_frozen_file_with_a_name_that_is_none_is_refused(name: str, version: str) -> None:
    document = json.loads(frozen_bytes(freeze(SMALL, "web", "1")))
    document |= {"name": name, "version": version}
    document["guest"]["name"] = f"{name}-{version}"
    document["guest"]["digest"] = digest(document["guest"])
    document["digest"] = digest(document)
    with pytest.raises(InputError, match="is not 1 to 64 letters"):
        read_published(canonical(document) + b"\n", "f")
