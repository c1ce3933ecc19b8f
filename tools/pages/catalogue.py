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
    pages["reference/catalogue/rules.md"] = _rules(catalogue)
    pages |= {**core_pages(catalogue), **kvm_pages(catalogue)}
    names = ("registers", "features", "rules", "kvm", "tolerances", "errata", "cores", "hwcaps")
    pages["reference/catalogue.md"] = page(
        "The catalogue",
        f"Edition `{catalogue.version}`: {len(catalogue.registers)} registers, {len(catalogue.fields)} fields, "
        f"{len(catalogue.features)} features, {len(catalogue.rules)} of Arm's rules. Every row names its source.",
        toctree(f"catalogue/{name}" for name in names),
    )
    return pages


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
    hidden = [f"registers/{name.lower()}" for name in catalogue.registers]
    return page("Registers", table(heads, rows), toctree(hidden).replace(":maxdepth: 1", ":hidden:"))


def _register(catalogue: Catalogue, name: str) -> str:
    one = catalogue.registers[name]
    rows = [
        (
            f"{field.msb}:{field.lsb}",
            f"`{field.name}`",
            _arm(field),
            _order(field),
            field.who,
            _values(field),
            field.see,
        )
        for field in one.fields
    ]
    heads = ("bits", "field", "Arm", "order", "used from", "values", "source")
    reserved = [
        (f"{run.msb}:{run.lsb}", {0: "RES0", 1: "RES1", None: "no identity"}[run.value])
        for run in one.reserved
    ]
    parts = [f"{one.view}, KVM id `{one.kvm_id:#x}`. Source: {one.see}."]
    parts += [table(heads, rows)] if rows else []
    parts += ["## Reserved bits", table(("bits", "value"), reserved)] if reserved else []
    if written := [row for field in one.fields for row in _written(catalogue, field)]:
        parts += [
            "## What KVM lets userspace write",
            "A field without a row takes the host's limit and nothing else.",
            table(("field", *(line.name for line in catalogue.lines)), written),
        ]
    return page(name, *parts)


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
            "; ".join(f"`{condition}`" for condition in one.conditions)
            or catalogue.not_visible.get(name, ""),
            one.see,
        )
        for name, one in catalogue.features.items()
    ]
    return page("Features", table(("feature", "announced by", "source"), rows))


def _rules(catalogue: Catalogue) -> str:
    kinds: dict[str, list[tuple[str, str]]] = {}
    for rule in catalogue.rules:
        kinds.setdefault(rule.kind, []).append((rule.about, f"`{rule.text}`"))
    kept, aside_ = len(catalogue.rules), len(catalogue.set_aside)
    parts = [
        f"{kept} of Arm's {catalogue.rules_total} constraints are kept, {aside_} are set aside.",
        "A levelled CPU breaks no rule that none of its hosts broke. Lowering follows only the rules between fields.",
        "## Between fields",
        table(
            ("rule", "because"),
            ((f"`{one}`", " requires ".join(one.because)) for one in catalogue.field_rules),
        ),
    ]
    for kind, rows in kinds.items():
        parts += [f"## {kind.capitalize()}", table(("stands under", "rule"), rows)]
    aside = [(one.about, f"`{one.text}`", one.reason) for one in catalogue.set_aside]
    parts += ["## Set aside", table(("stands under", "rule", "why"), aside)]
    return page("Arm's rules", *parts)
