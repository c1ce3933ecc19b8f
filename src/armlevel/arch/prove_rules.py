"""The second half of the proof: features, rules and what KVM does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from armlevel.arch.catalogue import Catalogue
from armlevel.arch.derive import threshold
from armlevel.arch.expr import And, Cmp, Expr, Feat, Implies, Not, leaves
from armlevel.arch.model import Field
from armlevel.arch.rules import KINDS, Feature, Rule
from armlevel.arch.vmmrows import LISTS

__all__ = ["prove_facts"]


class _Named(Protocol):
    # Any row with a name and a source.
    @property
    def name(self) -> str: ...
    @property
    def see(self) -> str: ...


_RULES = ("lower", "higher", "exact", "any", "unknown")
_FIRMWARE = ("version", "bitmap", "level")
_ARM64 = 0x60


def prove_facts(catalogue: Catalogue) -> Iterator[str]:
    """Prove names, conditions, rules and KVM's rows against the registers; give every fault."""
    yield from _names(catalogue)
    yield from _sources(catalogue)
    for feature in catalogue.features.values():
        yield from _conditions(feature, catalogue)
    yield from _counts(catalogue)
    yield from _contradictions(catalogue.rules)
    yield from _field_rules(catalogue)
    yield from _writing(catalogue)
    yield from _between(catalogue)
    yield from _state(catalogue)
    yield from _stable(catalogue)
    yield from _tolerances(catalogue)
    yield from _vmms(catalogue)
    yield from _switches(catalogue)
    yield from _windows(catalogue)
    yield from _around(catalogue)


# ---- names and sources


def _names(catalogue: Catalogue) -> Iterator[str]:
    where: list[tuple[str, Expr]] = [(rule.text, rule.expr) for rule in catalogue.rules]
    for feature in catalogue.features.values():
        where += [(feature.name, part) for pair in feature.announced for part in pair]
    where += [(cap.name, cap.condition) for cap in catalogue.hwcaps.values() if cap.condition]
    where += [(row.name, row.unless) for row in catalogue.no_meaning]
    where += [(row.field, expr) for row in catalogue.leaks for expr in (row.when, row.usable)]
    where += [(row.register, row.when) for row in catalogue.drops if not isinstance(row.when, str)]
    where += [(row.name, row.when) for row in catalogue.couplings if not isinstance(row.when, str)]
    for name, expr in where:
        for leaf in leaves(expr):
            if isinstance(leaf, Cmp):
                if leaf.field not in catalogue.fields:
                    yield f"{name}: no field is called {leaf.field}"
            elif leaf.name not in catalogue.features and leaf.name not in catalogue.versions:
                yield f"{name}: no feature or version is called {leaf.name}"


def _sources(catalogue: Catalogue) -> Iterator[str]:
    named: tuple[Iterable[_Named], ...] = (
        catalogue.features.values(),
        catalogue.versions.values(),
        catalogue.hwcaps.values(),
        catalogue.parts.values(),
        catalogue.firmware.values(),
        catalogue.lines,
        catalogue.couplings,
        catalogue.no_meaning,
        catalogue.bundles.values(),
        catalogue.tolerances.values(),
        catalogue.vmms.values(),
        catalogue.means.values(),
    )
    rows = [(one.name, one.see) for group in named for one in group]
    rows += [(one.text, one.see) for one in catalogue.rules]
    rows += [(one.field, one.see) for one in catalogue.ignored]
    rows += [(one.field, one.see) for one in catalogue.leaks]
    rows += [(one.field, one.see) for rules in catalogue.writable.values() for one in rules]
    rows += [(one.register, one.see) for one in catalogue.drops]
    rows += [(one.register, one.see and one.why) for one in catalogue.lets]
    rows += [(one.message, one.see and one.why) for one in catalogue.blocks]
    rows += [(one.option, one.see) for one in catalogue.switches]
    rows += [(one.name, one.see) for one in catalogue.windows]
    rows += [("board", catalogue.board.see)]
    rows += [(one.family, one.see) for one in catalogue.around.values()]
    rows += [(one.field, one.see and one.why) for one in catalogue.cpu_interface]
    rows += [(one.subject, one.see) for one in catalogue.stable]
    rows += [(one.text, one.reason) for one in catalogue.set_aside]
    rows += list(catalogue.not_visible.items())
    for name, see in rows:
        if not see:
            yield f"{name} names no source"


# ---- features and rules


def _conditions(feature: Feature, catalogue: Catalogue) -> Iterator[str]:
    for condition in feature.conditions:
        for leaf in leaves(condition):
            if isinstance(leaf, Cmp) and leaf.field in catalogue.fields:
                yield from _threshold(feature.name, leaf, catalogue.fields[leaf.field])
        if isinstance(condition, Cmp) and condition.op == ">=" and condition.field in catalogue.fields:
            field = catalogue.fields[condition.field]
            if field.order.kind in ("signed", "unsigned") and threshold(field, condition) is None:
                yield f"{feature.name}: {condition} is always or never true in the {field.order.kind} order"
    visible = bool(feature.announced)
    if visible == (feature.name in catalogue.not_visible):
        yield f"{feature.name} must either have a condition or say why not"


