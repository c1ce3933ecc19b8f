"""Fleets of hosts near real ones: recorded machines, with fields, kernels, lists, firmware and facts changed.

Most are plain, so that many fleets have a baseline; each oddity is met often enough to be in every run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from random import Random

from armlevel import machines
from armlevel.arch import Catalogue, Field, load
from armlevel.documents import new_pool, read_host
from armlevel.profile import Accepts, Host, Made, Offer, Shape
from tests.laws import reference

__all__ = ["catalogue", "make_fleet", "recorded"]

# Fields worth changing more often than others: what AArch32, PMU and translation granules hang on, and AArch32 views.
_TELLING = (
    "ID_AA64PFR0_EL1.EL0",
    "ID_AA64PFR0_EL1.EL1",
    "ID_AA64PFR0_EL1.SVE",
    "ID_AA64PFR0_EL1.AdvSIMD",
    "ID_AA64PFR0_EL1.FP",
    "ID_AA64DFR0_EL1.DoubleLock",
    "ID_AA64DFR0_EL1.PMUVer",
    "ID_AA64MMFR0_EL1.TGRAN4",
    "ID_AA64MMFR0_EL1.TGRAN64_2",
    "ID_AA64ISAR0_EL1.SHA2",
    "ID_AA64ISAR0_EL1.SHA3",
    "ID_AA64ISAR1_EL1.BF16",
    "ID_AA64MMFR3_EL1.TCRX",
    "ID_AA64MMFR3_EL1.S1PIE",
    "ID_MMFR4_EL1.CnP",
    "ID_DFR0_EL1.PerfMon",
    "CTR_EL0.DminLine",
    "CTR_EL0.DIC",
)
_LEVELS = tuple(f"KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_{n}" for n in (1, 2, 3))


def catalogue() -> Catalogue:
    """The catalogue that ships."""
    return load()


@cache
def recorded() -> tuple[Host, ...]:
    """The machines that ship."""
    pool = new_pool()
    files = resources.files(machines)
    return tuple(
        read_host(files.joinpath(f"{name}.json").read_bytes(), name, pool) for name in machines.names()
    )


@cache
def _changeable() -> tuple[Field, ...]:
    known = load()
    seen = set(recorded()[0].offers[0].limits)
    telling = [known.field(name) for name in _TELLING]
    others = [f for f in known.fields.values() if f.register in seen and f.width <= 8 and not f.derived]
    return tuple(telling * (len(others) // (2 * len(telling))) + others)


@cache
def _lower(field: Field, limit: int) -> Accepts:
    every = range(1 << field.width)
    return Accepts.of(value for value in every if not reference.above(field, value, limit))


@cache
def _any() -> Accepts:
    return Accepts.of(None)


class Fleet(tuple[Host, ...]):
    """Some hosts, shown by what makes them other than the recorded ones."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Show each host as the machine it was made from and its differences."""
        return "\n".join(["", *map(_shown, self)])


def _shown(host: Host) -> str:
    base = next(one for one in recorded() if one.name == host.made.source)
    plain, offer = base.offers[0], host.offers[0]
    limits = {
        name: (hex(plain.limits.get(name, 0)), hex(offer.limits[name]) if name in offer.limits else "absent")
        for name in {**plain.limits, **offer.limits}
        if plain.limits.get(name) != offer.limits.get(name)
    }
    lists = (set(plain.register_list or ()) ^ set(offer.register_list or ())) or "as recorded"
    shapes = [shape.label for shape in host.shapes]
    facts = host.facts.cntfrq_hz, host.facts.dczid
    firmware = {k: v for k, v in plain.firmware.items() if offer.firmware.get(k) != v}
    odd = (
        {k: v for k, v in offer.accepts.items() if v != plain.accepts.get(k)}
        if len(offer.accepts) < 40
        else "many"
    )
    return (
        f"{host.name} from {base.name}: {limits=} {lists=} {shapes=} {facts=} default={offer.default} "
        f"firmware without={firmware} accepts={odd}"
    )


def make_fleet(chance: Random, *, hosts: tuple[int, int] = (1, 4), one_shape: bool = False) -> Fleet:
    """Draw some hosts; the same draws give the same hosts. ``one_shape``: each offers the plain shape alone."""
    bases = recorded()
    first = chance.choice(bases)
    mixed = chance.randint(0, 4) == 4
    kind = chance.choice(("free", "free", "free", "free", "kernel", "mixed"))
    common = _changes(chance, first)
    found = [
        _host(chance, f"h{n}", chance.choice(bases) if mixed else first, kind, common)
        for n in range(chance.randint(*hosts))
    ]
    return Fleet(replace(host, offers=host.offers[:1]) if one_shape else host for host in found)


def _changes(chance: Random, base: Host) -> list[tuple[Field, int]]:
    limits = base.offers[0].limits
    found = []
    for _ in range(chance.randint(0, 4)):
        field = chance.choice(_changeable())
        if field.register in limits:
            values = sorted(field.values) or [0, 1]
            odd = chance.randint(0, 11) == 0
            found.append((field, chance.randint(0, (1 << field.width) - 1) if odd else chance.choice(values)))
    return found


