"""What real migrations did, predicted from the recorded hosts: outcome, registers, messages, the guest's fate."""

from __future__ import annotations

from dataclasses import replace

import pytest

from armlevel.engine import Policy, level, predict
from armlevel.engine.findings import Finding
from armlevel.engine.moves.vmm_restore import judge_refusals, restorer_named
from armlevel.engine.subjects import about_register
from armlevel.errors import UnknownName
from armlevel.kvm import id_of
from armlevel.profile import Accepts
from tests.engine.kit import CATALOGUE
from tests.fidelity.hosts import read

RECORDED = {one.name: one for one in read()}
LENGTH, TOLERANT = "qemu-10.0.13", "qemu-11.1.3"
N2 = {line: f"neoverse-n2@{line}" for line in ("6.1", "6.12", "6.18", "7.x")}
PUT = "Failed to put registers after init: Invalid argument"
ONLY = "handle_cpreg_only_in_incoming_stream: {} in the incoming stream but unknown on the destination: fail migration"
MISSING = (
    "handle_cpreg_missing_in_incoming_stream: {} expected by the destination but not in the incoming stream:"
    " skip it"
)
PMMIR = "system register op0:3 op1:0 crn:9 crm:14 op2:6"
NV = "Could not set register system register op0:3 op1:0 crn:0 crm:7 op2:2 to 1221011110001011 (is 1221011112001011)"
PSCI = "Could not set register fw reg 0 to 10003 (is 10001)"


def of(source: str, target: str, vmm: str, **more):
    return predict(RECORDED[source], RECORDED[target], CATALOGUE, vmm=vmm, **more)


@pytest.mark.parametrize(
    ("source", "target", "sent", "listed"),
    [
        ("6.12", "7.x", 269, 268),
        ("7.x", "6.18", 268, 267),
        ("6.12", "6.18", 269, 267),
        ("7.x", "6.1", 268, 252),
    ],
)
def test_a_longer_list_ends_it_before_any_value_is_looked_at(source, target, sent, listed):
    found = of(N2[source], N2[target], LENGTH)
    assert (found.outcome, found.counts, found.blocking) == ("fails", (sent, listed), ())
    assert found.messages[:3] == (
        f"Invalid value {sent} expecting positive value <= {listed}",
        "Failed to load cpu:cpreg_vmstate_array_len",
        "error while loading state for instance 0x0 of device 'cpu'",
    )


@pytest.mark.parametrize(
    ("source", "target", "vmm", "counts", "blocking", "says"),
    [
        ("7.x", "6.12", LENGTH, (268, 269), ["ID_AA64MMFR2_EL1"], [PUT]),
        ("7.x", "6.12", TOLERANT, (268, 269), ["ID_AA64MMFR2_EL1", "PMMIR_EL1", "KVM_REG_ARM_PSCI_VERSION"],
         [ONLY.format(PMMIR), NV, PSCI, PUT]),
        ("7.x", "6.18", TOLERANT, (268, 267), ["PMMIR_EL1"], [ONLY.format(PMMIR)]),
        ("6.18", "6.12", LENGTH, (267, 269), ["ID_AA64MMFR2_EL1", "KVM_REG_ARM_PSCI_VERSION"], [PUT]),
        ("6.1", "7.x", LENGTH, (252, 268), ["ID_MMFR4_EL1", "ID_AA64MMFR2_EL1"], [PUT]),
    ],
)  # fmt: skip
def test_between_kernels_the_registers_that_blocked_are_named(  # noqa: PLR0917 - a table of what was measured
    source, target, vmm, counts, blocking, says
):
    found = of(N2[source], N2[target], vmm)
    assert (found.outcome, found.counts, list(found.blocking)) == ("fails", counts, blocking)
    assert set(says) <= set(found.messages)


@pytest.mark.parametrize(
    ("source", "target", "vmm", "says"),
    [
        ("6.18", "7.x", LENGTH, []),
        ("6.18", "7.x", TOLERANT, [MISSING.format(PMMIR)]),
        ("6.12", "7.x", TOLERANT, [MISSING.format(PMMIR), MISSING.format("fw feat reg 3")]),
        ("6.12", "7.x", f"{LENGTH}:{TOLERANT}", [MISSING.format(PMMIR), MISSING.format("fw feat reg 3")]),
        ("7.x", "7.x", LENGTH, []),
    ],
)
def test_what_worked_is_predicted_to_work_with_its_warnings(source, target, vmm, says):
    found = of(N2[source], N2[target], vmm)
    assert (found.outcome, found.alive, found.harm, found.blocking) == ("completes", True, (), ())
    assert list(found.messages) == says


