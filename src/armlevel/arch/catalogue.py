"""The whole table of facts, read once; parts that are rarely asked for are built when they are."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from armlevel.arch import certain, kvmrows
from armlevel.arch.errata import Cores, Dispatch, Erratum, Hidden, Undefined, by_core
from armlevel.arch.expr import Const, Expr
from armlevel.arch.model import Field, Register, Reserved
from armlevel.arch.order import Order
from armlevel.arch.parser import parse
from armlevel.arch.rules import Feature, FieldRule, Hwcap, Part, Rule, SetAside, Version, fields_behind
from armlevel.arch.stackrows import StackRows
from armlevel.errors import UnknownName

if TYPE_CHECKING:
    from armlevel.arch.linechanges import LineChange

__all__ = ["Catalogue"]

_STATES = frozenset({"always", "value == 0", "no such cache"})


class Catalogue(StackRows):
    """What Arm says and what KVM was measured to do, as values; made from the compiled table."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        """Read the registers of ``table``; everything else waits until it is asked for."""
        self._table = table
        self.version: str = table["version"]
        self.registers: Mapping[str, Register] = MappingProxyType(
            {row[0]: _register(row) for row in table["registers"]}
        )
        self.fields: Mapping[str, Field] = MappingProxyType(
            {one.subject: one for register in self.registers.values() for one in register.fields}
        )

    @cached_property
    def kvm_ids(self) -> Mapping[str, int]:
        """The KVM ids of ID registers and firmware pseudo-registers, by name."""
        ids = {name: row.kvm_id for name, row in self.registers.items()}
        return MappingProxyType(ids | {name: row.kvm_id for name, row in self.firmware.items()})

    @cached_property
    def system_registers(self) -> Mapping[str, tuple[int, int, int, int, int]]:
        """Every system register that software can name, with its encoding."""
        found = {}
        for line in self._table["system_registers"][1].splitlines():
            *encoding, name = line.split()
            op0, op1, crn, crm, op2 = map(int, encoding)
            found[name] = (op0, op1, crn, crm, op2)
        return MappingProxyType(found)

    # ---- features and rules

    @cached_property
    def signed(self) -> Mapping[str, int]:
        """The width of every field whose order is signed: what :func:`armlevel.arch.parse` needs."""
        return {name: one.width for name, one in self.fields.items() if one.order.kind == "signed"}

    @cached_property
    def features(self) -> Mapping[str, Feature]:
        """Every ``FEAT_`` name, those without a condition included."""
        see, rows = self._table["features"]
        return MappingProxyType({row[0]: self._feature(row, see) for row in rows})

    @cached_property
    def not_visible(self) -> Mapping[str, str]:
        """Features that no field of our registers announces, each with the reason."""
        return MappingProxyType(dict(self._table["not_visible"]))

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """Arm's constraints that speak of our fields alone, in Arm's order."""
        see, lines = self._table["rules"]
        rows = (line.split("\t") for line in lines.splitlines())
        return tuple(Rule(text, self._parse(text), kind, about, see) for about, kind, text in rows)

    @cached_property
    def rules_by_fields(self) -> tuple[tuple[Rule, frozenset[str]], ...]:
        """Every rule with the fields it leans on, also through the features that it names."""
        return tuple(zip(self.rules, fields_behind(self, (rule.expr for rule in self.rules)), strict=True))

    @property
    def rules_total(self) -> int:
        """How many constraints Arm's source has: those kept and those set aside."""
        return int(self._table["rules_total"])

    @cached_property
    def set_aside(self) -> tuple[SetAside, ...]:
        """Arm's constraints that are not kept, each with its reason."""
        return tuple(SetAside(*row) for row in self._table["set_aside"])

    @cached_property
    def field_rules(self) -> tuple[FieldRule, ...]:
        """What follows between fields from ``FEAT_A -> FEAT_B``; never through versions."""
        return tuple(FieldRule(*row) for row in self._table["field_rules"])

    @cached_property
    def versions(self) -> Mapping[str, Version]:
        """Architecture versions and what they make mandatory."""
        return MappingProxyType({row[0]: Version(*row) for row in self._table["versions"]})

    @cached_property
    def hwcaps(self) -> Mapping[str, Hwcap]:
        """Linux's capability bits by name."""
        see, rows = self._table["hwcaps"]
        return MappingProxyType(
            {name: Hwcap(name, self._parse(text) if text else None, see) for name, text in rows}
        )

    # ---- cores

    @cached_property
    def implementers(self) -> Mapping[int, str]:
        """Implementer codes of MIDR_EL1."""
        return MappingProxyType(dict(self._table["implementers"]))

    @cached_property
    def parts(self) -> Mapping[tuple[int, int], Part]:
        """Cores by (implementer, part number)."""
        see, rows = self._table["parts"]
        return MappingProxyType({(who, part): Part(who, part, name, see) for who, part, name in rows})

    @cached_property
    def part_aliases(self) -> Mapping[str, tuple[int, int]]:
        """Other names of cores, as tools write them, with implementer and part number."""
        return MappingProxyType(dict(self._table["part_aliases"]))

    @cached_property
    def errata(self) -> tuple[Erratum, ...]:
        """Errata, and other traits, that software finds by MIDR_EL1 and REVIDR_EL1."""
        return tuple(
            Erratum(
                name,
                what,
                self._parse(when) if when else None,
                not_for_guests,
                listed,
                others,
                MappingProxyType(by_core(Cores(*row) for row in cores)),
                see,
            )
            for name, what, when, not_for_guests, listed, others, see, cores in self._table["errata"]
        )

    @cached_property
    def dispatch(self) -> tuple[Dispatch, ...]:
        """Software that picks code by MIDR_EL1."""
        return tuple(Dispatch(*row) for row in self._table["dispatch"])

    @cached_property
    def hidden(self) -> Hidden:
        """Instructions that a program can run although their feature is hidden, and those that KVM stops."""
        see, fields, rows = self._table["hidden"]
        undefined = {
            feature: Undefined(feature, control, lines, self._parse(needs), of)
            for feature, control, lines, needs, of in rows
        }
        by_register: dict[str, list[str]] = {}
        for subject in fields:
            by_register.setdefault(subject.partition(".")[0], []).append(subject)
        each = {register: tuple(subjects) for register, subjects in by_register.items()}
        return Hidden(MappingProxyType(each), MappingProxyType(undefined), see)

    @cached_property
    def certain(self) -> certain.Certain:
        """What holds on every kernel, and in every core of a part."""
        return certain.certain_of(self._table["certain"], self._table["cores"])

    # ---- KVM

    @cached_property
    def lines(self) -> tuple[kvmrows.KernelLine, ...]:
        """The kernel lines that were measured."""
        return tuple(kvmrows.KernelLine(*row) for row in self._table["lines"])

    def line(self, release: str | None) -> kvmrows.KernelLine | None:
        """Return the measured line a kernel release is of; None if that line was not measured, or none is recorded.

        >>> from armlevel.arch import load
        >>> [load().line(release) for release in ("5.15.0-1", "5.14.0-570.12.1.el9_6.aarch64", "6.15.2")]
        [None, None, None]
        """
        return self._line_of(release)

    @cached_property
    def _line_of(self) -> Callable[[str | None], kvmrows.KernelLine | None]:
        return lru_cache(maxsize=1024)(self._measured)

    def _measured(self, release: str | None) -> kvmrows.KernelLine | None:
        if release is None or any(re.search(pattern, release) for pattern in self._table["changed"]):
            return None
        return next((line for line in self.lines if line.matches(release)), None)

    @cached_property
    def writable(self) -> Mapping[str, tuple[kvmrows.WriteRule, ...]]:
        """What userspace may write, by ``REG.FIELD``; a field that is not here takes its limit only."""
        found: dict[str, list[kvmrows.WriteRule]] = {}
        see, rows = self._table["writable"]
        for subject, lines, rule, options in rows:
            one = self.fields[subject]
            changed = {
                value: row.keeps
                for row in self.ignored
                if row.field == subject and isinstance(row.accepts, tuple) and row.keeps is not None
                for value in row.accepts
                if set(lines) <= set(row.lines)
            }
            found.setdefault(subject, []).append(
                kvmrows.WriteRule(
                    subject,
                    lines,
                    rule,
                    one.width,
                    signed=one.order.kind == "signed" and rule in ("lower", "higher"),
                    changed=MappingProxyType(changed),
                    **{"see": see, **dict(options)},
                )
            )
        return MappingProxyType({name: tuple(rows) for name, rows in found.items()})

    def write_rule(self, subject: str, line: str) -> kvmrows.WriteRule | None:
        """Return the rule for one field on one kernel line (by name); None if the limit is all it takes."""
        return next((row for row in self.writable.get(subject, ()) if line in row.lines), None)

    def forgets(self, register: str, release: str) -> bool:
        """Whether a kernel takes a value of the register and loses it when the guest powers a vCPU on."""
        rows = (kvmrows.Forgotten(*row) for row in self._table["forgotten"])
        return any(row.register == register and row.speaks_of(release) for row in rows)

    @cached_property
    def ignored(self) -> tuple[kvmrows.Ignored, ...]:
        """Values that KVM accepts and does not keep."""
        return tuple(kvmrows.Ignored(*row) for row in self._table["ignored"])

    @cached_property
    def stable(self) -> tuple[kvmrows.StableChange, ...]:
        """What updates inside stable lines changed."""
        return tuple(kvmrows.StableChange(*row) for row in self._table["stable"])

    @cached_property
    def line_changes(self) -> tuple[LineChange, ...]:
        """What a newer kernel line shows otherwise than an older one, of the same CPU."""
        from armlevel.arch.linechanges import LineChange

        see, rows = self._table["between"]
        return tuple(
            LineChange(subjects, until, since, why, own or see) for subjects, until, since, why, own in rows
        )

    @cached_property
    def leaks(self) -> tuple[kvmrows.Leak, ...]:
        """Fields that a guest reads from the hardware, whatever KVM shows."""
        return tuple(
            kvmrows.Leak(field, lines, self._parse(when), self._parse(usable), harmless, why, see)
            for field, lines, when, usable, harmless, why, see in self._table["leaks"]
        )

    @cached_property
    def no_meaning(self) -> tuple[kvmrows.NoMeaning, ...]:
        """Registers that say nothing under some condition."""
        return tuple(
            kvmrows.NoMeaning(name, registers, self._parse(unless), ignored_on, why, see)
            for name, registers, unless, ignored_on, why, see in self._table["no_meaning"]
        )

    @cached_property
    def drops(self) -> tuple[kvmrows.Drop, ...]:
        """Registers that a move may leave behind."""
        return tuple(
            kvmrows.Drop(register, ids, when if when in _STATES else self._parse(when), *rest)
            for register, ids, when, *rest in self._table["drops"]
        )

    @cached_property
    def couplings(self) -> tuple[kvmrows.Coupling, ...]:
        """What KVM enforces between choices."""
        return tuple(
            kvmrows.Coupling(
                name, lines, when if when.startswith("without ") else self._parse(when), dict(then), why, see
            )
            for name, lines, when, then, why, see in self._table["couplings"]
        )

    @cached_property
    def bundles(self) -> Mapping[str, kvmrows.Bundle]:
        """Registers that are chosen together, by name."""
        return MappingProxyType({row[0]: kvmrows.Bundle(*row) for row in self._table["bundles"]})

    @cached_property
    def tolerances(self) -> Mapping[str, kvmrows.Tolerance]:
        """Classes of fields that a person may let differ, by name."""
        return MappingProxyType({row[0]: kvmrows.Tolerance(*row) for row in self._table["tolerances"]})

    @cached_property
    def firmware(self) -> Mapping[str, kvmrows.FirmwareRegister]:
        """KVM's firmware registers by name."""
        found = {}
        for name, kvm_id, kind, levels, bits, settable, absent, raised, *rest in self._table["firmware"]:
            found[name] = kvmrows.FirmwareRegister(
                name, kvm_id, kind, levels, dict(bits), settable, absent, self._raised(raised), *rest
            )
        return MappingProxyType(found)

    def _raised(self, row: tuple[Any, Any, Any]) -> tuple[int, int, Expr] | None:
        below, above, unless = row
        return None if unless is None else (below, above, self._parse(unless))

    # ---- names as people write them

    def register(self, text: str) -> Register:
        """Return a register by name, in any case.

        Raises:
            UnknownName: there is none; ``near`` holds names that are close.

        """
        return self.registers[self._find("register", text, self._register_names)]

    def field(self, text: str) -> Field:
        """Return a field by ``REG.FIELD``, in any case, in our spelling or Arm's.

        Raises:
            UnknownName: there is none; ``near`` holds names that are close.

        """
        return self.fields[self._find("field", text, self._field_names)]

    def feature(self, text: str) -> Feature:
        """Return a feature by name, in any case, with or without ``FEAT_``.

        Raises:
            UnknownName: there is none; ``near`` holds names that are close.

        """
        return self.features[self._find("feature", text, self._feature_names)]

    @cached_property
    def _register_names(self) -> Mapping[str, str]:
        return {name.lower(): name for name in self.registers}

    @cached_property
    def _field_names(self) -> Mapping[str, str]:
        arm = {f"{one.register}.{one.arm}".lower(): one.subject for one in self.fields.values()}
        return {**arm, **{subject.lower(): subject for subject in self.fields}}

    @cached_property
    def _feature_names(self) -> Mapping[str, str]:
        bare = {name.removeprefix("FEAT_").lower(): name for name in self.features}
        return {**bare, **{name.lower(): name for name in self.features}}

    def _find(self, what: str, text: str, names: Mapping[str, str]) -> str:
        key = text.strip().lower()
        if key in names:
            return names[key]
        near = difflib.get_close_matches(key, names, n=3, cutoff=0.7)
        raise UnknownName(what, text, tuple(dict.fromkeys(names[one] for one in near)))

    # ---- reading rows

    def _parse(self, text: str) -> Expr:
        return parse(text, self.signed)

    def _feature(self, row: tuple[Any, ...], default_see: str) -> Feature:
        name, announced, registers, see = row
        pairs = tuple(
            (self._parse(guard) if guard else Const(value=True), self._parse(text))
            for guard, text in announced
        )
        return Feature(name, pairs, registers, see or default_see)


def _register(row: tuple[Any, ...]) -> Register:
    name, encoding, view, scope, derived, see, fields, reserved = row
    return Register(
        name,
        encoding,
        view,
        scope,
        tuple(_field(name, see, one) for one in fields),
        tuple(Reserved(*run) for run in reserved),
        derived,
        see,
    )


def _field(register: str, register_see: str, row: tuple[Any, ...]) -> Field:
    name, msb, lsb, order, values, who, arm, derived, see = row
    kind = Order(order) if isinstance(order, str) else Order("list", order)
    see = f"{see}; {register_see}" if see else register_see
    return Field(register, name, msb, lsb, kind, dict(values), who, arm or name, derived, see)
