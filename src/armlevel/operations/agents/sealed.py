"""What an agent sealed: the object in an envelope, and the keys that signed it, each signature checked."""

from __future__ import annotations

from typing import Any

from armlevel.documents.dsse import signed_bytes
from armlevel.documents.maps import Faults
from armlevel.documents.read import parse
from armlevel.documents.signing import unsealed
from armlevel.documents.specs import Record
from armlevel.documents.sshsig import NotSigned, SshSigner, signer_of
from armlevel.documents.write import canonical
from armlevel.errors import BadDocument

__all__ = ["LARGEST_REPORT", "opened"]

#: Bytes of an envelope; a report with all its events is some 100 KiB.
LARGEST_REPORT = 1 << 20


def opened(  # noqa: PLR0913 (a type, its purpose, its form)
    data: bytes, path: str, kind: str, space: str, structure: Record, *, most: int = 1
) -> tuple[dict[str, Any], bytes, tuple[SshSigner, ...]]:
    """Return the object of an envelope, its exact bytes, and who signed them. Nothing is read before that is known.

    Raises:
        NotSigned: a signature does not fit.
        BadDocument: it is no envelope of this type, or what is in it is not of its form.

    """
    if len(data) > LARGEST_REPORT:
        raise BadDocument(path, (f"is larger than {LARGEST_REPORT >> 20} MiB",))
    payload, signatures = unsealed(data, path, kind, most=most)
    message = signed_bytes(kind, payload)
    signers = []
    for name, signature in signatures:
        signer = signer_of(signature, message, space)
        if name != signer.key.fingerprint:
            raise NotSigned("another key made it than the one that is named")
        signers.append(signer)
    document, faults = parse(payload, path), Faults()
    if not structure.fits(document):
        structure.blame(document, "", faults)
    elif payload != canonical(document):
        faults.append("the bytes are not those that are signed by an agent of ours")
    if faults:
        raise BadDocument(path, tuple(faults))
    return dict(document), payload, tuple(signers)
