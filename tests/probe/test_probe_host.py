from __future__ import annotations

import json
from dataclasses import replace

import pytest

from armlevel.documents.write import digest, host_object
from armlevel.kvm import id_of
from armlevel.probe import Machine, plan_of, probe_host
from armlevel.profile import Cpu, Implementation, Made, Shape
from tests.probe.fake import (
    CATALOGUE,
    CTR,
    ISAR0,
    MIDR,
    PFR0,
    PSCI,
    FakeKvm,
    before_6_5,
    like_7_3,
)

PLAN = plan_of(CATALOGUE)
MACHINE = Machine(
    cpus=(Cpu(Implementation(0x410FD493, 0, 0), 4),),
    where=((0, 1, 2, 3),),
    kernel="7.3.4",
    page_size=4096,
    name="a",
)
BASE = Shape()
SVE = Shape(frozenset({"sve"}))


def probed(kvm, **options):
    return probe_host(kvm, MACHINE, PLAN, made=Made(at=options.pop("at", "")), **options)


def offer_of(kvm):
    return probed(kvm).host.offer(BASE)


def test_an_old_kernel_takes_csv2_and_csv3_and_nothing_else():
    accepts = offer_of(FakeKvm(before_6_5)).accepts
    taken = {
        subject: found.values for subject, found in accepts.items() if not subject.startswith(("KVM_", "CCS"))
    }
    assert taken == {"ID_AA64PFR0_EL1.CSV2": {0, 1}, "ID_AA64PFR0_EL1.CSV3": {0, 1}}


def test_every_value_of_a_field_is_tried_alone():
    accepts = offer_of(FakeKvm(like_7_3)).accepts
    assert accepts["ID_AA64ISAR0_EL1.AES"].values == {0, 1, 2}
    assert accepts["ID_AA64PFR0_EL1.EL0"].values == {0, 1, 2}
    assert "ID_AA64ISAR0_EL1.RNDR" not in accepts


def test_a_value_that_is_taken_and_dropped_is_changed():
    assert offer_of(FakeKvm(like_7_3)).accepts["ID_AA64MMFR2_EL1.NV"].outcome(2) == "changed"


def test_the_limit_is_there_again_after_trying():
    kvm = FakeKvm(like_7_3)
    offer = offer_of(kvm)
    assert offer.limits["ID_AA64ISAR0_EL1"] == kvm.values[ISAR0]


def test_implementation_ids_are_a_shape_of_their_own():
    kvm = FakeKvm(like_7_3, capabilities={"ARM_WRITABLE_IMP_ID_REGS": 1})
    host = probed(kvm).host
    closed, opened = host.offer(Shape()), host.offer(Shape(imp_id_writable=True))
    assert "MIDR_EL1.PartNum" not in closed.accepts
    assert opened.accepts["MIDR_EL1.PartNum"].values is None
    assert opened.accepts["MIDR_EL1.Variant"].values is None


def test_a_kernel_without_the_capability_has_half_the_shapes():
    assert not any(shape.imp_id_writable for shape in probed(FakeKvm(like_7_3)).host.shapes)


def test_unknown_features_are_told_from_impossible_ones():
    found = probed(FakeKvm(known_bits=range(7), possible=("pmu_v3",))).host.software.kvm_capabilities
    assert found["VCPU_PMU_V3"] == 2
    assert found["VCPU_SVE"] == 1
    assert found["VCPU_PMU_V3_STRICT"] == 0


@pytest.mark.parametrize(
    ("possible", "count"),
    [((), 1), (("pmu_v3",), 2), (("pmu_v3", "sve"), 4), (("pmu_v3", "sve", "ptrauth"), 8)],
)
def test_all_combinations_of_the_free_features_are_shapes(possible, count):
    assert len(probed(FakeKvm(possible=possible)).host.shapes) == count


