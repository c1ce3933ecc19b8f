"""What a test said in a host, read for what it is; programs and headers of trees of our own making."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from armlevel.arch import load
from armlevel.errors import LabError
from armlevel.lab.hosts import parse_host
from armlevel.lab.jobs import Result
from tests.fidelity.hosts import read
from tests.selftests.build import headers, programs
from tests.selftests.running import Outcome, outcome, read_tap, run, stepped
from tests.selftests.source import unpack_source
from tests.selftests.tables import FieldStep

TAP = """TAP version 13
1..4
ok 1 ID_AA64ISAR0_EL1_AES
ok 2 ID_AA64ISAR0_EL1_SHA2 # SKIP not here
# a remark: not ok
not ok 3 other
"""


class Host:
    """A laboratory whose host sends back these files."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def run(self, host: object, job: object) -> Result:
        return Result(status=0, stdout="", stderr="sh: oh\n", files=self.files)


def test_tap_is_read_result_by_result():
    assert read_tap(TAP) == (
        ("ID_AA64ISAR0_EL1_AES", "passed"),
        ("ID_AA64ISAR0_EL1_SHA2", "skipped"),
        ("other", "failed"),
    )
    assert outcome(0, TAP, "").as_json() == {
        "result": "failed",
        "status": 0,
        "passed": 1,
        "skipped": 1,
        "failed": 1,
    }


@pytest.mark.parametrize(
    ("status", "out", "result"),
    [
        (0, "", "passed"),
        (0, "ok 1 A\n", "passed"),
        (0, "not ok 1 A\n", "failed"),
        (4, "1..0 # SKIP - Requirement not met\n", "skipped"),
        (254, "ok 1 A\n", "failed"),
        (137, "", "failed"),  # it hung, and was killed
        (1, "", "failed"),
    ],
)
def test_the_exit_status_decides_and_a_failed_result_is_a_failure(status, out, result):
    assert outcome(status, out, "").result == result


def test_a_program_of_which_a_host_told_nothing_is_no_result():
    built = {"a_test": b""}
    whole = {"a_test.status": b"0\n", "a_test.out": b"ok 1 A\n", "a_test.err": b""}
    assert run(Host(whole), parse_host("max@7.x"), built)["a_test"].result == "passed"  # type: ignore[arg-type]
    for files in ({}, {"a_test.status": b""}, {"b_test.status": b"0\n"}):
        with pytest.raises(LabError, match="told nothing of a_test: sh: oh"):
            run(Host(files), parse_host("max@7.x"), built)  # type: ignore[arg-type]


def test_a_step_that_passed_has_the_limit_of_its_host():
    (host,) = read(["max@7.x"])
    steps = (
        FieldStep("ID_AA64ISAR0_EL1.AES", "lower", 0, 4),
        FieldStep("ID_AA64ISAR0_EL1.SHA2", "lower", 0, 4),
    )
    assert stepped(steps, outcome(0, TAP, ""), host, load()) == {"ID_AA64ISAR0_EL1.AES": [2, 1, 3]}
    with pytest.raises(LabError, match="expected"):
        stepped(steps, Outcome("passed", 0, (("another", "passed"),)), host, load())


def test_headers_are_installed_without_the_kernels_own_words(tmp_path: Path):
    uapi = tmp_path / "include/uapi"
    (uapi / "asm-generic").mkdir(parents=True)
    (uapi / "linux").mkdir()
    (uapi / "asm-generic/Kbuild").write_text(
        "mandatory-y += one.h\nmandatory-y += gone.h\nmandatory-y += own.h\n"
    )
    for name in ("one.h", "own.h"):
        (uapi / "asm-generic" / name).write_text("#define GENERIC\n")
    (uapi / "linux/a.h").write_text(
        "#include <linux/compiler.h>\n#include <linux/types.h>\nstatic inline int f(char __user *x);\n"
    )
    own = tmp_path / "arch/arm64/include/uapi/asm"
    own.mkdir(parents=True)
    (own / "own.h").write_text("#define OWN\n")
    (own / "unistd.h").write_text("#include <asm/unistd_64.h>\n")
    headers(tmp_path, tmp_path / "usr")
    assert {str(path.relative_to(tmp_path / "usr")) for path in (tmp_path / "usr").rglob("*.h")} == {
        *("asm-generic/one.h", "asm-generic/own.h", "asm/one.h", "asm/own.h", "linux/a.h")
    }
    assert (tmp_path / "usr/asm/one.h").read_text() == "#include <asm-generic/one.h>\n"
    assert (tmp_path / "usr/asm/own.h").read_text() == "#define OWN\n"
    text = (tmp_path / "usr/linux/a.h").read_text()
    assert text.split("\n")[1:] == ["#include <linux/types.h>", "static __inline__ int f(char *x);", ""]


def test_programs_are_those_of_64_bit_arm():
    makefile = (
        "TEST_GEN_PROGS_COMMON = a\nTEST_GEN_PROGS_x86 += x86/b\n"
        "TEST_GEN_PROGS_aarch64 += aarch64/b\nTEST_GEN_PROGS_arm64 += arm64/c\n"
    )
    assert programs(makefile, "abd") == {"a": "a", "b": "aarch64/b"}


def packed(*names: str) -> io.BytesIO:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:xz") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 1
            archive.addfile(member, io.BytesIO(b"x"))
    stream.seek(0)
    return stream


def test_only_what_selftests_are_built_from_is_unpacked_and_nothing_outside(tmp_path: Path):
    unpack_source(
        packed(
            *("l/tools/testing/selftests/kvm/a.c", "l/fs/b.c", "l/tools/include/../../../../e.h"),
            *("/l/tools/include/linux/c.h", "l/arch/arm64/tools/sysreg"),
        ),
        tmp_path / "in",
    )
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == {
        *("in/tools/testing/selftests/kvm/a.c", "in/arch/arm64/tools/sysreg")
    }
    with pytest.raises(LabError, match="no selftests"):
        unpack_source(packed("l/fs/b.c"), tmp_path / "none")
