"""What the lab keeps of packages is held against the digests that the signed index gave when they were chosen."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from armlevel.errors import LabError
from armlevel.lab.apt import AptRoot, Package

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
