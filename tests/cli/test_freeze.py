from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.cli.hosts import Command, host, write


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """A pair of keys as OpenSSL makes them."""
    secret, public = tmp_path / "key.pem", tmp_path / "public.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", secret], check=True)
    subprocess.run(["openssl", "pkey", "-in", secret, "-pubout", "-out", public], check=True)
    return secret, public


@pytest.fixture
def guest(armlevel: Command, tmp_path: Path) -> tuple[Path, str]:
    (path,) = write(tmp_path, host("a"))
    out = tmp_path / "g.json"
    assert armlevel("baseline", path, "-o", out).code == 0
    return out, path


def test_a_frozen_guest_is_used_like_any_other_and_its_signature_proves_it(
    armlevel: Command, guest: tuple[Path, str], keys: tuple[Path, Path], tmp_path: Path
):
    profile, there = guest
    out = tmp_path / "web.json"
    said = armlevel(
        "freeze", profile, "--name", "web", "--version", "7", "--host", there, "--key", keys[0], "-o", out
    )
    assert said.code == 0
    assert "web, version 7" in said.out
    assert armlevel("check", out, there).code == 0
    assert "guest web-7" in armlevel("check", out, there).out
    good = armlevel("verify-signature", out, "--key", keys[1], "--json")
    assert good.code == 0
    assert good.json["answer"] == "yes"
    assert good.json["lineage"]["hosts"][0]["digest"].startswith("sha256:")
    assert good.json["lineage"]["source"] == "baseline of a"
    child = tmp_path / "web8.json"
    assert (
        armlevel(
            "freeze", out, "--name", "web", "--version", "8", "--parent", out, "-o", child, "--json"
        ).json["lineage"]["parent"]
        == good.json["digest"]
    )


def test_a_signature_is_refused_where_it_proves_nothing(
    armlevel: Command, guest: tuple[Path, str], keys: tuple[Path, Path], tmp_path: Path
):
    profile, _ = guest
    bare, signed = tmp_path / "bare.json", tmp_path / "signed.json"
    armlevel("freeze", profile, "--name", "w", "--version", "1", "-o", bare)
    armlevel("freeze", profile, "--name", "w", "--version", "1", "--key", keys[0], "-o", signed)
    said = armlevel("verify-signature", bare, "--key", keys[1])
    assert (said.code, "not signed" in " ".join(said.out.split())) == (1, True)
    other = tmp_path / "other.pem"
    public = tmp_path / "other-public.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", other], check=True)
    subprocess.run(["openssl", "pkey", "-in", other, "-pubout", "-out", public], check=True)
    said = armlevel("verify-signature", signed, "--key", public)
    assert (said.code, "none of these keys" in " ".join(said.out.split())) == (1, True)
    data = bytearray(signed.read_bytes())
    data[100] ^= 1
    signed.write_bytes(data)
    said = armlevel("verify-signature", signed, "--key", keys[1])
    assert said.code == 1
    assert said.out.startswith("no:")


def test_a_guest_is_not_frozen_for_a_host_that_refuses_it(
    armlevel: Command, guest: tuple[Path, str], tmp_path: Path
):
    folder = tmp_path / "other"
    folder.mkdir()
    (other,) = write(folder, host("b", limits={"ID_AA64ISAR0_EL1": 0}))
    out = tmp_path / "web.json"
    said = armlevel("freeze", guest[0], "--name", "w", "--version", "1", "--host", other, "-o", out)
    assert said.code == 1
    assert not out.exists()
    assert "not frozen: on b" in said.err


@pytest.mark.parametrize(
    ("algorithm", "sentence"),
    [
        (["-algorithm", "RSA"], "not of Ed25519"),
        (["-algorithm", "ed25519", "-aes256", "-pass", "pass:x"], "encrypted"),
    ],
)
def test_another_key_is_refused_with_the_way_to_make_one(
    armlevel: Command, guest: tuple[Path, str], tmp_path: Path, algorithm: list[str], sentence: str
):
    key = tmp_path / "key.pem"
    subprocess.run(["openssl", "genpkey", *algorithm, "-out", key], check=True, capture_output=True)
    said = armlevel("freeze", guest[0], "--name", "w", "--version", "1", "--key", key)
    assert said.code == 2
    assert sentence in said.err
