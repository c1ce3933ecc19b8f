"""`armlevel collect` with an ssh of the test's own: it runs here what it is given for there, in a changed world."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from armlevel.documents import host_object, pretty, read_host
from tests.cli.hosts import Command, host
from tests.cli.test_json import judged

#: The other end's Python: it believes to be on an Arm machine, and what it finds there is what its host's file says.
PYTHON = """\
import importlib, importlib.util, json, os, sys
world = json.load(open(os.environ["WORLD"]))
uname_ = os.uname
os.uname = lambda: os.uname_result([*uname_()[:4], world.get("machine", "aarch64")])
open_ = os.open
def opened(path, *rest, **more):
    if path == "/dev/kvm":
        raise OSError(world.get("errno", 2), "so")
    return open_(path, *rest, **more)
os.open = opened
class Patched:
    def __init__(self, module): self.module = module
    def create_module(self, spec): return self.module
    def exec_module(self, module): pass
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name != "armlevel.onefile.over_ssh" or "profile" not in world:
            return None
        sys.meta_path.remove(self)
        module = importlib.import_module(name)
        class Probed: remarks = ("a remark",)
        module.collect = lambda plan, name, vmms: (plan.version, Probed)[1]
        module.written = lambda probed: world["profile"]
        del sys.modules[name]
        return importlib.util.spec_from_loader(name, Patched(module))
sys.meta_path.insert(0, Finder())
if "version" in world:
    sys.version_info, sys.version = tuple(world["version"]), ".".join(map(str, world["version"]))
exec(sys.argv[-1])
"""

SSH = """\
#!/bin/sh
# ssh [-o OPTION]... [-T] [-p PORT] [-l USER] [-i KEY] -- [USER@]HOST COMMAND
printf '%s\\n' "$*" >> "$SSH_LOG"
while [ "$1" != -- ]; do shift; done
export WORLD="$WORLDS/${2#*@}"
[ -e "$WORLD" ] || { echo "ssh: connect to host $2 port 22: No route to host" >&2; exit 255; }
. "$WORLD.sh"
PATH=$BIN; export PATH
cd "$THERE" || exit 9
exec /bin/sh -c "$3"
"""


class There:
    """Hosts at the other end of an ssh that stands on PATH."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.worlds, self.log, self.home = folder / "worlds", folder / "log", folder / "there"
        self.bins = folder / "bin"
        for one in (self.worlds, self.home, self.bins, folder / "ours"):
            one.mkdir()
        (self.bins / "shim.py").write_text(PYTHON)
        _script(self.bins / "python3", f'exec {sys.executable} -I {self.bins}/shim.py "$@"')
        _script(self.bins / "sudo", '[ "$1 $2" = "-n --" ] && shift 2 && SUDO=yes exec "$@"')
        (folder / "ours/ssh").write_text(SSH)
        (folder / "ours/ssh").chmod(0o755)
        self.log.touch()
        monkeypatch.setenv("PATH", f"{folder}/ours:{os.environ['PATH']}")
        said = {"WORLDS": self.worlds, "SSH_LOG": self.log, "BIN": self.bins, "THERE": self.home}
        for name, path in said.items():
            monkeypatch.setenv(name, str(path))

    def add(self, name: str, shell: str = "", **world: Any) -> None:
        """Put a host there; ``shell`` is what its login shell does first."""
        (self.worlds / name).write_text(json.dumps(world))
        (self.worlds / f"{name}.sh").write_text(shell)

    def good(self, name: str, shell: str = "", **more: Any) -> None:
        """Put a host there that can be probed."""
        self.add(name, shell, profile=pretty(host_object(host(name, **more))))

    @property
    def asked(self) -> list[str]:
        """The command lines that ssh was given."""
        return self.log.read_text().splitlines()


def _script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> There:
    monkeypatch.chdir(tmp_path)
    return There(tmp_path, monkeypatch)


def test_profiles_of_many_hosts_come_whole_and_nothing_stays(there: There, armlevel: Command, tmp_path: Path):
    for name in ("n1", "n2", "n3"):
        there.good(name)
    said = armlevel("collect", "n1", "root@n2", "ssh://n3:2222", "-d", tmp_path / "hosts")
    assert (said.code, said.out) == (0, "all of 3 hosts collected\n")
    assert "n1: a remark" in said.err
    for name in ("n1", "n2", "n3"):
        assert read_host((tmp_path / f"hosts/{name}.json").read_bytes(), name) == host(name)
    assert list(there.home.iterdir()) == []
    assert armlevel("plan", tmp_path / "hosts").code == 0
    assert all("-o BatchMode=yes" in one for one in there.asked)
    (third,) = [one for one in there.asked if " n3 " in one]
    assert "-T -p 2222 -- n3 python3 -I -c" in third


