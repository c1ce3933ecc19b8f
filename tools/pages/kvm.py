"""The catalogue's pages about KVM and VMMs: what was measured, what may be left behind, what may differ."""

from __future__ import annotations

from collections.abc import Iterable

from armlevel.arch import Catalogue
from pages.markdown import page, table

__all__ = ["kvm_pages"]


def kvm_pages(catalogue: Catalogue) -> dict[str, str]:
    """Return path -> text."""
    return {
        "reference/catalogue/kvm.md": _kvm(catalogue),
        "reference/catalogue/tolerances.md": _tolerances(catalogue),
    }


def _kvm(catalogue: Catalogue) -> str:
    return page(
        "What KVM does",
        "## Kernel lines that were measured",
        table(
            ("line", "measured", "implementation IDs writable", "source"),
            (
                (one.name, one.measured, "yes" if one.imp_id_writable else "no", one.see)
                for one in catalogue.lines
            ),
        ),
        "## Registers that a move may leave behind",
        table(
            ("register", "when", "what is lost", "why", "source"),
            ((_code(one.register), _code(one.when), one.loses, one.why, one.see) for one in catalogue.drops),
        ),
        "## Accepted and not kept",
        table(
            ("field", "lines", "accepts", "keeps", "why", "source"),
            (
                (_code(one.field), _list(one.lines), one.accepts, _keeps(one.keeps), one.why, one.see)
                for one in catalogue.ignored
            ),
        ),
        "## Couplings",
        table(
            ("name", "lines", "when", "then", "why", "source"),
            (
                (one.name, _list(one.lines), one.when, _most(one.then.items()), one.why, one.see)
                for one in catalogue.couplings
            ),
        ),
        "## Registers without meaning",
        table(
            ("name", "which", "unless", "why", "source"),
            ((one.name, _list(one.registers), one.unless, one.why, one.see) for one in catalogue.no_meaning),
        ),
        *_others(catalogue),
    )


def _others(catalogue: Catalogue) -> list[str]:
    stable = (
        (
            _code(one.subject),
            ".".join(map(str, one.series)),
            f"{one.had} .. {one.has}",
            one.before or "not listed",
            one.after or "not listed",
            one.why,
            one.see,
        )
        for one in catalogue.stable
    )
    return [
        "## Firmware registers",
        table(
            ("register", "kind", "levels or services", "source"),
            (
                (
                    _code(name),
                    one.kind,
                    _list(word for _, word, _ in one.levels) or _list(one.bits.values()),
                    one.see,
                )
                for name, one in catalogue.firmware.items()
            ),
        ),
        "## What updates inside a stable line changed",
        table(("register or field", "line", "patch levels", "before", "after", "why", "source"), stable),
        "## What a newer line shows otherwise",
        table(
            ("what", "last as before", "first as now", "what changed", "source"),
            (
                (_list(f"`{name}`" for name in one.subjects), one.until, one.since, one.why, one.see)
                for one in catalogue.line_changes
            ),
        ),
        "## Where a guest reads the hardware",
        table(
            ("field", "lines", "when", "why", "source"),
            ((_code(one.field), _list(one.lines), one.when, one.why, one.see) for one in catalogue.leaks),
        ),
    ]


def _tolerances(catalogue: Catalogue) -> str:
    parts = ["Off unless asked for with `--tolerate`, and recorded in the profile."]
    for name, one in catalogue.tolerances.items():
        about = f"{one.why}. A guest could notice {one.notices}, {one.when}. Source: {one.see}."
        parts += [
            f"## {name}",
            about,
            table(("field", "used from"), ((_code(f), one.who) for f in one.fields)),
        ]
    parts += [
        "## VMM behaviour, by named set",
        table(
            ("set", "register list", "restores", "why", "source"),
            (
                (_code(name), one.list, _list(one.restores), one.why, one.see)
                for name, one in catalogue.vmms.items()
            ),
        ),
        "## Registers that a VMM forgives",
        table(
            ("register", "sets", "end", "value", "why", "source"),
            (
                (
                    _code(one.register),
                    _list(one.vmms),
                    one.end,
                    "any" if one.value is None else one.value,
                    one.why,
                    one.see,
                )
                for one in catalogue.lets
            ),
        ),
        "## What blocks a move",
        table(
            ("what", "sets", "said by", "message", "why", "source"),
            (
                (one.feature or one.capability, _list(one.vmms), one.at, _code(one.message), one.why, one.see)
                for one in catalogue.blocks
            ),
        ),
    ]
    return page("Tolerances and VMM behaviour", *parts)


def _code(text: object) -> str:
    return f"`{text}`" if text else ""


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)


def _keeps(value: int | None) -> str:
    return "limit" if value is None else str(value)


def _most(pairs: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{subject} at most {value}" for subject, value in pairs)
