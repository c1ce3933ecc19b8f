"""What stands around a guest's vCPUs, judged; the facts are those of QEMU 10 and 11 on N1, N2 and A76."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from armlevel.engine import Finding, check
from armlevel.engine.parts.machine import judge_machine
from armlevel.engine.parts.machine_given import given_on
from armlevel.engine.passthrough import passthrough
from armlevel.engine.verdict import parts_of
from armlevel.profile import Guest, GuestMachine, Host, HostMachine, TriedField
from tests.engine.kit import CATALOGUE, FACTS, host

GIB = 1 << 30
YES_TO_ALL = {"v2": "yes", "v3": "yes", "its": "yes"}
ASKED = GuestMachine(
    vmm="qemu",
    machine="virt-10.0",
    gic_asked="default",
    its=True,
    vcpus=1,
    memory=1 << 27,
    maxmem=1 << 27,
    slots=0,
    virtualization=False,
    steal_time_asked="default",
    **CATALOGUE.board_defaults((10, 0)),
)


def tried(shown: int, most: int, *, exact: bool = False) -> TriedField:
    taken = frozenset({shown} if exact else range(shown + 1))
    return TriedField(shown, taken, frozenset(range(most + 1)) - taken)


def interface(pri: int = 4, seis: int = 0) -> dict[str, TriedField]:
    return {
        "PRIbits": tried(pri, 7),
        "IDbits": tried(0, 7),
        "SEIS": tried(seis, 1, exact=True),
        "A3V": tried(1, 1, exact=True),
    }


AROUND = HostMachine(
    gic=YES_TO_ALL,
    icc_ctlr=interface(),
    ich_vtr=0x90180003,
    gicd_iidr=TriedField(3, frozenset({2, 3}), frozenset({0, 1})),
    ipa_bits=48,
    counter_offset=True,
    steal_time=True,
)


def there(name: str, page: int | None = 4096, **other: Any) -> Host:
    found = host(name, facts=replace(FACTS, page_size=page))
    return replace(found, machine=replace(AROUND, **other))


def born(on: Host, **asked: Any) -> Guest:
    return passthrough(on, CATALOGUE, machine=replace(ASKED, **asked))


def judged(guest: Guest, on: Host) -> list[Finding]:
    return judge_machine(guest, on, CATALOGUE)


def told(findings: list[Finding], side: str = "arrive") -> list[tuple[str, str]]:
    return [(one.subject.key, one.severity) for one in findings if side in one.applies]


HERE = there("here")
WITHOUT_V2 = there("no-v2", gic={**YES_TO_ALL, "v2": "ENODEV"})


# ---- nothing recorded, and all of it


def test_a_guest_without_a_record_is_not_asked_about_and_the_verdict_says_so():
    guest = replace(born(HERE), machine=None)
    verdict = check(guest, HERE, CATALOGUE)
    assert judged(guest, HERE) == []
    assert "machine" not in parts_of(guest)
    assert (verdict.arrive, verdict.not_judged, "machine" in verdict.parts) == ("runs", ("machine",), False)


def test_a_guest_that_records_it_runs_in_every_part_where_it_started():
    verdict = check(born(HERE), HERE, CATALOGUE)
    assert verdict.parts["machine"] == ("runs", "runs")
    assert (verdict.not_judged, verdict.start, verdict.arrive) == ((), "runs", "runs")
    assert check(born(HERE), there("other"), CATALOGUE).parts["machine"] == ("runs", "runs")


def test_a_host_that_records_nothing_of_it_is_unknown_and_never_a_yes():
    bare = replace(HERE, machine=None)
    assert check(born(HERE), bare, CATALOGUE).parts["machine"] == ("unknown", "unknown")
    assert check(born(bare), HERE, CATALOGUE).parts["machine"] == ("unknown", "unknown")


# ---- the interrupt controller


@pytest.mark.parametrize(
    ("asked", "vcpus", "gic", "given"),
    [
        ("default", 8, {"v2": "yes", "v3": "yes"}, 2),
        ("default", 9, {"v2": "yes", "v3": "yes"}, 3),
        ("default", 1, {"v2": "ENODEV", "v3": "yes"}, 3),
        ("default", 1, {"v2": "yes", "v3": "ENODEV"}, 2),
        ("default", 9, {"v2": "yes", "v3": "ENODEV"}, None),
        ("host", 1, {"v2": "yes", "v3": "yes"}, 3),
        ("max", 1, {"v2": "yes", "v3": "ENODEV"}, 2),
        ("2", 1, {"v2": "ENODEV", "v3": "yes"}, None),
        ("3", 1, {"v2": "yes", "v3": "yes"}, 3),
        ("default", 1, {"v3": "yes"}, None),
        ("default", 9, {"v3": "yes"}, 3),
        ("default", None, {"v2": "yes", "v3": "yes"}, None),
        ("default", None, {"v2": "ENODEV", "v3": "yes"}, 3),
        ("max", 1, {"v2": "yes"}, None),
        (None, 1, {"v2": "yes", "v3": "yes"}, None),
    ],
)
def test_qemu_takes_the_version_that_its_source_says(asked, vcpus, gic, given):
    machine = replace(ASKED, gic_asked=asked, vcpus=vcpus)
    assert given_on(machine, there("h", gic=gic), CATALOGUE).gic == given


def test_firecracker_takes_a_gicv3_where_it_can():
    machine = GuestMachine(vmm="firecracker", gic_asked="default", vcpus=1)
    assert given_on(machine, HERE, CATALOGUE).gic == 3
    assert given_on(machine, there("h", gic={"v2": "yes", "v3": "ENODEV"}), CATALOGUE).gic == 2


def test_the_same_command_line_is_another_machine_where_there_is_no_gicv2():
    # As with a kernel of 64K pages, or a protected one, on the same hardware.
    (finding,) = judged(born(HERE), WITHOUT_V2)
    assert (finding.subject.key, finding.severity, finding.because[0].args) == (
        "machine.gic",
        "stops",
        ("default", "GICv3"),
    )
    (back,) = judged(born(WITHOUT_V2), HERE)
    assert (back.severity, back.because[0].args) == ("stops", ("default", "GICv2"))
    for asked in ("3", "host", "max"):
        assert judged(born(HERE, gic_asked=asked), WITHOUT_V2) == []


def test_a_version_that_was_asked_for_and_is_not_there_stops_with_what_qemu_prints():
    (finding,) = judged(born(HERE, gic_asked="2"), WITHOUT_V2)
    assert (finding.severity, finding.messages) == ("stops", ("KVM does not support GICv2 emulation",))
    assert finding.because[0].args == ("ENODEV",)


@pytest.mark.parametrize(
    ("theirs", "arrive", "start"),
    [
        (interface(), [], []),
        (interface(pri=6), [("machine.icc_ctlr", "risk")], [("machine.icc_ctlr", "breaks")]),
        (interface(pri=3), [("machine.icc_ctlr", "stops")], [("machine.icc_ctlr", "breaks")]),
        (interface(seis=1), [("machine.icc_ctlr", "stops")], [("machine.icc_ctlr", "breaks")]),
    ],
)
def test_what_the_cpu_interface_holds_is_no_more_than_there_and_the_same_otherwise(theirs, arrive, start):
    found = judged(born(HERE, gic_asked="3"), there("other", icc_ctlr=theirs))
    assert told(found) == arrive
    assert told(found, "start") == start


def test_qemu_aborts_where_kvm_refuses_the_cpu_interface_and_the_lines_can_be_explained():
    from armlevel.operations.explain import explain

    (stops,) = [
        one
        for one in judged(born(HERE, gic_asked="3"), there("other", icc_ctlr=interface(pri=3)))
        if one.severity == "stops"
    ]
    assert any("0xc664" in text.replace("0x000000000000c664", "0xc664") for text in stops.messages)
    for text in stops.messages:
        assert explain(text).status == 0, text


def test_a_value_of_the_cpu_interface_that_nobody_tried_follows_the_source():
    untried = {name: TriedField(field.shown) for name, field in interface(pri=6).items()}
    assert told(judged(born(HERE, gic_asked="3"), there("other", icc_ctlr=untried))) == [
        ("machine.icc_ctlr", "risk")
    ]
    fewer = {name: TriedField(field.shown) for name, field in interface(pri=3).items()}
    assert told(judged(born(HERE, gic_asked="3"), there("other", icc_ctlr=fewer))) == [
        ("machine.icc_ctlr", "stops")
    ]


def test_a_gicv2_has_no_cpu_interface_of_system_registers():
    assert judged(born(HERE), there("other", icc_ctlr=interface(seis=1))) == []


def test_a_revision_is_a_note_under_a_vmm_that_does_not_write_it():
    older = there("older", gicd_iidr=TriedField(2, frozenset({2}), frozenset({3})))
    (finding,) = judged(born(HERE, gic_asked="3"), older)
    assert (finding.subject.key, finding.severity) == ("machine.gicd_iidr", "note")


def test_a_revision_is_judged_under_a_vmm_that_writes_it(monkeypatch):
    row = CATALOGUE.around["qemu"]
    writing = replace(row, writes=(*row.writes, "GICD_IIDR"))
    monkeypatch.setitem(CATALOGUE.__dict__, "around", {"qemu": writing})
    older = there("older", gicd_iidr=TriedField(2, frozenset({2}), frozenset({3})))
    guest = born(HERE, gic_asked="3")
    assert told(judged(guest, older)) == [("machine.gicd_iidr", "stops")]
    assert told(judged(guest, there("silent", gicd_iidr=None))) == [("machine.gicd_iidr", "unknown")]
    assert told(judged(guest, there("same"))) == []


@pytest.mark.parametrize(
    ("theirs", "answer"), [(0x90180003, []), (0x90080003, ["stops"]), (None, ["unknown"])]
)
def test_a_nested_guest_wants_the_same_ich_vtr(theirs, answer):
    guest = born(HERE, gic_asked="3", virtualization=True)
    assert [one.severity for one in judged(guest, there("other", ich_vtr=theirs))] == answer


def test_an_its_is_the_choice_of_the_command_line():
    assert judged(born(HERE, gic_asked="3", its=False), HERE) == []
    lacking = there("lacking", gic={"v2": "yes", "v3": "yes", "its": "ENODEV"})
    assert told(judged(born(HERE, gic_asked="3"), lacking)) == [("machine.its", "stops")]
    assert judged(born(HERE, gic_asked="3", its=False), lacking) == []


# ---- memory


PLUGGED: dict[str, Any] = {"maxmem": 600 * GIB, "slots": 1}
SMALL = there("a76", ipa_bits=40)


def test_a_window_that_does_not_fit_breaks_the_guest_and_no_part_of_kvm_says_so():
    guest = born(HERE, **PLUGGED)
    assert guest.machine is not None
    assert guest.machine.windows is not None
    assert guest.machine.windows["mmio"] == 1 << 40
    (finding,) = judged(guest, SMALL)
    assert (finding.subject.key, finding.severity, finding.messages) == ("machine.windows", "breaks", ())
    assert finding.because[0].args == (40,)
    verdict = check(guest, SMALL, CATALOGUE)
    assert verdict.parts["machine"] == ("refused", "refused")
    assert {part for part, both in verdict.parts.items() if "refused" in both} == {"machine"}


def test_a_window_that_the_guest_never_had_does_no_harm_to_one_that_arrives():
    guest = born(SMALL, **PLUGGED)
    (finding,) = judged(guest, HERE)
    assert (finding.severity, finding.applies) == ("breaks", ("start",))
    assert check(guest, HERE, CATALOGUE).parts["machine"] == ("refused", "runs")


def test_hosts_of_two_sizes_that_give_the_same_map_are_no_difference():
    assert judged(born(HERE), SMALL) == []
    assert judged(born(SMALL), HERE) == []


def test_memory_that_a_host_cannot_address_stops_with_what_qemu_prints():
    guest = born(HERE, maxmem=1022 * GIB, slots=2)
    (finding,) = judged(guest, SMALL)
    assert (finding.subject.key, finding.severity) == ("machine.memory", "stops")
    assert finding.messages == ("Addressing limited to 40 bits, but memory exceeds it by 2147483648 bytes",)


def test_windows_of_redistributors_matter_with_many_vcpus_only():
    without = born(HERE, gic_asked="3", vcpus=124, highmem_redists=True)
    assert without.machine is not None
    moved = replace(
        without, machine=replace(without.machine, windows={"ecam": 0x40_1000_0000, "mmio": 1 << 39})
    )
    assert "machine.windows" in [name for name, _ in told(judged(moved, HERE), "start")]
    assert moved.machine is not None
    few = replace(moved, machine=replace(moved.machine, vcpus=123))
    assert judged(few, HERE) == []


# ---- time


@pytest.mark.parametrize(
    ("vcpus", "was", "page", "answer", "blocks"),
    [
        (1, 16384, 4096, ["stops"], ["stops"]),
        (64, 65536, 4096, ["stops"], ["stops"]),
        (256, 16384, 4096, [], ["stops"]),
        (1, 4096, 16384, [], []),
        (64, 4096, 65536, [], []),
        (1, 4096, 4096, [], []),
        (1, 4096, None, ["unknown"], ["unknown"]),
        (1, None, 4096, ["unknown"], ["unknown"]),
    ],
)
def test_blocks_of_memory_are_rounded_to_the_hosts_page(vcpus, was, page, answer, blocks):
    here = there("first", page=was)
    found = judged(born(here, gic_asked="3", vcpus=vcpus), there("other", page=page))
    assert told(found) == [
        *(("machine.steal_time", one) for one in answer),
        *(("machine.memory", one) for one in blocks),
    ]
    # Without stolen time there are the tables of ACPI all the same.
    off = judged(born(here, gic_asked="3", vcpus=vcpus, steal_time_asked="off"), there("other", page=page))
    assert told(off) == [("machine.memory", one) for one in blocks]
    assert {one.applies for one in off} <= {("arrive",)}


def test_what_qemu_prints_is_of_the_first_block_that_does_not_fit():
    here = there("first", page=65536)
    said = [text for one in judged(born(here), HERE) for text in one.messages]
    assert said == ["Size mismatch: pvtime: 0x10000 != 0x1000: Invalid argument"]
    (finding,) = judged(born(here, gic_asked="3", vcpus=1, steal_time_asked="off"), HERE)
    assert finding.messages == ("Size too large: /rom@etc/acpi/rsdp: 0x10000 > 0x1000: Invalid argument",)


def test_a_host_without_stolen_time_stops_a_guest_that_has_it_and_not_the_other_way():
    lacking = there("lacking", steal_time=False)
    assert told(judged(born(HERE), lacking)) == [("machine.steal_time", "stops")]
    assert judged(born(lacking), HERE) == []


def test_a_physical_counter_without_offset_is_a_risk():
    assert told(judged(born(HERE), there("before-6.4", counter_offset=False))) == [
        ("machine.counter_offset", "risk")
    ]


# ---- a key less


@pytest.mark.parametrize("gic", ["default", "3"])
@pytest.mark.parametrize("name", born(HERE, gic_asked="3").machine.recorded)  # type: ignore[union-attr]
def test_a_guest_with_a_key_less_is_no_more_than_unknown_where_the_key_is_needed(name, gic):
    # The type is in the options that it stands for; QEMU does not write the revision.
    needless = {"machine", "gicd_iidr", "icc_ctlr" if gic == "default" else "vcpus"}
    guest = born(HERE, gic_asked=gic)
    assert guest.machine is not None
    less = replace(guest, machine=replace(guest.machine, **{name: None}))
    answer = "runs" if name in needless else "unknown"
    assert check(less, HERE, CATALOGUE).parts["machine"] == (answer, answer)


@pytest.mark.parametrize("name", ["gic", "icc_ctlr", "ipa_bits", "steal_time"])
def test_a_host_with_a_key_less_is_unknown(name):
    guest = born(HERE, gic_asked="3")
    assert check(guest, there("less", **{name: None}), CATALOGUE).parts["machine"] == ("unknown", "unknown")


def test_a_vmm_that_no_row_knows_is_unknown():
    guest = born(HERE)
    assert guest.machine is not None
    strange = replace(guest, machine=replace(guest.machine, vmm="crosvm"))
    (finding,) = judged(strange, HERE)
    assert (finding.subject.key, finding.severity) == ("machine.vmm", "unknown")
