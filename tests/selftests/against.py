"""What the selftests of a kernel line expect, against the rows of that line and the hosts recorded on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from armlevel.arch import Catalogue, evaluate, mentioned
from armlevel.kvm import name_of
from armlevel.profile import Host, Offer
from tests.selftests.tables import Bitmap, FieldStep, HiddenField, RegisterLists

__all__ = [
    "Compared",
    "Disagreement",
    "compare_bitmaps",
    "compare_gates",
    "compare_hidden",
    "compare_listed",
    "compare_steps",
    "compare_when_listed",
    "compare_written",
]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A point at which a selftest and the rows of a line say different things.

    ``limits`` are the limits of the field at which they do; empty where a limit has no part in it.
    """

    line: str
    test: str
    subject: str
    what: str
    limits: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Compared:
    """How many points of a test were held against rows, those that differ, and what rows say that it does not ask."""

    points: int
    differ: tuple[Disagreement, ...] = ()
    unasked: tuple[str, ...] = field(default=())

    def __add__(self, other: Compared) -> Compared:
        return Compared(
            self.points + other.points, self.differ + other.differ, (*self.unasked, *other.unasked)
        )


def compare_steps(
    line: str, steps: Sequence[FieldStep], catalogue: Catalogue, masks: Mapping[str, str]
) -> Compared:
    """Hold each step of `set_id_regs` against what the rows let KVM store, for every limit that Arm describes."""
    differ = []
    for step in steps:
        row = catalogue.fields.get(step.field)
        if row is None:
            differ.append(Disagreement(line, "set_id_regs", step.field, "no field of the rows"))
            continue
        if (int(masks.get(row.register, "0"), 16) & row.mask) != row.mask:
            differ.append(Disagreement(line, "set_id_regs", step.field, "not in the recorded writable mask"))
        rule = catalogue.write_rule(step.field, line)
        # Where they compare otherwise, they part at the highest number, of which the test may try nothing.
        other_sign = rule is not None and rule.rule != "exact" and rule.signed is not step.signed
        bad = {step.most} if other_sign and step.rule != "exact" else set()
        for limit in sorted(row.values) or range(step.most + 1):
            stored, refused = step.stored(limit), step.refused(limit)
            takes = rule.takes if rule is not None else _limit_only
            if not takes(stored, limit) or (refused is not None and takes(refused, limit)):
                bad.add(limit)
        if bad:
            ours = rule.rule if rule is not None else "the limit alone"
            what = f"{step.rule} from {step.safe}; the rows: {ours}"
            differ.append(Disagreement(line, "set_id_regs", step.field, what, tuple(sorted(bad))))
    asked = {step.field for step in steps}
    known = (subject for subject in catalogue.writable if catalogue.write_rule(subject, line) is not None)
    return Compared(len(steps), tuple(differ), tuple(subject for subject in known if subject not in asked))


def compare_written(line: str, registers: Iterable[str], catalogue: Catalogue) -> Compared:
    """Hold the registers that `set_id_regs` raises by one against the rows: any value must be theirs."""
    differ, points = [], 0
    for name in registers:
        points += 1
        row = catalogue.registers[name]
        rules = [catalogue.write_rule(one.subject, line) for one in row.fields]
        # (a register without fields says where a vCPU stands: any value is taken, and no guest's identity)
        if not row.derived and not all(rule is not None and rule.rule == "any" for rule in rules):
            differ.append(Disagreement(line, "set_id_regs", name, "raised by one; the rows: the limit alone"))
    return Compared(points, tuple(differ))


def compare_gates(line: str, lists: RegisterLists, catalogue: Catalogue) -> Compared:
    """Hold the registers that need a feature against the rows that say so."""
    listed = lists.wanted(frozenset(lists.lists))
    gates = {gate.register: gate for gate in lists.gates}
    differ, points, unasked = [], 0, []
    for drop in catalogue.drops:
        if len(drop.kvm_ids) != 1 or isinstance(drop.when, str):
            continue
        gate = gates.pop(drop.kvm_ids[0], None)
        if drop.kvm_ids[0] not in listed:
            unasked.append(drop.register)
            continue
        points += 1
        has = line in drop.gated_on
        if gate is None or not has:
            if has or gate is not None:
                what = "needs a feature in the rows only" if has else "needs a feature in the test only"
                differ.append(Disagreement(line, "get-reg-list", drop.register, what))
            continue
        same = mentioned(drop.when) == {gate.field} and [
            evaluate(drop.when, {gate.field: value}) for value in (gate.least - 1, gate.least)
        ] == [True, False]
        if not same:
            what = f"{gate.field} >= {gate.least}; the rows drop it when {drop.when}"
            differ.append(Disagreement(line, "get-reg-list", drop.register, what))
    el2 = lists.lists.get("el2", frozenset())
    for gate in gates.values():
        if gate.register in el2:
            unasked.append(name_of(gate.register))
            continue
        points += 1
        what = "needs a feature in the test only"
        differ.append(Disagreement(line, "get-reg-list", name_of(gate.register), what))
    return Compared(points, tuple(differ), tuple(dict.fromkeys(unasked)))