def _threshold(name: str, leaf: Cmp, field: Field) -> Iterator[str]:
    least, most = (
        (-(1 << field.width - 1), (1 << field.width - 1) - 1) if leaf.signed else (0, (1 << field.width) - 1)
    )
    for value in leaf.value if isinstance(leaf.value, tuple) else (leaf.value,):
        if not least <= value <= most:
            yield f"{name}: {value} is not a value of {field.subject}, which reads {least} to {most}"
        elif leaf.op != "<" and not field.architected(value % (1 << field.width)):
            yield f"{name}: {field.subject} has no architected value {value}"


def _counts(catalogue: Catalogue) -> Iterator[str]:
    kept, aside = len(catalogue.rules), len(catalogue.set_aside)
    if kept + aside != catalogue.rules_total:
        yield f"{kept} rules kept and {aside} set aside are not Arm's {catalogue.rules_total}"
    for rule in catalogue.rules:
        if rule.kind not in KINDS:
            yield f"{rule.text}: no kind of rule is called {rule.kind!r}"


def _contradictions(rules: Iterable[Rule]) -> Iterator[str]:
    # What one feature or version brings with it, all the way, must not hold a thing and its contrary.
    brings: dict[str, set[str]] = {}
    forbids: dict[str, set[str]] = {}
    for rule in rules:
        if isinstance(rule.expr, Implies) and isinstance(rule.expr.when, Feat):
            name = rule.expr.when.name
            for part in rule.expr.then.parts if isinstance(rule.expr.then, And) else (rule.expr.then,):
                if isinstance(part, Feat):
                    brings.setdefault(name, set()).add(part.name)
                elif isinstance(part, Not) and isinstance(part.part, Feat):
                    forbids.setdefault(name, set()).add(part.part.name)
    for name in sorted(set(brings) | set(forbids)):
        all_of, waiting = {name}, [name]
        while waiting:
            new = brings.get(waiting.pop(), set()) - all_of
            all_of |= new
            waiting += new
        for one in sorted(all_of):
            for clash in sorted(forbids.get(one, set()) & all_of):
                yield f"{name} can never be: it brings {clash} and, through {one}, forbids it"


def _field_rules(catalogue: Catalogue) -> Iterator[str]:
    for rule in catalogue.field_rules:
        for subject, value in ((rule.field, rule.at_least), (rule.then, rule.then_at_least)):
            field = catalogue.fields.get(subject)
            if field is None:
                yield f"{rule}: no field is called {subject}"
            elif field.rank(value) is None or not field.architected(value):
                yield f"{rule}: {value} is no threshold of {subject}"


# ---- KVM


def _writing(catalogue: Catalogue) -> Iterator[str]:
    lines = {line.name for line in catalogue.lines}
    used = [(one.field, one.field, one.lines) for rules in catalogue.writable.values() for one in rules]
    used += [(one.field, one.field, one.lines) for one in catalogue.ignored]
    used += [(one.field, one.field, one.lines) for one in catalogue.leaks]
    used += [(one.name, field, one.lines) for one in catalogue.couplings for field in one.then]
    for name, subject, on in used:
        if subject not in catalogue.fields:
            yield f"{name}: no field is called {subject}"
        if not set(on) <= lines:
            yield f"{name}: {', '.join(sorted(set(on) - lines))} is no measured kernel line"
    for subject, rules in catalogue.writable.items():
        on_lines = [line for one in rules for line in one.lines]
        if len(set(on_lines)) < len(on_lines):
            yield f"{subject} has two rules on one kernel line"
        for one in rules:
            if one.rule not in _RULES or (one.rule == "exact") != (one.safe is not None):
                yield f"{subject}: the rule {one.rule!r} is none, or lacks its safe value"


def _between(catalogue: Catalogue) -> Iterator[str]:
    lines = {line.name for line in catalogue.lines}
    for row in catalogue.line_changes:
        what = f"between {row.until} and {row.since}"
        if not {row.until, row.since} <= lines:
            yield f"{what}: one is no measured kernel line"
        if not row.why or not row.see:
            yield f"{what}: {', '.join(row.subjects)} has no reason or no source"
        for subject in row.subjects:
            register, _, name = subject.partition(".")
            if name and (
                register not in catalogue.registers or (name != "*" and subject not in catalogue.fields)
            ):
                yield f"{what}: no field is called {subject}"


