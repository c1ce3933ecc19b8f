"""What the lab keeps of packages is held against the digests that the signed index gave when they were chosen."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from armlevel.errors import LabError
from armlevel.lab.apt import SOURCE, AptRoot, Package

GOOD, OTHER = b"!<arch>\nwhat was chosen", b"!<arch>\nwhat is in the mirror's index now"


def package(name: str, data: bytes, kind: str = "sha256") -> Package:
    digest = f"{kind.upper()}:{hashlib.new(kind, data).hexdigest()}"
    return Package(name, "1.0", len(data), digest)


def given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, files: dict[str, bytes]) -> AptRoot:
    """An apt that fetches these files, whatever it is asked for, and is content with them."""

    def fetched(_: AptRoot, command: list[str], what: str, cwd: Path | None = None) -> str:
        assert command[:2] == ["apt-get", "download"]
        assert what
        assert cwd is not None
        for name, data in files.items():
            (cwd / name).write_bytes(data)
        return ""

    monkeypatch.setattr(AptRoot, "_apt", fetched)
    return AptRoot(tmp_path, "arm64", "http://mirror.example/debian", tmp_path / "keyring", ("stable",))


@pytest.mark.parametrize("kind", ["sha256", "sha512"])
def test_a_package_that_is_the_one_that_was_chosen_is_taken(monkeypatch, tmp_path, kind):
    apt = given(monkeypatch, tmp_path, {"linux_1%3a1.0_arm64.deb": GOOD})
    found = apt.download([package("linux", GOOD, kind)], tmp_path)
    assert found["linux"].read_bytes() == GOOD


@pytest.mark.parametrize(
    "files",
    [
        {"linux_1.0_arm64.deb": OTHER},
        {"linux_1.0_arm64.deb": GOOD[:-1]},
        {"linux_1.0_arm64.deb": b""},
        {"other_1.0_arm64.deb": GOOD},
        {},
    ],
    ids=["other bytes", "cut", "empty", "another name", "none"],
)
@pytest.mark.parametrize("kind", ["sha256", "sha512"])
def test_any_other_is_refused_though_apt_is_content(monkeypatch, tmp_path, files, kind):
    apt = given(monkeypatch, tmp_path, files)
    with pytest.raises(LabError, match=r"another linux=1\.0 than the one that was chosen"):
        apt.download([package("linux", GOOD, kind)], tmp_path)


def test_one_of_many_that_is_another_refuses_all(monkeypatch, tmp_path):
    apt = given(monkeypatch, tmp_path, {"a_1.0_all.deb": GOOD, "b_1.0_all.deb": OTHER})
    with pytest.raises(LabError, match=r"another b=1\.0"):
        apt.download([package("a", GOOD), package("b", GOOD)], tmp_path)


@pytest.mark.parametrize("digest", ["", "MD5Sum:00", "MD4:00", "SHA256:", hashlib.sha256(GOOD).hexdigest()])
def test_what_proves_nothing_is_no_proof(monkeypatch, tmp_path, digest):
    apt = given(monkeypatch, tmp_path, {"linux_1.0_arm64.deb": GOOD})
    with pytest.raises(LabError, match="another linux"):
        apt.download([Package("linux", "1.0", len(GOOD), digest)], tmp_path)


LISTING = """\
'http://mirror.example/debian/pool/l/linux_7.3.4.orig.tar.xz' linux_7.3.4.orig.tar.xz 9 {digest}
'http://mirror.example/debian/pool/l/linux_7.3.4-1.dsc' linux_7.3.4-1.dsc 4 SHA256:00
"""


@pytest.mark.parametrize("fetched", [GOOD, OTHER, None], ids=["the one", "other bytes", "none"])
def test_a_source_tarball_is_the_one_of_the_signed_index_or_refused(monkeypatch, tmp_path, fetched):
    wanted = package("linux_7.3.4.orig.tar.xz", GOOD).digest

    def answered(_: AptRoot, command: list[str], what: str, cwd: Path | None = None) -> str:
        assert command[-2:] == ["source", "linux=7.3.4-1"]
        if "--print-uris" in command:
            return LISTING.format(digest=wanted)
        if fetched is not None and cwd is not None:
            (cwd / "linux_7.3.4.orig.tar.xz").write_bytes(fetched)
        return what

    monkeypatch.setattr(AptRoot, "_apt", answered)
    root = AptRoot(tmp_path, SOURCE, "http://mirror.example/debian", tmp_path / "keyring", ("stable",))
    found = root.tarball("linux", "7.3.4-1")
    assert (found.name, found.version, found.size) == ("linux_7.3.4.orig.tar.xz", "7.3.4-1", 9)
    if fetched is GOOD:
        assert root.download_tarball("linux", found, tmp_path).read_bytes() == GOOD
        return
    with pytest.raises(LabError, match="gave another linux_7"):
        root.download_tarball("linux", found, tmp_path)


def test_a_source_without_an_upstream_tarball_is_refused_by_name(monkeypatch, tmp_path):
    monkeypatch.setattr(AptRoot, "_apt", lambda *_args, **_kwargs: "Need to get 0 B of source archives.\n")
    root = AptRoot(tmp_path, SOURCE, "http://mirror.example/debian", tmp_path / "keyring", ("stable",))
    with pytest.raises(LabError, match="no upstream tarball of linux 7"):
        root.tarball("linux", "7.3.4-1")


def test_a_root_of_sources_asks_the_mirror_for_sources_alone(monkeypatch, tmp_path):
    monkeypatch.setattr(AptRoot, "_apt", lambda *_args, **_kwargs: "")
    AptRoot(tmp_path, SOURCE, "http://mirror.example/debian", tmp_path / "k.gpg", ("stable",)).update()
    (line,) = (tmp_path / "etc/apt/sources.list").read_text(encoding="utf-8").splitlines()
    assert line.startswith("deb-src [target=Sources lang=none signed-by=")
    assert 'APT::Architecture "arm64";' in (tmp_path / "apt.conf").read_text(encoding="utf-8")
