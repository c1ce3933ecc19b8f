"""Tokens with which a host may ask once to be known: shown once, kept as an HMAC, for a day at most."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from armlevel.documents.known_hosts import matches
from armlevel.errors import UsageError

__all__ = ["LONGEST", "Token", "may_enrol", "new_token", "token_object", "token_of"]

#: Seconds that a token may live.
LONGEST = 24 * 3600
_FORM = re.compile(r"al_([0-9a-f]{16})_([0-9a-f]{64})")
_PATTERN = re.compile(r"[A-Za-z0-9*?][A-Za-z0-9._*?-]{0,252}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token as it is kept: the HMAC of it, whose key is kept elsewhere.

    ``pattern``  the names it may enrol;  ``until``  seconds since 1970;  ``used_by``  the key that used it
    """

    id: str
    pattern: str
    mac: str
    until: int
    used_by: str = ""


def new_token(pattern: str, *, pepper: bytes, now: float, seconds: int = LONGEST) -> tuple[str, Token]:
    """Make a token for hosts whose names fit a pattern; the text is nowhere but here.

    Raises:
        UsageError: it would live too long, or the pattern is none.

    """
    if not 0 < seconds <= LONGEST:
        raise UsageError("a token lives for 24 hours at most", hint="make one when it is needed")
    if not _PATTERN.fullmatch(pattern):
        raise UsageError(
            f"{pattern[:80]!a} is no pattern of host names", hint="for example web-1, or web-* for many hosts"
        )
    key = secrets.token_hex(8)
    text = f"al_{key}_{secrets.token_hex(32)}"
    return text, Token(id=key, pattern=pattern, mac=_mac(text, pepper), until=int(now) + seconds)


def may_enrol(text: str, name: str, tokens: Mapping[str, Token], *, pepper: bytes, now: float) -> Token | str:
    """Return the token that lets a host of this name be known; or, in one word, why there is none."""
    form = _FORM.fullmatch(text)
    token = tokens.get(form[1]) if form else None
    if token is None or not hmac.compare_digest(token.mac, _mac(text, pepper)):
        return "unknown-token"
    if token.used_by:
        return "used-token"
    if not token.until - LONGEST <= now < token.until:
        return "late-token"
    return token if matches(token.pattern, name) else "other-token"


def token_object(token: Token) -> dict[str, Any]:
    """Return a token as the store keeps it."""
    return {
        "kind": "token/1",
        "id": token.id,
        "pattern": token.pattern,
        "mac": token.mac,
        "until": token.until,
        "used_by": token.used_by,
    }


def token_of(document: Mapping[str, Any]) -> Token:
    """Return what :func:`token_object` wrote."""
    return Token(**{key: document[key] for key in ("id", "pattern", "mac", "until", "used_by")})


def _mac(text: str, pepper: bytes) -> str:
    return hmac.digest(pepper, text.encode(), hashlib.sha256).hex()
