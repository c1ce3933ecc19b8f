"""What levelling answers, part by part, without a reason: for many sets of the same hosts.

The same as :func:`armlevel.engine.baseline.level` says, or nothing where these tables do not tell. Fields are numbers
(:mod:`armlevel.engine.fields.vectors.levelled`); every other part is judged by the judge that levelling has for it,
once for each set of different contents.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from armlevel.arch import Catalogue, evaluate, mentioned
from armlevel.engine.baseline import LEVELLED, about_pauth, bundle_values
from armlevel.engine.fields.bundles import Bundled, level_bundle
from armlevel.engine.fields.vectors.levelled import FieldContents, FieldLevels, LevelledFields
from armlevel.engine.findings import Answer, Finding, Part, answer_of, worst
from armlevel.engine.parts.facts import level_facts
from armlevel.engine.parts.firmware import level_firmware
from armlevel.engine.parts.register_list import Carried, carried_unvalued, carry
from armlevel.engine.parts.registers_certain import says_all
from armlevel.engine.parts.registers_implementation import level_implementation, shown_by
from armlevel.engine.parts.shape import PASSTHROUGH_FEATURES, common_shape
from armlevel.engine.parts.shape_pmu import level_pmu
from armlevel.engine.parts.shape_smaller import smaller_may_help, smaller_shapes
from armlevel.engine.parts.shape_vectors import impdef_pauth, level_pauth, level_vls, parts_of
from armlevel.engine.policy import Policy
from armlevel.engine.screen.tables import host_firmware, host_list
from armlevel.engine.screen.views import HostView
from armlevel.engine.subjects import about_field
from armlevel.profile import Guest, Host, Offer, Shape

__all__ = ["Levels"]

_T = TypeVar("_T")
_Values = dict[str, int]


@dataclass(eq=False, slots=True)
class _Compiled:
    # One host in one shape: the number of its content for each question.
    host: Host
    offer: Offer
    fields: FieldContents
    keys: Mapping[str, int]


class _Question(Generic[_T]):
    # One question about a set of hosts: what decides it in each, and what was answered.

    def __init__(self, name: str) -> None:
        self._name = name
        self._numbers: dict[Hashable, int] = {}
        self._known: dict[tuple[frozenset[int], Hashable], _T] = {}

    def number(self, key: Hashable) -> int:
        return self._numbers.setdefault(key, len(self._numbers))

    def ask(
        self, some: Sequence[_Compiled], beside: Hashable, judge: Callable[[Sequence[_Compiled]], _T]
    ) -> _T:
        # One host of each content is asked for all.
        key = frozenset(one.keys[self._name] for one in some), beside
        if key not in self._known:
            self._known[key] = judge(list({one.keys[self._name]: one for one in some}.values()))
        return self._known[key]


@dataclass(frozen=True, slots=True)
class _Bundle:
    # A bundle, its answer, its values by field, and what else of it decides.
    bundled: Bundled
    answer: Answer
    values: Mapping[str, int]
    names: frozenset[str]
    clidr: int | None


@dataclass(frozen=True, slots=True)
class _Among:
    # An answer, and the contents of those hosts on which a guest may not start, or on which alone it may.
    answer: Answer
    findings: tuple[Finding, ...]
    contents: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class _Outcome:
    # What was answered in one shape; what stands against it that may stand in smaller shapes too; whether some of that
    # is pointer authentication, or what KVM enforces between fields.
    shape: Shape
    parts: Mapping[Part, Answer]
    grave: tuple[Finding, ...]
    about_pauth: bool
    coupled: bool

    @property
    def answer(self) -> Answer:
        """The worst answer of a part."""
        return worst(self.parts.values())


class Levels:
    """What levelling sets of some hosts answers, by their places."""

    def __init__(self, hosts: Sequence[Host], catalogue: Catalogue, policy: Policy) -> None:
        """Compile nothing yet."""
        self._hosts = hosts
        self._catalogue = catalogue
        self._policy = policy
        own = replace(policy, without=frozenset(), also_targets=(), assume_same_impdef=False)
        self._known = own == Policy() and len({host.name for host in hosts}) == len(hosts)
        self._fields: dict[Shape, FieldLevels] = {}
        self._compiled: dict[tuple[int, Shape], _Compiled | None] = {}
        self._shapes: dict[tuple[frozenset[frozenset[Shape]], frozenset[str]], Shape | None] = {}
        self._offered: dict[int, frozenset[Shape]] = {}
        self._cache = _Question[_Bundle]("cache")
        self._implementation = _Question[_Bundle]("implementation")
        self._list = _Question[tuple[Carried, Answer]]("list")
        self._firmware = _Question[_Among]("firmware")
        self._lengths = _Question[Answer]("lengths")
        self._counters = _Question[_Among]("counters")
        self._cores = _Question[tuple[Finding, ...]]("cores")
        self._facts = _Question[tuple[Finding, ...]]("facts")
        rows = [row.when for row in catalogue.drops if not isinstance(row.when, str)]
        raised = [row.raised[2] for _, row in sorted(catalogue.firmware.items()) if row.raised is not None]
        self._conditions = {"list": rows, "firmware": raised}
        self._leaning = {
            name: tuple(sorted({one for row in some for one in mentioned(row)}))
            for name, some in self._conditions.items()
        }
        self._held: dict[tuple[str, tuple[int | None, ...]], tuple[bool | None, ...]] = {}
        self._unvalued: dict[tuple[Hashable, ...], bool] = {}

    def answer(self, places: Sequence[int]) -> Answer | None:
        """Return what levelling some hosts answers; None where that is not told without levelling them."""
        parts = self.parts(places)
        return None if parts is None else worst(parts.values())

    def parts(self, places: Sequence[int]) -> Mapping[Part, Answer] | None:
        """Return what each part answers when some hosts are levelled; None where that is not told so."""
        if not self._known:
            return None
        shape = self._shape(places, frozenset())
        if shape is None:
            return dict.fromkeys(LEVELLED, "unknown")
        outcome = self._judge(places, shape)
        if outcome is not None and outcome.about_pauth:
            smaller = self._shape(places, frozenset({"ptrauth"}))
            outcome = outcome if smaller is None else self._judge(places, smaller)
        if outcome is None:
            return None
        return self._smaller(places, outcome) if outcome.answer == "refused" else outcome.parts

    def _smaller(self, places: Sequence[int], outcome: _Outcome) -> Mapping[Part, Answer] | None:
        # As levelling does: the fewest features less that give a certain yes; else that cannot be told.
        if self._shape(places, PASSTHROUGH_FEATURES["kvm"]) in (None, outcome.shape):
            return outcome.parts
        hosts = [self._hosts[place] for place in places]
        if outcome.coupled:
            return None
        if not smaller_may_help(outcome.grave, hosts, outcome.shape, self._catalogue):
            return outcome.parts
        unsure = None
        for less in smaller_shapes(hosts, outcome.shape, self._policy.without):
            shape = self._shape(places, less)
            if shape is None:
                continue
            again = self._judge(places, shape)
            if again is None:
                return None
            if again.answer == "runs":
                return again.parts
            unsure = unsure or (again if again.answer == "unknown" else None)
        return (unsure or outcome).parts

    # ---- compiling

    def _shape(self, places: Sequence[int], less: frozenset[str]) -> Shape | None:
        # The richest shape that all have under the policy and without some features more.
        for place in places:
            if place not in self._offered:
                self._offered[place] = frozenset(self._hosts[place].shapes)
        key = frozenset(self._offered[place] for place in places), less
        if key not in self._shapes:
            hosts = [self._hosts[place] for place in places]
            self._shapes[key] = common_shape(hosts, self._policy.without | less)
        return self._shapes[key]

    def _compile(self, place: int, shape: Shape) -> _Compiled | None:
        # None: hosts with CPUs of several kinds, and of which something is not recorded, are levelled in full.
        key = (place, shape)
        if key not in self._compiled:
            host = self._hosts[place]
            offer = host.offer(shape)
            assert offer is not None  # a shape of all hosts
            if shape not in self._fields:
                self._fields[shape] = FieldLevels(self._catalogue, shape)
            plain = not host.mixed and says_all(offer, self._catalogue)
            fields = self._fields[shape].contents(offer) if plain else None
            self._compiled[key] = (
                None if fields is None else _Compiled(host, offer, fields, self._keys(host, offer))
            )
        return self._compiled[key]

    def _keys(self, host: Host, offer: Offer) -> dict[str, int]:
        view = HostView(host, offer, self._catalogue)
        shown = shown_by(offer.limits, host)
        numbers = None if shown is None else tuple(shown.registers().items())
        ctr = offer.limits.get("CTR_EL0")
        return {
            "cache": self._cache.number((self._of_bundle("cache", offer), ctr, offer.register_list)),
            "implementation": self._implementation.number(
                (self._of_bundle("implementation", offer), numbers)
            ),
            "list": self._list.number(host_list(view)),
            "firmware": self._firmware.number(host_firmware(view)),
            "lengths": self._lengths.number(offer.sve_vls),
            "counters": self._counters.number(offer.pmu.get("counters")),
            "cores": self._cores.number(parts_of(host.implementations)),
            "facts": self._facts.number((host.facts.cntfrq_hz, host.facts.dczid, host.facts.gmid)),
        }

    def _of_bundle(self, name: str, offer: Offer) -> Hashable:
        stems = tuple(one.removesuffix("[*]") for one in self._catalogue.bundles[name].registers)
        limits = frozenset(pair for pair in offer.limits.items() if pair[0].partition("[")[0] in stems)
        accepts = frozenset(pair for pair in offer.accepts.items() if pair[0].startswith(stems))
        return limits, accepts, offer.default

    # ---- judging

    def _judge(self, places: Sequence[int], shape: Shape) -> _Outcome | None:
        some = [one for place in places if (one := self._compile(place, shape)) is not None]
        if len(some) < len(places):
            return None
        fields = self._fields[shape].level([one.fields for one in some])
        if fields is None:
            return None
        cache = self._cache.ask(some, None, self._judge_cache)
        shown = self._implementation.ask(some, None, self._judge_implementation)
        values = {**fields.values, **cache.values}
        carried, listed = self._carried(some, values, cache.clidr, fields.gone)
        pauth = self._pauth(some, values, shape, known=bool(dict(shown.bundled.values).get("MIDR_EL1")))
        facts = self._facts.ask(some, shape, lambda few: tuple(level_facts([one.host for one in few], shape)))
        firmware = self._firmware.ask(
            some, self._holding("firmware", values), lambda few: self._judge_firmware(few, values)
        )
        parts: dict[Part, Answer] = {
            "shape": worst((self._of_shape(some, shape, firmware), answer_of(pauth, "arrive"))),
            "registers": worst(
                (fields.answer, shown.answer, cache.answer, self._valued(fields, cache, carried))
            ),
            "list": listed,
            "firmware": firmware.answer,
            "facts": answer_of(facts, "arrive"),
        }
        conflicts = (Finding(about_field(one), "registers", "stops") for one in fields.conflicts)
        grave = (*conflicts, *facts, *shown.bundled.findings, *carried.findings)
        signing = answer_of(pauth, "arrive") != "runs" or any(
            about_pauth(about_field(one)) for one in fields.without_value
        )
        return _Outcome(shape, parts, grave, "ptrauth" in shape.features and signing, fields.coupled)

    def _holding(self, name: str, values: Mapping[str, int]) -> tuple[bool | None, ...]:
        # What the conditions of rows come to under these values.
        leaning = tuple(map(values.get, self._leaning[name]))
        if (name, leaning) not in self._held:
            self._held[name, leaning] = tuple(evaluate(row, values) for row in self._conditions[name])
        return self._held[name, leaning]

    def _bundle(self, bundled: Bundled) -> _Bundle:
        values = bundle_values(bundled.values, self._catalogue)
        names = dict(bundled.values)
        answer = answer_of(bundled.findings, "arrive")
        return _Bundle(bundled, answer, values, frozenset(names), names.get("CLIDR_EL1"))

    def _judge_cache(self, some: Sequence[_Compiled]) -> _Bundle:
        return self._bundle(level_bundle("cache", _offers(some), self._catalogue))

    def _judge_implementation(self, some: Sequence[_Compiled]) -> _Bundle:
        hosts = [one.host for one in some]
        return self._bundle(level_implementation(_offers(some), hosts, self._catalogue, None))

    def _carried(
        self, some: Sequence[_Compiled], values: _Values, clidr: int | None, gone: frozenset[str]
    ) -> tuple[Carried, Answer]:
        def judge(few: Sequence[_Compiled]) -> tuple[Carried, Answer]:
            rows = self._catalogue.registers
            silent = frozenset(rows[name].kvm_id for name in gone if name in rows)
            releases = {one.host.name: one.host.software.kernel for one in few}
            carried = carry(_offers(few), values, silent, self._catalogue, releases)
            return carried, answer_of(carried.findings, "arrive")

        return self._list.ask(some, (self._holding("list", values), clidr, gone), judge)

    def _pauth(
        self, some: Sequence[_Compiled], values: _Values, shape: Shape, *, known: bool
    ) -> tuple[Finding, ...]:
        if not impdef_pauth(values, shape):
            return ()

        def judge(few: Sequence[_Compiled]) -> tuple[Finding, ...]:
            same = self._policy.assume_same_impdef
            hosts = [one.host for one in few]
            return tuple(level_pauth(hosts, values, shape, assume_same=same, implementation_known=known))

        return self._cores.ask(some, known, judge)

    def _judge_firmware(self, some: Sequence[_Compiled], values: _Values) -> _Among:
        found = level_firmware(_offers(some), values, self._catalogue)
        starts = frozenset(one.keys["firmware"] for one in some if one.host.name in found.starts_on)
        return _Among(answer_of(found.findings, "arrive"), found.findings, starts)

    def _of_shape(self, some: Sequence[_Compiled], shape: Shape, firmware: _Among) -> Answer:
        def judge_counters(few: Sequence[_Compiled]) -> _Among:
            found = level_pmu(_offers(few), shape)
            more = frozenset(one.keys["counters"] for one in few if one.host.name in found.no_start_on)
            return _Among(answer_of(found.findings, "arrive"), found.findings, more)

        lengths = self._lengths.ask(
            some, shape, lambda few: answer_of(level_vls(_offers(few), shape)[1], "arrive")
        )
        counters = self._counters.ask(some, shape, judge_counters)
        starts = [one for one in some if one.keys["firmware"] in firmware.contents]
        # Where the lowest workaround level is, there are more counters than elsewhere: it starts nowhere.
        nowhere = starts and all(one.keys["counters"] in counters.contents for one in starts)
        return "refused" if nowhere else worst((lengths, counters.answer))

    def _valued(self, fields: LevelledFields, cache: _Bundle, carried: Carried) -> Answer:
        # ID registers that every host lists, and of which none records a value.
        if fields.registers is None or cache.bundled.findings:
            return "runs"
        names = fields.registers | cache.names
        key = (carried.ids, names, fields.gone)
        if key not in self._unvalued:
            guest = Guest("", Shape(), dict.fromkeys(names, 0), carried.ids)
            self._unvalued[key] = bool(carried_unvalued(guest, fields.gone, self._catalogue))
        return "unknown" if self._unvalued[key] else "runs"


def _offers(some: Sequence[_Compiled]) -> list[tuple[str, Offer]]:
    return [(one.host.name, one.offer) for one in some]
