"""Names and values as a person reads them: REG.FIELD with its FEAT_ names, values with theirs, cores, facts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from armlevel.arch import Catalogue, Field
from armlevel.engine.subjects import Subject, SubjectKind
from armlevel.profile import IMPLEMENTATION_REGISTERS, Facts, Implementation, Shape, whole_register
from armlevel.words.host_machine import machine_key_text

__all__ = [
    "FACTS",
    "WHOLES",
    "core_name",
    "fact_texts",
    "features_at_stake",
    "hosts_text",
    "key_text",
    "keys_text",
    "listed_few",
    "names_folded",
    "number_text",
    "numbers_text",
    "shape_text",
    "shown_features",
    "subject_text",
    "value_text",
]

#: The facts in words.
FACTS = {
    "cntfrq_hz": "counter frequency",
    "dczid": "DC ZVA (DCZID_EL0)",
    "gmid": "MTE tag block (GMID_EL1)",
    "page_size": "host page size",
}
#: Subjects without a name whose kind is no word of a person.
WHOLES: dict[SubjectKind, str] = {
    "sve_vls": "SVE vector lengths",
    "register-list": "register list",
    "id-registers": "ID registers",
    "machine-type": "machine type",
    "kvm-unknown": "what no row knows of KVM",
    "policy.implementation": "--implementation",
}
_SHOWN_HOSTS = 4
_NUMBERS = re.compile(r"([0-9]{1,9})")
# What every CPU of today has, and the AArch32 that one of its exception levels names better.
_EVERYWHERE = frozenset(
    ["FEAT_AA32", "FEAT_AA64", *(f"FEAT_{state}EL{n}" for state in ("", "AA64") for n in range(4))]
)


def features_at_stake(field: Field, values: Iterable[int]) -> tuple[str, ...]:
    """Return the FEAT_ names that tell ``values`` of a field apart.

    >>> from armlevel.arch import load
    >>> features_at_stake(load().field("ID_AA64ISAR0_EL1.AES"), [1, 2])
    ('FEAT_PMULL',)
    """
    wanted = set(values)
    ranks = [rank for value in wanted if (rank := field.rank(value)) is not None]
    names: list[str] = []
    for value, word in field.values.items():
        rank = field.rank(value)
        between = value in wanted if rank is None else ranks and min(ranks) < rank <= max(ranks)
        if between:
            names += [part for part in word.replace(",", " ").split() if part.startswith("FEAT_")]
    return tuple(dict.fromkeys(names))


def subject_text(subject: Subject) -> str:
    """Return a finding's subject as a person names it.

    >>> from armlevel.engine.subjects import about_fact, about_field, about_shape
    >>> subject_text(about_field("ID_AA64MMFR2_EL1.FWB")), subject_text(about_fact("cntfrq_hz"))
    ('ID_AA64MMFR2_EL1.FWB', 'counter frequency')
    >>> subject_text(about_shape("sve"))
    'shape sve'
    """
    if not subject.names:
        return WHOLES.get(subject.kind, subject.kind)
    name = " and ".join(subject.names)
    if subject.kind == "facts":
        return FACTS.get(name, name)
    if subject.kind == "machine":
        return machine_key_text(subject.key)
    before = {"shape": "shape ", "policy.pin": "--pin ", "policy.require": "--require "}.get(subject.kind, "")
    return before + name.removesuffix(whole_register("")).removeprefix("KVM_REG_ARM_")


def key_text(key: str) -> str:
    """Return a subject as a person names it, by the word under which documents have it.

    >>> key_text("facts.dczid"), key_text("register-list"), key_text("KVM_REG_ARM_PSCI_VERSION")
    ('DC ZVA (DCZID_EL0)', 'register list', 'PSCI_VERSION')
    """
    kind, _, name = key.partition(".")
    if kind == "facts":
        return FACTS.get(name, name)
    if kind == "machine":
        return machine_key_text(key)
    wholes: Mapping[str, str] = {str(kind): text for kind, text in WHOLES.items()}
    return wholes.get(key, key.removesuffix(".63:0").removeprefix("KVM_REG_ARM_"))


def keys_text(keys: Iterable[str]) -> str:
    """Return subjects as a person names them, one after the other.

    >>> keys_text(["MIDR_EL1", "facts.cntfrq_hz"])
    'MIDR_EL1 and counter frequency'
    """
    return hosts_text(list(map(key_text, keys)), every=True)


def number_text(value: int) -> str:
    """Return a small number in decimal and a large one in hex."""
    return str(value) if value < 256 else f"{value:#x}"


def hosts_text(names: Sequence[str], total: int = 0, *, every: bool = False) -> str:
    """Return host names as a person lists them; ``total`` is how many there are in all, if known.

    >>> hosts_text(["a", "b"]), hosts_text(["a", "b", "c"], 3), hosts_text(list("abcdefg"))
    ('a and b', 'all 3 hosts', 'a, b, c and 4 more')
    """
    if total and len(names) == total > 2:
        return f"all {total} hosts"
    runs = names_folded(names if len(names) <= _SHOWN_HOSTS + 1 else sorted(names, key=_natural))
    if len(runs) > _SHOWN_HOSTS + 1 and not every:
        shown = runs[: _SHOWN_HOSTS - 1]
        return f"{', '.join(text for text, _ in shown)} and {len(names) - sum(n for _, n in shown)} more"
    texts = [text for text, _ in runs]
    return " and ".join(filter(None, [", ".join(texts[:-1]), *texts[-1:]]))


def names_folded(names: Sequence[str]) -> list[tuple[str, int]]:
    """Return names, of which three and more that count on are a range, and how many names each stands for.

    >>> names_folded(["n1", "n2", "n3", "v1"]), names_folded(["n09.eu", "n10.eu", "n11.eu"])
    ([('n1..n3', 3), ('v1', 1)], [('n09.eu..n11.eu', 3)])
    """
    runs: list[list[str]] = []
    for name in names:
        if runs and _counts_on(runs[-1], name):
            runs[-1].append(name)
        else:
            runs.append([name])
    return [
        part
        for run in runs
        for part in ([(f"{run[0]}..{run[-1]}", len(run))] if len(run) > 2 else [(name, 1) for name in run])
    ]


def _natural(name: str) -> tuple[tuple[str, int], ...]:
    # "n2" comes before "n10".
    parts = _NUMBERS.split(name)
    numbers = [*map(int, parts[1::2]), 0]
    return tuple(zip(parts[::2], numbers, strict=True))


def _counts_on(run: Sequence[str], name: str) -> bool:
    # After "r1-n09" comes "r1-n10": one number moves, by one, and in a run it is always the same.
    one, two = _NUMBERS.split(run[-1]), _NUMBERS.split(name)
    moved = [place for place, pair in enumerate(zip(one, two, strict=False)) if pair[0] != pair[1]]
    if len(one) != len(two) or len(moved) != 1 or not moved[0] % 2:
        return False
    before, after = one[moved[0]], two[moved[0]]
    if int(after) != int(before) + 1 or (len(after) != len(before) and after.startswith("0")):
        return False
    return len(run) < 2 or _NUMBERS.split(run[-2])[moved[0]] != before


def listed_few(names: Sequence[str], few: int, *, every: bool = False) -> str:
    """Return the first few names and how many more there are.

    >>> listed_few(["A", "B", "C", "D"], 2), listed_few(["A", "B", "C"], 2)
    ('A, B and 2 more', 'A, B, C')
    """
    if every or len(names) <= few + 1:
        return ", ".join(names)
    return f"{', '.join(names[:few])} and {len(names) - few} more"


def core_name(shown: Implementation, catalogue: Catalogue) -> str:
    """Return the core's name and revision, ``Arm Neoverse N1 r3p1``; numbers where no row knows it."""
    if shown.part is None:
        return "core not recorded"
    who, part = shown.part
    maker = catalogue.implementers.get(who, f"implementer {who:#x}")
    known = catalogue.parts.get((who, part))
    return f"{maker} {known.name if known else f'part {part:#x}'} {shown.revision}"


