"""The catalogue: every register, field, feature, rule and row of KVM's behaviour, each with its source."""

from __future__ import annotations

from armlevel.arch import Catalogue, Field, WriteRule
from pages.cores import core_pages
from pages.kvm import kvm_pages
from pages.markdown import page, table, toctree

__all__ = ["catalogue_pages"]


def catalogue_pages(catalogue: Catalogue) -> dict[str, str]:
    """Return path -> text of the pages about the catalogue."""
    pages = {
        f"reference/catalogue/registers/{name.lower()}.md": _register(catalogue, name)
        for name in catalogue.registers
    }
    pages["reference/catalogue/registers.md"] = _registers(catalogue)
    pages["reference/catalogue/features.md"] = _features(catalogue)
    pages |= _rules(catalogue)
    pages |= {**core_pages(catalogue), **kvm_pages(catalogue)}
    names = ("registers", "features", "rules", "kvm", "tolerances", "errata", "cores", "hwcaps")
    pages["reference/catalogue.md"] = page(
        "The catalogue",
        f"Edition `{catalogue.version}`: {len(catalogue.registers)} registers, {len(catalogue.fields)} fields, "
        f"{len(catalogue.features)} features, {len(catalogue.rules)} of Arm's rules. Every row names its source.",
        toctree(f"catalogue/{name}" for name in names),
    )
    return pages


_WORDS = (
    (
        "order",
        "which of two values promises more: what a baseline chooses by, and the direction of a difference",
    ),
    ("unsigned, signed", "the larger number promises more; signed: 15 is -1"),
    ("inverted", "the smaller number promises more"),
    ("exact", "no value promises more than another: equal, or they differ"),
    ("1 < 0 < 2", "a list, from less to more"),
    (
        "used from",
        "who can notice the field: programs (el0), kernels (el1), hypervisors (el2), firmware (el3), others",
    ),
    ("NI, IMP", "not implemented; implemented"),
    ("RES0, RES1", "reserved, and 0 or 1"),
    ("limit", "the value that the host's KVM shows by itself"),
)


def _registers(catalogue: Catalogue) -> str:
    rows = [
        (
            f"[{one.name}](registers/{name.lower()}.md)",
            "_".join(map(str, one.encoding)),
            f"`{one.kvm_id:#x}`",
            one.view,
            "derived" if one.derived else one.scope,
        )
        for name, one in catalogue.registers.items()
    ]
    heads = ("register", "op0_op1_CRn_CRm_op2", "KVM id", "describes", "one value for each")
    return page(
        "Registers",
        table(heads, rows),
        "## The words of these pages",
        table(("word", "means"), _WORDS),
    )


def _register(catalogue: Catalogue, name: str) -> str:
    one = catalogue.registers[name]
    rows: list[tuple[str, ...]] = [
        (
            _bits(field.msb, field.lsb),
            f"`{field.name}`",
            _arm(field),
            _order(field),
            field.who,
            _values(field),
        )
        for field in one.fields
    ]
    heads = ["bits", "field", "Arm's name", "order", "used from", "values"]
    if not any(row[2] for row in rows):
        rows, heads = [(*row[:2], *row[3:]) for row in rows], [*heads[:2], *heads[3:]]
    others: dict[str, list[str]] = {}
    for field in one.fields:
        if field.see != one.see:
            others.setdefault(field.see, []).append(f"`{field.name}`")
    reserved = [
        (_bits(run.msb, run.lsb), {0: "RES0", 1: "RES1", None: "no identity"}[run.value])
        for run in one.reserved
    ]
    parts = [f"View: {one.view}. KVM id `{one.kvm_id:#x}`. [The words of this page](../registers.md)."]
    parts += [table(heads, rows)] if rows else []
    parts += (
        [f"Source: {one.see}."]
        if len(others) == 0 or sum(map(len, others.values())) < len(one.fields)
        else []
    )
    parts += [f"Source of {', '.join(names)}: {see}." for see, names in others.items()]
    parts += ["## Reserved bits", table(("bits", "value"), reserved)] if reserved else []
    if written := [row for field in one.fields for row in _written(catalogue, field)]:
        parts += [
            "## What KVM lets userspace write",
            "A field without a row takes the host's limit and nothing else.",
            table(("field", *(line.name for line in catalogue.lines)), written),
        ]
    return page(name, *parts, apart=True)


