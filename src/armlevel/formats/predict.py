"""What KVM would accept on a host of which another tool recorded only the values.

Rows measured on real kernels say, for each kernel line, what may be written besides the limit. A kernel of no measured
line is unknown: then only the limit is sure. Everything here is marked ``predicted``; a probe of the host is better.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from armlevel.arch import Catalogue, Field, KernelLine, WriteRule, evaluate, known_of
from armlevel.profile import IMPLEMENTATION_REGISTERS, Accepts, Host, Offer, Shape, whole_register

__all__ = ["RuleOf", "predict_accepts", "predict_offers", "with_kernel"]

#: The rule of one field; None if it takes its limit and nothing else.
RuleOf = Callable[[Field], "WriteRule | None"]

_EL2 = "ID_AA64PFR0_EL1.EL2"
# Linux 7.3 KVM sys_regs.c, set_clidr: on a host whose CTR_EL0.IDC is 0, a CLIDR_EL1 that says no cleaning is needed to
# the point of coherency (LoC = 0), or to that of unification (LoUIS = LoUU = 0), is refused.
_CLEANING = ("CLIDR_EL1.LoC", "CLIDR_EL1.LoUIS", "CLIDR_EL1.LoUU")


def predict_offers(whole: Offer, release: str | None, catalogue: Catalogue) -> tuple[Offer, ...]:
    """Return the offers that a recorded one (limits, lists, state) implies on a kernel of this release.

    The first is the recorded one with what it accepts. Where the kernel can make the implementation IDs writable, a
    second one says so.
    """
    line = catalogue.line(release)
    if line is None:
        return (replace(whole, how="predicted", default="unknown"),)
    accepts = predict_accepts(whole.limits, line, catalogue, shape=whole.shape)
    offers = [replace(whole, how="predicted", default="limit-only", accepts=accepts)]
    if line.imp_id_writable and "MIDR_EL1" in whole.limits:
        rule_of = _measured(catalogue, line)
        writable = {
            subject: accepts
            for register in IMPLEMENTATION_REGISTERS
            if register in whole.limits
            for subject, accepts in _written(catalogue, register, whole.limits[register], line, rule_of)
        }
        shape = Shape(whole.shape.features, imp_id_writable=True)
        offers.append(Offer(shape, "predicted", "limit-only", accepts=writable, like=0))
    return tuple(offers)


def with_kernel(host: Host, release: str, catalogue: Catalogue) -> Host:
    """Return a host whose kernel was not recorded with its release, and with what that predicts of its offers.

    A host of which nothing but the implementation is recorded offers no more than before: its numbers are those of the
    CPU, and no register says what KVM shows.
    """
    software = replace(host.software, kernel=release)
    first = host.offers[0] if len(host.offers) == 1 else None
    if first is None or not set(first.limits) - set(IMPLEMENTATION_REGISTERS):
        return replace(host, software=software)
    if (first.how, first.default) != ("predicted", "unknown") or first.accepts:
        return replace(host, software=software)
    return replace(host, software=software, offers=predict_offers(first, release, catalogue))


def predict_accepts(
    limits: Mapping[str, int],
    line: KernelLine,
    catalogue: Catalogue,
    *,
    shape: Shape | None = None,
    rule_of: RuleOf | None = None,
) -> dict[str, Accepts]:
    """Return what KVM of a measured line does with each field; a field that takes its limit only is left out.

    ``shape`` matters where it has EL2, or where implementation IDs are writable. ``rule_of`` gives the rule of a field
    where something better than the line's row is known.

    >>> from armlevel.arch import load
    >>> accepts = predict_accepts({"ID_AA64ISAR0_EL1": 0x20}, load().line("6.18.1"), load())
    >>> sorted(accepts["ID_AA64ISAR0_EL1.AES"].values)
    [0, 1, 2]
    """
    accepts: dict[str, Accepts] = {}
    silent = _ignored(limits, line, catalogue)
    rule_of = rule_of or _measured(catalogue, line)
    if shape is None or not shape.imp_id_writable:
        rule_of = _without_implementation(rule_of)
    for register, limit in limits.items():
        if register.startswith("CCSIDR_EL1["):
            accepts.update(_cache_sizes(register, line))
        elif register in silent:
            fields = catalogue.registers[register].fields
            accepts.update((f.subject, Accepts.of({f.get(limit)}, others="ignored")) for f in fields)
        elif register in catalogue.registers:
            accepts.update(_written(catalogue, register, limit, line, rule_of))
    accepts.update(_cleaning(accepts, limits, catalogue))
    if shape is not None and "has_el2" in shape.features and _EL2 in accepts:
        # Linux 7.3 KVM sys_regs.c, set_id_aa64pfr0_el1: a VM with EL2 cannot hide it.
        accepts[_EL2] = replace(accepts[_EL2], values=(accepts[_EL2].values or frozenset()) - {0})
    return accepts


def _ignored(limits: Mapping[str, int], line: KernelLine, catalogue: Catalogue) -> frozenset[str]:
    values = known_of(catalogue, limits)
    rows = (
        row
        for row in catalogue.no_meaning
        if line.name in row.ignored_on and evaluate(row.unless, values) is False
    )
    # A register that no rule of any line lets userspace write is hidden: KVM refuses what it would ignore in others.
    # A host that shows a value somewhere has AArch32, though this shape hides it (a VM with EL2 shows EL0 = 1 in any
    # case); ID_DFR0_EL1 alone says nothing, for KVM puts the PMU there.
    return frozenset(
        name
        for row in rows
        if not any(limits.get(name) for name in row.registers if name != "ID_DFR0_EL1")
        for name in row.registers
        if any(catalogue.writable.get(field.subject) for field in catalogue.registers[name].fields)
    )


def _written(
    catalogue: Catalogue, register: str, limit: int, line: KernelLine, rule_of: RuleOf
) -> Sequence[tuple[str, Accepts]]:
    found = []
    for field in catalogue.registers[register].fields:
        accepts = _field(catalogue, field, field.get(limit), line, rule_of(field))
        if accepts is not None:
            found.append((field.subject, accepts))
    return found


def _measured(catalogue: Catalogue, line: KernelLine) -> RuleOf:
    return lambda field: catalogue.write_rule(field.subject, line.name)


def _without_implementation(rule_of: RuleOf) -> RuleOf:
    # In a VM whose implementation IDs are not writable.
    def found(field: Field) -> WriteRule | None:
        rule = rule_of(field)
        return None if rule is not None and rule.needs_imp_id else rule

    return found


def _field(
    catalogue: Catalogue, field: Field, limit: int, line: KernelLine, rule: WriteRule | None
) -> Accepts | None:
    kept: tuple[int, ...] | None = (limit,)
    changed: dict[int, int] = {}
    unsure: tuple[int, ...] = ()
    if rule is not None and rule.rule == "unknown":
        return Accepts.of({limit}, others="unknown")
    if rule is not None:
        kept = rule.values(limit)
        changed.update(rule.changed)
    for row in catalogue.ignored:
        if row.field != field.subject or line.name not in row.lines:
            continue
        if row.accepts == "hardware value":
            # The one value that is accepted is that of the silicon, which no view of KVM shows.
            unsure = tuple(range(1 << field.width))
        elif isinstance(row.accepts, tuple) and row.keeps in (limit, 0):
            changed.update({asked: row.keeps for asked in row.accepts if asked != row.keeps})
    if kept is None:
        return Accepts.of(None)
    changed = {asked: keeps for asked, keeps in changed.items() if asked not in kept}
    unsure = tuple(value for value in unsure if value not in kept)
    if kept == (limit,) and not changed and not unsure:
        return None
    return Accepts.of(kept, changed=changed, unsure=unsure)


def _cleaning(
    accepts: Mapping[str, Accepts], limits: Mapping[str, int], catalogue: Catalogue
) -> dict[str, Accepts]:
    ctr = limits.get("CTR_EL0")
    if ctr is not None and catalogue.fields["CTR_EL0.IDC"].get(ctr):
        return {}
    found = {}
    for subject in accepts.keys() & set(_CLEANING):
        field = catalogue.fields[subject]
        found[subject] = _must_clean(field, limits["CLIDR_EL1"], catalogue)
        if ctr is None:
            # Whether the host must clean is not known: what it may keep without is neither kept nor refused.
            found[subject] = _either(found[subject], accepts[subject], field)
    return found


def _either(one: Accepts, other: Accepts, field: Field) -> Accepts:
    kept = {value: {one.outcome(value), other.outcome(value)} for value in range(1 << field.width)}
    return Accepts.of(
        (value for value, outcomes in kept.items() if outcomes == {"same"}),
        unsure=(value for value, outcomes in kept.items() if len(outcomes) > 1 or "unknown" in outcomes),
    )


def _must_clean(field: Field, clidr: int, catalogue: Catalogue) -> Accepts:
    # LoC = 0 is always refused; LoUIS = 0 and LoUU = 0 only together, the other one being at its limit here.
    kept = {*range(1, 1 << field.width), field.get(clidr)}
    other = {"LoUIS": "LoUU", "LoUU": "LoUIS"}.get(field.name)
    if other and catalogue.fields[f"CLIDR_EL1.{other}"].get(clidr):
        kept.add(0)
    return Accepts.of(kept)


def _cache_sizes(register: str, line: KernelLine) -> dict[str, Accepts]:
    # Since Linux 6.3 KVM makes the geometry up and lets userspace write another. No row speaks of CCSIDR_EL1, so the
    # engine carries it as one run of bits; a line shorter than CTR_EL0's is refused, which no list of values can say.
    return {} if line.before else {whole_register(register): Accepts.of(None)}
