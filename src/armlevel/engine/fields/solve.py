"""Choice and closure over a space: the values of a levelled CPU, or what stands against them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from armlevel.arch import Catalogue, Coupling, Field, FieldRule, evaluate, mentioned
from armlevel.engine.fields.choice import above, candidates
from armlevel.engine.fields.closure import Closed, Lowering, at_least, close
from armlevel.engine.fields.domains import NOTHING_KNOWN, Space
from armlevel.engine.fields.no_meaning import meaningless
from armlevel.profile import Shape

__all__ = ["Solution", "active_rules", "breaks_coupling", "cap_without", "settle", "solve"]


@dataclass(frozen=True, slots=True)
class Solution:
    """Levelled ``REG.FIELD`` values and everything that was decided on the way.

    ``blocked``  fields without a candidate;  ``gone``  registers that mean nothing in this guest
    ``steps``    what the closure lowered;    ``broken``  rules that the values break although no host did
    ``kept``     rules that the values break as some host does by itself
    ``coupled``  couplings that KVM would enforce by changing the values
    """

    values: Mapping[str, int]
    blocked: tuple[str, ...] = ()
    gone: frozenset[str] = frozenset()
    steps: tuple[Lowering, ...] = ()
    broken: tuple[FieldRule, ...] = ()
    kept: tuple[FieldRule, ...] = ()
    coupled: tuple[Coupling, ...] = ()


def active_rules(
    rules: Iterable[FieldRule], limits: Mapping[str, Sequence[int | None]], fields: Mapping[str, Field]
) -> tuple[list[FieldRule], frozenset[FieldRule]]:
    """Return the rules to enforce, and those that some host breaks by itself.

    ``limits`` holds each register's limit on every host, in the same order of hosts. The bar is relative: KVM
    shows CPUs that break Arm's rules (Linux 6.1 caps DebugVer below what FEAT_VHE asks), so a rule that every
    host breaks is not enforced, and one that some host breaks may stay broken.
    """
    active: list[FieldRule] = []
    excused: set[FieldRule] = set()
    pairs: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for rule in rules:
        if rule.field not in fields or rule.then not in fields:
            continue
        one, two = fields[rule.field], fields[rule.then]
        registers = one.register, two.register
        if registers not in pairs:
            columns = zip(limits.get(registers[0], ()), limits.get(registers[1], ()), strict=False)
            pairs[registers] = [(a, b) for a, b in set(columns) if a is not None and b is not None]
        broken = [
            at_least(one, one.get(a), rule.at_least) and not at_least(two, two.get(b), rule.then_at_least)
            for a, b in pairs[registers]
        ]
        if any(broken):
            excused.add(rule)
        if not broken or not all(broken):
            active.append(rule)
    return active, frozenset(excused)


def solve(  # noqa: PLR0913, PLR0917 - one argument for each thing an answer depends on
    space: Space,
    fields: Mapping[str, Field],
    rules: Iterable[FieldRule],
    limits: Mapping[str, Sequence[int | None]],
    catalogue: Catalogue,
    shape: Shape | None = None,
) -> Solution:
    """Choose every field's best candidate, then lower until KVM's couplings and Arm's rules hold.

    ``fields`` are the subjects to decide; ``limits`` the hosts' own limits by register, which say which rules
    are broken from the start. Registers that mean nothing under the chosen values take no part. Without a
    ``shape``, couplings to the shape are left out.
    """
    domains = space.domains
    options = {
        subject: candidates(field, domains.get(subject, NOTHING_KNOWN)) for subject, field in fields.items()
    }
    couplings = [row for row in catalogue.couplings if not _broken_everywhere(row, limits, fields)]
    if shape is not None:
        for row in catalogue.couplings:
            if isinstance(row.when, str) and row.when.split()[-1] not in shape.features:
                for subject in row.then.keys() & options.keys():
                    own = space.get(subject).limits
                    options[subject] = cap_without(row, fields[subject], options[subject], own)
    enforced, excused = active_rules(rules, limits, fields)
    gone: frozenset[str] = frozenset()
    while True:
        start = {s: fit[0] for s, fit in options.items() if fit and fields[s].register not in gone}
        closed, coupled = settle(start, options, enforced, couplings, fields)
        meaning = meaningless(closed.values, catalogue)
        if meaning <= gone:
            break
        gone = gone | meaning
    return Solution(
        closed.values,
        blocked=tuple(s for s, fit in options.items() if not fit and fields[s].register not in gone),
        gone=gone,
        steps=closed.steps,
        broken=tuple(rule for rule in closed.stuck if rule not in excused),
        kept=tuple(rule for rule in closed.stuck if rule in excused),
        coupled=coupled,
    )


def _broken_everywhere(
    row: Coupling, limits: Mapping[str, Sequence[int | None]], fields: Mapping[str, Field]
) -> bool:
    # Words are about the shape and handled apart. What every host's own limits break, these KVMs do not enforce.
    if isinstance(row.when, str):
        return True
    about = sorted({*mentioned(row.when), *row.then} & set(fields))
    columns = [limits.get(fields[subject].register, ()) for subject in about]
    for values in set(zip(*columns, strict=False)):
        known = {s: fields[s].get(v) for s, v in zip(about, values, strict=True) if v is not None}
        if not breaks_coupling(row, known, fields):
            return False
    return bool(about)


def breaks_coupling(row: Coupling, values: Mapping[str, int], fields: Mapping[str, Field]) -> bool:
    """Whether values are such as KVM would lower by a row about fields."""
    if isinstance(row.when, str) or evaluate(row.when, values) is not True:
        return False
    return any(s in values and above(fields[s], values[s], most) for s, most in row.then.items())


def cap_without(
    row: Coupling, field: Field, options: tuple[int, ...], limits: Iterable[int]
) -> tuple[int, ...]:
    """Return the candidates of a field that are left in a shape without what a row is about.

    Linux 5.10 shows a PMU that it does not give: where every host's own limit is above the cap, it stays.
    """
    most = row.then[field.subject]
    if all(above(field, limit, most) for limit in limits):
        return options
    return tuple(value for value in options if not above(field, value, most)) or options


def settle(
    start: Mapping[str, int],
    options: Mapping[str, Sequence[int]],
    rules: Sequence[FieldRule],
    couplings: Sequence[Coupling],
    fields: Mapping[str, Field],
) -> tuple[Closed, tuple[Coupling, ...]]:
    """Lower values until KVM's couplings and Arm's rules hold; and the couplings that no candidate meets.

    Both only lower, and each may wake the other: they alternate until neither does.
    """
    values = dict(start)
    steps: tuple[Lowering, ...] = ()
    while True:
        closed = close(values, options, rules, fields)
        steps = (*steps, *closed.steps)
        values = dict(closed.values)
        stuck = []
        moved = False
        for row in couplings:
            if evaluate(row.when, values) is not True:  # type: ignore[arg-type]  # words were sorted out above
                continue
            for subject, most in row.then.items():
                if subject in values and above(fields[subject], values[subject], most):
                    lower = next((v for v in options[subject] if not above(fields[subject], v, most)), None)
                    if lower is None:
                        stuck.append(row)
                    else:
                        values[subject], moved = lower, True
        if not moved:
            return Closed(values, steps, closed.stuck), tuple(stuck)
