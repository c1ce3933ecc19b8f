"""Rows of cores: who makes them, what they have, their errata, and software that asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rows.reading import Row, Toml, frozen, load, numbered, take


def implementers(data: Path) -> Iterator[Row]:
    """Implementer codes."""
    return iter(numbered(load(data / "implementers.toml")["implementers"]))


def parts(data: Path) -> Row:
    """Cores, one table an implementer."""
    file = load(data / "parts.toml")
    return (
        file["see"],
        tuple(
            (int(who, 0), int(part, 0), name)
            for who, rows in file["parts"].items()
            for part, name in rows.items()
        ),
    )


def part_aliases(data: Path) -> Row:
    """Other names of cores."""
    rows = load(data / "parts.toml")["also"]
    return tuple((name, tuple(int(half, 0) for half in pair.split(":"))) for name, pair in rows.items())


def core_values(data: Path) -> Iterator[Row]:
    """What fields can have in cores: their source, the parts, and the values of each field."""
    for given in load(data / "cores.toml")["cores"]:
        row = dict(given)
        see, named = row.pop("see"), row.pop("parts")
        parts = tuple((int(who, 0), int(part, 0)) for who, _, part in (one.partition(":") for one in named))
        values = tuple(
            (f"{register}.{name}", frozen(some))
            for register, rows in row.items()
            for name, some in rows.items()
        )
        yield (see, parts, values)


def errata(data: Path) -> Iterator[Row]:
    """Errata and lists of cores."""
    for name, given in load(data / "errata.toml")["errata"].items():
        row = dict(given)
        rows = tuple(cores(name, one) for one in row.pop("cores"))
        defaults = {"what": "", "when": "", "not_for_guests": "", "listed": True, "others": 0, "see": ""}
        yield (name, *take(row, f"errata.toml: {name}", **defaults), rows)


def cores(where: str, given: Toml) -> Row:
    """One core and its revisions, as Cores takes them."""
    row = dict(given)
    who, _, part = row.pop("core").partition(":")
    fixed = row.pop("fixed", None)
    defaults = {"from": "r0p0", "to": "r15p15", "ids": (), "degree": 1, "family": False}
    first, last, *more = take(row, f"errata.toml: {where}", **defaults)
    may = None if fixed is None else (revision(fixed[0]), fixed[1])
    return (int(who, 0), int(part, 0), revision(first), revision(last), more[0], may, *more[1:])


def revision(text: str) -> int:
    """Read ``r3p1`` as 0x31."""
    variant, _, number = text.removeprefix("r").partition("p")
    return int(variant) << 4 | int(number)


def dispatch(data: Path) -> Iterator[Row]:
    """Software that picks code by MIDR_EL1."""
    for name, row in load(data / "dispatch.toml")["dispatch"].items():
        yield (name, *take(row, f"dispatch.toml: {name}", picks="", see=""))
