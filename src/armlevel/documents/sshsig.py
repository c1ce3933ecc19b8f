"""Signatures and keys as OpenSSH writes them: SSHSIG (OpenSSH's PROTOCOL.sshsig), read with ``cryptography``.

A signature names its key, and who that is nobody has said yet. Its namespace keeps a signature that was made for one
thing from being taken for another. Ed25519, ECDSA and RSA with SHA-2 are read; RSA with SHA-1, DSA and keys that sign
for a security token are refused. The library is imported only when a signature is looked at.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from armlevel.documents.signing import is_weak

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.serialization import SSHCertificate

__all__ = ["NotSigned", "SshKey", "SshSigner", "key_of_line", "signer_of"]

_MAGIC = b"SSHSIG"
_SHORTEST_RSA = 2048
_LONGEST = 1 << 16  # bytes of a signature: a certificate with many names in it is some 4 KiB
_HASHES = {b"sha256": hashlib.sha256, b"sha512": hashlib.sha512}
_PLAIN = (b"ssh-ed25519", b"ssh-rsa", b"ecdsa-sha2-nistp256", b"ecdsa-sha2-nistp384", b"ecdsa-sha2-nistp521")
_CERTIFICATE = b"-cert-v01@openssh.com"


class NotSigned(Exception):
    """Bytes that are no signature of this message for this purpose, or no key; it says why."""


@dataclass(frozen=True, slots=True)
class SshKey:
    """A public key: what OpenSSH writes into a file, and what it calls the key."""

    line: str

    @property
    def blob(self) -> bytes:
        """The key in SSH's own encoding."""
        return base64.b64decode(self.line.split()[1])

    @property
    def fingerprint(self) -> str:
        """What `ssh-keygen -l` shows: SHA256 and the digest of the key, without padding."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class SshSigner:
    """The key that made a signature; and its certificate, whose own signature is checked, where it came with one."""

    key: SshKey
    certificate: SSHCertificate | None = None


def signer_of(signature: bytes, message: bytes, namespace: str) -> SshSigner:
    """Return who signed a message for a purpose; ``signature`` is the SSHSIG blob, without its armour.

    Raises:
        NotSigned: nobody did.

    """
    if not signature.startswith(_MAGIC + b"\0\0\0\1") or len(signature) > _LONGEST:
        raise NotSigned("it is no SSHSIG signature of version 1")
    public, space, reserved, hashed, made = _strings(signature[10:], 5)
    if space != namespace.encode():
        raise NotSigned(f"it was made for {space.decode(errors='replace')[:80]!a}, and not for {namespace}")
    if reserved or hashed not in _HASHES:
        raise NotSigned("it is over a digest that is not known")
    digest = _HASHES[hashed](message).digest()
    signed = _MAGIC + b"".join(len(part).to_bytes(4, "big") + part for part in (space, b"", hashed, digest))
    algorithm, raw = _strings(made, 2)
    key, certificate = _public(public)
    _verify(key, algorithm, raw, signed)
    return SshSigner(SshKey(_line(key)), certificate)


def key_of_line(line: str) -> SshKey:
    """Return the key of a line as `id_ed25519.pub` has it; what stands behind the key is left out.

    Raises:
        NotSigned: there is no key in it, or one that is not taken.

    """
    words = line.split()
    try:
        blob = base64.b64decode(words[1], validate=True)
    except (IndexError, binascii.Error, ValueError) as exc:
        raise NotSigned("it is no public key as OpenSSH writes one") from exc
    key, certificate = _public(blob)
    if certificate is not None or not _line(key).startswith(f"{words[0]} "):
        raise NotSigned("it is no plain public key")
    return SshKey(_line(key))


def _public(blob: bytes) -> tuple[Any, SSHCertificate | None]:
    # The key of a blob, or of the certificate that it is; every way of not being one ends in the same error.
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import SSHCertificate, load_ssh_public_identity

    kind = _first(blob)
    if kind.removesuffix(_CERTIFICATE) not in _PLAIN:
        raise NotSigned(f"keys of the kind {kind.decode(errors='replace')[:80]!a} are not taken")
    try:
        found: Any = load_ssh_public_identity(kind + b" " + base64.b64encode(blob))
        certificate = found if isinstance(found, SSHCertificate) else None
        if certificate is not None:
            certificate.verify_cert_signature()
        key: Any = found if certificate is None else certificate.public_key()
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError) as exc:
        raise NotSigned("its public key is none, or its certificate was not signed by whom it says") from exc
    if isinstance(key, Ed25519PublicKey) and is_weak(key.public_bytes_raw()):
        raise NotSigned("its key is of small order, with which anybody can make signatures that fit")
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _SHORTEST_RSA:
        raise NotSigned(f"its RSA key has {key.key_size} bits, and {_SHORTEST_RSA} are the least")
    return key, certificate


def _verify(key: Any, algorithm: bytes, raw: bytes, signed: bytes) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

    sizes: dict[int, hashes.HashAlgorithm] = {
        256: hashes.SHA256(),
        384: hashes.SHA384(),
        521: hashes.SHA512(),
    }
    rsa_hashes: dict[bytes, hashes.HashAlgorithm] = {
        b"rsa-sha2-256": hashes.SHA256(),
        b"rsa-sha2-512": hashes.SHA512(),
    }
    try:
        if isinstance(key, rsa.RSAPublicKey):
            if algorithm not in rsa_hashes:
                raise NotSigned("it is of RSA without SHA-2")
            key.verify(raw, signed, padding.PKCS1v15(), rsa_hashes[algorithm])
            return
        if algorithm.decode(errors="replace") != _line(key).split()[0]:
            raise NotSigned("it is of another algorithm than its key")
        if isinstance(key, ec.EllipticCurvePublicKey):
            r, s = (_positive(part) for part in _strings(raw, 2))
            key.verify(utils.encode_dss_signature(r, s), signed, ec.ECDSA(sizes[key.key_size]))
        else:
            key.verify(raw, signed)
    except (InvalidSignature, ValueError) as exc:
        raise NotSigned("it does not fit the content, or another key made it") from exc


def _positive(part: bytes) -> int:
    if not part or part[0] & 0x80:
        raise NotSigned("it does not fit the content, or another key made it")
    return int.from_bytes(part, "big")


def _line(key: Any) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return str(key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode())


def _first(blob: bytes) -> bytes:
    size = int.from_bytes(blob[:4], "big")
    if len(blob) < 4 or size > min(len(blob) - 4, 64):
        raise NotSigned("its public key is none")
    return blob[4 : 4 + size]


def _strings(data: bytes, count: int) -> list[bytes]:
    # SSH's strings, one after another, and nothing behind them (RFC 4251, 5).
    found = []
    for _ in range(count):
        size = int.from_bytes(data[:4], "big")
        if len(data) < 4 or size > len(data) - 4:
            raise NotSigned("it ends too early")
        found.append(data[4 : 4 + size])
        data = data[4 + size :]
    if data:
        raise NotSigned("something stands behind its end")
    return found
