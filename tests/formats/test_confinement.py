"""The policies for the wrapper, compiled by AppArmor's and SELinux' own programs with all of Debian's policies."""

from __future__ import annotations

import bz2
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from armlevel.errors import LabError
from armlevel.formats.libvirt_confine import APPARMOR, SELINUX
from armlevel.formats.libvirt_write import WRAPPER
from armlevel.lab import Laboratory, LabSettings
from armlevel.lab.archive import unpack
from armlevel.lab.store import content_key
from tests.repository.frame import ROOT

pytestmark = pytest.mark.slow

UUID = "libvirt-9f1c4a52-4f0e-4d2b-9d0c-0c2f3a7b8e11"
PACKAGES = (
    *(
        "apparmor",
        "libapparmor1",
        "libvirt-daemon-system",
        "libvirt-daemon-common",
        "libvirt-daemon-driver-qemu",
    ),
    *("secilc", "policycoreutils", "libsepol2", "selinux-policy-default"),
    *(
        "libc6",
        "libstdc++6",
        "libgcc-s1",
        "libselinux1",
        "libpcre2-8-0",
        "libaudit1",
        "libsemanage2",
        "libcap-ng0",
    ),
)
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def debian() -> Path:
    """Debian's packages of both, unpacked; skips where there is no mirror."""
    done = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True)
    arch = done.stdout.strip()
    archive = Laboratory(LabSettings.of(os.environ))._archive()
    try:
        found = archive.find(f"confinement-{arch}", arch, ("trixie",), lambda root: root.alone(PACKAGES))

        def make(place: Path) -> None:
            with archive.files(found, place) as debs:
                unpack(debs.values(), place)

        return archive.store.entry("judges", content_key(found.key, "whole"), make)
    except LabError as exc:
        if os.environ.get("ARMLEVEL_LAB"):
            raise
        pytest.skip(f"no judge: {exc} (ARMLEVEL_LAB=1 forces)")


@pytest.fixture(scope="module")
def run(debian: Path) -> Run:
    """Start a program of those packages with their own C library, whatever this machine has."""
    (loader,) = (debian / "usr/lib").glob("*-linux-gnu/ld-linux*.so.*")

    def started(program: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
        command = [loader, "--library-path", loader.parent, debian / program, *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=1800)

    return started


def apparmor(debian: Path, run: Run, place: Path, text: str) -> subprocess.CompletedProcess[str]:
    # The guide's own command makes the domain's profile of libvirt's template.
    base = place / "apparmor.d"
    shutil.copytree(debian / "etc/apparmor.d", base)
    (base / "abstractions/armlevel-run").write_text(text, encoding="utf-8")
    guide = (ROOT / "docs/howto/libvirt.md").read_text(encoding="utf-8")
    (script,) = re.findall(r'^\$ sed ("s/LIBVIRT_TEMPLATE/.*") \\$', guide, re.MULTILINE)
    command = f"profile={UUID}; sed {script} {base}/libvirt/TEMPLATE.qemu > {base}/libvirt/$profile"
    subprocess.run(["sh", "-ec", command], check=True)
    (base / "libvirt" / f"{UUID}.files").write_text('  "/srv/web.qcow2" rwk,\n', encoding="utf-8")
    words = ["--skip-kernel-load", "--skip-cache", "--base", base, "--config-file", os.devnull]
    return run("usr/sbin/apparmor_parser", *words, base / "libvirt" / UUID)


def test_apparmor_takes_a_domains_profile_with_the_abstraction(debian: Path, run: Run, tmp_path: Path):
    assert f"\n{WRAPPER} " in APPARMOR
    done = apparmor(debian, run, tmp_path, APPARMOR)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/usr/bin/qemu-system-aarch64 px -> &armlevel-qemu,", "conflicting x modifiers"),
        ("/usr/bin/python3 rx,", "Invalid perms"),
    ],
)
def test_apparmor_is_a_judge(debian: Path, run: Run, tmp_path: Path, line: str, said: str):
    done = apparmor(debian, run, tmp_path, f"{APPARMOR}{line}\n")
    assert done.returncode != 0
    assert said in done.stderr


@pytest.fixture(scope="module")
def policy(debian: Path, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Debian's policy, every module of it in CIL."""
    place = tmp_path_factory.mktemp("selinux")
    modules = sorted((debian / "usr/share/selinux/default").glob("*.pp.bz2"))
    assert len(modules) > 100
    for module in modules:
        binary = place / module.name.removesuffix(".bz2")
        binary.write_bytes(bz2.decompress(module.read_bytes()))
        done = run("usr/libexec/selinux/hll/pp", binary, binary.with_suffix(".cil"))
        assert done.returncode == 0, done.stderr
    return place


def selinux(run: Run, policy: Path, place: Path, text: str) -> Iterator[str]:
    module = place / "armlevel_run.cil"
    module.write_text(text, encoding="utf-8")
    words = ["--multiple-decls", "--output", place / "policy", "--filecontext", place / "contexts"]
    done = run("usr/bin/secilc", *words, *sorted(policy.glob("*.cil")), module)
    yield done.stdout + done.stderr
    if done.returncode == 0:
        yield (place / "contexts").read_text(encoding="utf-8")


def test_selinux_takes_the_module_with_all_of_debians_policy(run: Run, policy: Path, tmp_path: Path, tell):
    _, contexts = selinux(run, policy, tmp_path, SELINUX)
    for path in (WRAPPER, "/etc/armlevel(/.*)?", "/run/armlevel(/.*)?"):
        assert any(line.split()[0] == path and ":armlevel_" in line for line in contexts.splitlines())
    tell(
        f"SELinux: compiled with {len([*policy.glob('*.cil')])} modules of Debian's policy, neverallow rules held"
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("armlevel_conf_t (file (read", "shadow_t (file (read"), "neverallow check failed"),
        (("svirt_t bin_t", "svirt_t no_such_t"), "Failed to resolve allow statement"),
    ],
)
def test_selinux_is_a_judge(run: Run, policy: Path, tmp_path: Path, change: tuple[str, str], said: str):
    assert change[0] in SELINUX
    (answer,) = selinux(run, policy, tmp_path, SELINUX.replace(*change))
    assert said in answer
