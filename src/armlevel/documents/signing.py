"""Ed25519 signatures in a DSSE envelope, with keys as OpenSSL writes them.

The envelope is that of DSSE 1.0.2 (github.com/secure-systems-lab/dsse): the signature is over the payload and its type.
Its ``keyid`` is the raw public key in base64. That proves nobody's identity, and it makes the file whole: a flipped bit
of payload, signature or key id is seen without any key at hand. Who signed is asked with a key that a person trusts.

The library is imported only when something is signed or a signature is looked at.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any

from armlevel.documents.dsse import envelope_bytes, signed_bytes
from armlevel.documents.read import parse
from armlevel.documents.write import canonical
from armlevel.errors import BadDocument, UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

__all__ = [
    "PAYLOAD_TYPE",
    "Signature",
    "is_weak",
    "key_id",
    "open_envelope",
    "private_key",
    "public_key",
    "seal",
    "unsealed",
]

#: The id of a key, and what it signed with; nothing of it is checked yet.
Signature = tuple[str, bytes]

PAYLOAD_TYPE = "application/vnd.armlevel.frozen-profile+json;version=1"
_KEYS = {"payload", "payloadType", "signatures"}
_PRIME = 2**255 - 19
_ORDER_8 = int("7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7", 16)
_SMALL_ORDER = (0, 1, _PRIME - 1, _ORDER_8, _PRIME - _ORDER_8)
_WEAK = "a public key of small order, with which anybody can make signatures that fit"
_CHANGED = "it was changed after it was signed, or copied badly"


def seal(payload: bytes, key: Ed25519PrivateKey) -> bytes:
    """Sign bytes and return the envelope's."""
    signature = key.sign(signed_bytes(PAYLOAD_TYPE, payload))
    return envelope_bytes(PAYLOAD_TYPE, payload, [(key_id(key.public_key()), signature)])


def open_envelope(data: bytes, path: str) -> tuple[bytes, tuple[str, ...]]:
    """Return the payload of an envelope and the ids of the keys that signed it, every signature checked.

    Raises:
        BadDocument: a signature does not fit, or the bytes are not exactly an envelope of ours.

    """
    payload, signatures = unsealed(data, path, PAYLOAD_TYPE)
    return payload, (_checked(signatures[0], "signatures[0]", payload, path),)


def unsealed(
    data: bytes, path: str, payload_type: str, *, most: int = 1
) -> tuple[bytes, tuple[Signature, ...]]:
    """Return the payload of an envelope of one type, and its signatures, none of which is checked yet.

    Raises:
        BadDocument: the bytes are not exactly an envelope of ours.

    """
    document = parse(data, path)
    if not isinstance(document, dict) or document.keys() != _KEYS:
        raise BadDocument(path, (f"an envelope has {', '.join(sorted(_KEYS))}, and nothing else",))
    if document["payloadType"] != payload_type:
        fault = f"payloadType: {json.dumps(document['payloadType'])[:80]} is not {payload_type}"
        raise BadDocument(path, (fault,), hint="a newer armlevel or another tool signed it")
    if data != canonical(document) + b"\n":
        raise BadDocument(path, ("the bytes are not those of an envelope of ours",), hint=_CHANGED)
    payload = _bytes(document["payload"], "payload", path)
    signatures = document["signatures"]
    if not isinstance(signatures, list) or not 1 <= len(signatures) <= most:
        count = (len(signatures) or "none") if isinstance(signatures, list) else "no list"
        wanted = "one" if most == 1 else f"1 to {most}"
        raise BadDocument(path, (f"signatures: there is {count}, and an envelope of ours has {wanted}",))
    return payload, tuple(
        _signature(one, f"signatures[{index}]", path) for index, one in enumerate(signatures)
    )


def _signature(one: Any, place: str, path: str) -> Signature:
    if not isinstance(one, dict) or one.keys() != {"keyid", "sig"} or not isinstance(one["keyid"], str):
        raise BadDocument(path, (f"{place}: has keyid and sig, and nothing else",))
    return one["keyid"], _bytes(one["sig"], f"{place}.sig", path)


def _checked(one: Signature, place: str, payload: bytes, path: str) -> str:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key, signature = one
    raw = _bytes(key, f"{place}.keyid", path)
    if is_weak(raw):
        raise BadDocument(path, (f"{place}.keyid: {_WEAK}",))
    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, signed_bytes(PAYLOAD_TYPE, payload))
    except (InvalidSignature, ValueError) as exc:
        raise BadDocument(path, (f"{place}: the signature does not fit the content",), hint=_CHANGED) from exc
    return key


def private_key(pem: bytes, path: str) -> Ed25519PrivateKey:
    """Read a private key, PEM as ``openssl genpkey -algorithm ed25519`` writes it.

    Raises:
        UsageError: it is no such key.

    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, None)
    except TypeError as exc:
        hint = "write one without a passphrase to memory-backed storage: openssl pkey -in KEY -out PLAIN"
        raise UsageError(f"{path}: the key is encrypted", hint=hint) from exc
    except (ValueError, UnsupportedAlgorithm) as exc:
        hint = "make one: openssl genpkey -algorithm ed25519 -out key.pem"
        raise UsageError(f"{path}: no private key in PEM", hint=hint) from exc
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(
            f"{path}: a private key, but not of Ed25519", hint="openssl genpkey -algorithm ed25519"
        )
    return key


def public_key(pem: bytes, path: str) -> Ed25519PublicKey:
    """Read a public key, PEM as ``openssl pkey -in key.pem -pubout`` writes it.

    Raises:
        UsageError: it is no such key.

    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as exc:
        hint = "write it: openssl pkey -in key.pem -pubout -out public.pem"
        raise UsageError(f"{path}: no public key in PEM", hint=hint) from exc
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(f"{path}: a public key, but not of Ed25519")
    if is_weak(key.public_bytes_raw()):
        raise UsageError(
            f"{path}: {_WEAK}", hint="make a key: openssl genpkey -algorithm ed25519 -out key.pem"
        )
    return key


def key_id(key: Ed25519PublicKey) -> str:
    """Return what an envelope calls a key: its 32 bytes in base64."""
    return _text(key.public_bytes_raw())


def is_weak(key: bytes) -> bool:
    """Whether the 32 bytes of an Ed25519 key are a point of small order: one signature fits many texts."""
    # Each of the eight is known by its y, whatever the sign of x
    # and in whichever way y is written (RFC 8032, 5.1.3 and 8: decoders differ; Chalkias and others, "Taming the many
    # EdDSAs", table 5).
    y = (int.from_bytes(key, "little") & ((1 << 255) - 1)) % _PRIME
    return y in _SMALL_ORDER


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: Any, place: str, path: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError) as exc:
        raise BadDocument(path, (f"{place}: is no base64",), hint=_CHANGED) from exc
    if _text(data) != text:  # bits that base64 leaves unused
        raise BadDocument(path, (f"{place}: is not base64 as it is written",), hint=_CHANGED)
    return data
