"""One line to the journal of a host, or to its syslog; never an error, and nothing waits.

The journal's own socket takes fields (systemd, "Native Journal Protocol"): `journalctl MESSAGE_ID=…` finds what is told
here, and `journalctl ARMLEVEL_DOMAIN=web-1` all about one guest. What `socket` adds to `_socket`, names for constants
above all, takes a third as long to import as Python takes to start, and the hook waits for it at each call.
"""

from __future__ import annotations

import os
from _socket import AF_UNIX, SOCK_DGRAM, socket

TYPE_CHECKING = False  # as type checkers read it

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["IDENTIFIER", "MESSAGE_IDS", "tell"]

IDENTIFIER = "armlevel-guard"

#: What happened -> its id, which never changes, and its priority as syslog(3) counts.
MESSAGE_IDS: Mapping[str, tuple[str, int]] = {
    "let": ("878cb4202ffa4ee791240abc77ea72f3", 6),
    "refused": ("3ca2a7faa8a44ca8b928220b2846d54f", 4),
    "overridden": ("d4ce4f1a7f204b79802fa3a9cc4694c1", 5),
    "unknown-let": ("a54105796d914829a86160300e264ce5", 4),
    "unknown-refused": ("5bd860b1d5574b05987ea6d575d2bf0e", 4),
    "off-level": ("5f04195ba14548a7aaacc9a041593b7e", 4),
    "on-level": ("097b434f3d7b43ba9442b626347285f3", 6),
    "fault": ("2be951351093415a98aba1bcaff9410b", 4),
}

_JOURNAL = "/run/systemd/journal/socket"
_SYSLOG = "/dev/log"
_DAEMON = 3 << 3
_LONGEST = 8_000


def tell(
    event: str,
    sentence: str,
    fields: Mapping[str, str],
    *,
    journal: str | os.PathLike[str] = _JOURNAL,
    syslog: str | os.PathLike[str] = _SYSLOG,
) -> None:
    """Tell one event; where there is neither journal nor syslog, or neither listens, nobody hears it."""
    ident, priority = MESSAGE_IDS[event]
    line = _one_line(sentence)
    told = {
        "MESSAGE": line,
        "MESSAGE_ID": ident,
        "PRIORITY": str(priority),
        "SYSLOG_IDENTIFIER": IDENTIFIER,
        "ARMLEVEL_EVENT": event,
        **{f"ARMLEVEL_{key.upper()}": _one_line(value) for key, value in fields.items()},
    }
    native = "".join(f"{key}={value}\n" for key, value in told.items()).encode()
    old = f"<{_DAEMON | priority}>{IDENTIFIER}[{os.getpid()}]: {line}".encode()
    _ = _sent(journal, native) or _sent(syslog, old)


def _sent(path: str | os.PathLike[str], data: bytes) -> bool:
    try:
        end = socket(AF_UNIX, SOCK_DGRAM)
    except OSError:
        return False
    try:
        end.setblocking(False)  # noqa: FBT003 - the method takes it by place
        end.sendto(data, os.fspath(path))
    except (OSError, ValueError):
        return False
    finally:
        end.close()
    return True


def _one_line(text: str) -> str:
    # A line break would begin another field.
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)[:_LONGEST]
