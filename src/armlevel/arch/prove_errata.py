"""The third part of the proof: rows about cores, and about instructions that hiding does not stop."""

from __future__ import annotations

from collections.abc import Iterator

from armlevel.arch.catalogue import Catalogue
from armlevel.arch.errata import Cores, Erratum
from armlevel.arch.expr import Cmp, Expr, leaves

__all__ = ["prove_errata"]


def prove_errata(catalogue: Catalogue) -> Iterator[str]:
    """Prove that every row about cores names known cores and fields, says something and has a source."""
    for row in catalogue.errata:
        yield from _erratum(row, catalogue)
    if len({row.name for row in catalogue.errata}) < len(catalogue.errata):
        yield "two errata have one name"
    for one in catalogue.dispatch:
        if not one.picks or not one.see:
            yield f"{one.name}: what it picks, or its source, is not said"
    yield from _hidden(catalogue)


def _erratum(row: Erratum, catalogue: Catalogue) -> Iterator[str]:
    where = f"erratum {row.name}"
    if not row.see or not row.what:
        yield f"{where}: what it is, or its source, is not said"
    if not row.cores:
        yield f"{where} is of no core"
    if row.others not in (0, 1):
        yield f"{where}: other cores have the degree {row.others}, which is neither 0 nor 1"
    if row.when is not None:
        yield from _condition(where, row.when, catalogue)
    for cores in row.cores:
        yield from _cores(where, cores, row.others, catalogue)


def _cores(where: str, cores: Cores, others: int, catalogue: Catalogue) -> Iterator[str]:
    core = f"{where}: core {cores.implementer:#x}:{cores.part:#05x}"
    family = {(who, part & 0xF00) for who, part in catalogue.parts}
    known = (cores.implementer, cores.part) in catalogue.parts
    if not known and not (cores.family and (cores.implementer, cores.part & 0xF00) in family):
        yield f"{core} is not known"
    if cores.first > cores.last:
        yield f"{core}: its first revision is after its last"
    if cores.degree == others:
        yield f"{core} is like every core that is not listed"
    if cores.fixed is not None and not (
        cores.first <= cores.fixed[0] <= cores.last and 0 <= cores.fixed[1] < 64
    ):
        yield f"{core}: the revision that may be fixed, or its bit, is out of range"


def _hidden(catalogue: Catalogue) -> Iterator[str]:
    hidden = catalogue.hidden
    announced = set()
    for subject in hidden.fields:
        field = catalogue.fields.get(subject)
        if field is None:
            yield f"hidden instructions: no field is called {subject}"
            continue
        if field.who != "el0":
            yield f"hidden instructions: programs cannot use what {subject} announces"
        announced |= {word for text in field.values.values() for word in text.replace(",", " ").split()}
    if not hidden.see:
        yield "hidden instructions name no source"
    lines = {line.name for line in catalogue.lines}
    for row in hidden.undefined.values():
        where = f"undefined where hidden, {row.feature}"
        if row.feature not in announced:
            yield f"{where}: none of the fields announces it"
        if not set(row.lines) <= lines or not row.lines:
            yield f"{where}: {', '.join(row.lines) or 'no line'} was not measured"
        if not row.see or not row.control:
            yield f"{where}: its control, or its source, is not said"
        yield from _condition(where, row.needs, catalogue)


def _condition(where: str, expr: Expr, catalogue: Catalogue) -> Iterator[str]:
    for leaf in leaves(expr):
        if not isinstance(leaf, Cmp) or leaf.field not in catalogue.fields:
            yield f"{where}: its condition names {leaf}, which is no field"
