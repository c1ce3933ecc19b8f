"""Registers that a file names, sorted: what a vCPU has, the facts of a host, and what plays no part."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from armlevel.arch import Catalogue
from armlevel.formats.recorded import recorded_offers
from armlevel.kvm import SpelledRegister, spelled
from armlevel.profile import (
    FACT_REGISTERS,
    IMPLEMENTATION_REGISTERS,
    Cpu,
    Facts,
    Host,
    Implementation,
    Made,
    Offer,
    Software,
)
from armlevel.profile.host import may_be_fact

__all__ = ["Dump", "host_of_dumps", "named_register"]

#: What a fact can be: at least, and below.
_WHOLE_NAME = re.compile(
    r"(?i:\w{1,60}_EL[0-3]\d?|\w{1,20}_EL[0-3]\[\d{1,2}\]|s[0-3]_[0-7]_c?\d+_c?\d+_[0-7]|0x60\w{14})"
)
_SHORT_NAME = re.compile(r"(?:SYS_|KVM_REG_ARM_)?[A-Za-z][A-Za-z0-9_]{2,60}")


def named_register(text: str, catalogue: Catalogue) -> SpelledRegister | None:
    """Return the register that a key of a file names; None if it names none.

    Without the exception level only ID registers, facts and firmware registers have names that are no usual words.
    """
    if _WHOLE_NAME.fullmatch(text.strip()):
        return spelled(text)
    found = spelled(text) if _SHORT_NAME.fullmatch(text.strip()) else None
    if found is None:
        return None
    known = (
        found.name in catalogue.registers or found.name in FACT_REGISTERS or found.name in catalogue.firmware
    )
    return found if known else None


@dataclass(slots=True)
class Dump:
    """What was read of one CPU, or of all.

    ``values``  KVM id -> value;  ``facts``  of the host;  ``unused``  names of what plays no part
    ``count``   how many CPUs read so, None if that is not recorded;  ``kernel``  the release of the host's
    ``hwcaps`` and ``bogomips``  as Linux shows them
    """

    values: dict[int, int] = field(default_factory=dict)
    facts: dict[str, int] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)
    count: int | None = None
    kernel: str | None = None
    hwcaps: str = ""
    bogomips: str = ""
    _where: dict[int, str] = field(default_factory=dict)

    def take(
        self, register: SpelledRegister, value: int, place: str, faults: list[str], catalogue: Catalogue
    ) -> None:
        """Put a register where it belongs; one that stands twice is a fault."""
        if (fact := FACT_REGISTERS.get(register.name)) is not None:
            self.take_fact(fact, value, place, faults)
        elif register.listed or register.name in catalogue.registers:
            before, where = self.values.get(register.kvm_id), place.rpartition(".")[0]
            if before is not None and (before != value or where == self._where[register.kvm_id]):
                faults.append(f"{place}: the same register stands twice")
            self.values[register.kvm_id] = value
            self._where[register.kvm_id] = where
        else:
            self.unused.append(register.name)

    def take_fact(self, fact: str, value: int, place: str, faults: list[str]) -> None:
        """Keep a fact of the host; a counter without frequency is one whose firmware set none."""
        if fact == "cntfrq_hz" and not value:
            self.unused.append("CNTFRQ_EL0 (0: its firmware set none)")
            return
        if not may_be_fact(fact, value):
            faults.append(f"{place}: {value:#x} cannot be {fact}")
        elif self.facts.setdefault(fact, value) != value:
            faults.append(f"{place}: {fact} stands twice, with two values")


def host_of_dumps(name: str, common: Dump, each: Sequence[Dump], catalogue: Catalogue, source: str) -> Host:
    """Return the host that was read: what all CPUs have in ``common``, and what was read of ``each`` kind of them.

    A register that is not the same on every CPU is one whose value for a guest is not known.
    """
    values = dict(common.values)
    differ: list[str] = []
    if each:
        shared = set.intersection(*(set(one.values) for one in each))
        values |= {key: each[0].values[key] for key in shared if len({one.values[key] for one in each}) == 1}
        every = set().union(*(set(one.values) for one in each))
        differ = sorted(_names(every - values.keys()))
    offers = recorded_offers(values, catalogue, common.kernel)
    facts, hwcaps = _facts(common, each)
    unused = [*dict.fromkeys(one for dump in (common, *each) for one in dump.unused)]
    source += f"; not the same, or not recorded, on every CPU: {' '.join(differ)}" if differ else ""
    source += f"; plays no part: {', '.join(unused)}" if unused else ""
    return Host(
        name,
        offers,
        _cpus(common, each, offers),
        facts,
        Software(kernel=common.kernel),
        Made(source=source[:4096]),
        hwcaps=hwcaps,
    )


def _names(ids: set[int]) -> list[str]:
    from armlevel.kvm import name_of

    return [name_of(one) for one in ids]


def _cpus(common: Dump, each: Sequence[Dump], offers: Sequence[Offer]) -> tuple[Cpu, ...]:
    shown = Implementation.from_registers(offers[0].limits)
    if not each:
        return () if shown is None else (Cpu(shown, common.count),)
    counted: dict[Implementation, int | None] = {}
    for one in each:
        numbers = _identity({**common.values, **one.values})
        before = counted.get(numbers, 0)
        counted[numbers] = None if before is None or one.count is None else before + one.count
    return tuple(Cpu(numbers, count) for numbers, count in sorted(counted.items()))


def _identity(values: Mapping[int, int]) -> Implementation:
    ids = [found.kvm_id for register in IMPLEMENTATION_REGISTERS if (found := spelled(register)) is not None]
    return Implementation(*(values.get(one) for one in ids))


def _facts(common: Dump, each: Sequence[Dump]) -> tuple[Facts, tuple[str, ...] | None]:
    from armlevel.formats.processors import frequency_facts, hwcaps_of

    facts = dict(common.facts)
    for fact in {fact for one in each for fact in one.facts} - facts.keys():
        found = {one.facts.get(fact) for one in each}
        if len(found) == 1 and None not in found:
            facts[fact] = each[0].facts[fact]
    dumps = each or [common]
    kept = Facts(**facts, sources=dict.fromkeys(facts, "the file"))
    told = frequency_facts(one.bogomips for one in dumps)
    if kept.cntfrq_hz is None and told.cntfrq_hz is not None:
        sources = {**kept.sources, **told.sources}
        kept = replace(kept, cntfrq_hz=told.cntfrq_hz, sources=sources)
    return kept, hwcaps_of(one.hwcaps for one in dumps)
