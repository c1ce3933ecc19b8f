"""Whether a frozen profile is signed with a key, and not one bit of it was changed since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from armlevel.documents import Frozen, read_published
from armlevel.errors import BadDocument
from armlevel.operations.freeze import frozen_object

__all__ = ["SignatureFault", "SignatureResult", "verify_signature"]

SignatureFault = Literal["", "not as frozen", "not signed", "other key"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureResult:
    """Whether a trusted key signed a frozen profile.

    ``by``     the trusted keys that did, as the caller calls them
    ``fault``  why the answer is no, empty if it is yes;  ``detail``  what the reader found, where it is no file of ours
    """

    kind: ClassVar[str] = "signature/1"

    by: tuple[str, ...] = ()
    fault: SignatureFault = ""
    detail: str = ""
    frozen: Frozen | None = None
    signed_by: tuple[str, ...] = ()

    @property
    def status(self) -> int:
        """The exit status: 0 signed and unchanged, 1 not."""
        return 1 if self.fault else 0

    def document(self) -> dict[str, Any]:
        """Return the signature/1 object."""
        said: dict[str, Any] = {
            "kind": self.kind,
            "answer": "no" if self.fault else "yes",
            "by": list(self.by),
            "fault": self.fault or None,
            "detail": self.detail or None,
        }
        return said | (frozen_object(self.frozen, self.signed_by) if self.frozen is not None else {})


def verify_signature(data: bytes, path: str, trusted: Mapping[str, str]) -> SignatureResult:
    """Look at a frozen profile; ``trusted`` maps the ids of keys to what they are called."""
    try:
        found = read_published(data, path)
    except BadDocument as exc:
        return SignatureResult(fault="not as frozen", detail=str(exc))
    by = tuple(trusted[one] for one in found.signed_by if one in trusted)
    fault: SignatureFault = "" if by else "other key" if found.signed_by else "not signed"
    return SignatureResult(by=by, fault=fault, frozen=found.frozen, signed_by=found.signed_by)