def test_the_other_features_are_tried_on_the_smallest_and_the_largest():
    kvm = FakeKvm(known_bits=range(10), possible=("pmu_v3", "sve", "strict", "el1_32bit"))
    labels = {shape.label for shape in probed(kvm).host.shapes}
    assert {"el1_32bit", "el1_32bit+pmu_v3+sve", "pmu_v3+pmu_v3_strict", "pmu_v3+pmu_v3_strict+sve"} <= labels


def test_vector_lengths_counters_and_services_are_read():
    host = probed(FakeKvm(like_7_3)).host
    assert host.offer(SVE).sve_vls == (128, 256)
    assert host.offer(Shape()).sve_vls is None
    assert host.offer(Shape(frozenset({"pmu_v3"}))).pmu["counters"] == 6
    assert host.offer(Shape()).firmware["KVM_REG_ARM_PSCI_VERSION"] == 0x10001


def test_firmware_registers_say_what_they_keep():
    accepts = offer_of(FakeKvm()).accepts
    assert accepts["KVM_REG_ARM_PSCI_VERSION.63:0"].values == {2, 0x10000, 0x10001}
    # A workaround level is checked and not stored: writing a lower one leaves the host's.
    assert accepts["KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1.63:0"].outcome(0) == "changed"


def test_facts_come_from_guest_instructions():
    facts = probed(FakeKvm()).host.facts
    assert (facts.cntfrq_hz, facts.dczid, facts.gmid, facts.page_size) == (100_000_000, 4, None, 4096)


def test_what_kvm_changes_at_the_first_run_is_said():
    host = probed(FakeKvm(at_first_run={PFR0: 0x1})).host
    assert {tuple(offer.changed_by_kvm.items()) for offer in host.offers} == {(("ID_AA64PFR0_EL1", 1),)}
    assert all(not offer.changed_by_kvm for offer in probed(FakeKvm()).host.offers)


def test_what_was_side_effects_of_is_said_of_the_shape_it_was_tried_on():
    kvm = FakeKvm(like_7_3, at_first_run={CATALOGUE.registers["CLIDR_EL1"].kvm_id: 1 << 24})
    kvm.values[CATALOGUE.registers["CLIDR_EL1"].kvm_id] = 2 << 24

    def idc(register, value, limit, features):
        """CTR_EL0.IDC takes 0."""
        if register == CTR:
            return value if value | 1 << 28 == limit | 1 << 28 else None
        return like_7_3(register, value, limit, features)

    kvm.rule = idc
    kvm.values[CTR] |= 1 << 28
    found = {offer.shape.label: offer.side_effects for offer in probed(kvm).host.offers if offer.side_effects}
    assert found == {"pmu_v3+sve": {"CTR_EL0.IDC=0": {"CLIDR_EL1.LoC": 1}}}


def test_boot_options_and_vulnerabilities_are_part_of_the_profile():
    machine = replace(MACHINE, boot_options=("arm64.nosve",), vulnerabilities={"spectre_v2": "Vulnerable"})
    document = host_object(probe_host(FakeKvm(), machine, PLAN, made=Made()).host)
    assert document["software"]["boot_options"] == ["arm64.nosve"]
    assert document["software"]["vulnerabilities"] == {"spectre_v2": "Vulnerable"}


def test_of_a_version_beyond_those_that_were_tried_nothing_is_known_in_between():
    kvm = FakeKvm()
    kvm.values[PSCI] = 0x20000
    found = offer_of(kvm).accepts["KVM_REG_ARM_PSCI_VERSION.63:0"]
    assert found.outcome(0x10001) == "same"
    assert found.outcome(0x10005) == "unknown"


def test_two_probes_differ_in_nothing_but_when_they_were_made():
    one, two = (host_object(probed(FakeKvm(like_7_3), at=at).host) for at in ("today", "tomorrow"))
    assert digest(one) == digest(two)
    assert json.dumps(one | {"made": 0}) == json.dumps(two | {"made": 0})


