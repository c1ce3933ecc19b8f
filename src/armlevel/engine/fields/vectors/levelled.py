"""What levelling makes of the fields of a set of hosts, from numbers of what each host says of each field.

The same as levelling in full finds, without reasons. Hosts of a fleet differ in few fields; what several answers about
one field come to together is worked out once. Arm's rules are bits: those whose left side stands, and those whose right
side does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_

from armlevel.arch import Catalogue, Coupling, Field, FieldRule, mentioned
from armlevel.engine.fields.bundles import in_bundle
from armlevel.engine.fields.choice import candidates, choose
from armlevel.engine.fields.closure import Closed, at_least, close
from armlevel.engine.fields.domains import NOTHING_KNOWN, Domain, accepts_of, domain_of, raw_field
from armlevel.engine.fields.no_meaning import meaningless
from armlevel.engine.fields.solve import breaks_coupling, cap_without, settle
from armlevel.engine.findings import Answer
from armlevel.engine.names import register_of
from armlevel.profile import Accepts, Offer, Shape

__all__ = ["FieldContents", "FieldLevels", "LevelledFields"]


@dataclass(frozen=True, slots=True)
class FieldContents:
    """What one offer says of its fields.

    ``numbers``    the number of what it says of each field, by ``REG.FIELD``;  ``names``  its registers
    ``start``      the value of each field that it has by itself
    ``premises``, ``failing``  the rules whose left side stands then, and those whose right side does not
    ``spoken_of``, ``broken``  the rules about registers that it shows, and those that its limits break
    ``couplings``  for each coupling, whether its limits are such as KVM would lower
    """

    numbers: Mapping[str, int]
    every: frozenset[int]
    names: frozenset[str]
    start: Mapping[str, int]
    premises: int
    failing: int
    spoken_of: int
    broken: int
    couplings: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class LevelledFields:
    """Levelled fields: what they answer, their values, the registers of a guest, and those that mean nothing in it.

    ``without_value``  fields that no host keeps in common;  ``conflicts``  those of them of which that is certain
    ``coupled``  whether what KVM enforces between fields cannot be met
    """

    answer: Answer
    values: Mapping[str, int]
    registers: frozenset[str] | None
    gone: frozenset[str]
    without_value: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    coupled: bool = False


@dataclass(frozen=True, slots=True)
class _Content:
    # What a host says of a field, and the rules at its limit; without a limit it does not show the register.
    field: Field
    limit: int | None = None
    accepts: Accepts | None = None
    domain: Domain = NOTHING_KNOWN
    premises: int = 0
    failing: int = 0


@dataclass(frozen=True, slots=True)
class _Met:
    # What several contents of a field come to: candidates, the best first; else whether they certainly conflict.
    options: tuple[int, ...]
    premises: int = 0
    failing: int = 0
    certain: bool = False


class FieldLevels:
    """The fields of hosts in one shape, outside bundles, under no policy."""

    def __init__(self, catalogue: Catalogue, shape: Shape) -> None:
        """Start with no host."""
        self._catalogue = catalogue
        self._shape = shape
        self._contents: list[_Content] = []
        self._numbers: dict[tuple[str, int | None, Accepts | None, str], int] = {}
        self._met: dict[frozenset[int], _Met] = {}
        self._kept: dict[tuple[int, int], bool] = {}
        self._rules = catalogue.field_rules
        self._places = {rule: place for place, rule in enumerate(self._rules)}
        self._premises: dict[str, list[tuple[int, int]]] = {}
        self._conclusions: dict[str, list[tuple[int, int]]] = {}
        for place, rule in enumerate(self._rules):
            self._premises.setdefault(rule.field, []).append((rule.at_least, 1 << place))
            self._conclusions.setdefault(rule.then, []).append((rule.then_at_least, 1 << place))
        self._lefts = {subject: sum(bit for _, bit in rows) for subject, rows in self._premises.items()}
        self._rights = {subject: sum(bit for _, bit in rows) for subject, rows in self._conclusions.items()}
        self._ruled = self._lefts.keys() | self._rights.keys()
        self._couplings = tuple(row for row in catalogue.couplings if not isinstance(row.when, str))
        self._coupled = tuple(
            tuple(sorted({*mentioned(row.when), *row.then}))  # type: ignore[arg-type]  # words were left out
            for row in self._couplings
        )
        self._woken: dict[tuple[int, tuple[int | None, ...]], bool] = {}
        telling = {name for row in catalogue.no_meaning for name in mentioned(row.unless)}
        self._telling = tuple(sorted(telling))
        self._gone: dict[tuple[int | None, ...], frozenset[str]] = {}
        self._reached: dict[int, tuple[FieldRule, ...]] = {}

    # ---- one offer

    def contents(self, offer: Offer) -> FieldContents | None:
        """Number what an offer says of its fields; None where it has bits set that are no field of a row."""
        names = [register for register in offer.limits if not self._left_out(register)]
        numbers: dict[str, int] = {}
        for register in names:
            row, limit = self._catalogue.registers.get(register), offer.limits[register]
            if row is not None and limit & row.fixed_mask != row.fixed_value:
                return None
            for field in self._fields(register):
                numbers[field.subject] = self._number(offer, field, field.get(limit))
        start, premises, failing = {}, 0, 0
        for subject, number in numbers.items():
            met = self._level(frozenset({number}))
            if not met.options or not self._keeps(number, met.options[0]):
                return None
            start[subject] = met.options[0]
            premises |= met.premises
            failing |= met.failing
        spoken_of, broken = self._by_limits(numbers)
        every, shown = frozenset(numbers.values()), frozenset(names)
        couplings = tuple(self._lowers(place, numbers) for place in range(len(self._couplings)))
        return FieldContents(numbers, every, shown, start, premises, failing, spoken_of, broken, couplings)

    def _by_limits(self, numbers: Mapping[str, int]) -> tuple[int, int]:
        # The rules about what is shown, and those that its limits break.
        lefts = rights = premises = failing = 0
        for subject in self._ruled & numbers.keys():
            content = self._contents[numbers[subject]]
            lefts |= self._lefts.get(subject, 0)
            rights |= self._rights.get(subject, 0)
            premises |= content.premises
            failing |= content.failing
        return lefts & rights, premises & failing

    def _lowers(self, place: int, numbers: Mapping[str, int]) -> bool:
        # Whether the limits are such as KVM would lower by a coupling.
        limits = {s: self._contents[numbers[s]].limit for s in self._coupled[place] if s in numbers}
        return self._wakes(place, limits)

    def _left_out(self, register: str) -> bool:
        row = self._catalogue.registers.get(register)
        return in_bundle(self._catalogue, register) or (row is not None and row.derived)

    def _fields(self, register: str) -> tuple[Field, ...]:
        row = self._catalogue.registers.get(register)
        return (raw_field(register),) if row is None else row.fields

    def _number(self, offer: Offer, field: Field, limit: int) -> int:
        subject = field.subject
        accepts = offer.accepts.get(subject)
        key = (subject, limit, accepts, offer.default)
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self._contents)
            known, rules = accepts_of(offer, field, limit), self._rules_at(field, limit)
            self._contents.append(_Content(field, limit, known, domain_of(offer, field), *rules))
        return found

    def _nothing(self, field: Field) -> int:
        # Of a register that a host does not show.
        key = (field.subject, None, None, "")
        if key not in self._numbers:
            self._numbers[key] = len(self._contents)
            self._contents.append(_Content(field))
        return self._numbers[key]

    def _rules_at(self, field: Field, value: int) -> tuple[int, int]:
        # The rules whose left side stands at a value of a field, and those whose right side does not.
        lefts, rights = (rows.get(field.subject, ()) for rows in (self._premises, self._conclusions))
        return (
            sum(bit for least, bit in lefts if at_least(field, value, least)),
            sum(bit for least, bit in rights if not at_least(field, value, least)),
        )

    # ---- several answers about one field

    def _level(self, numbers: frozenset[int]) -> _Met:
        found = self._met.get(numbers)
        if found is None:
            found = self._met[numbers] = self._levelled([self._contents[one] for one in sorted(numbers)])
        return found

    def _levelled(self, contents: Sequence[_Content]) -> _Met:
        field = contents[0].field
        domain = reduce(and_, (one.domain for one in contents))
        options = candidates(field, domain)
        for row in self._catalogue.couplings:
            lacks = isinstance(row.when, str) and row.when.split()[-1] not in self._shape.features
            if lacks and field.subject in row.then:
                options = cap_without(row, field, options, domain.limits)
        if options:
            return _Met(options, *self._rules_at(field, options[0]))
        # Without any limit nothing was recorded, and anything may be.
        may = Domain(domain.possible, domain.possible, domain.limits)
        return _Met((), certain=bool(domain.limits) and choose(field, may) is None)

    def _keeps(self, number: int, value: int) -> bool:
        key = (number, value)
        if key not in self._kept:
            content = self._contents[number]
            own = value == content.limit
            self._kept[key] = own or (
                content.accepts is not None and content.accepts.outcome(value) == "same"
            )
        return self._kept[key]

    # ---- a set of offers

    def level(self, offers: Sequence[FieldContents]) -> LevelledFields | None:
        """Level the fields of some offers; None where these tables do not tell."""
        apart = self._apart(offers)
        if apart is None:
            return None
        start = dict(offers[0].start)
        premises, failing, without = offers[0].premises, offers[0].failing, []
        options: dict[str, tuple[int, ...]] = {}
        for subject, numbers in apart.items():
            met = self._level(numbers)
            premises = premises & ~self._lefts.get(subject, 0) | met.premises
            failing = failing & ~self._rights.get(subject, 0) | met.failing
            options[subject] = met.options
            if met.options:
                start[subject] = met.options[0]
            else:
                without.append((subject, met.certain))
                start.pop(subject, None)
        asked = _Asked(
            offers, start, options, self._enforced(offers), premises, failing, self._still_coupled(offers)
        )
        closed, coupled, gone = self._closed(asked)
        return self._told(asked, apart, without, closed, coupled, gone)

    def _apart(self, offers: Sequence[FieldContents]) -> dict[str, frozenset[int]] | None:
        # What is said of each field of which not all say the same.
        names = frozenset().union(*(one.names for one in offers))
        sets = []
        for one in offers:
            lacking = names - one.names
            if any(not self._fields(register) for register in lacking):
                return None
            nothing = {self._nothing(field) for register in lacking for field in self._fields(register)}
            sets.append(one.every | nothing)
        found: dict[str, set[int]] = {}
        for number in sets[0].union(*sets[1:]) - sets[0].intersection(*sets[1:]):
            found.setdefault(self._contents[number].field.subject, set()).add(number)
        return {subject: frozenset(some) for subject, some in found.items()}

    def _enforced(self, offers: Sequence[FieldContents]) -> int:
        # What every host that speaks of it breaks is not enforced.
        spoken_of = kept = 0
        for one in offers:
            spoken_of |= one.spoken_of
            kept |= one.spoken_of & ~one.broken
        return (1 << len(self._rules)) - 1 & ~(spoken_of & ~kept)

    def _still_coupled(self, offers: Sequence[FieldContents]) -> tuple[int, ...]:
        return tuple(
            place for place in range(len(self._couplings)) if not all(one.couplings[place] for one in offers)
        )

    def _closed(self, asked: _Asked) -> tuple[Closed, tuple[Coupling, ...], frozenset[str]]:
        gone: frozenset[str] = frozenset()
        while True:
            closed, coupled = self._settled(asked, gone)
            meaning = self._meaningless(closed.values)
            if meaning <= gone:
                return closed, coupled, gone
            gone |= meaning

    def _settled(self, asked: _Asked, gone: frozenset[str]) -> tuple[Closed, tuple[Coupling, ...]]:
        start, fields = asked.start, self._catalogue.fields
        broken = asked.premises & asked.failing & asked.enforced
        if gone:
            silent = {field.subject for register in gone for field in self._fields(register)}
            start = {subject: value for subject, value in start.items() if subject not in silent}
            for subject in silent:
                broken &= ~self._lefts.get(subject, 0) & ~self._rights.get(subject, 0)
        if not any(self._wakes(place, start) for place in asked.couplings):
            if not broken:
                return Closed(start), ()
            rules = self._behind(broken, asked.enforced)
            closed = close(
                start, {rule.field: self._options(asked, rule.field) for rule in rules}, rules, fields
            )
            if not any(self._wakes(place, closed.values) for place in asked.couplings):
                return closed, ()
        enforced = [rule for rule, place in self._places.items() if asked.enforced >> place & 1]
        options = {subject: self._options(asked, subject) for subject in start}
        couplings = [self._couplings[place] for place in asked.couplings]
        known = {**{s: self._contents[n].field for s, n in asked.offers[0].numbers.items()}, **fields}
        return settle(start, options, enforced, couplings, known)

    def _options(self, asked: _Asked, subject: str) -> tuple[int, ...]:
        if subject in asked.options:
            return asked.options[subject]
        number = asked.offers[0].numbers.get(subject)
        return () if number is None else self._level(frozenset({number})).options

    def _behind(self, broken: int, enforced: int) -> tuple[FieldRule, ...]:
        # The broken rules, and those that they may break by lowering a field.
        found = self._reached.get(broken)
        if found is None:
            mask = more = broken
            while more:
                lowered = {rule.field for rule, place in self._places.items() if more >> place & 1}
                more = reduce(int.__or__, (self._rights.get(one, 0) for one in lowered), 0) & ~mask
                mask |= more
            found = self._reached[broken] = tuple(
                rule for rule, place in self._places.items() if mask >> place & 1
            )
        return tuple(rule for rule in found if enforced >> self._places[rule] & 1)

    def _wakes(self, place: int, values: Mapping[str, int | None]) -> bool:
        key = (place, tuple(map(values.get, self._coupled[place])))
        if key not in self._woken:
            some = {
                name: value
                for name, value in zip(self._coupled[place], key[1], strict=True)
                if value is not None
            }
            self._woken[key] = breaks_coupling(self._couplings[place], some, self._catalogue.fields)
        return self._woken[key]

    def _meaningless(self, values: Mapping[str, int]) -> frozenset[str]:
        key = tuple(map(values.get, self._telling))
        if key not in self._gone:
            self._gone[key] = meaningless(values, self._catalogue)
        return self._gone[key]

    def _told(  # noqa: PLR0913, PLR0917
        self,
        asked: _Asked,
        apart: Mapping[str, frozenset[int]],
        without: Sequence[tuple[str, bool]],
        closed: Closed,
        coupled: Sequence[Coupling],
        gone: frozenset[str],
    ) -> LevelledFields:
        left = [(subject, certain) for subject, certain in without if register_of(subject) not in gone]
        lacking = tuple(subject for subject, _ in left)
        conflicts = tuple(subject for subject, certain in left if certain)
        excused = reduce(int.__or__, (one.broken for one in asked.offers))
        broken = any(not excused >> self._places[rule] & 1 for rule in closed.stuck)
        if left or broken or coupled:
            answer: Answer = "refused" if conflicts or broken or coupled else "unknown"
            return LevelledFields(answer, closed.values, None, gone, lacking, conflicts, bool(coupled))
        registers = frozenset().union(*(one.names for one in asked.offers)) - gone
        kept = self._all_keep(asked, apart, closed.values)
        return LevelledFields("runs" if kept else "refused", closed.values, registers, gone)

    def _all_keep(
        self, asked: _Asked, apart: Mapping[str, frozenset[int]], values: Mapping[str, int]
    ) -> bool:
        # The post-condition, every time: each host keeps what was chosen. What was not lowered and is said alike by all
        # was looked at when the first was numbered.
        if values is not asked.start:
            own = asked.offers[0].numbers
            lowered = (s for s, value in values.items() if value != asked.start[s] and s not in apart)
            if not all(self._keeps(own[subject], values[subject]) for subject in lowered):
                return False
        return all(
            self._keeps(number, values[subject])
            for subject, numbers in apart.items()
            if subject in values
            for number in numbers
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    # Some offers, and where closure starts: the best candidates, the rules that these break, what is still coupled.
    offers: Sequence[FieldContents]
    start: Mapping[str, int]
    options: Mapping[str, tuple[int, ...]]
    enforced: int
    premises: int
    failing: int
    couplings: tuple[int, ...]
