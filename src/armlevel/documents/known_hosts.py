"""Who a host's SSH key belongs to, as a known_hosts file says it (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from armlevel.documents.sshsig import NotSigned, SshKey, key_of_line

__all__ = ["KnownHost", "KnownHosts", "matches", "read_known_hosts"]

Marker = Literal["", "@cert-authority", "@revoked"]
_MARKERS: tuple[Marker, ...] = ("@cert-authority", "@revoked")


@dataclass(frozen=True, slots=True)
class KnownHost:
    """A line: for which hosts a key is good, or signs certificates, or is good no longer."""

    marker: Marker
    patterns: tuple[str, ...]
    key: SshKey

    def names(self, name: str) -> bool:
        """Whether the line is about a host."""
        found = [one for one in self.patterns if _fits(one.removeprefix("!"), name)]
        return bool(found) and not any(one.startswith("!") for one in found)


@dataclass(frozen=True, slots=True)
class KnownHosts:
    """All lines of a file that hold a key that is taken."""

    lines: tuple[KnownHost, ...] = ()

    def knows(self, name: str, key: SshKey) -> bool:
        """Whether a key is that of a host."""
        return not self.revoked(key) and any(
            one.key == key and one.names(name) for one in self.lines if not one.marker
        )

    def trusts(self, name: str, authority: SshKey) -> bool:
        """Whether a key may sign the certificate of a host."""
        lines = [one for one in self.lines if one.marker == "@cert-authority"]
        return not self.revoked(authority) and any(one.key == authority and one.names(name) for one in lines)

    def revoked(self, key: SshKey) -> bool:
        """Whether a key is good no longer, for whatever host."""
        return any(one.key == key for one in self.lines if one.marker == "@revoked")


def read_known_hosts(text: str) -> KnownHosts:
    """Read such a file; lines with keys of a kind that is not taken, and what is no line, are passed over."""
    return KnownHosts(tuple(_lines(text.splitlines())))


def matches(pattern: str, name: str) -> bool:
    """Whether a name fits a pattern, in which ``*`` is anything and ``?`` one character.

    >>> matches("web-*", "web-1"), matches("web-?", "web-10"), matches("WEB-1", "web-1")
    (True, False, True)
    """
    parts = (".*" if one == "*" else "." if one == "?" else re.escape(one) for one in pattern)
    return re.fullmatch("".join(parts), name, re.IGNORECASE | re.DOTALL) is not None


def _lines(lines: Iterable[str]) -> Iterable[KnownHost]:
    for line in lines:
        words = line.split()
        marker: Marker = next((one for one in _MARKERS if words[:1] == [one]), "")
        names, key = (words[1:2], words[2:4]) if marker else (words[:1], words[1:3])
        if not names or names[0].startswith(("#", "@")):
            continue
        try:
            yield KnownHost(marker, tuple(names[0].split(",")), key_of_line(" ".join(key)))
        except NotSigned:
            continue


def _fits(pattern: str, name: str) -> bool:
    if not pattern.startswith("|"):
        host, _, port = pattern.removeprefix("[").partition("]:")
        return matches(host if port else pattern, name)
    try:
        _, one, salt, hashed = pattern.split("|")
        found = hmac.digest(base64.b64decode(salt), name.lower().encode(), hashlib.sha1)
        return one == "1" and hmac.compare_digest(found, base64.b64decode(hashed))
    except (binascii.Error, ValueError):
        return False