def test_no_vm_is_left_when_a_probe_ends_or_dies():
    kvm = FakeKvm(like_7_3)
    probed(kvm)
    assert kvm.open == 0

    def dies(register, value, limit, features):
        if kvm.tries > 2000:
            raise KeyboardInterrupt
        return like_7_3(register, value, limit, features)

    kvm = FakeKvm(dies)
    with pytest.raises(KeyboardInterrupt):
        probed(kvm)
    assert kvm.open == 0


def test_sharing_between_shapes_gives_what_asking_everything_gives():
    quick, thorough = (
        FakeKvm(like_7_3, capabilities={"ARM_WRITABLE_IMP_ID_REGS": 1}, known_bits=range(10))
        for _ in range(2)
    )
    assert probed(quick).host == probed(thorough, thorough=True).host
    assert quick.tries < thorough.tries / 2


def test_a_shape_that_answers_otherwise_at_equal_limits_is_asked_everything():
    def odd(register, value, limit, features):
        """With a PMU, ISAR0 takes nothing; its limit and mask say nothing about that."""
        if register == ISAR0 and "pmu_v3" in features:
            return value if value == limit else None
        return like_7_3(register, value, limit, features)

    host = probed(FakeKvm(odd)).host
    assert host.offer(Shape()).accepts["ID_AA64ISAR0_EL1.AES"].outcome(0) == "same"
    assert host.offer(Shape(frozenset({"pmu_v3"}))).accepts["ID_AA64ISAR0_EL1.AES"].outcome(0) == "refused"


def test_cpus_that_are_not_alike_are_named():
    mixed = Machine(
        cpus=(Cpu(Implementation(0x410FD030, 0, 0), 4), Cpu(Implementation(0x410FD080, 0, 0), 2)),
        where=((0, 1, 2, 3), (4, 5)),
        kernel="6.12",
        page_size=4096,
    )
    remarks = probe_host(FakeKvm(), mixed, PLAN, made=Made()).remarks
    assert any("not alike" in remark and "CPU 4, 5: MIDR_EL1 0x410fd080" in remark for remark in remarks)


@pytest.mark.parametrize("shown", [None, 0])
def test_aidr_that_the_kernel_does_not_show_is_that_of_kvm_where_all_cpus_read_alike(shown):
    kvm = FakeKvm()
    there = kvm.values[id_of("AIDR_EL1")] = 0x551
    midr, revidr = kvm.values[MIDR], kvm.values.setdefault(id_of("REVIDR_EL1"), 3)
    cpu = Cpu(Implementation(midr, revidr, shown), 4)
    one = Machine(cpus=(cpu,), where=((0, 1, 2, 3),), kernel="6.12", page_size=4096)
    (found,) = probe_host(kvm, one, PLAN, made=Made()).host.cpus
    assert found == Cpu(Implementation(midr, revidr, there if shown is None else shown), 4)
    other = Cpu(Implementation(0x410FD080, 0), 2)
    two = replace(one, cpus=(cpu, other), where=((0, 1, 2, 3), (4, 5)))
    assert probe_host(kvm, two, PLAN, made=Made()).host.cpus == two.cpus


def test_all_shapes_of_a_host_are_small():
    kvm = FakeKvm(
        like_7_3, capabilities={"ARM_WRITABLE_IMP_ID_REGS": 1}, possible=("pmu_v3", "sve", "ptrauth")
    )
    assert len(json.dumps(host_object(probed(kvm).host))) < 40 * 1024


def test_the_identity_registers_are_part_of_the_plan_and_the_per_vcpu_affinity_is_not():
    ids = {row.kvm_id for row in PLAN.identity}
    assert MIDR in ids
    assert CATALOGUE.registers["MPIDR_EL1"].kvm_id not in ids


def test_a_host_without_masks_of_writable_bits_is_probed_by_trying_alone():
    with_masks = FakeKvm(before_6_5, masks={})
    assert probed(FakeKvm(before_6_5)).host == probed(with_masks).host
