"""A command line gets what a profile needs, and one that contradicts it is refused by the very option."""

from __future__ import annotations

import pytest

from armlevel.arch import load
from armlevel.preload import DEVICE, Fitted, fit
from armlevel.preload.words import CommandLine

BOARD = {"gic-version": "3"}
CPU = {"pmu": "on", "sve": "on", "sve128": "on", "pauth": "off"}
WHOLE = "virt-10.0,gic-version=3", f"kvm,device={DEVICE}", "host,pmu=on,sve=on,sve128=on,pauth=off"


def fitted(text: str, board: dict[str, str] = BOARD, cpu: dict[str, str] = CPU) -> Fitted:
    return fit(["qemu-system-aarch64", *text.split()], board, cpu)


def after(found: Fitted, option: str) -> str:
    return found.command[found.command.index(option) + 1]


@pytest.mark.parametrize(
    "text",
    [
        "-M virt-10.0",
        "-machine virt-10.0,accel=kvm -cpu host",
        "-M type=virt-10.0 -enable-kvm -cpu host,sve=on",
        "-machine virt-10.0 -accel kvm --cpu host,pmu=yes,sve=true,sve128=on,pauth=no",
        f"-M virt-10.0,gic-version=max -accel kvm,device={DEVICE} -cpu host",
    ],
)
def test_what_is_missing_is_added(text: str):
    found = fitted(text)
    assert found.faults == ()
    assert found.notes == ()
    machine = after(found, "-M" if "-M" in found.command else "-machine")
    assert machine.removeprefix("type=").replace("max", "3") == WHOLE[0]
    assert after(found, "-accel") == WHOLE[1]
    cpu = after(found, "-cpu").replace("yes", "on").replace("true", "on")
    assert sorted(cpu.replace("=no", "=off").split(",")) == sorted(WHOLE[2].split(","))
    assert "-enable-kvm" not in found.command


def test_a_line_that_has_it_all_stays_as_it_is():
    text = f"-no-user-config -M {WHOLE[0]} -accel {WHOLE[1]} -cpu {WHOLE[2]} -smp 2 -append -cpu"
    found = fitted(text)
    assert found.command[1:] == tuple(text.split())
    assert found.added == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("-M virt-10.0 -cpu host,sve=off", "sve=off contradicts the profile: it needs sve=on"),
        ("-M virt-10.0 -cpu host,sve256=on", "sve256=on contradicts the profile: it needs sve256=off"),
        ("-M virt-10.0 -cpu host,pauth=on", "pauth=on contradicts the profile: it needs pauth=off"),
        ("-M virt-10.0 -cpu host,aarch64=off", "aarch64=off contradicts"),
        ("-M virt-10.0 -cpu neoverse-n1", "-cpu host only"),
        ("-M virt-10.0,gic-version=2", "gic-version=2 contradicts the profile: it needs gic-version=3"),
        ("-M virt-10.0,mte=on", "mte=on contradicts the profile"),
        ("-M virt-10.0,accel=kvm:tcg", "-accel tcg: a guest profile needs KVM"),
        ("-M virt-10.0 -accel kvm -accel tcg", "-accel tcg: a guest profile needs KVM"),
        ("-M virt-10.0 -accel kvm -accel kvm", "-accel stands there twice"),
        (
            "-M virt-10.0 -accel kvm,device=/dev/kvm,device=/dev/kvm-armlevel",
            "device=/dev/kvm: only the library",
        ),
        ("-perfmap -accel tcg -M virt-10.0", "-accel tcg: a guest profile needs KVM"),
        ("-jitdump --accel accel=tcg -M virt-10.0", "-accel tcg: a guest profile needs KVM"),
        ("-enable-sync-profile -M virt-10.0,accel=hvf", "-accel hvf: a guest profile needs KVM"),
        ("-M virt-10.0 -cpu max", "-cpu max: KVM gives a profile to -cpu host only"),
        ("-M virt-10.0 -readconfig e.cfg", "-readconfig: it is a file of options"),
        ("-M none -readconfig e.cfg", "-readconfig: it is a file of options"),
        ("-M virt-10.0,dumpdtb=a,,,accel=tcg", "-accel tcg: a guest profile needs KVM"),
        ("-M virt-10.0 -tb-size 1 -accel tcg", "-tb-size is no option of QEMU 10 or 11"),
        ("-M virt-10.0 -", "- is no option of QEMU 10 or 11"),
        ("-M virt-10.0 -m", "-m lacks its value"),
        ("-M virt-10.0 -icount shift=1", "-icount: it works with TCG only"),
        ("-M virt-10.0 -qtest stdio", "-qtest: it is QEMU's own test harness"),
        ("-M virt-10.0 -set accel.a.device=/dev/kvm", "-set accel.a.device=/dev/kvm may change"),
        ("-M none -cpu host", "-machine none with a CPU"),
        ("-M virt-10.0 -M type=none -device loader,file=k,cpu-num=0", "-machine none with a CPU"),
        ("-M gic-version=3", "-machine names no type"),
        ("-M virt-10.0 -global cpu.pmu=off", "changes the CPU beside -cpu"),
        ("-M virt-10.0 -global driver=max-arm-cpu,property=sve,value=off", "changes the CPU beside -cpu"),
        ("-M virt-10.0 -global kvm-accel.device=/dev/kvm", "changes the CPU beside -cpu"),
        ("-M virt-10.0 -accel kvm,device=/dev/kvm", "take device= out"),
        ("-M virt-10.0 -global host-arm-cpu.sve=off", "-global host-arm-cpu.sve=off changes the CPU"),
        ("-cpu host", "-machine is missing"),
    ],
)
def test_what_contradicts_is_refused_by_its_name(text: str, said: str):
    assert any(said in fault for fault in fitted(text).faults)


