"""The Debian package: what is in it, as the project's own tool builds it."""

from __future__ import annotations

import configparser
import io
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import make_deb

ROOT = Path(__file__).parent.parent.parent
PACKAGING = ROOT / "packaging/debian"
UNITS = sorted(PACKAGING.glob("*.service")) + sorted(PACKAGING.glob("*.timer"))
STARTS_GUESTS = {"libvirtd.service", "virtqemud.service", "libvirt-guests.service", "nova-compute.service"}
needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="there is no dpkg-deb here")


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string((PACKAGING / name).read_text())
    return parser


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Path:
    return make_deb.build_deb(tmp_path_factory.mktemp("deb"))


def members(package: Path) -> dict[str, tarfile.TarInfo]:
    data = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {one.name.removeprefix("./"): one for one in archive}


@needs_dpkg
def test_the_package_has_agent_guard_hook_and_units_and_root_owns_them(package):
    found = members(package)
    names = {name for name, one in found.items() if one.isfile()}
    hook = ("qemu-hook.sh",) if make_deb.HOOK.exists() else ()
    wanted = {f"usr/lib/armlevel/{one}" for one in ("armlevel-agent.pyz", "armlevel-guard.pyz", *hook)}
    wanted.add("usr/share/python3/runtime.d/armlevel-agent.rtupdate")
    wanted |= {f"usr/lib/systemd/system/{one.name}" for one in UNITS}
    assert wanted <= names
    assert {(one.uid, one.gid, one.uname) for one in found.values()} == {(0, 0, "root")}
    assert {oct(one.mode & 0o7777) for one in found.values()} == {"0o755", "0o644"}
    assert not [name for name in names if name.startswith("etc/")]


@needs_dpkg
@pytest.mark.slow
def test_the_same_sources_give_the_same_bytes(package, tmp_path):
    assert make_deb.build_deb(tmp_path).read_bytes() == package.read_bytes()


@needs_dpkg
def test_lintian_has_no_error_where_it_is_there(package):
    if shutil.which("lintian") is None:
        pytest.skip("there is no lintian here")
    done = subprocess.run(["lintian", "--fail-on=error", package], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@needs_dpkg
def test_the_agent_in_it_runs_and_says_what_is_wrong(package, tmp_path):
    subprocess.run(["dpkg-deb", "-x", package, tmp_path], check=True)
    agent = tmp_path / "usr/lib/armlevel/armlevel-agent.pyz"
    assert zipfile.is_zipfile(agent)

    def run(*words):
        return subprocess.run([sys.executable, "-I", agent, *words], capture_output=True, text=True)

    assert run("--version").stdout.startswith("armlevel ")
    for words in ((), ("x",), ("send", "x"), ("--nonsense",), ("enrol",), ("send", "--own", "/proc/x")):
        done = run(*words)
        assert (done.returncode, done.stdout) == (2, ""), words
        assert done.stderr.startswith("armlevel-agent: ")
        assert "Traceback" not in done.stderr
    done = run("key", "--own", str(tmp_path / "own"))
    assert (done.returncode, done.stdout.split()[0]) == (0, "ssh-ed25519")
    assert (tmp_path / "own/agent_key").stat().st_mode & 0o777 == 0o600
    state = ("--state", str(tmp_path / "state"), "--own", str(tmp_path / "own"))
    done = run("send", *state)
    assert (done.returncode, "no profile of this boot" in done.stdout) == (0, True), done.stderr


@pytest.mark.parametrize("name", ["postinst", "prerm", "postrm", "rtupdate"])
def test_a_script_of_the_package_never_restarts_libvirt(name):
    text = (PACKAGING / name).read_text()
    subprocess.run(["sh", "-n", PACKAGING / name], check=True)
    assert not re.search(r"restart|kill", re.sub(r"#.*", "", text))
    for line in text.splitlines():
        if re.search(r"systemctl (start|stop|enable|disable)", line):
            assert not re.search(r"libvirt|virtqemud|nova", line), line


def test_the_hook_goes_before_all_else():
    lines = [one for one in (PACKAGING / "prerm").read_text().splitlines() if not one.startswith("#")]
    commands = [one for one in lines if re.match(r"\s*(rm|systemctl)\b", one)]
    assert commands[0] == 'rm -f "$hook" "$last"'
    assert "hook=/etc/libvirt/hooks/qemu.d/50-armlevel" in lines


def test_the_prober_runs_before_what_starts_guests_and_may_not_keep_it_waiting():
    prober = unit("armlevel-prober.service")
    assert set(prober["Unit"]["Before"].split()) >= STARTS_GUESTS
    assert prober["Service"]["Type"] == "oneshot"
    assert 0 < int(prober["Service"]["TimeoutStartSec"]) <= 120


def test_the_prober_has_kvm_and_no_network_and_the_sender_no_device_and_no_rights():
    prober, sender = unit("armlevel-prober.service")["Service"], unit("armlevel-sender.service")["Service"]
    assert (prober["PrivateNetwork"], prober["DeviceAllow"], prober["DevicePolicy"]) == (
        "yes",
        "/dev/kvm rw",
        "closed",
    )
    assert (sender["PrivateDevices"], sender["User"]) == ("yes", "_armlevel")
    assert "DeviceAllow" not in sender
    assert (prober["CapabilityBoundingSet"], sender["CapabilityBoundingSet"]) == ("CAP_SYS_PTRACE", "")
    assert "@debug" in (PACKAGING / "armlevel-prober.service").read_text()
    for one in (prober, sender):
        assert (one["ProtectSystem"], one["NoNewPrivileges"]) == ("strict", "yes")


@pytest.mark.parametrize("name", ["prober", "sender"])
def test_a_unit_starts_what_the_package_installs(name):
    words = shlex.split(unit(f"armlevel-{name}.service")["Service"]["ExecStart"])
    assert words[:2] == ["/usr/bin/python3", "-I"]
    assert words[2] == "/usr/lib/armlevel/armlevel-agent.pyz"
    assert words[3:] == [{"prober": "probe", "sender": "send"}[name]]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path, tell):
    # It wants the program to be there; everything else stands as it ships.
    for one in UNITS:
        (tmp_path / one.name).write_text(one.read_text().replace("/usr/bin/python3", "/bin/true"))
    units = sorted(map(str, tmp_path.iterdir()))
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if "armlevel" in line]
    assert (done.returncode, said) == (0, [])
    for name, most in (("prober", 2.0), ("sender", 1.0)):
        words = ["systemd-analyze", "security", "--offline=yes", "--no-pager", f"armlevel-{name}.service"]
        done = subprocess.run([*words[:-1], tmp_path / words[-1]], capture_output=True, text=True)
        found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
        assert found, done.stderr
        assert float(found[1]) <= most
        tell(f"systemd-analyze security: armlevel-{name}.service {found[1]}")