def _state(catalogue: Catalogue) -> Iterator[str]:
    named = [(row.name, row.registers) for row in catalogue.bundles.values()]
    named += [(row.name, row.registers) for row in catalogue.no_meaning]
    for name, registers in named:
        for register in registers:
            if register not in catalogue.registers and not register.endswith("[*]"):
                yield f"{name}: no register is called {register}"
    for firmware in catalogue.firmware.values():
        if firmware.kind not in _FIRMWARE or (firmware.kind == "level") != bool(firmware.levels):
            yield f"{firmware.name}: the kind {firmware.kind!r} is none, or lacks its levels"
        if (firmware.kind == "version") != bool(firmware.versions):
            yield f"{firmware.name}: versions belong to the kind 'version', and to no other"
    for drop in catalogue.drops:
        if not drop.kvm_ids or any(one >> 56 != _ARM64 for one in drop.kvm_ids):
            yield f"{drop.register}: its ids are not ids of arm64 registers"
        if drop.gated_on and isinstance(drop.when, str):
            yield f"{drop.register}: what KVM lists by the VM's fields needs a condition over fields"


def _stable(catalogue: Catalogue) -> Iterator[str]:
    for row in catalogue.stable:
        if "." in row.subject and row.subject not in catalogue.fields:
            yield f"stable: no field is called {row.subject}"
        if len(row.series) != 2 or row.had > row.has or row.before == row.after:
            yield f"stable: {row.subject}: needs a series, had <= has, and two values that differ"


def _tolerances(catalogue: Catalogue) -> Iterator[str]:
    for tolerance in catalogue.tolerances.values():
        for subject in tolerance.fields:
            field = catalogue.fields.get(subject)
            if field is None:
                yield f"{tolerance.name}: no field is called {subject}"
            elif field.who != tolerance.who:
                yield f"{tolerance.name}: {subject} is for {field.who}, and the class for {tolerance.who}"
        if not (tolerance.why and tolerance.notices and tolerance.when):
            yield f"{tolerance.name} does not say what a guest could notice, and when"


def _vmms(catalogue: Catalogue) -> Iterator[str]:
    for row in catalogue.vmms.values():
        if row.carries not in {"profile", "host"}:
            yield f"vmms.{row.name}: carries is profile or host, not {row.carries!r}"
        if row.list not in LISTS:
            yield f"{row.name}: no rule about lists is called {row.list!r}"
        if not (row.restores and row.why):
            yield f"{row.name} does not say what is restored, in which order"
    users = [(one.register, one.vmms) for one in catalogue.lets]
    users += [(one.feature or one.capability, one.vmms) for one in catalogue.blocks]
    for name, vmms in users:
        if not vmms or not set(vmms) <= set(catalogue.vmms):
            yield f"{name}: {', '.join(sorted(set(vmms) - set(catalogue.vmms))) or 'none'} is no set of VMM behaviour"
    dropped = {one.register for one in catalogue.drops}
    for one in catalogue.lets:
        if one.register not in dropped or one.end not in ("source", "either"):
            yield f"{one.register}: is forgiven, but no row says when it may be left behind, or at which end"


def _windows(catalogue: Catalogue) -> Iterator[str]:
    # QEMU aligns a window to its size: one that is no power of two could not be.
    for one in catalogue.windows:
        if one.size < 1 or one.size & (one.size - 1):
            yield f"windows.{one.name}: {one.size:#x} is no power of two"
        if not one.option:
            yield f"windows.{one.name}: no option turns it off"
    for name in ("name", "option"):
        if len({getattr(one, name) for one in catalogue.windows}) < len(catalogue.windows):
            yield f"windows: two have one {name}"


def _around(catalogue: Catalogue) -> Iterator[str]:
    families = {one.family for one in catalogue.vmms.values()}
    for name in {catalogue.board.family, *catalogue.around} - families:
        yield f"machine: {name} is no family of VMMs"
    for row in catalogue.around.values():
        if not row.gic or not {2, 3} >= set(row.gic):
            yield f"around.{row.family}: a GIC is of version 2 or 3"
    if len({one.field for one in catalogue.cpu_interface}) < len(catalogue.cpu_interface):
        yield "cpu_interface: two rows are about one field"


def _switches(catalogue: Catalogue) -> Iterator[str]:
    families = {one.family for one in catalogue.vmms.values()}
    for means in catalogue.means.values():
        if not means.families or not set(means.families) <= families:
            yield f"means.{means.name}: {', '.join(sorted(set(means.families) - families)) or 'none'} is no family"
    for one in catalogue.switches:
        if not one.vmms or not set(one.vmms) <= set(catalogue.vmms):
            yield f"{one.option}: is of no set of VMM behaviour, or of one that is not there"
        changes = (one.feature, one.capability, one.firmware, one.lengths, one.gives)
        if sum(map(bool, changes)) != 1:
            yield f"{one.option} changes not one thing"
        if one.firmware and one.firmware not in catalogue.firmware:
            yield f"{one.option}: no firmware register is called {one.firmware}"
        if ("{}" in one.option) != bool(one.firmware or one.lengths) or not one.loses:
            yield f"{one.option}: does not say what stands in it, or what a guest loses"