def _bits(msb: int, lsb: int) -> str:
    return str(msb) if msb == lsb else f"{msb}:{lsb}"


def _arm(field: Field) -> str:
    return "" if field.arm == field.name else f"`{field.arm}`"


def _order(field: Field) -> str:
    listing = field.order.listing
    return " < ".join(map(str, listing)) if field.order.kind == "list" else field.order.kind


def _values(field: Field) -> str:
    return ", ".join(f"{value} {name}" for value, name in field.values.items())


def _written(catalogue: Catalogue, field: Field) -> list[tuple[str, ...]]:
    rules = [catalogue.write_rule(field.subject, line.name) for line in catalogue.lines]
    return [(f"`{field.name}`", *(_rule(rule) for rule in rules))] if any(rules) else []


def _rule(rule: WriteRule | None) -> str:
    if rule is None:
        return "limit"
    words = {
        "lower": "up to the limit",
        "higher": "from the limit up",
        "exact": f"limit or {rule.safe}" if rule.safe is not None else "limit",
        "any": "any",
        "unknown": "limit; others not known",
    }
    text = words[rule.rule]
    text += f", not under {rule.least}" if rule.least is not None else ""
    text += f", not over {rule.most}" if rule.most is not None else ""
    text += f", also {' '.join(map(str, rule.extra))}" if rule.extra else ""
    return text + (", if implementation IDs are writable" if rule.needs_imp_id else "")


def _features(catalogue: Catalogue) -> str:
    rows = [
        (
            name,
            "; ".join(dict.fromkeys(f"`{condition}`" for condition in one.conditions))
            or catalogue.not_visible.get(name, ""),
            one.see,
        )
        for name, one in catalogue.features.items()
    ]
    return page("Features", table(("feature", "announced by", "source"), rows))


_KINDS = {
    "requires": "one feature needs another",
    "version": "an architecture version brings a feature, or a feature comes with one",
    "mandatory": "what every implementation of a version has",
    "excludes": "two features that do not go together",
    "condition": "which value of which field announces a feature",
    "other": "other forms: checked and reported, never lowered for",
}


def _rules(catalogue: Catalogue) -> dict[str, str]:
    kinds: dict[str, list[tuple[str, str]]] = {}
    for rule in catalogue.rules:
        kinds.setdefault(rule.kind, []).append((rule.about, f"`{rule.text}`"))
    aside = [(one.about, f"`{one.text}`", one.reason) for one in catalogue.set_aside]
    fields = [(f"`{one}`", " requires ".join(one.because)) for one in catalogue.field_rules]
    pages = {
        "fields": page(
            "Rules between fields",
            "What follows for fields from *one feature requires another*. Closure lowers by these alone, never through "
            "architecture versions.",
            table(("rule", "because"), fields),
        ),
        **{
            kind: page(
                f"Rules: {kind}", f"{_KINDS[kind].capitalize()}.", table(("stands under", "rule"), rows)
            )
            for kind, rows in kinds.items()
        },
        "aside": page(
            "Rules that are set aside",
            "They speak of something that no register we know shows, or of more than fields.",
            table(("stands under", "rule", "why"), aside),
        ),
    }
    counts = [("[between fields](rules/fields.md)", "made from the second line", len(fields))]
    counts += [(f"[{kind}](rules/{kind}.md)", _KINDS[kind], len(rows)) for kind, rows in kinds.items()]
    counts += [("[set aside](rules/aside.md)", "not judged, each with its reason", len(aside))]
    sources = "; ".join(dict.fromkeys(rule.see for rule in catalogue.rules))
    index = page(
        "Arm's rules",
        f"{len(catalogue.rules)} of Arm's {catalogue.rules_total} constraints are kept. Source: {sources}.",
        "The bar is relative: a levelled CPU breaks no rule that none of its hosts broke.",
        table(("kind", "says", "rules"), counts),
        toctree(f"rules/{name}" for name in pages).replace(":maxdepth: 1", ":hidden:"),
    )
    return {
        "reference/catalogue/rules.md": index,
        **{f"reference/catalogue/rules/{name}.md": text for name, text in pages.items()},
    }
