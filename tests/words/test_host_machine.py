"""What a host offers around the vCPU is told whole, and what is not recorded of it is said."""

from __future__ import annotations

import pytest

from armlevel.profile import HostMachine, TriedField
from armlevel.words.host_machine import host_machine_texts, machine_key_text


def test_what_is_not_recorded_is_said():
    assert host_machine_texts(HostMachine()) == [
        "interrupt controllers not recorded",
        "guest-physical size not recorded",
        "counter offset not recorded, steal time not recorded, PTP clock not recorded",
        "what no row knows of this KVM: not recorded",
    ]


@pytest.mark.parametrize(
    ("machine", "text"),
    [
        (HostMachine(gic={"v3": "yes", "its": "yes"}), "vGICv3, ITS"),
        (HostMachine(gic={"v2": "yes", "v3": "ENODEV"}), "vGICv2; no vGICv3 (ENODEV)"),
        (HostMachine(gic={"v2": "ENODEV"}), "no interrupt controller: no vGICv2 (ENODEV)"),
        (HostMachine(ipa_bits=48, ipa_min=32, ipa_fixed=False), "guest-physical size 32 to 48 bits"),
        (HostMachine(ipa_bits=48, ipa_fixed=True), "guest-physical size 48 bits, whatever is asked for"),
        (
            HostMachine(counter_offset=False, steal_time=True, ptp=True, mode="protected"),
            "no counter offset, steal time, PTP clock; KVM runs protected (pKVM)",
        ),
        (HostMachine(unknown=("KVM_CAP 252",)), "what no row knows of this KVM: KVM_CAP 252"),
    ],
)
def test_each_part_is_told(machine: HostMachine, text: str):
    assert text in host_machine_texts(machine)


def test_explained_the_values_that_kvm_takes_are_told():
    machine = HostMachine(
        icc_ctlr={"PRIbits": TriedField(4, frozenset(range(5)), frozenset({5}))},
        gicd_iidr=TriedField(3),
        gicd_typer2=0x100,
        unknown=(),
    )
    assert host_machine_texts(machine, explain=True)[3:] == [
        "ICC_CTLR_EL1.PRIbits: 4; takes 0 to 4",
        "GICD_IIDR.Revision: 3; takes none",
        "GICD_TYPER2: 0x100",
    ]


def test_every_key_of_a_host_has_words():
    for name in HostMachine.__dataclass_fields__:
        assert name == "mode" or machine_key_text(f"machine.{name}") != name
