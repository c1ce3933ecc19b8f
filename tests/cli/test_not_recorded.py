"""A host of a kernel that shows no AIDR_EL1: shown, imported, compared and levelled as what is not recorded."""

from __future__ import annotations

import json

import pytest

from tests.cli.hosts import Command

# As `cat /proc/cpuinfo; grep . /sys/.../identification/*` gives it before Linux 6.15: no aidr_el1.
TEXT = """\
processor\t: 0
BogoMIPS\t: 200.00
Features\t: fp asimd evtstrm
CPU implementer\t: 0x48
CPU architecture: 8
CPU variant\t: 0x1
CPU part\t: 0xd01
CPU revision\t: 0

/sys/devices/system/cpu/cpu0/regs/identification/midr_el1:0x00000000481fd010
/sys/devices/system/cpu/cpu0/regs/identification/revidr_el1:0x0000000000000000
"""
AIDR = "/sys/devices/system/cpu/cpu0/regs/identification/aidr_el1:0x0000000000000551\n"


@pytest.fixture
def old(tmp_path) -> str:
    path = tmp_path / "old.txt"
    path.write_text(TEXT, encoding="utf-8")
    return str(path)


@pytest.fixture
def new(tmp_path) -> str:
    path = tmp_path / "new.txt"
    path.write_text(TEXT + AIDR, encoding="utf-8")
    return str(path)


def test_it_is_shown_as_not_recorded(armlevel: Command, old):
    text = " ".join(armlevel("show", old).out.split())
    assert "MIDR 0x481fd010, REVIDR 0x0, AIDR not recorded" in text


def test_it_is_imported_without_the_key(armlevel: Command, old):
    said = armlevel("import", old)
    assert said.json["cpus"] == [{"midr": "0x00000000481fd010", "revidr": "0x0000000000000000", "count": 1}]
    assert "AIDR_EL1" not in said.json["offers"][0]["limits"]


def test_a_comparison_says_that_it_was_not_compared_and_that_it_cannot_say(armlevel: Command, old, new):
    said = armlevel("diff", old, new)
    assert said.code == 3
    assert "no difference in what both record" in said.out
    assert "AIDR_EL1" in said.out.partition("not compared")[2]
    assert "AIDR_EL1" in armlevel("diff", old, new, "--json").json["not_compared"]


def test_a_baseline_asks_for_it_and_does_not_show_the_host_as_another_core(armlevel: Command, old, new):
    for hosts in ((old, new), (old, old), (old,)):
        said = armlevel("baseline", *hosts)
        assert said.code == 3
        assert "AIDR" in said.out
        assert "another core" not in said.out
        assert "AIDR 0x0" not in said.out


def test_it_is_no_reason_for_a_fingerprint_but_a_missing_revidr_is(armlevel: Command, tmp_path):
    path = tmp_path / "less.txt"
    path.write_text("".join(TEXT.splitlines(keepends=True)[:-1]), encoding="utf-8")
    said = armlevel("export", str(path), "--to", "firecracker", "--form", "fingerprint")
    assert said.code == 2
    assert "REVIDR_EL1 is not recorded" in said.err


def test_no_file_is_said_to_bring_about_a_guest_whose_aidr_is_not_recorded(armlevel: Command, tmp_path):
    guest = armlevel("baseline", "@graviton2-6.1", "--json").json["guest"]
    del guest["implementation"]["aidr"]
    del guest["digest"]
    path = tmp_path / "guest.json"
    path.write_text(json.dumps(guest), encoding="utf-8")
    host = ("--host", "@graviton2-6.1")
    for target in ("qemu", "libvirt", "firecracker", "kvm", "kubernetes", "openstack"):
        said = armlevel("export", str(path), "--to", target, *host)
        assert said.code in (1, 3), target
        assert "the profile does not record it" in said.err, target
        assert "AIDR_EL1" in said.err, target
        assert '"AIDR_EL1"' not in said.out, target


def test_what_capabilities_alone_tell_is_compared_as_all_values_that_it_leaves(armlevel: Command, tmp_path):
    files = []
    for name, part, more in (("old", "0x0a1", ""), ("new", "0xd01", " atomics fphp asimdhp")):
        path = tmp_path / f"{name}.txt"
        path.write_text(
            f"processor : 0\nBogoMIPS : 200.00\nFeatures : fp asimd evtstrm cpuid{more}\nCPU implementer : 0x43\n"
            f"CPU architecture: 8\nCPU variant : 0x1\nCPU part : {part}\nCPU revision : 0\n",
            encoding="utf-8",
        )
        files.append(str(path))
    said = armlevel("diff", *files)
    assert said.code == 1
    lines = {line.split()[0]: line.split()[1:] for line in said.out.splitlines() if line.startswith("  ")}
    assert lines["ID_AA64ISAR0_EL1.ATOMIC"][:4] == ["0", "1", "2..15", "other"]