def test_between_cores_each_register_that_kvm_refused_is_predicted():
    v1 = of(N2["7.x"], "neoverse-v1@7.x", LENGTH).blocking
    assert v1 == (
        *("MIDR_EL1", "ID_DFR0_EL1", "ID_ISAR6_EL1", "ID_AA64PFR0_EL1", "ID_AA64PFR1_EL1", "ID_AA64ZFR0_EL1"),
        *("ID_AA64DFR0_EL1", "ID_AA64ISAR0_EL1", "ID_AA64ISAR1_EL1", "ID_AA64MMFR0_EL1", "ID_AA64MMFR2_EL1"),
    )
    assert of(N2["7.x"], "max@7.x", LENGTH).blocking == ("MIDR_EL1", "ID_MMFR0_EL1", "ID_AA64MMFR0_EL1")
    back = of("max@7.x", N2["7.x"], LENGTH).blocking
    assert (len(back), back[-1]) == (16, "KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3")
    n1 = of(N2["7.x"], "neoverse-n1@7.x", TOLERANT)
    assert sum(text.startswith("handle_cpreg_only_in") for text in n1.messages) == 11
    assert sum(text.startswith("Could not set register") for text in n1.messages) == 13
    assert of("neoverse-n1@7.x", N2["7.x"], LENGTH).blocking == (
        *("MIDR_EL1", "ID_AA64PFR0_EL1", "ID_AA64DFR0_EL1", "ID_AA64ISAR1_EL1"),
        *("ID_AA64MMFR0_EL1", "ID_AA64MMFR2_EL1"),
    )


# ---- levelled guests


def levelled(*names: str, tolerate: tuple[str, ...] = ()):
    outcome = level([RECORDED[name] for name in names], CATALOGUE, Policy(tolerate=tolerate))
    assert outcome.guest is not None
    return outcome.guest


@pytest.mark.parametrize("vmm", [LENGTH, TOLERANT, "kvm"])
@pytest.mark.parametrize(
    ("one", "other", "classes"),
    [
        (N2["7.x"], N2["6.12"], ("el2-only",)),
        (N2["7.x"], N2["6.1"], ("el2-only", "cache-format")),
        (N2["7.x"], "neoverse-n1@7.x", ("el2-only", "id-trap")),
        (N2["7.x"], "neoverse-v1@7.x", ()),
    ],
)
def test_a_levelled_guest_moves_both_ways(one, other, classes, vmm):
    guest = levelled(one, other, tolerate=classes)
    for source, target in ((one, other), (other, one)):
        found = of(source, target, vmm, guest=guest)
        assert (found.outcome, found.alive, found.blocking) == ("completes", True, ())


def test_a_template_leaves_registers_in_the_state_so_a_kernel_that_lacks_one_ends_the_move():
    # Firecracker restores all that its host listed; what armlevel run leaves out of QEMU's list stays in.
    guest = levelled(N2["7.x"], N2["6.12"], tolerate=("el2-only",))
    found = of(N2["6.12"], N2["7.x"], "firecracker", guest=guest)
    assert (found.outcome, found.blocking) == ("fails", ("TCR2_EL1", "PIRE0_EL1", "PIR_EL1"))
    assert of(N2["6.12"], N2["7.x"], "kvm", guest=guest).outcome == "completes"
    assert of(N2["7.x"], N2["7.x"], "firecracker", guest=guest).outcome == "completes"


def test_a_template_paints_no_implementation_ids():
    guest = levelled(N2["7.x"], "neoverse-v1@7.x")
    assert guest.implementation is not None
    found = of(N2["7.x"], "neoverse-v1@7.x", "firecracker", guest=guest)
    assert (found.outcome, found.blocking) == ("fails", ("MIDR_EL1",))


def test_a_capability_that_only_one_end_records_is_not_known():
    here, there = RECORDED[N2["6.18"]], RECORDED[N2["7.x"]]
    assert here.software.kvm_capabilities["STEAL_TIME"]
    silent = replace(there, software=replace(there.software, kvm_capabilities={}))
    assert predict(here, there, CATALOGUE, vmm=TOLERANT).outcome == "completes"
    assert predict(here, silent, CATALOGUE, vmm=TOLERANT).outcome == "unknown"


def test_wider_vectors_complete_and_harm_the_guest():
    # Levelled ID registers, and a source that was started without sve256=off. Seen both: a guest that stands still,
    # and one that ticks on while its program with 256-bit vectors finds 128.
    guest = replace(levelled(N2["7.x"], "neoverse-v1@7.x"), sve_vls=(128, 256))
    found = of("neoverse-v1@7.x", N2["7.x"], LENGTH, guest=guest)
    assert (found.outcome, found.alive, found.harm) == ("completes", None, ("vectors",))
    assert of("neoverse-v1@7.x", N2["7.x"], "kvm", guest=guest).outcome == "fails"


