"""A whole host: every shape it can have, and the facts that are the same for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from armlevel.errors import KvmError
from armlevel.kvm.numbers import CAPABILITIES
from armlevel.probe.after_first_run import changed_by_kvm, facts_by_guest, gic_of, pmu_by_guest
from armlevel.probe.counters import frequencies, with_frequencies
from armlevel.probe.host_machine import machine_of
from armlevel.probe.hypervisor import KvmLike
from armlevel.probe.machine import Machine
from armlevel.probe.offer import Effort, OfferSession, probe_shape
from armlevel.probe.pack import pack
from armlevel.probe.plan import ProbePlan
from armlevel.probe.shapes import known_features, shapes_of
from armlevel.probe.side_effects import side_effects_of
from armlevel.profile import Cpu, Facts, Host, Implementation, Made, Offer, Software

__all__ = ["Probed", "probe_host"]

_USUAL = frozenset({"pmu_v3", "ptrauth", "sve", "mte"})
_BY_GUEST = "read by a guest instruction (MRS)"


@dataclass(frozen=True, slots=True)
class Probed:
    """A host profile, what a person should know beside it, and what trying cost."""

    host: Host
    remarks: tuple[str, ...] = ()
    effort: Effort = field(default_factory=Effort)


def probe_host(
    kvm: KvmLike,
    machine: Machine,
    plan: ProbePlan,
    *,
    made: Made,
    thorough: bool = False,
) -> Probed:
    """Probe one host through ``kvm`` (:class:`armlevel.kvm.device.Kvm`), in scratch VMs only.

    Raises:
        KvmError: KVM refused something that every arm64 KVM has.

    """
    remarks = [*_heterogeneous(machine), *_narrowed(machine)]
    known_bits = known_features(kvm)
    gics = gic_of(kvm)
    gic = gics[0] if gics else None
    session = OfferSession(kvm=kvm, plan=plan, pmu=machine.pmu, thorough=thorough)
    offers: list[Offer] = []
    events = pmu_by_guest(kvm) if known_bits["pmu_v3"] == 2 else {}
    for shape in shapes_of(kvm, known_bits):
        offer = probe_shape(session, shape)
        if offer.pmu:
            offer = replace(offer, pmu={**offer.pmu, **events})
        try:
            changed = changed_by_kvm(kvm, offer, plan, gic, pmu=machine.pmu)
        except KvmError as exc:
            remarks.append(f"{shape.label}: not finalized: {exc}")
        else:
            offer = replace(offer, changed_by_kvm=changed)
        offers.append(offer)
    # Those of the largest shape without anything out of the way: what it has, the smaller ones have.
    largest = max(
        (offer for offer in offers if not offer.shape.imp_id_writable and offer.shape.features <= _USUAL),
        key=lambda offer: len(offer.shape.features),
    )
    together = side_effects_of(kvm, largest, plan, gic, pmu=machine.pmu)
    offers[offers.index(largest)] = replace(largest, side_effects=together)
    facts = facts_by_guest(kvm, mte=any("mte" in offer.shape.features for offer in offers))
    counters = frequencies(kvm, machine.usable)
    if len(set(counters.values())) > 1:
        remarks.append(_unequal(counters))
        del facts["cntfrq_hz"]  # it depends on the CPU that a guest happens to run on
    try:
        around = machine_of(kvm, offers, machine.mode)
    except KvmError as exc:
        around = None
        remarks.append(f"what stands around the vCPU is not recorded: {exc}")
    cpus = _completed(machine.cpus, offers[0])
    host = Host(
        machine.name,
        pack(offers),
        with_frequencies(cpus, machine.where, counters),
        Facts(**facts, page_size=machine.page_size, sources=dict.fromkeys(facts, _BY_GUEST)),
        Software(
            machine.kernel,
            _capabilities(kvm, known_bits, gics),
            machine.vmms,
            machine.firmware,
            machine.boot_options,
            machine.vulnerabilities,
        ),
        made,
        machine=around,
    )
    return Probed(host, tuple(remarks), session.effort)


def _capabilities(kvm: KvmLike, known_bits: Mapping[str, int], gics: tuple[str, ...]) -> dict[str, int]:
    # VCPU_*: 2 this host can have the feature, 1 the kernel knows it but not here, 0 the kernel does not know it.
    with kvm.create_vm() as vm:  # some capabilities are those of a VM, and refused on /dev/kvm itself
        capabilities = {name: value for name in CAPABILITIES if (value := vm.extension(name))}
    capabilities |= {f"VCPU_{name.upper()}": state for name, state in known_bits.items()}
    return capabilities | {gic.upper().replace("-", "_"): 1 for gic in gics}


def _completed(cpus: tuple[Cpu, ...], offer: Offer) -> tuple[Cpu, ...]:
    # A kernel before 6.15 shows no AIDR_EL1 in /sys, and KVM lists it on every host. Only where all CPUs read alike it
    # is known whose KVM's is.
    shown = Implementation.from_registers(offer.limits)
    if len(cpus) != 1 or shown is None or cpus[0].implementation.same_as(shown) is not None:
        return cpus
    registers = {**shown.registers(), **cpus[0].implementation.registers()}
    return (replace(cpus[0], implementation=Implementation.from_registers(registers) or shown),)


def _heterogeneous(machine: Machine) -> list[str]:
    if len(machine.cpus) < 2:
        return []
    kinds = [
        f"CPU {', '.join(map(str, numbers))}: "
        + ", ".join(f"{register} {value:#x}" for register, value in cpu.implementation.registers().items())
        for cpu, numbers in zip(machine.cpus, machine.where, strict=True)
    ]
    return [
        "the CPUs of this machine are not alike (" + "; ".join(kinds) + "): limits are what all of them have"
    ]


def _unequal(counters: Mapping[int, int]) -> str:
    by_frequency: dict[int, list[int]] = {}
    for number, frequency in counters.items():
        by_frequency.setdefault(frequency, []).append(number)
    kinds = [f"CPU {', '.join(map(str, some))}: {hertz} Hz" for hertz, some in by_frequency.items()]
    return f"the counters of this machine are not alike ({'; '.join(kinds)}): firmware set CNTFRQ_EL0 so"


def _narrowed(machine: Machine) -> list[str]:
    if not machine.boot_options:
        return []
    return [f"booted with {' '.join(machine.boot_options)}: that lowers what this host offers"]
