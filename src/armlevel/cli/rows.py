"""Rows of the catalogue, laid out."""

from __future__ import annotations

from armlevel.arch import Catalogue, Expr, Feature, Field, Hwcap, Part, Register
from armlevel.cli.output import wrapped
from armlevel.kvm import SpelledRegister
from armlevel.operations.facts import Found, flags_of, maker_of, mandatory_from, rules_of, used_by
from armlevel.operations.facts_find import NamedRow
from armlevel.profile import FACT_REGISTERS, Implementation
from armlevel.words.subjects import core_name

__all__ = ["found_lines"]

_RULES = 12
_WHO = {
    "el0": "usable at EL0",
    "el1": "usable at EL1",
    "el2": "usable only at EL2",
    "el3": "usable only at EL3",
    "debug": "describes debug",
    "cache": "describes the caches",
    "identity": "says who the CPU is",
    "counter": "counts something",
}
_NAMED = {
    "firmware-register": "a firmware register of KVM",
    "host-fact": "a fact of a host, which KVM cannot change",
    "shape-feature": "a choice before the vCPU exists",
    "erratum": "an erratum, or what software finds by MIDR",
    "tolerance": "what --tolerate may let differ",
    "vmm": "a set of VMM behaviour",
    "kernel-line": "a measured line of kernels",
}
_ORDERS = {
    "unsigned": "higher is more",
    "signed": "higher is more, read as two's complement",
    "inverted": "higher is less",
    "exact": "none: values are equal or different",
}


def found_lines(one: Found, catalogue: Catalogue) -> list[str]:
    """Return one row as lines."""
    head, rows, source = _told(one, catalogue)
    rows = [*rows, *([("source", source)] if source else [])]
    return [
        *wrapped(head, rest="    "),
        *(line for title, text in rows for line in wrapped(text, f"  {title:10}")),
    ]


def _told(one: Found, catalogue: Catalogue) -> tuple[str, list[tuple[str, str]], str]:
    if isinstance(one, Feature):
        return one.name, _feature(one, catalogue), one.see
    if isinstance(one, Field):
        return f"{one.subject} [{one.msb}:{one.lsb}]", _field(one, catalogue), one.see
    if isinstance(one, Register):
        return one.name, _register(one), one.see
    if isinstance(one, SpelledRegister):
        return one.name, _spelled(one), ""
    return _told_small(one, catalogue)


def _told_small(
    one: Hwcap | NamedRow | Part | Implementation, catalogue: Catalogue
) -> tuple[str, list[tuple[str, str]], str]:
    if isinstance(one, NamedRow):
        return f"{one.name} ({_NAMED[one.what]})", [*one.said], one.see
    if isinstance(one, Hwcap):
        return (
            f"{one.name} ({one.flag} in /proc/cpuinfo)",
            [("announced", _condition(one.condition))],
            one.see,
        )
    if isinstance(one, Part):
        midr = one.implementer << 24 | 0xF << 16 | one.part << 4
        return (
            f"{maker_of(one.implementer, catalogue)} {one.name}",
            [("MIDR", f"implementer {one.implementer:#x}, part {one.part:#x}: {midr:#010x} at r0p0")],
            one.see,
        )
    return core_name(one, catalogue), *_core(one, catalogue)


def _core(one: Implementation, catalogue: Catalogue) -> tuple[list[tuple[str, str]], str]:
    if one.midr is None or one.part is None:
        return [], ""
    who, number = one.part
    known = catalogue.parts.get(one.part)
    told = f"{one.midr:#x}: implementer {who:#x}, part {number:#x}, {one.revision}"
    return [("MIDR", told)], known.see if known else ""


def _condition(expr: Expr | None) -> str:
    return str(expr) if expr is not None else "no ID register decides"


def _feature(one: Feature, catalogue: Catalogue) -> list[tuple[str, str]]:
    rows = [
        ("announced", f"{condition}" + ("" if str(guard) == "true" else f", where {guard}"))
        for guard, condition in one.announced
    ]
    if not rows:
        rows = [
            (
                "announced",
                f"not visible: {catalogue.not_visible.get(one.name, 'no condition in our registers')}",
            )
        ]
    rows += [("used", f"{subject} {_WHO[catalogue.fields[subject].who]}") for subject in used_by(one)]
    if caps := flags_of(one, catalogue):
        rows.append(("hwcap", ", ".join(caps)))
    if must := mandatory_from(one, catalogue):
        rows.append(("mandatory", f"from {', '.join(must)}"))
    rules = rules_of(one, catalogue)
    rows += [("rule", text) for text in rules[:_RULES]]
    return rows + ([("", f"and {len(rules) - _RULES} more rules")] if len(rules) > _RULES else [])


def _field(one: Field, catalogue: Catalogue) -> list[tuple[str, str]]:
    order = one.order
    way = (
        f"listed, least first: {', '.join(map(str, order.listing))}"
        if order.kind == "list"
        else _ORDERS[order.kind]
    )
    rows = [("order", f"{order.kind}: {way}" if order.kind != "list" else way), ("use", _WHO[one.who])]
    if one.arm != one.name:
        rows.append(("Arm writes", one.arm))
    if one.values:
        rows.append(("values", ", ".join(f"{value} {word}".strip() for value, word in one.values.items())))
    for line in catalogue.lines:
        rule = catalogue.write_rule(one.subject, line.name)
        text = "its limit only"
        if rule is not None:
            text = {
                "lower": "up to its limit",
                "higher": "from its limit up",
                "any": "any value",
                "unknown": "its limit; of other values it was not measured",
            }.get(rule.rule, f"its limit, or {rule.safe}")
            text += "".join(
                f", {word} {value}"
                for word, value in (("at least", rule.least), ("at most", rule.most))
                if value is not None
            )
            text += " (implementation IDs writable)" if rule.needs_imp_id else ""
        rows.append(("KVM", f"{line.name}: {text}"))
    return rows


def _register(one: Register) -> list[tuple[str, str]]:
    op0, op1, crn, crm, op2 = one.encoding
    rows = [
        (
            "encoding",
            f"S{op0}_{op1}_C{crn}_C{crm}_{op2}, KVM id {one.kvm_id:#018x}, {one.view}, one value for the {one.scope}",
        )
    ]
    rows += [
        ("field", f"{field.name} [{field.msb}:{field.lsb}], {field.order.kind}, {_WHO[field.who]}")
        for field in one.fields
    ]
    return rows


def _spelled(one: SpelledRegister) -> list[tuple[str, str]]:
    encoding = ""
    if one.encoding is not None:
        op0, op1, crn, crm, op2 = one.encoding
        encoding = f"S{op0}_{op1}_C{crn}_C{crm}_{op2}, "
    rows = [("encoding", f"{encoding}KVM id {one.kvm_id:#018x}, group {one.group}")]
    fact = FACT_REGISTERS.get(one.name)
    if fact is not None:
        return [*rows, ("fact", f"{fact}: a guest reads the host's, and KVM cannot change it")]
    kept = (
        "KVM can list it: state of the guest, no ID register"
        if one.listed
        else "no kernel that was measured lists it"
    )
    return [*rows, ("KVM", kept)]