def test_another_counter_frequency_completes_and_the_clock_is_wrong():
    guest = levelled(N2["7.x"], "max,cntfrq=62500000@7.x")
    found = of(N2["7.x"], "max@7.x", TOLERANT, guest=guest)
    assert (found.outcome, found.alive, found.harm) == ("completes", True, ("clock",))
    assert of(N2["7.x"], "max,cntfrq=62500000@7.x", TOLERANT, guest=guest).harm == ()


# ---- which VMM


def test_a_version_suggests_a_set_and_a_strange_build_none():
    def sets(text: str) -> list[str]:
        return [row.name for row in restorer_named(text, CATALOGUE).sets]

    assert sets("qemu-10.0") == sets("qemu-10.0.2+ds-2+deb13u1") == ["qemu-list-length"]
    assert sets("qemu-10.2") == sets("QEMU-11.0.1") == ["qemu-list-length-named"]
    assert sets("qemu-11.1") == sets("qemu-tolerant") == sets("qemu-10.0:qemu-11.1") == ["qemu-tolerant"]
    assert (
        sets("qemu")
        == sets("qemu-10.1.0-15.el10")
        == [
            "qemu-list-length",
            "qemu-list-length-named",
            "qemu-tolerant",
        ]
    )
    with pytest.raises(UnknownName):
        restorer_named("xen", CATALOGUE)


def test_what_a_strange_build_does_is_known_only_where_all_agree():
    assert of(N2["6.12"], N2["7.x"], "qemu-10.1.0-15.el10").outcome == "unknown"
    assert of(N2["6.18"], N2["7.x"], "qemu-10.1.0-15.el10").outcome == "completes"
    assert of(N2["7.x"], N2["6.12"], "qemu-10.1.0-15.el10").outcome == "fails"


# ---- registers that the destination hides once the guest's own values are in


def with_tcr2(name: str):
    """The recorded host on a CPU that has TCR2_EL1."""
    field, tcr2 = CATALOGUE.field("ID_AA64MMFR3_EL1.TCRX"), id_of("TCR2_EL1")
    one = RECORDED[name]
    offers = tuple(
        replace(
            whole,
            limits={**whole.limits, field.register: field.put(whole.limits[field.register], 1)},
            accepts={**whole.accepts, field.subject: Accepts.of([0, 1])},
            register_list=tuple(sorted({*(whole.register_list or ()), tcr2})),
        )
        for shape in one.shapes
        if (whole := one.offer(shape)) is not None
    )
    return replace(one, name=f"{name} with TCR2", offers=offers)


def test_a_register_that_goes_with_the_guests_own_values_ends_the_move():
    there = with_tcr2(N2["7.x"])
    found = predict(RECORDED[N2["6.12"]], there, CATALOGUE, vmm=TOLERANT)
    assert (found.outcome, found.blocking, found.messages[-1]) == ("fails", ("TCR2_EL1",), PUT)
    assert predict(there, replace(there, name="twin"), CATALOGUE, vmm=TOLERANT).outcome == "completes"
    unmeasured = replace(there, software=replace(there.software, kernel="6.15.1"))
    unsure = predict(RECORDED[N2["6.12"]], unmeasured, CATALOGUE, vmm=TOLERANT)
    assert [f.severity for f in unsure.findings if f.subject.key == "TCR2_EL1"] == ["unknown"]
    back = predict(there, RECORDED[N2["6.12"]], CATALOGUE, vmm=TOLERANT)
    assert "TCR2_EL1" not in back.blocking


@pytest.mark.parametrize("vmm", [LENGTH, TOLERANT, "kvm"])
def test_a_levelled_guest_that_shows_no_tcr2_does_not_carry_it_and_moves_both_ways(vmm):
    hosts = [RECORDED[N2["6.12"]], with_tcr2(N2["7.x"])]
    guest = level(hosts, CATALOGUE, Policy(tolerate=("el2-only",))).guest
    assert guest is not None
    assert id_of("TCR2_EL1") not in (guest.register_list or ())
    for source, target in (hosts, hosts[::-1]):
        found = predict(source, target, CATALOGUE, vmm=vmm, guest=guest)
        assert (found.outcome, found.alive, found.blocking) == ("completes", True, ())


# ---- not recorded is no value


def test_a_message_gives_no_value_that_the_destination_does_not_record():
    register = "ID_AA64ZFR0_EL1"
    stops = Finding(about_register(register), "registers", "stops")
    vmm = CATALOGUE.vmms["qemu-tolerant"]
    sent, ids = {register: 0x110110110021}, {register: id_of(register)}
    (known,) = judge_refusals([stops], vmm, sent, {register: 1}, ids)
    (unread,) = judge_refusals([stops], vmm, sent, {}, ids)
    (unsent,) = judge_refusals([stops], vmm, {}, {register: 1}, {})
    assert [text.startswith("Could not set register") for text in known[1].messages] == [True, False]
    assert (unread[0], list(unread[1].messages)) == (id_of(register), [PUT])
    assert (unsent[0], unsent[1].messages) == (None, ())