def _host(chance: Random, name: str, base: Host, kind: str, common: Sequence[tuple[Field, int]]) -> Host:
    plain = chance.randint(0, 2) > 0  # no oddities beyond its registers
    offer = base.offers[0]
    limits = dict(offer.limits)
    for field, value in [*common, *_changes(chance, base)]:
        if field.register in limits:
            limits[field.register] = field.put(limits[field.register], value)
    kind = chance.choice(("free", "kernel", "odd")) if kind == "mixed" else kind
    offer = replace(offer, limits=limits, accepts=dict(_accepts(chance, replace(offer, limits=limits), kind)))
    facts = base.facts
    if not plain:
        offer = replace(offer, **dict(_oddities(chance, offer)))  # type: ignore[arg-type]
        if chance.randint(0, 5) == 0:
            facts = replace(facts, cntfrq_hz=chance.choice((None, 1_000_000_000, 25_000_000)))
        if chance.randint(0, 5) == 0:
            facts = replace(facts, dczid=chance.choice((None, 3, 4, 5)))
    return replace(
        base, name=name, made=Made(source=base.name), facts=facts, offers=(offer, *_richer(chance, offer))
    )


def _accepts(chance: Random, offer: Offer, kind: str) -> Iterator[tuple[str, Accepts]]:
    known = load()
    if kind == "kernel":  # what was recorded, and each changed limit on its own
        yield from offer.accepts.items()
        return
    for register, value in offer.limits.items():
        if register not in known.registers:
            yield f"{register}.63:0", _any()
            continue
        if register in known.bundles["implementation"].registers:
            continue  # writable in a shape of its own
        for field in known.registers[register].fields:
            yield field.subject, _lower(field, field.get(value)) if field.width <= 8 else _any()
    if kind == "odd":
        for _ in range(chance.randint(1, 6)):
            field = chance.choice(_changeable())
            every = range(1 << field.width)
            some = chance.sample(every, chance.randint(0, len(every)))
            limit = field.get(offer.limits.get(field.register, 0))
            yield (
                field.subject,
                chance.choice(
                    (
                        Accepts.of(some),
                        Accepts.of(some, others="unknown"),
                        Accepts.of((), changed={value: limit for value in every if value != limit}),
                        Accepts.of((), unsure=every),
                        Accepts.of((), others="unknown"),
                        _any(),
                    )
                ),
            )


def _oddities(chance: Random, offer: Offer) -> Iterator[tuple[str, object]]:
    if chance.randint(0, 3) == 0:
        yield "default", "unknown"
    registers, limits, firmware = offer.register_list or (), dict(offer.limits), dict(offer.firmware)
    match chance.randint(0, 6):
        case 0:
            yield "register_list", None
        case 1:
            known = load()
            dropped = {number for row in chance.sample(known.drops, 3) for number in row.kvm_ids}
            yield "register_list", tuple(number for number in registers if number not in dropped)
        case 2:
            yield "register_list", tuple(sorted({*registers, *chance.choice(load().drops).kvm_ids}))
        case 3 if registers:
            gone = chance.choice(registers)
            yield "register_list", tuple(number for number in registers if number != gone)
    match chance.randint(0, 9):
        case 0:
            del limits[chance.choice(list(limits))]
        case 1:
            name = chance.choice([name for name in limits if name in load().registers])
            limits[name] |= 1 << chance.randint(0, 63)
        case 2:
            limits["S3_0_C15_C2_0"] = chance.randint(0, 3)
        case 3:
            for name in ("MIDR_EL1", "REVIDR_EL1", "AIDR_EL1"):
                limits.pop(name, None)
        case 4 | 5:
            limits["REVIDR_EL1"] = chance.randint(0, 3)
    yield "limits", limits
    match chance.randint(0, 5):
        case 0:
            firmware = {}
        case 1 | 2:
            for name in _LEVELS:
                if name in firmware:
                    firmware[name] = chance.randint(0, 2)
        case 3:
            firmware["KVM_REG_ARM_PSCI_VERSION"] = chance.choice((0x10000, 0x10001, 0x10003))
            firmware["KVM_REG_ARM_STD_BMAP"] = chance.randint(0, 1)
    yield "firmware", firmware


def _richer(chance: Random, offer: Offer) -> Iterator[Offer]:
    # Some hosts also offer SVE, pointer authentication, or writable implementation IDs.
    offered = chance.randint(0, 7)
    if offered in (0, 1):
        limits = {
            "ID_AA64PFR0_EL1": offer.limits.get("ID_AA64PFR0_EL1", 0x11) | 1 << 32,
            "ID_AA64ZFR0_EL1": 0,
        }
        vls = chance.choice(((128,), (128, 256), (128, 256, 512), (128, 512), None))
        yield Offer(Shape(frozenset({"sve"})), "tried", offer.default, limits, {}, sve_vls=vls, like=0)
    elif offered in (2, 3):
        isar1 = offer.limits.get("ID_AA64ISAR1_EL1", 0) & ~0xFF0 | chance.choice((0x10, 0x50, 0x100, 0x500))
        yield Offer(
            Shape(frozenset({"ptrauth"})), "tried", offer.default, {"ID_AA64ISAR1_EL1": isar1}, {}, like=0
        )
    elif offered in (4, 5):
        paint = {
            field.subject: _any()
            for name in ("MIDR_EL1", "REVIDR_EL1", "AIDR_EL1")
            for field in load().registers[name].fields
        }
        yield Offer(Shape(imp_id_writable=True), "tried", offer.default, {}, paint, like=0)
