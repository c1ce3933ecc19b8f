"""Small worlds: a handful of fields in a few registers, rules between them, and hosts. Made from any source of chance.

Small enough that everything can be tried, and odd on purpose: values with gaps, all five orders, limits that no
architecture names, KVMs that take more or less than their limit, kernels nobody measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from types import SimpleNamespace
from typing import cast

from armlevel.arch import ORDERS, Catalogue, Field, FieldRule, Order, Register, Reserved
from armlevel.engine.fields.domains import Space, space_of
from armlevel.engine.fields.solve import Solution, solve
from armlevel.profile import Accepts, Offer, Shape
from tests.laws import reference

# Most KVMs take anything up to the limit, so most of these do; the others are there to be met now and then.
_ACCEPTS = (*["lower"] * 14, *["gaps"] * 3, "limit", "any", "higher", "some", "unknown", "changed")


@dataclass(frozen=True)
class World:
    """A small catalogue and some hosts' offers."""

    registers: Mapping[str, Register]
    rules: tuple[FieldRule, ...]
    offers: tuple[Offer, ...]

    @property
    def fields(self) -> dict[str, Field]:
        """All fields by subject."""
        return {field.subject: field for register in self.registers.values() for field in register.fields}

    @property
    def catalogue(self) -> Catalogue:
        """What the engine asks of a catalogue, and nothing else."""
        light = SimpleNamespace(registers=self.registers, fields=self.fields, no_meaning=(), couplings=())
        return cast(Catalogue, light)

    def space(self, offers: Sequence[Offer] | None = None) -> Space:
        """The space of all hosts, or of some."""
        return space_of(self.offers if offers is None else offers, self.catalogue)

    def solve(self, offers: Sequence[Offer] | None = None, space: Space | None = None) -> Solution:
        """Level all hosts, or some; ``space`` where it was met in another way."""
        hosts = self.offers if offers is None else offers
        limits = {name: [offer.limits.get(name) for offer in hosts] for name in self.registers}
        return solve(space or self.space(hosts), self.fields, self.rules, limits, self.catalogue)

    def options(self, offers: Sequence[Offer] | None = None) -> dict[str, list[int]]:
        """Each field's candidates, worst first, by the reference; fields without any are left out."""
        hosts = self.offers if offers is None else offers
        found = {name: reference.candidates(field, hosts) for name, field in self.fields.items()}
        return {name: fit for name, fit in found.items() if fit}

    @property
    def architected(self) -> bool:
        """Whether every host's limit is a value that the architecture names."""
        return all(
            field.architected(value)
            for offer in self.offers
            for name, field in self.fields.items()
            for value in [reference.limits_of(offer, self.fields)[name]]
        )


def make_world(
    chance: Random, *, fields: tuple[int, int] = (5, 12), hosts: tuple[int, int] = (2, 4)
) -> World:
    """Draw one world; the same draws give the same world.

    Every other world is calm: KVMs take what is lower and nothing else, hosts are nearly the same, and rules ask for
    what all but a few of them just reach, so that one lowering brings many.
    """
    calm = bool(chance.randint(0, 1))
    registers = {register.name: register for register in _registers(chance, chance.randint(*fields))}
    known = [field for register in registers.values() for field in register.fields]
    base = {field.subject: _limit(chance, field) for field in known}
    stiff = {name for name in base if not calm and not chance.randint(0, 4)}
    count = chance.randint(*hosts)
    offers = tuple(_offer(chance, registers, base, stiff, calm=calm) for _ in range(count))
    return World(registers, tuple(_rules(chance, known, base, calm=calm)), offers)


def _registers(chance: Random, count: int) -> Iterator[Register]:
    most = -(-count // chance.randint(1, 3))
    for number, first in enumerate(range(0, count, most)):
        name, lsb, fields = f"R{number}", 0, []
        for index in range(first, min(first + most, count)):
            width = chance.randint(2, 4)
            fields.append(_field(chance, name, f"F{index}", lsb + width - 1, lsb))
            lsb += width
        yield Register(name, (3, 0, 0, 1, number), "aarch64", "vm", tuple(fields), (Reserved(63, lsb, 0),))


def _field(chance: Random, register: str, name: str, msb: int, lsb: int) -> Field:
    every = range(1 << (msb - lsb + 1))
    named = sorted(chance.sample(every, chance.randint(2, len(every))))
    kind = chance.choice(ORDERS)
    listing = tuple(chance.sample(named, chance.randint(1, len(named)))) if kind == "list" else ()
    return Field(register, name, msb, lsb, Order(kind, listing), dict.fromkeys(named, ""), "el0", name)


def _rules(
    chance: Random, fields: Sequence[Field], base: Mapping[str, int], *, calm: bool
) -> Iterator[FieldRule]:
    # Thresholds are mostly what the first idea of a host just reaches, or the rules would say nothing.
    ordered = [field for field in fields if field.order.total]
    if len(ordered) > 1:
        one, two = chance.sample(ordered, 2)
        for _ in range(chance.randint(4 if calm else 0, 16)):
            # Rules often lean on one another, so that one lowering brings the next, in either direction.
            match chance.randint(0, 2):
                case 0:
                    one, two = chance.choice([field for field in ordered if field is not one]), one
                case 1:
                    one, two = two, chance.choice([field for field in ordered if field is not two])
                case _:
                    one, two = chance.sample(ordered, 2)
            least, needs = (
                base[field.subject] if calm else _reached(chance, field, base) for field in (one, two)
            )
            yield FieldRule(one.subject, least, two.subject, needs, ("", ""))


def _reached(chance: Random, field: Field, base: Mapping[str, int]) -> int:
    top = base[field.subject]
    below = [value for value in field.values if not reference.above(field, value, top)]
    return chance.choice([top, top, *below])


def _limit(chance: Random, field: Field) -> int:
    every = list(range(1 << field.width))
    return chance.choice(every if chance.randint(0, 9) == 0 else list(field.values))


def _offer(
    chance: Random, registers: Mapping[str, Register], base: Mapping[str, int], stiff: set[str], *, calm: bool
) -> Offer:
    # A stiff field is the same on every host, and no kernel takes another value.
    limits, accepts = {}, {}
    for name, register in registers.items():
        value = 0
        for field in register.fields:
            if field.subject in stiff:
                value = field.put(value, base[field.subject])
                continue
            other = field.order.total and not chance.randint(0, 7 if calm else 2)
            limit = _limit(chance, field) if other else base[field.subject]
            value = field.put(value, limit)
            taken = _accepts(chance, field, limit, "lower" if calm else chance.choice(_ACCEPTS))
            if taken is not None:
                accepts[field.subject] = taken
        limits[name] = value
    default = chance.choice(("limit-only", "limit-only", "limit-only", "unknown"))
    return Offer(Shape(), "tried", default, limits, accepts)  # type: ignore[arg-type]


def _accepts(chance: Random, field: Field, limit: int, kind: str) -> Accepts | None:
    every = range(1 << field.width)
    lower = [value for value in every if not reference.above(field, value, limit)]
    match kind:
        case "lower":
            return Accepts.of(lower)
        case "gaps":
            return Accepts.of(value for value in lower if chance.randint(0, 2))
        case "any":
            return Accepts.of(None)
        case "higher":
            return Accepts.of(value for value in every if not reference.above(field, limit, value))
        case "some":
            return Accepts.of(chance.sample(every, chance.randint(1, len(every))))
        case "unknown":
            return Accepts.of(chance.sample(lower, chance.randint(0, len(lower))), others="unknown")
        case "changed":
            return Accepts.of(lower, changed={value: limit for value in every if value not in lower})
    return None
