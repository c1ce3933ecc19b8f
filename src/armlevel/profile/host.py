"""One host: what its KVM offers, shape by shape, and the facts KVM cannot change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from types import MappingProxyType
from typing import Any, Literal

from armlevel.profile.accepts import Accepts
from armlevel.profile.digests import Digested
from armlevel.profile.implementation import Implementation
from armlevel.profile.lineage import Given, Origin
from armlevel.profile.machine import HostMachine
from armlevel.profile.policy import Policy
from armlevel.profile.shape import Shape

__all__ = [
    "Accelerator",
    "Cpu",
    "Default",
    "Facts",
    "Host",
    "How",
    "Made",
    "Offer",
    "Software",
    "nothing",
    "whole_offer",
]

How = Literal["tried", "masks", "predicted"]
Default = Literal["limit-only", "unknown"]
Accelerator = Literal["kvm", "tcg"]

_EMPTY: Mapping[str, Any] = MappingProxyType({})


def nothing() -> Mapping[str, Any]:
    """Return the one empty mapping, for fields that have nothing to say."""
    return _EMPTY


@dataclass(frozen=True, slots=True)
class Made:
    """Who made a document, when and out of what; what is ``None`` is not recorded. Never part of its digest.

    ``source``  what it was made out of, for a person to read
    ``hosts``   of a levelled guest: the hosts;  ``policy``  a person's choices, ``None``: not recorded
    ``given``   facts of these hosts that a person supplied
    """

    tool: str | None = None
    catalogue: str | None = None
    at: str | None = None
    source: str | None = None
    hosts: tuple[Origin, ...] = ()
    policy: Policy | None = None
    given: tuple[Given, ...] = ()


@dataclass(frozen=True, slots=True)
class Software:
    """The software level: evidence for a person, never the test.

    ``kernel``, ``firmware``  the release and the name; ``None``: not recorded
    ``boot_options``     words of the kernel's command line that lower what KVM offers
    ``vulnerabilities``  what the kernel says of each it knows and does not call "Not affected"
    """

    kernel: str | None = None
    kvm_capabilities: Mapping[str, int] = field(default_factory=nothing)
    vmms: Mapping[str, str] = field(default_factory=nothing)
    firmware: str | None = None
    boot_options: tuple[str, ...] = ()
    vulnerabilities: Mapping[str, str] = field(default_factory=nothing)


@dataclass(frozen=True, slots=True)
class Cpu:
    """Physical CPUs that read alike; how many they are, and the numbers that Linux gave them.

    A count of ``None`` is not recorded. Numbers are recorded where a host has CPUs of several kinds, or whose counters
    differ. ``cntfrq_hz`` is what CNTFRQ_EL0 reads on each of them: firmware writes it CPU by CPU.
    """

    implementation: Implementation
    count: int | None = None
    numbers: tuple[int, ...] = ()
    cntfrq_hz: int | None = None


#: What facts can be: CNTFRQ_EL0 has 32 bits and firmware sets it; DCZID_EL0.{DZP,BS} and GMID_EL1.BS are 5 and 4 bits
#: (DDI 0487). The granules are those of a page.
FACT_RANGES = {"cntfrq_hz": range(1, 1 << 32), "dczid": range(1 << 5), "gmid": range(1 << 4)}
PAGE_SIZES = (4096, 16384, 65536)


def may_be_fact(name: str, value: int) -> bool:
    """Whether a fact can have a value.

    >>> may_be_fact("page_size", 4096), may_be_fact("page_size", 8192), may_be_fact("cntfrq_hz", 0)
    (True, False, False)
    """
    return value in (PAGE_SIZES if name == "page_size" else FACT_RANGES[name])


#: The registers that are facts: no KVM lists them, and a guest reads the hardware's.
FACT_REGISTERS = {"CNTFRQ_EL0": "cntfrq_hz", "DCZID_EL0": "dczid", "GMID_EL1": "gmid"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What KVM can neither hide nor change. ``None`` is not known, and never a match.

    ``cntfrq_hz``  CNTFRQ_EL0, Hz;  ``dczid``  DCZID_EL0;  ``gmid``  GMID_EL1;  ``page_size``  host pages, bytes
    """

    cntfrq_hz: int | None = None
    dczid: int | None = None
    gmid: int | None = None
    page_size: int | None = None
    sources: Mapping[str, str] = field(default_factory=nothing)


