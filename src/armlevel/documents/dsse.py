"""The envelope of DSSE 1.0.2 (github.com/secure-systems-lab/dsse): what is signed, and the bytes around it.

Standard library only: an agent seals its reports on a bare host. Reading one is :mod:`armlevel.documents.signing`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable

from armlevel.documents.write import canonical

__all__ = ["envelope_bytes", "signed_bytes"]


def signed_bytes(payload_type: str, payload: bytes) -> bytes:
    """Return what a signature is over: the payload and its type (DSSE's pre-authentication encoding).

    >>> signed_bytes("a/b", b"xyz")
    b'DSSEv1 3 a/b 3 xyz'
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def envelope_bytes(payload_type: str, payload: bytes, signatures: Iterable[tuple[str, bytes]]) -> bytes:
    """Return the bytes of an envelope; a signature comes with the id of its key."""
    envelope = {
        "payload": _text(payload),
        "payloadType": payload_type,
        "signatures": [{"keyid": key, "sig": _text(signature)} for key, signature in signatures],
    }
    return canonical(envelope) + b"\n"


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