def compare_when_listed(line: str, lists: RegisterLists, catalogue: Catalogue) -> Compared:
    """Hold the registers that came with a line, by the rows, against whether its own list has them."""
    order = [one.name for one in catalogue.lines]
    ids = {drop.register: drop.kvm_ids[0] for drop in catalogue.drops if len(drop.kvm_ids) == 1}
    came: dict[str, str] = {}
    for change in catalogue.line_changes:
        for subject in change.subjects:
            came.setdefault(subject, change.since)
    listed = lists.wanted(frozenset(lists.lists))
    differ, points = [], 0
    for subject, since in came.items():
        if subject not in ids:
            continue
        points += 1
        has = order.index(line) >= order.index(since)
        if has is not (ids[subject] in listed):
            what = f"{'not ' * has}in its list; the rows: it came between {since} and the line before"
            differ.append(Disagreement(line, "get-reg-list", subject, what))
    return Compared(points, tuple(differ))


def compare_listed(line: str, lists: RegisterLists, hosts: Iterable[Host], catalogue: Catalogue) -> Compared:
    """Hold the lists against those of recorded hosts: a host must have what its features make the test want."""
    missing: dict[str, set[str]] = defaultdict(set)
    points = 0
    for host in hosts:
        for shape in host.shapes:
            whole = host.offer(shape)
            if whole is None or whole.register_list is None:
                continue
            wanted = lists.wanted(_sublists(whole)) - _without(whole, lists, catalogue)
            points += len(wanted)
            for one in wanted - set(whole.register_list):
                missing[name_of(one)].add(f"{host.name} {shape}")
    return Compared(
        points,
        tuple(
            Disagreement(line, "get-reg-list", name, f"not listed by {len(offers)} recorded vCPUs")
            for name, offers in sorted(missing.items())
        ),
    )


def compare_bitmaps(
    line: str, bitmaps: Sequence[Bitmap], lists: RegisterLists, catalogue: Catalogue
) -> Compared:
    """Hold the firmware bitmaps of `hypercalls` against the rows: which there are, their bits, how they begin."""
    rows = {name: row for name, row in catalogue.firmware.items() if row.kind == "bitmap"}
    said = {one.register: one for one in bitmaps}
    differ = [
        Disagreement(line, "hypercalls", name, "no row of a bitmap") for name in said if name not in rows
    ]
    listed, points = lists.lists["base"], len(differ)
    for name, row in rows.items():
        if row.kvm_id not in listed and name not in said:
            continue
        points += 1
        one = said.get(name)
        if one is None:
            differ.append(Disagreement(line, "hypercalls", name, "listed, and not asked"))
        elif (one.highest, one.begins_full) != (max(row.bits), row.absent is None):
            differ.append(Disagreement(line, "hypercalls", name, f"bits up to {one.highest}"))
    return Compared(points, tuple(differ))


def compare_hidden(line: str, hidden: Sequence[HiddenField], catalogue: Catalogue) -> Compared:
    """Hold what `hidden_features` wants undefined against the rows on hidden instructions."""
    undefined = [name for name, row in catalogue.hidden.undefined.items() if line in row.lines]
    fields = {
        name: {one for condition in catalogue.features[name].conditions for one in mentioned(condition)}
        for name in undefined
    }
    differ = []
    asked: set[str] = set()
    for one in hidden:
        names = {name for name, subjects in fields.items() if one.field in subjects}
        asked |= names
        if not names:
            program = one.field in catalogue.hidden.fields
            what = "the rows: it executes" if program else "the rows say nothing: no program executes it"
            differ.append(Disagreement(line, "hidden_features", one.field, what))
    return Compared(len(hidden), tuple(differ), tuple(name for name in undefined if name not in asked))


def _sublists(offer: Offer) -> frozenset[str]:
    has = offer.shape.features
    names = {"base", "sve" if "sve" in has else "vregs"}
    names |= {"pmu"} if "pmu_v3" in has else set()
    names |= {name for name in ("ptrauth_address", "ptrauth_generic") if name in has}
    return frozenset(names | ({"el2"} if "has_el2" in has else set()))


def _without(offer: Offer, lists: RegisterLists, catalogue: Catalogue) -> frozenset[int]:
    return frozenset(
        gate.register
        for gate in lists.gates
        if catalogue.fields[gate.field].get(offer.limits.get(gate.field.partition(".")[0], 0)) < gate.least
    )


def _limit_only(value: int, limit: int) -> bool:
    return value == limit
