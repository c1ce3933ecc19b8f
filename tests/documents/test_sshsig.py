"""OpenSSH is the judge of what is read of its signatures, in both directions."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from armlevel.documents.sshsig import NotSigned, key_of_line, signer_of

MESSAGE = b"DSSEv1 a message\n"
SPACE = "report.armlevel"
KINDS = {
    "ed25519": ("-t", "ed25519"),
    "ecdsa-256": ("-t", "ecdsa", "-b", "256"),
    "ecdsa-384": ("-t", "ecdsa", "-b", "384"),
    "ecdsa-521": ("-t", "ecdsa", "-b", "521"),
    "rsa": ("-t", "rsa", "-b", "2048"),
}


def keygen(*words: str | Path, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["ssh-keygen", *map(str, words)], input=data, capture_output=True)


def made(folder: Path, name: str, *how: str) -> Path:
    done = keygen("-q", "-N", "", "-C", "", "-f", folder / name, *how)
    assert done.returncode == 0, done.stderr
    return folder / name


def signed(key: Path, message: bytes = MESSAGE, space: str = SPACE, *more: str) -> bytes:
    done = keygen("-Y", "sign", "-f", key, "-n", space, *more, data=message)
    assert done.returncode == 0, done.stderr
    return blob_of(done.stdout)


def blob_of(armoured: bytes) -> bytes:
    return base64.b64decode(b"".join(armoured.splitlines()[1:-1]))


def armoured(blob: bytes) -> bytes:
    return b"-----BEGIN SSH SIGNATURE-----\n" + base64.encodebytes(blob) + b"-----END SSH SIGNATURE-----\n"


def openssh_takes(folder: Path, key: Path, blob: bytes, message: bytes, space: str) -> bool:
    (folder / "allowed").write_text(f"host {key.with_name(key.name + '.pub').read_text()}")
    (folder / "sig").write_bytes(armoured(blob))
    words = ("-Y", "verify", "-f", folder / "allowed", "-I", "host", "-n", space, "-s", folder / "sig")
    return keygen(*words, data=message).returncode == 0


def we_take(key: Path, blob: bytes, message: bytes, space: str) -> bool:
    wanted = key_of_line(key.with_name(key.name + ".pub").read_text())
    try:
        return signer_of(blob, message, space).key == wanted
    except NotSigned:
        return False


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("keys")
    return {kind: made(folder, kind, *how) for kind, how in KINDS.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_what_openssh_takes_we_take_and_nothing_else(kind, keys, tmp_path):
    key = keys[kind]
    other = keys["ecdsa-256" if kind == "ed25519" else "ed25519"]
    blob = signed(key)
    flipped = bytes([*blob[:-5], blob[-5] ^ 1, *blob[-4:]])
    cases = {
        "good": (key, blob, MESSAGE, SPACE),
        "another message": (key, blob, MESSAGE + b" ", SPACE),
        "no message": (key, blob, b"", SPACE),
        "another namespace": (key, blob, MESSAGE, "enrol.armlevel"),
        "made for another namespace": (key, signed(key, MESSAGE, "file"), MESSAGE, SPACE),
        "another key": (other, blob, MESSAGE, SPACE),
        "one bit": (key, flipped, MESSAGE, SPACE),
        "truncated": (key, blob[:-1], MESSAGE, SPACE),
        "half of it": (key, blob[: len(blob) // 2], MESSAGE, SPACE),
        "something behind it": (key, blob + b"\0", MESSAGE, SPACE),
        "another version": (key, blob[:9] + b"\2" + blob[10:], MESSAGE, SPACE),
    }
    answers = {name: (we_take(*one), openssh_takes(tmp_path, *one)) for name, one in cases.items()}
    assert answers == {name: (name == "good", name == "good") for name in cases}


@pytest.mark.parametrize("hashed", ["sha256", "sha512"])
def test_both_digests_are_read(hashed, keys):
    assert we_take(
        keys["rsa"], signed(keys["rsa"], MESSAGE, SPACE, "-O", f"hashalg={hashed}"), MESSAGE, SPACE
    )


def test_rsa_with_sha_1_is_refused_though_the_signature_fits(tmp_path):
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    secret = rsa.generate_private_key(65537, 2048)
    public = secret.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    key = tmp_path / "sha1"
    key.with_name("sha1.pub").write_bytes(public)

    def blob(algorithm: bytes, used: hashes.HashAlgorithm) -> bytes:
        import hashlib

        digest = hashlib.sha512(MESSAGE).digest()
        over = b"SSHSIG" + b"".join(map(string, (SPACE.encode(), b"", b"sha512", digest)))
        made_of = string(algorithm) + string(secret.sign(over, padding.PKCS1v15(), used))
        parts = (base64.b64decode(public.split()[1]), SPACE.encode(), b"", b"sha512", made_of)
        return b"SSHSIG\0\0\0\1" + b"".join(map(string, parts))

    def string(part: bytes) -> bytes:
        return len(part).to_bytes(4, "big") + part

    good, old = blob(b"rsa-sha2-512", hashes.SHA512()), blob(b"ssh-rsa", hashes.SHA1())  # noqa: S303 (the one that must be refused)
    assert we_take(key, good, MESSAGE, SPACE) is openssh_takes(tmp_path, key, good, MESSAGE, SPACE) is True
    assert we_take(key, old, MESSAGE, SPACE) is openssh_takes(tmp_path, key, old, MESSAGE, SPACE) is False


def test_every_flipped_byte_is_refused(keys):
    blob = signed(keys["ed25519"])
    taken = [
        place
        for place in range(len(blob))
        if we_take(
            keys["ed25519"], blob[:place] + bytes([blob[place] ^ 0x40]) + blob[place + 1 :], MESSAGE, SPACE
        )
    ]
    assert len(blob) > 150
    assert taken == []


@pytest.mark.parametrize(
    "line",
    ["", "ssh-ed25519", "ssh-ed25519 !", "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIA==", "ssh-dss AAAAB3NzaC1kc3M="],
)
def test_what_is_no_key_is_refused_in_a_sentence(line):
    with pytest.raises(NotSigned, match=r"\w"):
        key_of_line(line)


def test_a_short_rsa_key_and_a_key_of_small_order_are_refused(tmp_path):
    short = made(tmp_path, "short", "-t", "rsa", "-b", "1024")
    with pytest.raises(NotSigned, match="1024 bits"):
        signer_of(signed(short), MESSAGE, SPACE)
    weak = base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + bytes(32)).decode()
    with pytest.raises(NotSigned, match="small order"):
        key_of_line(f"ssh-ed25519 {weak}")


def test_a_fingerprint_is_the_one_that_openssh_shows(keys):
    public = keys["rsa"].with_name("rsa.pub")
    shown = keygen("-l", "-f", public).stdout.decode().split()[1]
    assert key_of_line(public.read_text()).fingerprint == shown
