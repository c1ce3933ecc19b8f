"""Every command in the documentation is run, and prints what its page shows.

What cannot run on every machine is listed here, with the reason and with who runs it instead; its options are held
against armlevel's own parser all the same.
"""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from armlevel.lab import Laboratory, parse_host
from pages import console
from pages.console import WHERE, Command, Ran, blocks_of, mentions, objection, run, says
from tests.emulated import fetched
from tests.repository.frame import ROOT

_LAST_STOP = 1800  # seconds against hanging, ten times what the longest page needs on an idle machine

PAGES = {
    str(page.relative_to(ROOT / "docs")): page.read_text(encoding="utf-8")
    for page in sorted((ROOT / "docs").rglob("*.md"))
    if "decisions" not in page.parts
}
WITH_COMMANDS = [name for name, text in PAGES.items() if "" in {block.where for block in blocks_of(text)}]
HERE = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

_KVM = "needs an Arm host's /dev/kvm; in emulated hosts: tests/lab, tests/fidelity"
_QEMU = "needs an Arm host's /dev/kvm and QEMU; in emulated hosts: tests/preload, tests/migrations"
_MINUTES = "boots two hosts with libvirt, which takes minutes: tools/libvirt_migrations.py"
_ROOT = "changes the system it runs on"
_CONFINED = "needs a libvirt under AppArmor or SELinux; the policies are compiled in tests/formats/test_confinement.py"
_LIBVIRT = "needs a host with libvirt; between two real ones: tests/onefile/test_libvirt_judge.py"

#: Every command of a ``real`` block -> why it is not run here.
ELSEWHERE = {
    "armlevel verify guest.json": _KVM,
    "armlevel run --guest guest.json -- \\\n    qemu-system-aarch64 -machine virt-10.0 -m 4G -smp 2 -nographic": _QEMU,
    "armlevel run --guest web.json --host here.json --log /var/log/armlevel-web.log -- \\\n"
    "    qemu-system-aarch64 -M virt-10.0 -accel kvm -smp 4 -m 8G ...": _QEMU,
    "sudo armlevel probe -o /run/armlevel/host.json": _KVM,
    "sudo armlevel verify /etc/armlevel/guest.json": _KVM,
    "sudo install -m 755 qemu-armlevel /usr/local/bin/qemu-armlevel": _ROOT,
    "sudo install -D -m 644 guest.json /etc/armlevel/guest.json": _ROOT,
    "tr '\\0' ' ' < /proc/$(pidof qemu-system-aarch64)/cmdline > vm.txt": _QEMU,
    "armlevel migrate a.json b.json --guest guest.json --vmm qemu-11.1 --command vm.txt": _QEMU,
    "openstack flavor set arm.web --property hw:pmu=false --property \\\n"
    "    trait:CUSTOM_ARMLEVEL_START_7054EECA69907C8E0B639C892F024761=required": "needs an OpenStack",
    "sudo armlevel guests hosts/": "tells of the guests of an Arm host; in emulated hosts: tests/lab",
    "sudo armlevel guests --stamp": "needs an Arm host with libvirt",
    "stdbuf -oL virsh event --all --loop | sudo armlevel guests --stamp --events -": "needs libvirt",
    "sudo systemctl restart nova-compute": "needs an OpenStack",
    "sudo install -m 644 armlevel-run /etc/apparmor.d/abstractions/armlevel-run": _ROOT,
    "profile=libvirt-$(virsh domuuid web)": _CONFINED,
    'sed "s/LIBVIRT_TEMPLATE/$profile/; /^}/i include if exists <libvirt/$profile.files>'
    '\\ninclude <abstractions/armlevel-run>" \\\n'
    "    /etc/apparmor.d/libvirt/TEMPLATE.qemu | sudo tee /etc/apparmor.d/libvirt/$profile": _CONFINED,
    "sudo semodule -i armlevel_run.cil": _CONFINED,
    "sudo restorecon -RF /usr/local/bin/qemu-armlevel /etc/armlevel /run/armlevel": _CONFINED,
    "armlevel lab migrate neoverse-n1@7.x neoverse-n1@6.12 --libvirt --guard --qemu 11": _MINUTES,
    "sudo install -D -m 644 nova-filter.json /var/lib/armlevel/nova-filter.json": _ROOT,
    "sudo install -m 644 armlevel/nova/filter.py /usr/lib/python3/dist-packages/armlevel_filter.py": _ROOT,
    "sudo armlevel guard install": _ROOT,
    "sudo armlevel guard remove": _ROOT,
    "sudo armlevel guard status": _LIBVIRT,
    "armlevel override web-1 --for 2h --reason 'rack 4 is on battery'": _LIBVIRT,
    "armlevel override web-1 --for 2h --breaks --reason 'rack 4 is on battery'": _LIBVIRT,
    "sudo systemctl restart nova-scheduler": "needs an OpenStack; nova itself judges the filter: tests/nova",
}


