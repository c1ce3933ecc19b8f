"""Is the table whole? Every function gives all faults it finds, as sentences; none means proved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from armlevel.arch.catalogue import Catalogue
from armlevel.arch.model import VIEWS, WHO, Field, Register
from armlevel.arch.order import ORDERS
from armlevel.arch.prove_certain import prove_certain, prove_certain_names

__all__ = ["prove", "prove_registers"]

_ALL = (1 << 64) - 1


def prove(catalogue: Catalogue) -> tuple[str, ...]:
    """Prove the whole table; return every fault.

    >>> from armlevel.arch import load
    >>> prove(load())
    ()
    """
    faults = list(prove_registers(catalogue))
    faults += _readable(catalogue)
    faults += _names(catalogue)
    return tuple(faults) if faults else _facts(catalogue)


def prove_registers(catalogue: Catalogue) -> tuple[str, ...]:
    """Prove what every run leans on: bits covered once, names unique, every field an order, every row a source."""
    return (*_registers(catalogue.registers.values()), *prove_certain_names(catalogue))


def _facts(catalogue: Catalogue) -> tuple[str, ...]:
    # What every run leans on is proved without these.
    from armlevel.arch.prove_errata import prove_errata
    from armlevel.arch.prove_rules import prove_facts

    return (*prove_facts(catalogue), *prove_errata(catalogue), *prove_certain(catalogue))


def _readable(catalogue: Catalogue) -> Iterator[str]:
    # A row that does not even read (a broken expression, an unknown field) is a fault; the rest is then moot.
    sections: tuple[tuple[str, Callable[[], object]], ...] = (
        ("features", lambda: catalogue.features),
        ("rules", lambda: catalogue.rules),
        ("hwcaps", lambda: catalogue.hwcaps),
        ("writable", lambda: catalogue.writable),
        ("leaks", lambda: catalogue.leaks),
        ("between", lambda: catalogue.line_changes),
        ("no_meaning", lambda: catalogue.no_meaning),
        ("drops", lambda: catalogue.drops),
        ("couplings", lambda: catalogue.couplings),
        ("firmware", lambda: catalogue.firmware),
        ("errata", lambda: catalogue.errata),
        ("dispatch", lambda: catalogue.dispatch),
        ("hidden", lambda: catalogue.hidden),
        ("certain", lambda: catalogue.certain),
        ("qemu_options", lambda: catalogue.qemu_options),
    )
    for name, read in sections:
        fault = _fault_of(read)
        if fault:
            yield f"{name}: a row does not read: {fault}"


def _fault_of(read: Callable[[], object]) -> str:
    try:
        read()
    except (KeyError, TypeError, ValueError) as exc:
        return str(exc) or type(exc).__name__
    return ""


def _names(catalogue: Catalogue) -> Iterator[str]:
    # What only has a name and a number: it shall say the same as the rows that have more.
    for name, encoding in catalogue.system_registers.items():
        row = catalogue.registers.get(name)
        if row is not None and row.encoding != encoding:
            yield f"{name}: its row has the encoding {row.encoding}, and system_registers {encoding}"
        op0, *rest = encoding
        if op0 not in (2, 3) or any(
            not 0 <= one < most for one, most in zip(rest, (8, 16, 16, 8), strict=True)
        ):
            yield f"{name}: {encoding} is the encoding of no system register"
    for alias, part in catalogue.part_aliases.items():
        if part not in catalogue.parts:
            yield f"{alias}: no core has the numbers {part[0]:#x}, {part[1]:#x}"


def _registers(registers: Iterable[Register]) -> Iterator[str]:
    encodings: dict[tuple[int, ...], str] = {}
    for one in registers:
        if one.encoding in encodings:
            yield f"{one.name} has the encoding of {encodings[one.encoding]}"
        encodings[one.encoding] = one.name
        if one.view not in VIEWS:
            yield f"{one.name} has the view {one.view!r}, which is none of {', '.join(VIEWS)}"
        if one.scope not in ("vm", "vcpu"):
            yield f"{one.name} has the scope {one.scope!r}, which is neither vm nor vcpu"
        if not one.see:
            yield f"{one.name} names no source"
        yield from _bits(one)
        for field in one.fields:
            yield from _field(field)


def _bits(one: Register) -> Iterator[str]:
    covered = 0
    runs = [(field.name, field.msb, field.lsb) for field in one.fields]
    runs += [("a reserved row", run.msb, run.lsb) for run in one.reserved]
    for name, msb, lsb in runs:
        if not 63 >= msb >= lsb >= 0:
            yield f"{one.name}: {name} has the bits {msb}:{lsb}, which are none"
            continue
        bits = ((1 << (msb - lsb + 1)) - 1) << lsb
        if covered & bits:
            yield f"{one.name}: {name} at {msb}:{lsb} covers bits that another row covers"
        covered |= bits
    names = [field.name for field in one.fields]
    if len(set(names)) < len(names):
        yield f"{one.name} has two fields of one name"
    if covered != _ALL:
        yield f"{one.name}: bits {_ALL & ~covered:#x} are in no row"


def _field(one: Field) -> Iterator[str]:
    most = (1 << one.width) - 1
    kind, listing = one.order.kind, one.order.listing
    if kind not in ORDERS:
        yield f"{one.subject} has no order" if not kind else f"{one.subject}: no order is called {kind!r}"
    if kind == "list":
        if len(set(listing)) < len(listing) or any(not 0 <= value <= most for value in listing):
            yield f"{one.subject}: the listed order {listing} repeats a value or leaves the field"
        missing = [value for value in one.values if value not in listing]
        if missing:
            yield f"{one.subject}: the listed order leaves out {missing}"
    if one.who not in WHO:
        yield f"{one.subject}: {one.who!r} is none of {', '.join(WHO)}"
    if any(not 0 <= value <= most for value in one.values):
        yield f"{one.subject}: a value does not fit {one.width} bits"
    if not one.see:
        yield f"{one.subject} names no source"
