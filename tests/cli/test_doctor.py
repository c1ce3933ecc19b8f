"""`armlevel doctor` says of any machine what is so, what is not and what is not known; and what to do."""

from __future__ import annotations

import errno
import re
import string
from dataclasses import replace

import pytest

from armlevel.cli import doctor as verb
from armlevel.cli.app import VERBS
from armlevel.lab.possible import lab_check
from armlevel.lab.settings import LabSettings
from armlevel.operations.check_ups import CheckUp
from armlevel.operations.doctor import Here, doctor, read_here
from armlevel.probe.machine import Machine
from armlevel.profile import Cpu, Implementation
from armlevel.profile.host import Made
from armlevel.words.doctor import FOUND, REMEDY, found_text, remedy_of
from armlevel.words.messages import ADVICE
from tests.cli.hosts import N1, V1, Command, host, write

ARM = Machine(
    cpus=(Cpu(N1, 4),), where=((0, 1, 2, 3),), kernel="6.18.1", page_size=4096, vmms={"qemu": "11.1.3"}
)
HERE = Here("aarch64", ARM, booted=1_700_000_000.0)
LAB = CheckUp("lab", "ok", "lab-possible", {"parts": "3"})
DAY = 86_400


def states(here: Here, **more):
    return {check.name: (check.state, check.code) for check in doctor(here, lab=[LAB], **more).checks}


def profile(at: str = "2023-11-20T00:00:00Z", **more):
    return replace(host("n1", **more), made=Made("armlevel", "", at))


def test_a_good_machine_is_well():
    found = doctor(HERE, lab=[LAB])
    assert {check.state for check in found.checks} == {"ok"}
    assert found.status == 0
    assert [check.name for check in found.checks] == [
        "machine",
        "kvm",
        "cpus",
        "kernel",
        "qemu",
        "preload",
        "lab",
    ]


@pytest.mark.parametrize(
    ("change", "name", "state", "code"),
    [
        ({"kvm": errno.ENOENT}, "kvm", "not", "kvm-absent"),
        ({"kvm": errno.EACCES}, "kvm", "not", "kvm-denied"),
        ({"kvm": errno.ENODEV}, "kvm", "not", "kvm-broken"),
        ({"library": "it is cut off"}, "preload", "not", "library-fault"),
        ({"architecture": "x86_64"}, "machine", "not", "not-arm"),
        ({"architecture": "x86_64"}, "kvm", "not", "kvm-other"),
        ({"architecture": "x86_64", "kvm": errno.ENOENT}, "kvm", "not", "kvm-other"),
        ({"architecture": "x86_64"}, "preload", "ok", "library-elsewhere"),
        ({"machine": replace(ARM, kernel="6.15.2")}, "kernel", "unknown", "kernel-unmeasured"),
        ({"machine": replace(ARM, kernel=None)}, "kernel", "unknown", "kernel-unread"),
        ({"machine": replace(ARM, cpus=())}, "cpus", "unknown", "cpus-unread"),
        ({"machine": replace(ARM, cpus=(Cpu(N1, 4), Cpu(V1, 4)))}, "cpus", "not", "cpus-differ"),
        ({"machine": replace(ARM, vmms={})}, "qemu", "not", "vmm-none"),
        ({"machine": replace(ARM, vmms={"qemu": "10.1.0-15.el10"})}, "qemu", "unknown", "vmm-unknown"),
        ({"machine": replace(ARM, vmms={"qemu": "found"})}, "qemu", "unknown", "vmm-unknown"),
        ({"machine": replace(ARM, vmms={"firecracker": "1.13.0"})}, "firecracker", "ok", "vmm-known"),
    ],
)
def test_what_is_amiss_is_found(change, name, state, code):
    here = replace(HERE, **change)
    assert states(here)[name] == (state, code)
    if state != "ok":
        assert doctor(here, lab=[LAB]).status == (1 if state == "not" else 3)


