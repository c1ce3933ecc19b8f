"""What the library says of the guest, over a socket that QEMU inherited, and what to make of it.

Each message carries its SHA-256 together with the secret of this start, and the kernel tells which process sent it
(``preload/proof.c`` has the words). A program that was not given the configuration cannot make one.
"""

from __future__ import annotations

import hashlib
import hmac
import socket
import struct
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Message", "Proofs", "read_message", "socket_pair"]

What = Literal["made", "runs", "ends"]
_WHATS: dict[str, What] = {"made": "made", "runs": "runs", "ends": "ends"}
_MOST = 4096
_CREDENTIALS = struct.Struct("iII")  # struct ucred: process, user, group


@dataclass(frozen=True, slots=True)
class Message:
    """One message: ``made`` a VM, a vCPU ``runs`` as the profile says, or ``ends`` with a sentence."""

    what: What
    profile: str
    words: str


def read_message(data: bytes, secret: str) -> Message | None:
    """Return what a message says; None if it was not made with the secret.

    >>> read_message(b"armlevel-proof 1 runs sha256:ab 1 0 83 " + b"0" * 64, "5ec2e7")
    """
    text, _, digest = data.decode("utf-8", errors="replace").rpartition(" ")
    body = data[: len(data) - len(digest.encode()) - 1]
    wanted = hashlib.sha256(f"{secret} ".encode() + body).hexdigest()
    kind, _, rest = text.partition(" 1 ")
    what, _, rest = rest.partition(" ")
    if kind != "armlevel-proof" or what not in _WHATS or not hmac.compare_digest(digest, wanted):
        return None
    profile, _, words = rest.partition(" ")
    return Message(_WHATS[what], profile, words)


def socket_pair() -> tuple[socket.socket, socket.socket]:
    """Return the end that is read, where the kernel names each sender, and the one that QEMU inherits."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    return ours, theirs


@dataclass(slots=True)
class Proofs:
    """What is known so far.

    ``proved``  the first vCPU that runs, as words;  ``made`` a VM stands, and cannot run before it is proved
    ``ended``   the sentence with which the library ended a process;  ``forged`` a message was none of the library
    ``closed``  nobody is left who could send one
    """

    secret: str
    profile: str
    proved: str = ""
    made: bool = False
    ended: str = ""
    forged: bool = False
    closed: bool = False
    process: int = 0
    _seen: list[Message] = field(default_factory=list)

    def receive(self, ours: socket.socket) -> None:
        """Read one message, or that there will be none any more."""
        data, ancillary, _, _ = ours.recvmsg(_MOST, socket.CMSG_SPACE(_CREDENTIALS.size))
        if not data:
            self.closed = True
            return
        sender = next(
            (
                _CREDENTIALS.unpack(words[: _CREDENTIALS.size])[0]
                for level, kind, words in ancillary
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS)
            ),
            0,
        )
        self.take(data, sender)

    def take(self, data: bytes, sender: int) -> None:
        """Note what a message of process ``sender`` says."""
        message = read_message(data, self.secret)
        if message is None or message.profile != self.profile:
            self.forged = True
        elif message.what == "ends":
            self.ended = message.words
        elif message.what == "made":
            self.made = True
        elif not self.proved:
            self.process = sender
            self.proved = message.words