FAILURES: dict[str, tuple[dict[str, Any], str]] = {
    "old-python": ({"version": [3, 6, 8]}, ""),
    "not-arm": ({"machine": "x86_64"}, ""),
    "no-kvm": ({"errno": 2}, ""),
    "permission": ({"errno": 13}, ""),
    "no-python": ({}, "BIN=/nowhere"),
    "login": ({}, "echo 'u@h: Permission denied (publickey).' >&2; exit 255"),
    "host-key": ({}, "echo 'Host key verification failed.' >&2; exit 255"),
    "bad-output": ({"profile": '{"kind": "host-profile/1"}'}, ""),
    "not-loaded": ({"profile": "x"}, "BIN=$WORLDS"),
}


def test_kinds_of_failure_are_told_apart_each_with_its_remedy(there: There, armlevel, tmp_path: Path):
    # A Python without a place for the program.
    _script(there.worlds / "python3", f'exec {sys.executable} -I -c "import os; del os.memfd_create; $3"')
    for kind, (world, shell) in FAILURES.items():
        there.add(kind, shell, **world)
    there.good("good")
    said = armlevel("collect", *FAILURES, "good", "-d", tmp_path / "hosts", "--json")
    assert said.code == 1
    judged(said.json, "collect/1")
    assert {one["host"]: one["failed"] for one in said.json["hosts"]} == {
        **{k: k for k in FAILURES},
        "good": None,
    }
    assert [path.name for path in (tmp_path / "hosts").iterdir()] == ["good.json"]
    page = armlevel("collect", *FAILURES, "-d", tmp_path / "other").out
    assert page.startswith(f"0 of {len(FAILURES)} hosts collected, {len(FAILURES)} failed\n")
    assert page.count("do: ") == len(FAILURES)


def test_a_host_that_is_down_and_one_that_hangs_hold_nobody_up(there: There, armlevel, tmp_path: Path):
    there.good("n1")
    there.add("hangs", "sleep 600")
    said = armlevel("collect", "down", "n1", "-d", tmp_path / "hosts", "--json")
    assert [one["failed"] for one in said.json["hosts"]] == ["unreachable", None]
    hung = armlevel("collect", "hangs", "-d", tmp_path / "hosts", "--timeout", "1")
    assert (hung.code, "it did not end within 1 seconds" in hung.out) == (1, True)


SHELLS = {
    "welcome": ("echo welcome; printf 'no line end'", None),
    "frames": ("echo 'armlevel-collect/1 2 00'; echo '{}'", None),
    "other": ("cat > /dev/null; echo hello; exit 0", "bad-output"),
    "silent": ("exit 0", "bad-output"),
    "killed": ("kill -9 $$", "unreachable"),
    "endless": ("head -c 20000000 /dev/zero; exit 0", "bad-output"),
}


def test_what_a_shell_prints_is_no_answer(there: There, armlevel: Command, tmp_path: Path):
    for name, (shell, _) in SHELLS.items():
        there.good(name, shell)
    said = armlevel("collect", *SHELLS, "-d", tmp_path / "hosts", "--json")
    assert {one["host"]: one["failed"] for one in said.json["hosts"]} == {
        k: v for k, (_, v) in SHELLS.items()
    }
    assert sorted(path.stem for path in (tmp_path / "hosts").iterdir()) == ["frames", "welcome"]


def test_a_profile_of_another_host_is_none(there: There, armlevel: Command, tmp_path: Path):
    there.add("n1", profile=pretty(host_object(host("n2"))))
    said = armlevel("collect", "n1", "-d", tmp_path / "hosts")
    assert said.code == 1
    assert "the profile of n2" in said.out


def test_sudo_runs_it_and_a_password_that_it_wants_is_told(there: There, armlevel: Command, tmp_path: Path):
    there.good("n1")
    assert armlevel("collect", "n1", "-d", tmp_path / "a", "--become", "sudo").code == 0
    assert "-- n1 sudo -n -- python3 -I -c" in there.asked[0]
    _script(there.bins / "sudo", "echo 'sudo: a password is required' >&2; exit 1")
    said = armlevel("collect", "n1", "-d", tmp_path / "b", "--become", "sudo")
    assert (said.code, "NOPASSWD" in said.out) == (1, True)
    _script(there.bins / "sudo", "echo 'sudo: python3: command not found' >&2; exit 1")
    failed = armlevel("collect", "n1", "-d", tmp_path / "c", "--become", "sudo", "--json").json
    assert failed["hosts"][0]["failed"] == "no-python"


