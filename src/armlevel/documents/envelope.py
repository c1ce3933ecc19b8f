"""A frozen profile as a file: bare, or in a signed envelope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from armlevel.documents.frozen import Frozen, frozen_bytes, read_frozen
from armlevel.documents.read import parse

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from armlevel.documents.maps import ValuePool

__all__ = ["Published", "read_published", "write_published"]


@dataclass(frozen=True, slots=True)
class Published:
    """A frozen profile and the ids of the keys whose signatures fit it; none if the file is bare."""

    frozen: Frozen
    signed_by: tuple[str, ...] = ()


def write_published(frozen: Frozen, key: Ed25519PrivateKey | None = None) -> bytes:
    """Return the bytes of a file: an envelope if there is a key to sign with."""
    if key is None:
        return frozen_bytes(frozen)
    from armlevel.documents.signing import seal

    return seal(frozen_bytes(frozen), key)


def read_published(data: bytes, path: str, pool: ValuePool | None = None) -> Published:
    """Read a frozen profile, bare or in an envelope; every bit is as it was written, or it is refused.

    Whether the key of a signature is one to be trusted is not judged here.

    Raises:
        BadDocument: it was changed, or is something else.

    """
    document = parse(data, path)
    if not (isinstance(document, dict) and "kind" not in document):
        return Published(read_frozen(data, path, pool))
    from armlevel.documents.signing import open_envelope

    payload, keys = open_envelope(data, path)
    return Published(read_frozen(payload, path, pool), keys)