@dataclass(frozen=True, slots=True)
class Offer(Digested):
    """What one host's KVM offers for one shape.

    ``limits``     register -> the largest value it shows (also ``CCSIDR_EL1[n]``); a register's fields are bits of it
    ``accepts``    ``REG.FIELD`` -> what happens to written values; a field that is absent follows ``default``
    ``register_list``  KVM ids of KVM_GET_REG_LIST, in numerical order; ``None`` is not recorded
    ``firmware``   firmware pseudo-register -> its reset value
    ``state``      register -> value of a fresh vCPU: what a guest changes, never its identity
    ``sve_vls``    vector lengths in bits; ``pmu``: ``counters`` and event bitmaps
    ``like``       index of the offer that this one completes: it then lists only differences, and
                   ``register_list_without`` the ids it lacks
    ``changed_by_kvm``  register -> what KVM itself makes of its limit before a VM first runs
    ``side_effects``  ``REG.FIELD=value`` -> what that makes of others once KVM finished the VM (field or firmware
                   register -> value, equal to its limit if nothing; None: KVM does not finish such a VM); what was not
                   tried is not there, and neither of the two is taken over from the offer this one is ``like``
    """

    shape: Shape
    how: How = "predicted"
    default: Default = "unknown"
    limits: Mapping[str, int] = field(default_factory=nothing)
    accepts: Mapping[str, Accepts] = field(default_factory=nothing)
    register_list: tuple[int, ...] | None = None
    firmware: Mapping[str, int] = field(default_factory=nothing)
    state: Mapping[str, int] = field(default_factory=nothing)
    sve_vls: tuple[int, ...] | None = None
    pmu: Mapping[str, int] = field(default_factory=nothing)
    like: int | None = None
    register_list_without: tuple[int, ...] = ()
    changed_by_kvm: Mapping[str, int] = field(default_factory=nothing)
    side_effects: Mapping[str, Mapping[str, int | None]] = field(default_factory=nothing)

    def __hash__(self) -> int:
        """Hash what tells most offers apart; all of it is compared."""
        return hash((self.shape, self.like, frozenset(self.limits.items())))

    def completed_by(self, base: Offer) -> Offer:
        """Return this offer with everything it leaves out taken from ``base``, which is whole."""
        registers = base.register_list
        if registers is not None and (self.register_list is not None or self.register_list_without):
            kept = set(registers) - set(self.register_list_without)
            registers = tuple(sorted(kept | set(self.register_list or ())))
        return replace(
            self,
            limits={**base.limits, **self.limits},
            accepts={**base.accepts, **self.accepts},
            register_list=registers,
            firmware={**base.firmware, **self.firmware},
            state={**base.state, **self.state},
            sve_vls=base.sve_vls if self.sve_vls is None else self.sve_vls,
            pmu={**base.pmu, **self.pmu},
            like=None,
            register_list_without=(),
        )


@dataclass(frozen=True, slots=True)
class Host:
    """One host as it was probed or imported.

    ``cpus``        the CPUs that a guest may run on: all of the host, or those of one cluster that it is pinned to
    ``other_cpus``  where ``cpus`` are those of one cluster: the others
    ``machine``     what it offers around the vCPU; ``None``: not recorded
    ``accelerator`` what is behind it: ``kvm``; or ``tcg``, which runs no guest of a host: it is there to be compared
    ``hwcaps``      the capabilities that its kernel shows programs (``fphp`` ...); ``None``: not recorded

    >>> Host("a", offers=(Offer(Shape()),)).offer(Shape(frozenset({"sve"}))) is None
    True
    """

    name: str
    offers: tuple[Offer, ...] = ()
    cpus: tuple[Cpu, ...] = ()
    facts: Facts = Facts()
    software: Software = Software()
    made: Made = Made()
    hwcaps: tuple[str, ...] | None = None
    other_cpus: tuple[Cpu, ...] = ()
    machine: HostMachine | None = None
    accelerator: Accelerator = "kvm"

    @property
    def every_cpu(self) -> tuple[Cpu, ...]:
        """The CPUs of the machine, whichever a guest runs on."""
        return (*self.cpus, *self.other_cpus)

    @property
    def mixed(self) -> bool:
        """Whether the machine has CPUs of several kinds, or may have, because some CPU's MIDR_EL1 is not recorded.

        CPUs of which only more or less is recorded are not of several kinds.
        """
        kinds = {cpu.implementation for cpu in self.every_cpu}
        apart = (one.same_as(other) is False for one, other in combinations(kinds, 2))
        return len(kinds) > 1 and (any(one.midr is None for one in kinds) or any(apart))

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """Every shape that was probed, in the document's order."""
        return tuple(offer.shape for offer in self.offers)

    @property
    def implementations(self) -> frozenset[Implementation]:
        """What the CPUs that a guest may run on are, or what the offers show where no CPU is recorded."""
        if self.cpus:
            return frozenset(cpu.implementation for cpu in self.cpus)
        shown = (offer.limits for offer in self.offers if "MIDR_EL1" in offer.limits)
        found = map(Implementation.from_registers, shown)
        return frozenset(one for one in found if one is not None)

    def offer(self, shape: Shape) -> Offer | None:
        """Return the whole offer for ``shape``; None if that shape was not probed.

        Raises:
            ValueError: ``like`` leads to no earlier offer (documents refuse such a profile on reading).

        """
        recorded = self.recorded(shape)
        return whole_offer(recorded) if recorded else None

    def recorded(self, shape: Shape) -> tuple[Offer, ...]:
        """Return the offer for ``shape`` as recorded, then each that completes the one before it; empty if not probed.

        Raises:
            ValueError: as :meth:`offer` does.

        """
        index = next((index for index, offer in enumerate(self.offers) if offer.shape == shape), None)
        if index is None:
            return ()
        chain = [self.offers[index]]
        while (like := chain[-1].like) is not None:
            if not 0 <= like < index:
                raise ValueError(f"{self.name}: offers[{index}] is like {like}, which is no earlier offer")
            index = like
            chain.append(self.offers[index])
        return tuple(chain)


def whole_offer(recorded: Sequence[Offer]) -> Offer:
    """Return the first of some offers, each completed by the one behind it."""
    whole = recorded[-1]
    for offer in reversed(recorded[:-1]):
        whole = offer.completed_by(whole)
    return whole