def numbers_text(one: Implementation) -> str:
    """Return the three numbers of an implementation.

    >>> numbers_text(Implementation(0x481FD010, 0))
    'MIDR 0x481fd010, REVIDR 0x0, AIDR not recorded'
    """
    numbers = one.registers()
    texts = {
        name: f"{numbers[name]:#x}" if name in numbers else "not recorded"
        for name in IMPLEMENTATION_REGISTERS
    }
    return ", ".join(f"{name.removesuffix('_EL1')} {text}" for name, text in texts.items())


def shape_text(shape: Shape) -> str:
    """Return a shape in words."""
    label = shape.label
    return f"{label} (MIDR, REVIDR and AIDR writable)" if shape.imp_id_writable else label


def fact_texts(facts: Facts) -> list[tuple[str, str]]:
    """Return each known fact with its value in a person's units, DC ZVA in bytes."""
    texts = []
    if facts.cntfrq_hz is not None:
        texts.append(("cntfrq_hz", f"counter {facts.cntfrq_hz / 1_000_000:g} MHz"))
    if facts.dczid is not None:
        # DDI 0487, DCZID_EL0: BS is log2 of the block in words of four bytes, DZP says that DC ZVA is prohibited.
        block = f"DC ZVA {4 << (facts.dczid & 0xF)} bytes"
        texts.append(("dczid", "DC ZVA prohibited" if facts.dczid & 0x10 else block))
    if facts.gmid is not None:
        texts.append(("gmid", f"GMID {facts.gmid:#x}"))
    if facts.page_size is not None:
        texts.append(("page_size", f"host pages {facts.page_size >> 10} KiB"))
    return texts


def shown_features(truths: Mapping[str, bool | None]) -> tuple[str, ...]:
    """Return the features that are there, sorted without regard to case; not that exception levels are, and AArch64.

    >>> shown_features({"FEAT_b": True, "FEAT_A": True, "FEAT_C": None, "FEAT_EL1": True})
    ('FEAT_A', 'FEAT_b')
    """
    there = (name for name, truth in truths.items() if truth and name not in _EVERYWHERE)
    return tuple(sorted(there, key=str.lower))


def value_text(field: Field, value: int) -> str:
    """Return a value with the name that its row gives it, if that is no feature.

    >>> from armlevel.arch import load
    >>> value_text(load().field("ID_AA64MMFR0_EL1.PARANGE"), 5)
    '5 (48 bits)'
    """
    word = field.values.get(value, "")
    return f"{number_text(value)} ({word})" if word and not word.startswith("FEAT_") else number_text(value)
