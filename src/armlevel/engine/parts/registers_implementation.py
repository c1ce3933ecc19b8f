"""Which implementation a levelled guest is shown, and the implementations it may run on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from armlevel.arch import Catalogue
from armlevel.arch.release import release_numbers
from armlevel.engine.clusters import clusters_of, cpu_list
from armlevel.engine.fields.bundles import Bundled, level_bundle, register_outcome
from armlevel.engine.findings import Finding, Remedy
from armlevel.engine.names import Name, RegisterName, hosts_of
from armlevel.engine.reasons import Reason
from armlevel.engine.subjects import about_policy, about_register
from armlevel.engine.values import NOT_RECORDED, Implementations, NamedValues, named, offered
from armlevel.profile import Host, Implementation, Offer, Shape, ShownImplementation

__all__ = ["implementation_of", "level_implementation", "not_alike", "shown_by", "unlike"]

# The first release whose KVM makes the cache geometry up (7af0c2534f4c).
_CACHES_MADE_UP = (6, 3)


def level_implementation(
    recorded: Sequence[tuple[str, Offer]],
    hosts: Sequence[Host],
    catalogue: Catalogue,
    asked: Implementation | None,
) -> Bundled:
    """Choose MIDR_EL1, REVIDR_EL1 and AIDR_EL1: those ``asked`` for, or the lowest that every host keeps.

    A host keeps what is not its own only where KVM_CAP_ARM_WRITABLE_IMP_ID_REGS is enabled before the first vCPU.
    """
    offers = [(name, _with_numbers(offer, host)) for host, (name, offer) in zip(hosts, recorded, strict=True)]
    lowest = level_bundle("implementation", offers, catalogue)
    if asked is None or not _recorded(lowest, offers):
        return lowest
    shown = {register for _, offer in offers for register in offer.limits}
    registers = {register: value for register, value in asked.registers().items() if register in shown}
    refusing = [
        (host, _values({name: offer.limits[name] for name in registers if name in offer.limits}))
        for host, offer in offers
        if any(register_outcome(offer, r, value, catalogue) != "same" for r, value in registers.items())
    ]
    if not refusing:
        return Bundled(tuple(registers.items()), _not_asked(asked))
    finding = Finding(
        about_policy("policy.implementation"),
        "registers",
        "stops",
        (_values(registers),),
        offered(*refusing),
        "kernel",
        because=(Reason("own-implementation-only"),),
        remedies=(Remedy("upgrade-kernel", hosts=hosts_of(host for host, _ in refusing)),),
    )
    return Bundled((), (finding,), conflict=True)


def _values(registers: Mapping[str, int]) -> NamedValues:
    return NamedValues(tuple((RegisterName(name), value) for name, value in registers.items()))


def _not_asked(asked: Implementation) -> tuple[Finding, ...]:
    # Numbers that a person left out, and that no host of these told: a guest without them is not known.
    lacking = asked.unrecorded
    finding = Finding(
        about_policy("policy.implementation"),
        "registers",
        "unknown",
        (named(*lacking),),
        because=(Reason("implementation-not-said"),),
    )
    return (finding,) if lacking else ()


def _recorded(lowest: Bundled, offers: Sequence[tuple[str, Offer]]) -> bool:
    return bool(offers) and not any(finding.severity == "unknown" for finding in lowest.findings)


def implementation_of(
    shown: Mapping[str, int], hosts: Sequence[Host], also: Iterable[Implementation] = ()
) -> ShownImplementation | None:
    """Return what a levelled guest is shown, and every implementation of the hosts and of those to come."""
    face = Implementation.from_registers(shown)
    if face is None or face.midr is None:
        return None
    targets = sorted({one for host in hosts for one in host.implementations}.union(also))
    return ShownImplementation(face, tuple(targets))


def unlike(
    shown: Mapping[str, int],
    hosts: Sequence[Host],
    offers: Sequence[tuple[str, Offer]],
    shape: Shape,
    catalogue: Catalogue,
) -> list[Finding]:
    """Return a finding for each host whose CPUs differ, where a shape does not let them be painted alike."""
    face = implementation_of(shown, ())
    if face is None or shape.imp_id_writable:
        return []
    return [
        finding
        for host, (_, offer) in zip(hosts, offers, strict=True)
        if host.mixed
        for finding in not_alike(face.shown, host, offer, catalogue)
    ]


def not_alike(shown: Implementation, host: Host, offer: Offer, catalogue: Catalogue) -> list[Finding]:
    """Return what is not known of a guest on a host that has CPUs of several kinds, whose numbers are not writable.

    Linux arch/arm64/kvm/sys_regs.c: KVM takes the numbers of the CPU that initialised it, and does not ask where a vCPU
    runs. What the guest reads is that of the CPU it runs on (VPIDR_EL2). Pinned to one cluster it reads what it was
    told if both are of that kind, until the next boot.
    """
    taken = Implementation.from_registers(offer.limits)
    pinned = bool(host.other_cpus) and len(host.implementations) == 1
    settled = (
        taken is not None
        and pinned
        and shown.same_as(taken) is True
        and all(taken.same_as(one) is True for one in host.implementations)
    )
    every = sorted({cpu.implementation for cpu in host.every_cpu})
    why = [Reason("kvm-took-one")] if pinned else [Reason("cpus-differ"), Reason("kvm-took-one")]
    return [
        Finding(
            about_register("MIDR_EL1"),
            "registers",
            "risk" if settled else "unknown",
            needs=(Implementations((shown,)),),
            offers=offered((host.name, Implementations((taken,) if settled and taken else tuple(every)))),
            cause="silicon",
            because=tuple(why),
            remedies=(*_pins(shown, host, catalogue), Remedy("level", hosts=hosts_of([host.name]))),
        ),
        *_caches(host, settled=settled),
    ]


def _pins(shown: Implementation, host: Host, catalogue: Catalogue) -> Iterable[Remedy]:
    # To CPUs that the guest may have been told of; which numbers they have must be recorded.
    for one in clusters_of(host, catalogue):
        if one.cpu.numbers and shown.same_as(one.cpu.implementation) is not False:
            args = (Name(cpu_list(one.cpu.numbers)), Name(f"{host.name}/{one.name}"))
            yield Remedy("pin-cpus", args, hosts_of([host.name]))


def _caches(host: Host, *, settled: bool) -> list[Finding]:
    # Before Linux 6.3 a guest reads the cache sizes of the CPU it runs on, and which one was read is not recorded.
    release = release_numbers(host.software.kernel)[:2]
    if not settled or release >= _CACHES_MADE_UP:
        return []
    here = hosts_of([host.name])
    upgrade, say = Remedy("upgrade-kernel", (Name("6.12"),), here), Remedy("fact", (Name("kernel"),), here)
    return [
        Finding(
            about_register("CCSIDR_EL1"),
            "registers",
            "unknown",
            offers=offered((host.name, NOT_RECORDED)),
            because=(Reason("caches-follow-cpu"),),
            remedies=(upgrade if release else say,),
        )
    ]


def _with_numbers(offer: Offer, host: Host) -> Offer:
    # As every other judge takes them, who asks what a guest is shown here.
    shown = shown_by(offer.limits, host)
    numbers = shown.registers() if shown is not None else {}
    return (
        offer
        if numbers.items() <= offer.limits.items()
        else replace(offer, limits={**offer.limits, **numbers})
    )


def shown_by(limits: Mapping[str, int], host: Host) -> Implementation | None:
    """Return the implementation that a guest sees under these limits; the host's only one if they say nothing of it.

    What else the limits leave out is not taken from the host's CPUs: who wrote those may have read another CPU.
    """
    if (shown := Implementation.from_registers(limits)) is not None:
        return shown
    kinds = {cpu.implementation for cpu in host.every_cpu}
    return kinds.pop() if len(kinds) == 1 else None
