"""Rows of the catalogue found by a name or a number, and laid out."""

from __future__ import annotations

import difflib
from typing import Any

from armlevel.arch import Catalogue, Expr, Feature, Field, Hwcap, Part, Register, mentioned
from armlevel.arch.expr import Feat, leaves
from armlevel.cli.inputs import whole_number
from armlevel.cli.output import wrapped
from armlevel.cli.subjects import core_name
from armlevel.profile import Implementation

__all__ = ["Found", "find", "found_json", "found_lines", "near_matches"]

Found = Feature | Field | Register | Part | Hwcap | Implementation

_RULES = 12
_MOST = 16
_NUMBER_BITS = 16
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
_ORDERS = {
    "unsigned": "higher is more",
    "signed": "higher is more, read as two's complement",
    "inverted": "higher is less",
    "exact": "none: values are equal or different",
}


def find(term: str, catalogue: Catalogue) -> list[Found]:
    """Return every row that is called ``term``, or has that number.

    >>> from armlevel.arch import load
    >>> [type(one).__name__ for one in find("sve", load())]
    ['Feature', 'Field', 'Hwcap']
    >>> [one.name for one in find("0xd0c", load()) if isinstance(one, Part)]
    ['Neoverse N1']
    """
    number = whole_number(term)
    if number is not None:
        if number >> _NUMBER_BITS:
            return [Implementation(number)]
        return [part for part in catalogue.parts.values() if part.part == number and part.implementer]
    key = term.strip().lower()
    found: list[Found] = [
        one
        for one in catalogue.features.values()
        if key in (one.name.lower(), one.name.lower().removeprefix("feat_"))
    ]
    found += [one for one in catalogue.registers.values() if one.name.lower() == key]
    found += [
        one
        for one in catalogue.fields.values()
        if key
        in (one.subject.lower(), f"{one.register}.{one.arm}".lower(), one.name.lower(), one.arm.lower())
    ]
    found += [one for one in catalogue.hwcaps.values() if key in (one.name.lower(), one.flag)]
    found += [
        part
        for part in catalogue.parts.values()
        if key in f"{_maker(part, catalogue)} {part.name}".lower() and len(key) > 1
    ]
    return found[:_MOST]


def near_matches(term: str, catalogue: Catalogue) -> tuple[str, ...]:
    """Return names close to ``term``."""
    names = [
        *catalogue.features,
        *catalogue.registers,
        *catalogue.fields,
        *(field.name for field in catalogue.fields.values()),
        *(one.flag for one in catalogue.hwcaps.values()),
        *(part.name for part in catalogue.parts.values()),
    ]
    lower = {name.lower(): name for name in names} | {
        name.lower().removeprefix("feat_"): name for name in catalogue.features
    }
    near = difflib.get_close_matches(term.lower(), lower, n=4, cutoff=0.6)
    return tuple(dict.fromkeys(lower[name] for name in near))


def _maker(part: Part, catalogue: Catalogue) -> str:
    return catalogue.implementers.get(part.implementer, f"implementer {part.implementer:#x}")


def found_lines(one: Found, catalogue: Catalogue) -> list[str]:
    """Return one row as lines."""
    head, rows, source = _told(one, catalogue)
    rows = [*rows, *([("source", source)] if source else [])]
    return [
        *wrapped(head, rest="    "),
        *(line for title, text in rows for line in wrapped(text, f"  {title:10}")),
    ]


def found_json(one: Found, catalogue: Catalogue) -> dict[str, Any]:
    """Return one row as JSON: its kind, its name, and the same texts."""
    head, rows, source = _told(one, catalogue)
    said: dict[str, list[str]] = {}
    for title, text in rows:
        said.setdefault(title, []).append(text)
    kind = "core" if isinstance(one, Part | Implementation) else type(one).__name__.lower()
    return {"kind": kind, "name": head, "says": said, "source": source}


def _told(one: Found, catalogue: Catalogue) -> tuple[str, list[tuple[str, str]], str]:
    if isinstance(one, Feature):
        return one.name, _feature(one, catalogue), one.see
    if isinstance(one, Field):
        return f"{one.subject} [{one.msb}:{one.lsb}]", _field(one, catalogue), one.see
    if isinstance(one, Register):
        return one.name, _register(one), one.see
    if isinstance(one, Hwcap):
        return (
            f"{one.name} ({one.flag} in /proc/cpuinfo)",
            [("announced", _condition(one.condition))],
            one.see,
        )
    if isinstance(one, Part):
        midr = one.implementer << 24 | 0xF << 16 | one.part << 4
        return (
            f"{_maker(one, catalogue)} {one.name}",
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
    fields = {subject for condition in one.conditions for subject in mentioned(condition)}
    rows += [("used", f"{subject} {_WHO[catalogue.fields[subject].who]}") for subject in sorted(fields)]
    caps = [
        cap.flag
        for cap in catalogue.hwcaps.values()
        if cap.condition is not None and any(str(cap.condition) == str(c) for c in one.conditions)
    ]
    if caps:
        rows.append(("hwcap", ", ".join(caps)))
    must = [version.name for version in catalogue.versions.values() if one.name in version.mandates]
    if must:
        rows.append(("mandatory", f"from {', '.join(must)}"))
    rules = [
        rule.text
        for rule in catalogue.rules
        if rule.kind not in ("condition", "version", "mandatory")
        and any(isinstance(leaf, Feat) and leaf.name == one.name for leaf in leaves(rule.expr))
    ]
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
