"""A command line gets what a profile needs, and one that contradicts it is refused by the very option."""

from __future__ import annotations

import pytest

from armlevel.preload import DEVICE, Fitted, fit

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
        f"-M virt-10.0,gic-version=max -accel kvm,device={DEVICE} -cpu max",
    ],
)
def test_what_is_missing_is_added(text: str):
    found = fitted(text)
    assert found.faults == ()
    assert found.notes == ()
    machine = after(found, "-M" if "-M" in found.command else "-machine")
    assert machine.removeprefix("type=").replace("max", "3") == WHOLE[0]
    assert after(found, "-accel") == WHOLE[1]
    cpu = after(found, "-cpu").replace("max", "host").replace("yes", "on").replace("true", "on")
    assert sorted(cpu.replace("=no", "=off").split(",")) == sorted(WHOLE[2].split(","))
    assert "-enable-kvm" not in found.command


def test_a_line_that_has_it_all_stays_as_it_is():
    text = f"-M {WHOLE[0]} -accel {WHOLE[1]} -cpu {WHOLE[2]} -smp 2 -append -cpu"
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
    "text",
    ["-machine none,accel=kvm:tcg -qmp stdio", "-version", "--help", "-cpu help", "-M help", "-device ?"],
)
def test_where_qemu_is_only_asked_nothing_is_changed(text: str):
    found = fitted(text)
    assert found.guestless
    assert found.command[1:] == tuple(text.split())


def test_values_are_not_taken_for_options():
    text = f"-M {WHOLE[0]} -accel {WHOLE[1]} -cpu {WHOLE[2]} -name -cpu -nodefaults -append -accel"
    assert fitted(text).command[1:] == tuple(text.split())


def test_a_program_before_qemu_keeps_its_options():
    found = fit(["taskset", "-c", "1", "/usr/bin/qemu-system-aarch64", "-M", "virt-10.0"], BOARD, CPU)
    assert found.command[:4] == ("taskset", "-c", "1", "/usr/bin/qemu-system-aarch64")
    assert found.faults == ()


def test_a_comma_in_a_value_stays_one():
    found = fitted("-M virt-10.0,dumpdtb=a,,b")
    assert after(found, "-M") == "virt-10.0,dumpdtb=a,,b,gic-version=3"
