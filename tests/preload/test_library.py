"""The library fits every 64-bit Arm Linux, and speaks of KVM as the rest of armlevel does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import make_preload
from armlevel.errors import LabError
from armlevel.kvm import numbers
from armlevel.preload.library import library, library_fault
from tests.preload.elf import read_library
from tests.repository.frame import ROOT

OPENS = {name + size for name in ("open", "openat") for size in ("", "64")}
FORTIFIED = {f"__{name}_2" for name in OPENS}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("built") / "libarmlevel.so"
    try:
        make_preload.build(target, make_preload.compiler(os.environ))
    except (make_preload.NoCompiler, LabError) as exc:
        pytest.skip(f"no compiler for 64-bit Arm here: {exc}")
    return target


def test_it_takes_the_place_of_ioctl_and_of_every_way_to_open_a_file_and_of_nothing_else(built: Path):
    assert read_library(built.read_bytes()).exports == {"ioctl", *OPENS, *FORTIFIED}


def test_it_asks_the_c_library_for_errno_and_at_most_the_environment_in_no_particular_version(built: Path):
    found = read_library(built.read_bytes())
    assert found.imports == {"__errno_location"}
    # QEMU is known by a function that it exports.
    assert found.weak == {"environ", "qemu_init"}
    assert found.stands_alone


def test_it_loads_under_kernels_with_pages_of_64_kib(built: Path):
    assert all(alignment >= 65536 for alignment in read_library(built.read_bytes()).alignments)


def test_the_same_sources_make_the_same_bytes(built: Path, tmp_path: Path):
    again = tmp_path / "again.so"
    done = subprocess.run(
        [sys.executable, ROOT / "tools/make_preload.py", "-o", again], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert again.read_bytes() == built.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["again.so"]


def test_the_library_beside_the_package_is_made_of_these_sources(built: Path):
    if not library().exists():
        pytest.skip("not built here; make preload builds it")
    assert library().read_bytes() == built.read_bytes()


def test_its_ioctl_numbers_are_those_of_the_kvm_room():
    header = (ROOT / "preload/kvm.h").read_text(encoding="utf-8")
    written = {name: int(value, 16) for name, value in re.findall(r"#define (KVM_\w+) (0x\w+)", header)}
    known = {ioctl.name: ioctl.number for ioctl in numbers.IOCTLS}
    # Linux include/uapi/linux/kvm.h: _IOW(KVMIO, 0x49, struct kvm_userspace_memory_region2), 160 bytes.
    known["KVM_SET_USER_MEMORY_REGION2"] = 1 << 30 | 160 << 16 | 0xAE << 8 | 0x49
    known["KVM_ARM_VCPU_INIT"] = numbers.VCPU_INIT.number
    assert len(written) == 10
    assert written == {name: known[name] for name in written}


def test_a_library_that_the_loader_would_not_take_is_said_to_be_none(built: Path, tmp_path: Path):
    whole = built.read_bytes()
    place = tmp_path / "libarmlevel.so"
    assert library_fault(built) == ""
    place.write_bytes(whole[: len(whole) // 2])
    assert "is cut off" in library_fault(place)
    place.write_bytes(Path(sys.executable).read_bytes()[:4096])
    assert "is no library for 64-bit Arm" in library_fault(place)
    place.write_text("text", encoding="utf-8")
    assert "is no library" in library_fault(place)
    place.unlink()
    assert "make preload" in library_fault(place)


def test_a_place_that_ld_preload_cannot_spell_is_refused(built: Path, tmp_path: Path):
    place = tmp_path / "a b" / "libarmlevel.so"
    place.parent.mkdir()
    place.write_bytes(built.read_bytes())
    assert "blank" in library_fault(place)


def test_no_source_of_it_is_long():
    sources = [*(ROOT / "preload").glob("*.[ch]")]
    assert len(sources) > 10
    assert not [path.name for path in sources if len(path.read_text(encoding="utf-8").splitlines()) > 250]


def test_a_compiler_that_fails_is_said_with_what_it_said(tmp_path: Path):
    bad = tmp_path / "cc"
    bad.write_text("#!/bin/sh\necho it is broken >&2\nexit 1\n", encoding="utf-8")
    bad.chmod(0o755)
    done = subprocess.run(
        [sys.executable, ROOT / "tools/make_preload.py", "-o", tmp_path / "out.so"],
        env={**os.environ, "ARMLEVEL_CC": str(bad)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "it is broken" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out.so").exists()
