"""The fourth part of the proof: what is said of hosts of which little is recorded."""

from __future__ import annotations

from collections.abc import Iterator

from armlevel.arch.catalogue import Catalogue
from armlevel.arch.certain import KEEPS
from armlevel.arch.expr import leaves, mentioned
from armlevel.arch.kvmrows import WriteRule
from armlevel.arch.model import Field
from armlevel.arch.release import release_numbers

__all__ = ["prove_certain", "prove_certain_names"]


def prove_certain_names(catalogue: Catalogue) -> Iterator[str]:
    """Prove that rows name known fields, give values that fit, and have sources: light enough for every run."""
    rows = catalogue.certain
    if len(rows.until) != 2 or not all(rows.sources):
        yield "certain: the newest release, or a source, is not said"
    for subject, keeps in rows.keeps.items():
        if subject not in catalogue.fields or keeps not in KEEPS:
            yield f"certain: {subject} {keeps}: no such field, or no such rule"
    for (who, part), values in rows.cores.items():
        for subject, some in values.items():
            field = catalogue.fields.get(subject)
            if field is None or subject not in rows.keeps:
                yield f"core {who:#x}:{part:#05x}: nothing is said of what KVM makes of {subject}"
            elif not some or not all(0 <= value < 1 << field.width for value in some):
                yield f"core {who:#x}:{part:#05x}: {subject} has no value, or one that does not fit"


def prove_certain(catalogue: Catalogue) -> Iterator[str]:
    """Prove the rows against what was measured of each kernel line, and capabilities against their fields."""
    rows = catalogue.certain
    yield from prove_certain_names(catalogue)
    unknown = [core for core in rows.cores if core not in catalogue.parts]
    for who, part in unknown:
        yield f"core {who:#x}:{part:#05x} is not known"
    newest = max((line.series for line in catalogue.lines if line.series), default=())
    if rows.until not in newest:
        yield f"certain: {'.'.join(map(str, rows.until))} is not the newest line that was measured"
    for subject, keeps in rows.keeps.items():
        if subject in catalogue.fields:
            yield from _kept(catalogue.fields[subject], keeps, catalogue)
    for name in (*rows.since, *rows.newer):
        yield from _capability(name, catalogue)


def _kept(field: Field, keeps: str, catalogue: Catalogue) -> Iterator[str]:
    if not field.order.total:
        yield f"certain: {field.subject} has no order, so that nothing is above its limit"
        return
    if any(row.field == field.subject for row in catalogue.ignored):
        yield f"certain: {field.subject}: KVM takes values of it that it does not keep"
    for rule in catalogue.writable.get(field.subject, ()):
        if keeps == "limit":
            yield f"certain: {field.subject} can be written on {', '.join(rule.lines)}"
        elif not _only_lowers(rule, field):
            yield f"certain: {field.subject} can be more than its limit on {', '.join(rule.lines)}"


def _only_lowers(rule: WriteRule, field: Field) -> bool:
    for limit in range(1 << field.width):
        kept = rule.values(limit)
        if kept is None or any(field.compare(value, limit) == "more" for value in kept):
            return False
    return True


def _capability(name: str, catalogue: Catalogue) -> Iterator[str]:
    rows = catalogue.certain
    known = catalogue.hwcaps.get(name)
    release = rows.since.get(name) or rows.newer.get(name) or ()
    if known is None or release_numbers(".".join(map(str, release))) != release:
        yield f"certain: {name} is no capability, or its release is none"
    elif name in rows.since and (
        known.condition is None
        or len(list(leaves(known.condition))) != 1
        or not mentioned(known.condition) <= set(rows.keeps)
    ):
        yield f"certain: {name} does not stand for one field of which it is said what KVM keeps"