def test_a_machine_without_version_is_noted():
    assert any("virt-10.0" in note for note in fitted("-M virt").notes)


@pytest.mark.parametrize(("text", "incoming"), [("", False), ("-incoming defer", True), ("-loadvm s", True)])
def test_a_guest_from_elsewhere_is_seen(text: str, incoming: bool):
    assert fitted(f"-M virt-10.0 {text}").incoming is incoming


@pytest.mark.parametrize(
    "text", ["-machine none,accel=kvm:tcg -qmp stdio", "-S -no-user-config -M virt-10.0 -M none,accel=tcg"]
)
def test_a_machine_without_a_cpu_is_started_as_it_is(text: str):
    found = fitted(text)
    assert found.guestless == "-machine none has no CPU"
    assert found.command[1:] == tuple(text.split())


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("-version", "-version"),
        ("-M virt-10.0 -accel tcg --help", "-help"),
        ("-M virt-10.0 -cpu host -cpu help", "-cpu help"),
        ("-M help -M virt-10.0 -cpu max", "-M help"),
        ("-M virt-10.0 -device ? -accel tcg", "-device ?"),
        ("-M virt-10.0 -trace help -cpu max", "-trace help"),
    ],
)
def test_where_qemu_is_only_asked_nothing_but_the_question_is_left(text: str, left: str):
    found = fitted(text)
    assert "only asks QEMU something" in found.guestless
    assert found.command[1:] == tuple(left.split())


def test_values_are_not_taken_for_options():
    text = f"-M {WHOLE[0]} -accel {WHOLE[1]} -cpu {WHOLE[2]} -name -cpu -nodefaults -append -accel"
    found = fitted(text)
    assert found.command[1:] == (*text.split(), "-no-user-config")
    assert found.added == ("-no-user-config",)


def test_a_program_before_qemu_keeps_its_options():
    found = fit(["taskset", "-c", "1", "/usr/bin/qemu-system-aarch64", "-M", "virt-10.0"], BOARD, CPU)
    assert found.command[:4] == ("taskset", "-c", "1", "/usr/bin/qemu-system-aarch64")
    assert found.faults == ()
    assert (found.starts.direct, found.starts.program) == (True, "/usr/bin/qemu-system-aarch64")


def test_a_comma_in_a_value_stays_one():
    found = fitted("-M virt-10.0,dumpdtb=a,,b")
    assert after(found, "-M") == "virt-10.0,dumpdtb=a,,b,gic-version=3"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "-name help",
            "-append help",
            "-append ?",
            "-serial help",
            "-M none -M virt-10.0",
            "-cpu help -cpu host",
        ),
        *("-M type=none -machine type=virt-10.0", "-kernel help", "-pidfile ?", "-initrd help -name version"),
    ],
)
def test_a_guest_is_no_question_whatever_the_values_of_its_options(text: str):
    found = fitted(text if "virt" in text else f"-M virt-10.0 {text}")
    assert (found.guestless, found.faults) == ("", ())
    assert after(found, "-accel") == WHOLE[1]


@pytest.mark.parametrize(
    ("before", "direct"),
    [
        ("qemu-system-aarch64", True),
        ("/usr/libexec/qemu-kvm", True),
        ("nice -n 5 taskset -c 0,1 qemu-system-aarch64", True),
        ("env A=b qemu-system-aarch64", True),
        ("env A=/x/qemu-system-aarch64 sh", False),
        ("timeout 9 qemu-system-aarch64", False),
        ("sh", False),
        ("/nowhere/start-vm", False),
    ],
)
def test_it_is_known_whether_a_command_becomes_qemu(before: str, direct: bool):
    found = fit([*before.split(), "-M", "virt-10.0"], BOARD, CPU)
    assert found.faults == ()
    assert found.starts.direct is direct


def test_a_question_through_a_program_that_may_do_anything_is_refused():
    (fault,) = fit(["/nowhere/start-vm", "-M", "none"], BOARD, CPU).faults
    assert "start QEMU itself, /nowhere/start-vm may do anything" in fault


@pytest.mark.parametrize(
    ("text", "detaches", "waits"),
    [("", False, False), ("-daemonize", True, False), ("-S", False, True), ("-incoming defer", False, True)],
)
def test_it_is_known_whether_qemu_detaches_and_waits(text: str, detaches: bool, waits: bool):
    starts = fitted(f"-M virt-10.0 {text}").starts
    assert (starts.detaches, starts.waits) == (detaches, waits)


def test_every_option_is_read_with_its_arity_and_none_is_taken_for_another():
    rows = load().qemu_options
    assert len(rows) > 110
    assert {name for name, row in rows.items() if not row.value} >= {
        "perfmap",
        "jitdump",
        "enable-sync-profile",
        "S",
    }
    for name, row in rows.items():
        line = CommandLine.of(["qemu-system-aarch64", f"-{name}", "-accel", "-S"])
        assert [str(one) for one in line.all("accel", name)] == (
            [f"-{name} -accel"] if row.value else [f"-{name}", "-accel -S"]
        )
        assert not row.refused or not row.asks


def test_an_option_of_no_row_ends_the_reading():
    for word in ("-nosuch", "--nosuch", "-accel=tcg", "-M=virt", "---accel"):
        line = CommandLine.of(["qemu-system-aarch64", word, "-accel", "tcg"])
        assert line.faults == (f"{word} is no option of QEMU 10 or 11, so it is not known what follows it",)
