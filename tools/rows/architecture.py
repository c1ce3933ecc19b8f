"""Rows of what Arm says: registers, features, rules, versions, and the names that Linux has for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rows.reading import Row, Toml, load, numbered, span, take


def registers(data: Path) -> Iterator[Row]:
    """Registers with their fields and reserved bits, in the order of their encoding."""
    found = []
    for path in sorted((data / "registers").glob("*.toml")):
        for name, row in load(path).items():
            fields = tuple(
                field(f"{path.name}: {key}", key, one) for key, one in row.pop("fields", {}).items()
            )
            reserved = tuple(
                (*span(bits), {"RES0": 0, "RES1": 1, "placement": None}[kind])
                for bits, kind in row.pop("reserved", {}).items()
            )
            facts = take(row, f"{path.name}: {name}", encoding=(), view="", scope="", derived=False, see="")
            found.append((name, *facts, fields, reserved))
    return iter(sorted(found, key=lambda row: row[1]))


def field(where: str, name: str, row: Toml) -> Row:
    """One field of a register."""
    row = dict(row)
    msb, lsb = span(row.pop("bits"))
    values = numbered(row.pop("values", {}))
    order, who, arm, derived, see = take(row, where, order="", who="", arm="", derived=False, see="")
    return (name, msb, lsb, order, values, who, arm, derived, see)


def features(data: Path) -> Toml:
    """Conditions of features, first those of AArch64, and the features that nothing of ours announces."""
    announced: dict[str, list[tuple[str, str]]] = {}
    sees: dict[str, str] = {}
    for name in ("levels", "aarch64", "described", "aarch32"):
        file = load(data / f"features/{name}.toml")
        for guard, rows in file["where"].items():
            for feature, texts in rows.items():
                each = texts if isinstance(texts, list) else [texts]
                announced.setdefault(feature, []).extend(
                    ("" if guard == "always" else guard, text) for text in each
                )
                sees.setdefault(feature, file["see"])
    unseen = load(data / "features/not_visible.toml")
    found = []
    for name in sorted(set(announced) | set(unseen["not_visible"])):
        pairs = tuple(announced.get(name, ()))
        named = sorted({leaf.partition(".")[0] for _guard, text in pairs for leaf in fields_in(text)})
        see = sees.get(name, unseen["see"])
        found.append((name, pairs, tuple(named), "" if see == unseen["see"] else see))
    return {"features": (unseen["see"], tuple(found)), "not_visible": tuple(unseen["not_visible"].items())}


def fields_in(text: str) -> list[str]:
    """Return every ``REG.FIELD`` in an expression, read as words."""
    return [word for word in text.replace("(", " ").split() if "." in word]


def rules(data: Path) -> Toml:
    """Arm's constraints: kept ones with their kind (the file's name), and those set aside."""
    source = load(data / "rules/source.toml")
    kept = "\n".join(
        f"{row['about']}\t{kind}\t{row['rule']}"
        for kind in source["kinds"]
        for row in load(data / f"rules/{kind}.toml")["rules"]
    )
    aside = tuple(
        (row["about"], row["rule"], row["reason"]) for row in load(data / "rules/set_aside.toml")["set_aside"]
    )
    return {"rules": (source["see"], kept), "rules_total": source["total"], "set_aside": aside}


def versions(data: Path) -> Iterator[Row]:
    """Architecture versions."""
    file = load(data / "versions.toml")
    for name, row in file["versions"].items():
        yield (name, *take(row, name, includes=(), mandates=(), mandates_if=()), file["see"])


def hwcaps(data: Path) -> Row:
    """Linux's capability bits."""
    file = load(data / "hwcaps.toml")
    return (file["see"], tuple(file["hwcaps"].items()))


def system_registers(data: Path) -> Row:
    """System registers and their encodings, as lines."""
    file = load(data / "system_registers.toml")
    rows = file["system_registers"].items()
    return (file["see"], "\n".join(f"{' '.join(map(str, encoding))} {name}" for name, encoding in rows))
