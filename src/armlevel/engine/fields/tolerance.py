"""Which fields a person lets differ between the hosts of a guest, and what the guest could notice of it."""

from __future__ import annotations

from collections.abc import Iterable

from armlevel.arch import Catalogue, Field, Tolerance
from armlevel.engine.fields.bundles import in_bundle
from armlevel.engine.findings import Finding, Remedy, Severity
from armlevel.engine.names import Name, RowText
from armlevel.engine.reasons import Reason
from armlevel.engine.subjects import about_field
from armlevel.engine.values import Offers, Value
from armlevel.errors import UnknownName, UsageError
from armlevel.profile import Shape

__all__ = ["class_of", "ids_of", "tolerance_named", "tolerance_remedy", "tolerated_finding", "tolerated_of"]

# Fields that only software of these levels can use make no difference to a guest without them.
_ABOVE_GUEST = ("el2", "el3")


def tolerance_named(text: str, catalogue: Catalogue) -> str:
    """Return a tolerance as documents spell it, from a class or a ``REG.FIELD`` in any spelling.

    Raises:
        UnknownName: there is no such class, register or field.
        UsageError: the field is of registers that are taken whole from one host.

    >>> from armlevel.arch import load
    >>> tolerance_named("EL2-only", load()), tolerance_named("id_aa64mmfr2_el1.fwb", load())
    ('el2-only', 'ID_AA64MMFR2_EL1.FWB')

    """
    name = text.strip().lower().replace("_", "-")
    if name in catalogue.tolerances:
        return name
    if "." not in text:
        raise UnknownName("tolerance", text, tuple(catalogue.tolerances))
    field = catalogue.field(text)
    if in_bundle(catalogue, field.register):
        raise UsageError(
            f"{field.register} is taken whole from one host", hint="a single field of it cannot be tolerated"
        )
    return field.subject


def class_of(
    subject: str, names: Iterable[str], catalogue: Catalogue, shape: Shape
) -> Tolerance | str | None:
    """Return what lets ``subject`` differ: the class, or the field itself where it was named; None if nothing does."""
    for name in names:
        row = catalogue.tolerances.get(name)
        if name == subject:
            return subject
        if row is not None and subject in row.fields and _holds(row, shape):
            return row
    return None


def _holds(row: Tolerance, shape: Shape) -> bool:
    return not (row.needs_no_el2 and any(name.startswith("has_el2") for name in shape.features))


def tolerated_of(names: Iterable[str], catalogue: Catalogue, shape: Shape) -> frozenset[str]:
    """Return every field that these tolerances let differ for a guest of this shape.

    Names that are neither a class nor a field (other things that a profile tolerates) let nothing differ.

    >>> from armlevel.arch import load
    >>> sorted(tolerated_of(["id-trap", "ID_AA64ISAR0_EL1.RNDR"], load(), Shape()))
    ['ID_AA64ISAR0_EL1.RNDR', 'ID_AA64MMFR2_EL1.IDS']
    >>> tolerated_of(["el2-only"], load(), Shape(frozenset({"has_el2"})))
    frozenset()
    """
    found: set[str] = set()
    for name in names:
        row = catalogue.tolerances.get(name)
        if row is not None:
            found.update(row.fields if _holds(row, shape) else ())
        elif name in catalogue.fields:
            found.add(name)
    return frozenset(found)


def ids_of(subjects: Iterable[str], catalogue: Catalogue) -> frozenset[int]:
    """Return the KVM ids of the registers that hold these fields: a guest's state does not carry them."""
    return frozenset(catalogue.registers[catalogue.fields[subject].register].kvm_id for subject in subjects)


def tolerance_remedy(subject: str, catalogue: Catalogue, shape: Shape) -> Remedy | None:
    """Return the class that would let this field differ, if there is one."""
    found = class_of(subject, catalogue.tolerances, catalogue, shape)
    return Remedy("tolerate", (Name(found.name),)) if isinstance(found, Tolerance) else None


def tolerated_finding(
    field: Field,
    by: Tolerance | str | None,
    offers: Offers,
    needs: tuple[Value, ...] = (),
) -> Finding:
    """Say that a field differs and what lets it differ: a note where no guest can use it, else a risk."""
    severity: Severity = "note"
    if isinstance(by, Tolerance):
        because: tuple[Reason, ...] = (
            Reason("tolerance", (Name(by.name), RowText(by.why))),
            Reason("notices", (RowText(by.notices), RowText(by.when))),
        )
    else:
        because = (Reason("tolerated-by-name"),)
        severity = "note" if field.who in _ABOVE_GUEST else "risk"
    return Finding(about_field(field.subject), "registers", severity, needs, offers, because=because)