@pytest.mark.parametrize(
    ("given", "here", "answer"),
    [
        (profile(), HERE, ("ok", "profile-holds")),
        (profile(kernel="6.12.1"), HERE, ("not", "profile-other-kernel")),
        (profile(kernel=None), HERE, ("unknown", "profile-not-recorded")),
        (replace(profile(), cpus=()), HERE, ("unknown", "profile-not-recorded")),
        (replace(profile(), cpus=(Cpu(Implementation(None)),)), HERE, ("unknown", "profile-not-recorded")),
        (
            profile(),
            replace(HERE, machine=replace(ARM, boot_options=("arm64.nosve",))),
            ("not", "profile-other-options"),
        ),
        (profile(), replace(HERE, machine=replace(ARM, firmware="EDK 2")), ("unknown", "profile-booted")),
        (profile(cpu=V1), HERE, ("not", "profile-other-cpu")),
        (profile(""), HERE, ("unknown", "profile-no-date")),
        (profile("yesterday"), HERE, ("unknown", "profile-no-date")),
        (profile("2023-11-10T00:00:00Z"), HERE, ("unknown", "profile-booted")),
        (profile(), replace(HERE, booted=None), ("unknown", "profile-booted")),
        (profile(), replace(HERE, architecture="x86_64"), ("unknown", "profile-not-held")),
        (profile(), replace(HERE, machine=replace(ARM, kernel=None)), ("unknown", "profile-not-held")),
        (profile(), replace(HERE, machine=replace(ARM, cpus=())), ("unknown", "profile-not-held")),
    ],
)
def test_a_profile_is_held_against_the_machine(given, here, answer):
    assert states(here, profile=given, now=1_700_500_000.0)["profile"] == answer


def test_the_age_of_a_profile_is_told_in_days():
    made = 1_700_438_400  # 2023-11-20
    found = doctor(HERE, profile(), path="n1.json", now=made + 12 * DAY + 5)
    assert "12 days ago" in found_text(found.checks[-1].code, found.checks[-1].words)


def test_every_code_has_a_sentence_and_whatever_is_amiss_something_to_do():
    assert set(REMEDY) <= set(FOUND)
    fine = {"arm", "kvm-opens", "cpus-alike", "kernel-measured", "vmm-known", "library-there"}
    fine |= {"library-elsewhere", "lab-possible", "profile-holds"}
    assert set(FOUND) - fine == set(REMEDY)


def test_what_is_to_be_done_needs_no_more_words_than_what_was_found_gives():
    for here in (HERE, replace(HERE, kvm=errno.EACCES, group="kvm"), replace(HERE, architecture="riscv64")):
        for check in doctor(here, profile(kernel="6.1.1"), path="a.json", lab=[LAB]).checks:
            assert not set(found_text(check.code, check.words) + remedy_of(check.code, check.words)) & set(
                "{}"
            )
    places = {name for text in REMEDY.values() for _, name, _, _ in string.Formatter().parse(text) if name}
    assert places == {"group", "path"}


@pytest.mark.parametrize("sentences", [REMEDY, ADVICE], ids=["doctor", "explain"])
def test_every_command_that_is_told_is_a_verb_with_those_options(armlevel: Command, sentences):
    told = 0
    for text in sentences.values():
        for command in re.split(r"\barmlevel ", text)[1:]:
            verb_named = re.match(r"[\w-]+", command)
            assert verb_named, text
            assert verb_named[0] in VERBS, text
            help_text = armlevel(*command.split()[: 2 if verb_named[0] == "lab" else 1], "--help").out
            options = re.findall(r"(?<!\w)--?\w[\w-]*", command)
            assert [option for option in options if option not in help_text] == [], text
            told += 1
    assert told > 5


def test_this_machine_is_read_without_root_and_nothing_fails(tmp_path, monkeypatch):
    assert read_here().architecture
    nowhere = read_here(str(tmp_path))
    assert (nowhere.kvm, nowhere.booted) == (errno.ENOENT, None)
    assert doctor(replace(nowhere, architecture="aarch64")).status == 1


def test_what_the_lab_lacks_is_said_and_nothing_is_fetched(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    check = lab_check(LabSettings(tmp_path, mirror="http://mirror.example/debian"))
    assert (check.state, check.code) == ("not", "lab-fault")
    assert list(tmp_path.iterdir()) == []


def test_the_answer_stands_in_the_first_line(armlevel: Command, monkeypatch, tmp_path):
    monkeypatch.setattr(verb, "read_here", lambda: replace(HERE, kvm=errno.EACCES, group="kvm"))
    said = armlevel("doctor")
    assert said.code == 1
    assert said.out.splitlines()[0].startswith("not so: kvm")
    assert "usermod -aG kvm USER" in said.out
    (path,) = write(tmp_path, profile(kernel="6.1.1"))
    said = armlevel("doctor", "--profile", path, "--json")
    assert said.json["kind"] == "doctor/1"
    assert said.json["checks"][-1]["code"] == "profile-other-kernel"