def test_nothing_is_replaced_unasked_and_then_no_host_is_asked(there: There, armlevel, tmp_path: Path):
    there.good("n1")
    folder = tmp_path / "hosts"
    folder.mkdir()
    (folder / "n1.json").write_text("mine")
    said = armlevel("collect", "n1", "-d", folder)
    assert (said.code, there.asked) == (2, [])
    assert "has n1.json already" in said.err
    assert (folder / "n1.json").read_text() == "mine"
    assert armlevel("collect", "n1", "-d", folder, "--force").code == 0
    assert armlevel("collect", "n1", "-d", folder / "n1.json").code == 2


def test_what_is_collected_goes_into_the_fleet(there: There, armlevel, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("ARMLEVEL_FLEET", str(tmp_path / "fleet.db"))
    there.good("n1")
    assert armlevel("collect", "n1", "--fleet").code == 2
    assert there.asked == []
    assert armlevel("fleet", "init").code == 0
    said = armlevel("collect", "n1", "down", "--fleet", "--label", "rack=r1")
    assert (said.code, said.out.splitlines()[0]) == (1, "1 of 2 hosts collected, 1 failed: 1 new")
    shown = armlevel("fleet", "show", "n1").out
    assert "rack=r1" in shown
    there.good("n1", kernel="6.12.77")
    there.add("n2", profile=write_future(host("n2")))
    said = armlevel("collect", "n1", "n2", "--fleet")
    assert (said.code, said.out.splitlines()[0]) == (1, "1 of 2 hosts collected, 1 failed: 1 changed")
    assert "is a clock wrong?" in said.out
    assert armlevel("fleet", "audit").code == 0


def write_future(one: Any) -> str:
    document = host_object(one)
    return pretty({**document, "made": {"tool": "armlevel", "at": "2999-01-01T00:00:00Z"}})


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["-d", "x"], "no host was named"),
        (["n1"], "where shall the profiles go?"),
        (["-oProxyCommand=touch x", "-d", "x"], "no such option"),
        (["--", "-oProxyCommand=touch x"], "where shall"),
        (["-d", "x", "--", "-oProxyCommand=touch"], "is no host"),
        (["a b", "-d", "x"], "is no host"),
        (["../n1", "-d", "x"], "is no host"),
        (["n1", "root@n1", "-d", "x"], "hosts of one name"),
        (["n1", "-d", "x", "--group", "web"], "--group is of a list"),
        (["n1", "-d", "x", "--label", "a=b"], "--label is for the fleet"),
        (["ssh://n1:99999", "-d", "x"], "is no port"),
        (["--hosts", "/nowhere", "-d", "x"], "/nowhere"),
    ],
)
def test_what_cannot_be_asked_is_said(arguments: list[str], reason: str, there: There, armlevel: Command):
    said = armlevel("collect", *arguments)
    assert said.code == 2
    assert reason in said.err
    assert there.asked == []


def test_an_inventory_says_how_each_is_reached(there: There, armlevel: Command, tmp_path: Path):
    for name in ("web-1", "10.0.0.2", "web-3"):
        there.good(name)
    there.add("10.0.0.2", profile=pretty(host_object(host("web-2"))))
    (tmp_path / "hosts.ini").write_text(
        "[web]\nweb-1\nweb-2 ansible_host=10.0.0.2 ansible_port=2222\n[web:vars]\nansible_user=ops\n"
        "[db]\ndb-1\n[local]\nhere ansible_connection=local\n"
    )
    said = armlevel("collect", "--hosts", tmp_path / "hosts.ini", "--group", "web", "-d", tmp_path / "hosts")
    assert (said.code, said.out) == (0, "all of 2 hosts collected\n")
    assert sorted(one.split(" -T ")[1].split(" python3")[0] for one in there.asked) == [
        "-l ops -- web-1", "-p 2222 -l ops -- 10.0.0.2",
    ]  # fmt: skip
    local = armlevel("collect", "--hosts", tmp_path / "hosts.ini", "--group", "local", "-d", tmp_path / "l")
    assert "the inventory reaches it by local" in local.out


def test_fifty_hosts_are_asked_and_none_is_lost(there: There, armlevel: Command, tmp_path: Path):
    there.add("bad", "exit 255")
    names = [f"down-{number}" for number in range(49)]
    said = armlevel("collect", *names, "bad", "-d", tmp_path / "hosts", "--json", "-j", "8")
    assert [one["host"] for one in said.json["hosts"]] == [*names, "bad"]
    assert len(there.asked) == 50
