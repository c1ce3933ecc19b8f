"""Whether a frozen profile is signed with a key, and not one bit of it was changed since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, ClassVar, Literal

from armlevel.documents import Frozen, read_published
from armlevel.errors import BadDocument
from armlevel.operations.freeze import frozen_object

__all__ = ["SignatureFault", "SignatureResult", "Wanted", "verify_signature"]

SignatureFault = Literal["", "not as frozen", "not signed", "other key", "other profile"]

Wanted = Literal["name", "version", "digest", "file name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureResult:
    """Whether a trusted key signed a frozen profile.

    ``by``     the trusted keys that did, as the caller calls them
    ``fault``  why the answer is no, empty if it is yes;  ``detail``  what the reader found, where it is no file of ours
    ``wanted``  what another profile was meant by: name, version, digest, or what the file is called
    """

    kind: ClassVar[str] = "signature/1"

    by: tuple[str, ...] = ()
    fault: SignatureFault = ""
    detail: str = ""
    frozen: Frozen | None = None
    signed_by: tuple[str, ...] = ()
    wanted: tuple[tuple[Wanted, str], ...] = ()

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
            "wanted": dict(self.wanted),
        }
        return said | (frozen_object(self.frozen, self.signed_by) if self.frozen is not None else {})


def verify_signature(  # noqa: PLR0913 (what a person may know of a profile)
    data: bytes,
    path: str,
    trusted: Mapping[str, str],
    *,
    name: str = "",
    version: str = "",
    digest: str = "",
) -> SignatureResult:
    """Look at a frozen profile; ``trusted`` maps the ids of keys to what they are called.

    A signature says who froze it and not which profile was meant: that are ``name``, ``version`` or ``digest``. Without
    them a file that is called NAME-VERSION has to hold just that.
    """
    try:
        found = read_published(data, path)
    except BadDocument as exc:
        return SignatureResult(fault="not as frozen", detail=str(exc))
    by = tuple(trusted[one] for one in found.signed_by if one in trusted)
    fault: SignatureFault = "" if by else "other key" if found.signed_by else "not signed"
    meant: dict[Wanted, str] = {"name": name, "version": version, "digest": digest}
    if not any(meant.values()):
        meant = {"file name": _called(path, found.frozen)}
    wanted = _unlike(found.frozen, meant)
    return SignatureResult(
        by=by,
        fault=fault or ("other profile" if wanted else ""),
        frozen=found.frozen,
        signed_by=found.signed_by,
        wanted=wanted,
    )


def _unlike(frozen: Frozen, meant: Mapping[Wanted, str]) -> tuple[tuple[Wanted, str], ...]:
    has: Mapping[Wanted, tuple[str, ...]] = {
        "name": (frozen.name,),
        "version": (frozen.version,),
        "digest": (frozen.digest, frozen.digest.removeprefix("sha256:")),
        "file name": (frozen.guest.name,),
    }
    return tuple((what, text) for what, text in meant.items() if text and text not in has[what])


def _called(path: str, frozen: Frozen) -> str:
    # What a file claims to hold: NAME-VERSION, of this name or with a number for a version.
    stem = PurePath(path).name.removesuffix(".json")
    name, hyphen, version = stem.rpartition("-")
    return stem if hyphen and (name == frozen.name or version[:1].isdecimal()) else ""
