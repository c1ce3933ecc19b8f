"""What OpenSSH does for an agent: it makes its key, and signs with it. The secret never leaves its file."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from armlevel.documents.dsse import envelope_bytes, signed_bytes
from armlevel.errors import UsageError

__all__ = ["fingerprint", "make_key", "public_line", "sealed"]

_PATIENCE = 30  # seconds, for a program that needs none


def make_key(path: Path) -> str:
    """Make an agent's key where there is none; return its public line.

    Raises:
        UsageError: it cannot be made there.

    """
    if not path.exists():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=path.parent, prefix=".key-") as folder:
                new = Path(folder, "key")
                _keygen(["-q", "-t", "ed25519", "-N", "", "-C", "armlevel-agent", "-f", str(new)], b"")
                _give(path.parent, new, new.with_name("key.pub"))
                new.with_name("key.pub").replace(path.with_name(f"{path.name}.pub"))
                new.rename(path)
        except OSError as exc:
            raise UsageError(f"{path}: no key can be made there: {exc.strerror or exc}") from exc
    return public_line(path)


def _give(folder: Path, *files: Path) -> None:
    # What root makes in the sender's directory is the sender's.
    if os.geteuid() == 0:
        status = folder.stat()
        for file in files:
            os.chown(file, status.st_uid, status.st_gid)


def public_line(path: Path) -> str:
    """Return the public part of a key, as OpenSSH writes it, without its comment.

    Raises:
        UsageError: there is no key, or none that can be read.

    """
    words = _keygen(["-y", "-P", "", "-f", str(path)], b"").decode(errors="replace").split()
    if len(words) < 2:
        raise UsageError(f"{path}: holds no key of OpenSSH")
    return " ".join(words[:2])


def fingerprint(line: str) -> str:
    """Return what OpenSSH calls a key.

    >>> fingerprint("ssh-ed25519 AAAA")
    'SHA256:cJ6AyISHokEeHuTfufIqhhSS0gxHZRUMDHlKvXD4FHw'
    """
    try:
        blob = base64.b64decode(line.split()[1])
    except (IndexError, binascii.Error) as exc:
        raise UsageError(f"{line[:80]!a} is no public key") from exc
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def sealed(payload_type: str, space: str, payload: bytes, keys: Sequence[Path]) -> bytes:
    """Return the envelope of a payload, signed with each of the keys; a certificate stands for the key beside it.

    Raises:
        UsageError: OpenSSH is not there, or did not sign.

    """
    message = signed_bytes(payload_type, payload)
    signatures = []
    for key in keys:
        armoured = _keygen(["-Y", "sign", "-f", str(key), "-n", space], message)
        blob = base64.b64decode(b"".join(armoured.splitlines()[1:-1]))
        secret = str(key).removesuffix("-cert.pub") if key.name.endswith("-cert.pub") else str(key)
        signatures.append((fingerprint(public_line(Path(secret))), blob))
    return envelope_bytes(payload_type, payload, signatures)


def _keygen(words: list[str], data: bytes) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - OpenSSH, with our own words
            ["ssh-keygen", *words],  # noqa: S607 - wherever the system has it
            input=data,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except FileNotFoundError as exc:
        raise UsageError("there is no ssh-keygen here", hint="install OpenSSH's client") from exc
    except subprocess.TimeoutExpired as exc:
        raise UsageError(
            "ssh-keygen did not end", hint="is the key on a token, or has it a passphrase?"
        ) from exc
    if done.returncode:
        said = " ".join(done.stderr.decode(errors="replace").split())[:200]
        raise UsageError(f"ssh-keygen: {said or f'ended with {done.returncode}'}")
    return done.stdout
