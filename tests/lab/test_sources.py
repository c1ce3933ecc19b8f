"""Where the system's own apt gets Debian from."""

from __future__ import annotations

import pytest

from armlevel.errors import LabError
from armlevel.lab import apt, settings
from armlevel.lab.settings import LabSettings
from armlevel.lab.sources import Source, debian_mirror, parse_deb822, parse_one_line

DEB822 = """\
# the archive
Types: deb deb-src
URIs: http://mirror.example/debian/
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: trixie
Components: main

types: deb
uris:
 http://one.example/debian
 http://two.example/debian
suites: sid
components: main
 contrib
"""
ONE_LINE = """\
# deb http://comment.example/debian bookworm main
deb-src http://source.example/debian bookworm main
deb cdrom:[Debian]/ bookworm main
deb [arch=amd64 signed-by=/k.gpg] https://tools.example/apt stable tool
deb http://security.example/debian-security bookworm-security main
deb  mirror+file:/etc/apt/mirrors/debian.list\ttrixie main contrib # ours
"""


def test_deb822_is_read_stanza_by_stanza():
    uris = [(source.uri, source.suite) for source in parse_deb822(DEB822)]
    assert uris == [
        ("http://mirror.example/debian/", "bookworm"),
        ("http://mirror.example/debian/", "bookworm-updates"),
        ("http://mirror.example/debian-security", "bookworm-security"),
        ("http://one.example/debian", "sid"),
        ("http://two.example/debian", "sid"),
    ]
    assert parse_deb822(DEB822)[-1].components == ("main", "contrib")


def test_the_main_archive_is_found_in_both_forms():
    assert debian_mirror(parse_deb822(DEB822)) == "http://mirror.example/debian"
    assert debian_mirror(parse_one_line(ONE_LINE)) == "mirror+file:/etc/apt/mirrors/debian.list"


@pytest.mark.parametrize("suite", ["noble", "bookworm-security", "nodistro"])
def test_other_archives_are_not_taken_for_debian(suite):
    assert debian_mirror([Source("http://mirror.example/x", suite, ("main",))]) is None


def test_a_machine_without_debian_gets_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "system_sources", list)
    with pytest.raises(LabError, match="ARMLEVEL_LAB_MIRROR"):
        LabSettings(tmp_path).find_mirror()
    assert (
        LabSettings(tmp_path, mirror="http://named.example/debian").find_mirror()
        == "http://named.example/debian"
    )


def test_a_missing_keyring_is_named(tmp_path):
    with pytest.raises(LabError, match="nowhere"):
        LabSettings(tmp_path, keyring=str(tmp_path / "nowhere.gpg")).find_keyring()


def test_a_machine_without_apt_gets_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert apt.system_sources() == []
    root = apt.AptRoot(
        tmp_path / "root", "arm64", "http://mirror.example/debian", tmp_path / "k.gpg", ("trixie",)
    )
    with pytest.raises(LabError, match="there is no apt-get on this machine"):
        root.update()
