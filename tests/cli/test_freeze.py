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


def frozen(armlevel: Command, guest: Path, name: str, version: str, *rest: object) -> str:
    """Freeze a guest beside its profile, and return the file's path."""
    out = guest.with_name(f"{name}-{version}.json")
    assert armlevel("freeze", guest, "--name", name, "--version", version, "-o", out, *rest).code == 0
    return str(out)


def test_a_frozen_name_and_version_never_changes_bytes(
    armlevel: Command, guest: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    profile, there = guest
    other = tmp_path / "other.json"
    assert armlevel("baseline", "@graviton2-6.1", "-o", other).code == 0
    assert armlevel("freeze", profile, "--name", "web", "--version", "1").code == 0
    before = Path("web-1.json").read_bytes()
    assert armlevel("freeze", profile, "--name", "web", "--version", "1").code == 0, "the same bytes"
    said = armlevel("freeze", other, "--name", "web", "--version", "1")
    assert (said.code, "other content is there" in said.err) == (2, True), said
    said = armlevel(
        "freeze", other, "--name", "web", "--version", "1", "--parent", "web-1.json", "-o", "x.json"
    )
    assert (said.code, "a frozen version never changes" in said.err) == (2, True), said
    assert Path("web-1.json").read_bytes() == before
    assert not Path("x.json").exists()
    for verb in (["baseline", there], ["export", profile, "--to", "openstack"], ["import", there]):
        said = armlevel(*verb, "-o", "web-1.json", "--force")
        assert (said.code, "never changes" in said.err or "was read" in said.err) == (2, True), said
    assert Path("web-1.json").read_bytes() == before


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("../../x", "1"), ("a/b", "1"), ("a\nb", "1"), ("a\x1b[2J", "1"), ("a\u202eb", "1"), ("a\udcff", "1"),
        ("", "1"), ("x" * 65, "1"), (".hidden", "1"), ("-o", "1"), ("a b", "1"), ("web", "1-2"), ("web", ""),
        ("web", "1\n"), ("web\n", "1"), ("wéb", "1"), ("web", "v" * 65),
    ],
)  # fmt: skip
def test_a_name_that_is_no_file_name_of_its_own_is_refused(  # noqa: PLR0917
    armlevel: Command, guest: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name, version
):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    said = armlevel("freeze", guest[0], f"--name={name}", f"--version={version}")
    assert said.code == 2
    assert "1 to 64" in said.err or "is empty" in said.err
    assert sorted(tmp_path.rglob("*")) == before


def test_two_names_and_versions_never_give_one_file(
    armlevel: Command, guest: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert armlevel("freeze", guest[0], "--name", "web-1", "--version", "2").code == 0
    assert armlevel("freeze", guest[0], "--name", "web", "--version", "1-2").code == 2
    assert armlevel("freeze", guest[0], "--name", "web", "--version", "1.2").code == 0


def test_a_signed_profile_under_another_name_is_seen(
    armlevel: Command, guest: tuple[Path, str], keys: tuple[Path, Path], tmp_path: Path
):
    first = frozen(armlevel, guest[0], "web", "1", "--key", keys[0])
    there = tmp_path / "elsewhere"
    there.mkdir()
    rolled_back, plain = there / "web-2.json", there / "profile.json"
    for path in (rolled_back, plain):
        path.write_bytes(Path(first).read_bytes())
    assert armlevel("verify-signature", first, "--key", keys[1]).code == 0
    said = armlevel("verify-signature", rolled_back, "--key", keys[1])
    assert (said.code, "file name web-2" in " ".join(said.out.split())) == (1, True), said
    assert armlevel("verify-signature", plain, "--key", keys[1]).code == 0
    digest = armlevel("verify-signature", plain, "--key", keys[1], "--json").json["digest"]
    good = [("--name", "web"), ("--version", "1"), ("--digest", digest), ("--name", "web", "--version", "1")]
    for options in good:
        assert armlevel("verify-signature", plain, "--key", keys[1], *options).code == 0
    for options in [
        ("--name", "db"),
        ("--version", "2"),
        ("--digest", "sha256:0"),
        ("--name", "web", "--version", "2"),
    ]:
        said = armlevel("verify-signature", plain, "--key", keys[1], *options, "--json")
        assert (said.code, said.json["fault"], said.json["wanted"]) == (
            1, "other profile", {options[-2].removeprefix("--"): options[-1]},
        )  # fmt: skip


def test_only_what_the_key_signed_is_taken_where_a_key_is_named(
    armlevel: Command, guest: tuple[Path, str], keys: tuple[Path, Path], tmp_path: Path
):
    profile, there = guest
    signed, bare = (
        frozen(armlevel, profile, "web", "1", "--key", keys[0]),
        frozen(armlevel, profile, "bare", "1"),
    )
    evil, public = tmp_path / "evil.pem", tmp_path / "evil-public.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", evil], check=True)
    subprocess.run(["openssl", "pkey", "-in", evil, "-pubout", "-out", public], check=True)
    theirs = frozen(armlevel, profile, "evil", "1", "--key", evil)
    qemu = ["--", "qemu-system-aarch64", "-M", "virt-10.0", "-accel", "kvm", "-cpu", "host"]
    for verb in (
        lambda one, key: armlevel("check", one, there, "--key", key),
        lambda one, key: armlevel("export", one, "--to", "openstack", "--key", key),
        lambda one, key: armlevel("run", "--guest", one, "--host", there, "--key", key, "--show", *qemu),
    ):
        assert verb(signed, keys[1]).code != 2
        for wrong, why in (
            (theirs, "signed, but not with this key"),
            (bare, "not signed"),
            (profile, "no frozen"),
        ):
            said = verb(wrong, keys[1])
            assert (said.code, why in said.err, said.out) == (2, True, ""), said
    verify = armlevel("verify", theirs, "--key", keys[1])
    assert (verify.code, "signed, but not with this key" in verify.err) == (2, True)


def test_a_run_takes_the_digest_that_freeze_said_and_that_of_the_guest(
    armlevel: Command, guest: tuple[Path, str], keys: tuple[Path, Path]
):
    profile, there = guest
    out = frozen(armlevel, profile, "web", "1", "--key", keys[0])
    outer = armlevel("verify-signature", out, "--key", keys[1], "--json").json["digest"]
    document = armlevel("show", out, "--json").json
    qemu = ["--show", "--", "qemu-system-aarch64", "-M", "virt-10.0", "-accel", "kvm", "-cpu", "host"]
    run = ("run", "--guest", out, "--host", there, "--digest")
    assert outer not in str(document["documents"]) if "documents" in document else True
    assert armlevel(*run, outer, *qemu).code == 0
    assert armlevel(*run, outer.removeprefix("sha256:"), *qemu).code == 0
    said = armlevel(*run, "sha256:" + "0" * 64, *qemu)
    assert (said.code, outer in said.err) == (2, True), said
    inner = said.err.split("is sha256:")[1][:64]
    assert armlevel(*run, inner, *qemu).code == 0


def test_a_private_key_that_others_can_read_is_said(
    armlevel: Command, guest: tuple[Path, str], keys: tuple[Path, Path]
):
    for mode, told in ((0o600, False), (0o400, False), (0o640, True), (0o606, True), (0o666, True)):
        keys[0].chmod(mode)
        said = armlevel("freeze", guest[0], "--name", "w", "--version", "1", "--key", keys[0], "-o", "-")
        assert (said.code, "is open to others" in said.err) == (0, told), said