def commands_of(page: str, *where: str) -> list[Command]:
    return [one for block in blocks_of(PAGES[page]) if block.where in where for one in block.commands]


def assert_as_shown(ran: list[Ran]) -> None:
    following = [*(one.command.line for one in ran[1:]), ""]
    for one, after in zip(ran, following, strict=True):
        assert says(one), f"the page shows something else; tools/fill_pages.py puts this in:\n{one}"
        assert one.code == 0 or after == "echo $?", f"the page does not tell that this fails:\n{one}"


@pytest.mark.parametrize("page", WITH_COMMANDS)
def test_a_page_prints_what_it_shows(page: str, tmp_path: Path):
    assert_as_shown(run(commands_of(page, ""), tmp_path, HERE, _LAST_STOP))


@pytest.fixture(scope="module")
def lab(laboratory: Laboratory) -> None:
    with fetched():
        laboratory.prepare(parse_host("neoverse-n1@7.x"))


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A copy of this checkout in which nothing was installed, built or cached."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    checkout = tmp_path / "armlevel"
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, checkout / name)
    return checkout


@pytest.mark.slow  # four minutes; the README's commands run from a bare checkout at each change
@pytest.mark.usefixtures("lab")
def test_the_tutorial_works_from_a_bare_checkout_to_its_last_line(fresh: Path, tell):
    listed = commands_of("tutorial.md", "checkout", "", "lab")
    bare = {
        name: value for name, value in HERE.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH", "MAKEFLAGS")
    }
    bare["PATH"] = f"{sys.base_prefix}/bin:{os.environ['PATH']}"
    ran = run(listed, fresh, bare, _LAST_STOP)
    assert (fresh / ".venv/bin/armlevel").exists()
    assert_as_shown(ran)
    tell(f"tutorial: {len(ran)} commands from a bare checkout, emulated hosts included")


def test_only_the_tutorial_needs_a_checkout_or_emulated_hosts():
    for page, text in PAGES.items():
        where = {block.where for block in blocks_of(text)}
        assert where <= set(WHERE), page
        assert page == "tutorial.md" or not where & {"checkout", "lab"}, page


def test_what_is_not_run_is_listed_with_the_reason_and_nothing_else_is():
    listed = {one.line for page in PAGES for one in commands_of(page, "real")}
    assert listed == set(ELSEWHERE)


@pytest.mark.parametrize("line", ELSEWHERE)
def test_a_command_that_is_not_run_is_one_that_armlevel_would_take(line: str):
    if ours := re.match(r"(?:sudo )?(armlevel .*)", line, re.DOTALL):
        assert objection(ours[1]) == ""


def test_a_command_in_the_text_is_one_that_armlevel_would_take():
    lines = [(page, line) for page, text in PAGES.items() for line in mentions(text)]
    assert len(lines) > 10
    wrong = [(page, line, said) for page, line in lines if (said := objection(line))]
    assert [one for one in wrong if not one[2].startswith("Missing")] == []


def test_a_chore_in_the_text_is_one_that_make_knows():
    chores = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {name for text in PAGES.values() for name in re.findall(r"(?:`|\$ )make ([a-z]+)", text)}
    assert {"demo"} <= named <= chores


def test_there_are_commands_and_each_page_that_says_how_has_some(tell):
    counts = {where: sum(len(commands_of(page, where)) for page in PAGES) for where in WHERE}
    assert counts[""] >= 60, counts
    assert counts["lab"] >= 4, counts
    assert {page for page in PAGES if page.startswith(("howto/", "tutorial"))} <= set(WITH_COMMANDS)
    tell(
        "documentation: "
        + ", ".join(f"{count} commands {where or 'anywhere'}" for where, count in counts.items())
    )


def test_a_page_that_shows_something_else_is_noticed(tmp_path: Path):
    (right, wrong) = run(
        [Command("printf '1\\n2\\n'", ("1", "2")), Command("printf '1\\n2\\n'", ("1", "3"))],
        tmp_path,
        HERE,
        _LAST_STOP,
    )
    assert says(right)
    assert not says(wrong)
    (failed,) = run([Command("exit 3 | false", ())], tmp_path, HERE, _LAST_STOP)
    with pytest.raises(AssertionError, match="does not tell"):
        assert_as_shown([failed])


def test_the_examples_of_the_reader_of_pages_hold():
    assert doctest.testmod(console).attempted >= 4
    assert doctest.testmod(console).failed == 0
