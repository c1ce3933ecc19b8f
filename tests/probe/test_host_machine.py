"""What a host offers around the vCPU is learnt by trying, each value on a VM of its own."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from armlevel.errors import KvmError
from armlevel.kvm.vgic import ICC_CTLR_EL1
from armlevel.probe import plan_of, probe_host, read_machine
from armlevel.probe.counters import frequencies
from armlevel.probe.interrupt_controller import icc_ctlr
from armlevel.profile import Cpu, HostMachine, Implementation, Made, TriedField
from tests.probe.fake import CATALOGUE, FakeGic, FakeKvm, like_7_3
from tests.probe.test_probe_host import MACHINE

PLAN = plan_of(CATALOGUE)


def around(kvm: FakeKvm) -> HostMachine:
    found = probe_host(kvm, MACHINE, PLAN, made=Made()).host.machine
    assert found is not None
    assert kvm.open == 0
    return found


def test_each_value_of_icc_ctlr_is_tried_on_a_fresh_vm():
    found = around(FakeKvm(icc_ctlr=0x8C00)).icc_ctlr  # A3V, 24 bits of interrupt, 5 of priority
    assert found == {
        "PRIbits": TriedField(4, frozenset(range(5)), frozenset({5, 6, 7})),
        "IDbits": TriedField(1, frozenset({0, 1}), frozenset(range(2, 8))),
        "SEIS": TriedField(0, frozenset({0}), frozenset({1})),
        "A3V": TriedField(1, frozenset({1}), frozenset({0})),
    }


def test_trying_all_of_it_on_one_vm_would_be_wrong():
    # The mutant of the law above: one VM for all values, as a refused write lowers PRIbits all the same.
    kvm = FakeKvm(icc_ctlr=0x400)
    one = FakeGic(kvm)
    one.initialise()
    kvm.create_vgic = None  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.probe.fake.FakeVm.create_vgic", lambda *_: one)
        found = icc_ctlr(kvm)
    assert found is not None
    assert found["PRIbits"].taken != set(range(5))


def test_revisions_of_the_distributor_are_tried():
    found = around(FakeKvm())
    assert found.gicd_iidr == TriedField(3, frozenset({2, 3}), frozenset(range(16)) - {2, 3})
    assert found.gicd_typer2 == 0


def test_what_cannot_be_created_says_why_and_has_no_registers():
    found = around(FakeKvm(devices=(4, 5)))
    assert found.gic == {"v2": "yes", "v3": "ENODEV", "its": "ENODEV", "v5": "ENODEV"}
    assert (found.has_gic("v2"), found.has_gic("v3"), found.has_gic("v4")) == (True, False, None)
    assert (found.icc_ctlr, found.gicd_iidr, found.gicd_typer2, found.ich_vtr) == (None,) * 4


@pytest.mark.parametrize(
    ("ipa", "found"),
    [
        ((32, 48), (48, 32, False, "nvhe")),
        ((32, 36), (36, 32, False, "nvhe")),
        ((0, 48), (48, None, True, "protected")),
    ],
)
def test_the_sizes_of_guest_addresses_are_tried(ipa, found):
    machine = replace(MACHINE, mode="nvhe")
    said = probe_host(FakeKvm(ipa=ipa), machine, PLAN, made=Made()).host.machine
    assert said is not None
    assert (said.ipa_bits, said.ipa_min, said.ipa_fixed, said.mode) == found


def test_a_kernel_without_the_capability_has_vms_of_one_size():
    found = around(FakeKvm(capabilities={"ARM_VM_IPA_SIZE": 0}))
    assert (found.ipa_bits, found.ipa_min, found.ipa_fixed) == (40, None, True)


def test_what_kvm_offers_of_time_is_asked():
    kvm = FakeKvm(capabilities={"STEAL_TIME": 1, "COUNTER_OFFSET": 1})
    found = around(kvm)
    assert (found.steal_time, found.counter_offset, found.ptp) == (True, True, False)


def test_a_kernel_that_is_known_has_nothing_unknown():
    assert around(FakeKvm(like_7_3, known_bits=range(10), more_capabilities={3: 1, 251: 1})).unknown == ()


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"known_bits": (*range(7), 10)}, "KVM_ARM_VCPU 10"),
        ({"more_capabilities": {252: 1}}, "KVM_CAP 252"),
        ({"devices": (7, 8, 17)}, "KVM_DEV_TYPE 17"),
        ({"more_registers": (0x6030000000170000,)}, "KVM_REG_ARM 0x17"),
    ],
)
def test_what_the_catalogue_does_not_know_is_named(options, name):
    assert around(FakeKvm(**options)).unknown == (name,)


def test_the_counter_of_each_cpu_is_read_and_cpus_that_differ_stand_apart():
    here = sorted(os.sched_getaffinity(0))
    machine = replace(MACHINE, usable=tuple(here[:1]), where=((here[0], 1000),))
    probed = probe_host(FakeKvm(mrs=(100_000_000, 4)), machine, PLAN, made=Made())
    one = Implementation(0x410FD493, 0, 0)
    assert probed.host.cpus == (
        Cpu(one, 1, (here[0],), 100_000_000),
        Cpu(one, 1, (1000,)),
    )
    assert probed.host.facts.cntfrq_hz == 100_000_000
    assert os.sched_getaffinity(0) == set(here)


def test_a_cpu_that_is_not_there_has_no_frequency():
    assert frequencies(FakeKvm(), [100_000]) == {}


def test_counters_that_differ_are_no_fact_of_the_host(monkeypatch):
    monkeypatch.setattr("armlevel.probe.host.frequencies", lambda *_: {0: 24, 1: 24, 2: 25, 3: 25})
    probed = probe_host(FakeKvm(), MACHINE, PLAN, made=Made())
    assert [(cpu.numbers, cpu.cntfrq_hz) for cpu in probed.host.cpus] == [((0, 1), 24), ((2, 3), 25)]
    assert probed.host.facts.cntfrq_hz is None
    assert any("counters of this machine are not alike" in remark for remark in probed.remarks)


def test_where_kvm_refuses_for_another_reason_nothing_is_recorded_and_the_rest_is(monkeypatch):
    def refused(*_):
        raise KvmError("KVM_CREATE_VM: the host is out of memory (ENOMEM)", code=12)

    monkeypatch.setattr("armlevel.probe.host.machine_of", refused)
    probed = probe_host(FakeKvm(), MACHINE, PLAN, made=Made())
    assert probed.host.machine is None
    assert probed.host.offers
    assert any("not recorded: KVM_CREATE_VM" in remark for remark in probed.remarks)


@pytest.mark.parametrize(
    ("line", "mode"),
    [
        (" 11:   1234     GICv3  26 Level     arch_timer", "vhe"),
        ("  3:      0     GICv2  30 Level     arch_timer", "nvhe"),
        ("  2:      0     GIC-0  27 Level     arch_timer", "nvhe"),
        (" 11:   1234     GICv3  99 Level     arch_timer", None),
        ("", None),
    ],
)
def test_the_timer_that_linux_takes_says_how_it_runs(tmp_path, line, mode):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/interrupts").write_text(f"           CPU0\n{line}\n")
    assert read_machine(str(tmp_path)).mode == mode


def test_the_register_numbers_are_those_of_the_architecture():
    assert ICC_CTLR_EL1.number == 3 << 14 | 0 << 11 | 12 << 7 | 12 << 3 | 4
