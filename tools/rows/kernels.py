"""Rows of KVM: what is certain, hidden, writable and kept on each kernel line, and its firmware registers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rows.reading import Row, Toml, frozen, load, numbered, take


def certain(data: Path) -> Row:
    """What holds on every kernel: the newest of them, what KVM keeps, and what capabilities say."""
    file = load(data / "kvm/certain.toml")
    until, keeps, hwcaps = take(file, "certain.toml", until=(), keeps={}, hwcaps={})
    rules, shown = dict(keeps), dict(hwcaps)
    see = (rules.pop("see"), shown.pop("see"))
    kept = tuple(
        (f"{register}.{name}", rule) for register, rows in rules.items() for name, rule in rows.items()
    )
    since, newer = take(shown, "certain.toml: hwcaps", since={}, newer={})
    return (until, kept, *(tuple((k, frozen(v)) for k, v in some.items()) for some in (since, newer)), *see)


def hidden(data: Path) -> Row:
    """Instructions that hiding does not stop, and those that it does."""
    file = load(data / "kvm/hidden.toml")
    see, fields = take(file["executes"], "hidden.toml: executes", see="", fields=())
    rows = tuple(
        (name, *take(row, f"hidden.toml: {name}", control="", lines=(), needs="", see=""))
        for name, row in file["undefined"].items()
    )
    return (see, fields, rows)


def firmware(data: Path) -> Iterator[Row]:
    """Firmware registers."""
    file = load(data / "firmware.toml")
    for name, row in file["firmware"].items():
        bits = numbered(row.pop("bits", {}))
        defaults = {
            "kvm_id": 0,
            "kind": "",
            "levels": (),
            "settable": True,
            "absent": None,
            "raised": {},
            "versions": (),
            "see": file["see"],
        }
        row["raised"] = tuple(row.get("raised", {}).get(key) for key in ("from", "to", "unless"))
        kvm_id, kind, levels, *more = take(row, name, **defaults)
        yield (name, kvm_id, kind, levels, bits, *more)


def kvm(data: Path) -> Toml:
    """What KVM was measured to do."""
    file = load(data / "kvm/lines.toml")
    lines = file["lines"]
    every = tuple(lines)
    known = load(data / "kvm/state.toml")
    return {
        "changed": frozen(file["changed"]),
        "lines": tuple(
            (
                name,
                *take(
                    row, name, before=(), series=(), default="", imp_id_writable=False, measured="", see=""
                ),
            )
            for name, row in lines.items()
        ),
        "writable": writable(data),
        "ignored": tuple(
            tuple(
                take(
                    row, "ignored", field="", lines=(), accepts="", keeps=None, harmless=False, why="", see=""
                )
            )
            for row in load(data / "kvm/ignored.toml")["ignored"]
        ),
        "stable": tuple(
            tuple(
                take(row, "stable", subject="", series=(), had=0, has=0, before="", after="", why="", see="")
            )
            for row in load(data / "kvm/stable.toml")["stable"]
        ),
        "between": between(data),
        "forgotten": tuple(
            tuple(take(row, "forgotten", register="", since=(), before=(), why="", see=""))
            for row in load(data / "kvm/forgotten.toml")["forgotten"]
        ),
        "leaks": tuple(
            tuple(take(row, "leaks", field="", lines=(), when="", usable="", harmless=False, why="", see=""))
            for row in load(data / "kvm/leaks.toml")["leaks"]
        ),
        "couplings": tuple(
            (name, *take(paired(row), name, lines=every, when="", then=(), why="", see=""))
            for name, row in load(data / "kvm/couplings.toml")["couplings"].items()
        ),
        "no_meaning": tuple(
            (name, *take(row, name, registers=(), unless="", ignored_on=(), why="", see=""))
            for name, row in known["no_meaning"].items()
        ),
        "bundles": tuple(
            (name, *take(row, name, registers=(), why="", see="")) for name, row in known["bundles"].items()
        ),
        "tolerances": tuple(
            (
                name,
                *take(row, name, fields=(), who="", why="", notices="", when="", needs_no_el2=False, see=""),
            )
            for name, row in load(data / "kvm/tolerances.toml")["tolerances"].items()
        ),
        "drops": tuple(
            (name, *take(row, name, kvm_ids=(), when="", loses="", why="", gated_on=(), see=known["see"]))
            for name, row in load(data / "kvm/drops.toml")["drops"].items()
        ),
    }


def between(data: Path) -> Row:
    """What changed from one kernel line to the next."""
    file = load(data / "kvm/between.toml")
    rows = (take(row, "between", subjects=(), until="", since="", why="", see="") for row in file["between"])
    return (file["see"], tuple(map(tuple, rows)))


def paired(row: Toml) -> Toml:
    """Turn a coupling's ``then`` from a table into pairs."""
    return {**row, "then": [[field, value] for field, value in row["then"].items()]}


def writable(data: Path) -> Row:
    """What userspace may write: a table a register, a line a field and set of kernel lines."""
    file = load(data / "kvm/writable.toml")
    found = []
    for register, rows in file["writable"].items():
        for name, given in rows.items():
            for one in given if isinstance(given, list) else [given]:
                row = dict(one)
                lines, rule = frozen(row.pop("lines")), row.pop("rule")
                options = tuple((key, frozen(value)) for key, value in row.items())
                found.append((f"{register}.{name}", lines, rule, options))
    return (file["see"], tuple(found))
