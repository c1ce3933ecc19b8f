"""What is asked of the rows where a guest CPU is tried, as plain values that travel inside one file."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from armlevel.probe.plan import ProbePlan, plan_of

if TYPE_CHECKING:
    from armlevel.arch import Catalogue
    from armlevel.arch.expr import Expr
    from armlevel.arch.machinerows import Around, Board, CpuInterface, HighWindow
    from armlevel.profile import Shape

__all__ = ["FirmwareRow", "LetRow", "Rows", "VmmRow", "rows_of"]

_ABOVE_GUEST = ("el2", "el3")
_REACH = "ID_AA64MMFR0_EL1.PARANGE"


class FirmwareRow(NamedTuple):
    """A firmware register: its id, its kind, and of a level the rank of each value."""

    kvm_id: int
    kind: str
    ranks: dict[int, int]


class LetRow(NamedTuple):
    """A register that some sets of VMM behaviour forgive where the source alone has it; ``value`` None: any."""

    vmms: tuple[str, ...]
    register: str
    value: int | None


class VmmRow(NamedTuple):
    """A set of VMM behaviour: its name and family, and the versions (since, before) that it is suggested by."""

    name: str
    family: str
    versions: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]


class ReachField(NamedTuple):
    """The field that says how far a guest's CPU addresses."""

    register: str
    lsb: int
    ones: int

    def get(self, value: int) -> int:
        """Take it out of a register."""
        return value >> self.lsb & self.ones


class Rows(NamedTuple):
    """All that trying a guest must know of Arm, of KVM and of VMMs.

    ``above``       fields that only software above EL1 can use;  ``harmless``  those that KVM changes without harm
    ``tolerances``  class -> its fields, and whether it needs a guest without EL2
    ``no_meaning``  registers, and the condition under which they mean something
    ``names``       KVM id -> name, of what a list may hold
    ``around``, ``board``, ``windows``, ``cpu_interface``, ``fields``  what stands around the vCPU, as the rows have it
    """

    plan: ProbePlan
    above: tuple[str, ...]
    harmless: tuple[str, ...]
    tolerances: dict[str, tuple[tuple[str, ...], bool]]
    no_meaning: tuple[tuple[tuple[str, ...], Expr], ...]
    firmware: dict[str, FirmwareRow]
    lets: tuple[LetRow, ...]
    vmms: tuple[VmmRow, ...]
    names: dict[int, str]
    around: dict[str, Around]
    board: Board
    windows: tuple[HighWindow, ...]
    cpu_interface: tuple[CpuInterface, ...]
    fields: dict[str, ReachField]

    def tolerated(self, names: tuple[str, ...], shape: Shape) -> frozenset[str]:
        """Return the fields that these tolerances let differ for a guest of this shape."""
        found: set[str] = set()
        el2 = any(name.startswith("has_el2") for name in shape.features)
        for name in names:
            fields, needs_no_el2 = self.tolerances.get(name, ((name,), False))
            found.update(() if el2 and needs_no_el2 else fields)
        return frozenset(found)


def rows_of(catalogue: Catalogue) -> Rows:
    """Take what trying asks out of the catalogue."""
    known = catalogue.fields
    reach = known[_REACH]
    return Rows(
        plan=plan_of(catalogue),
        above=tuple(sorted(name for name, field in known.items() if field.who in _ABOVE_GUEST)),
        harmless=tuple(sorted({row.field for row in catalogue.ignored if row.harmless})),
        tolerances={name: (row.fields, row.needs_no_el2) for name, row in catalogue.tolerances.items()},
        no_meaning=tuple((tuple(row.registers), row.unless) for row in catalogue.no_meaning),
        firmware={
            name: FirmwareRow(row.kvm_id, row.kind, {value: rank for value, _, rank in row.levels})
            for name, row in catalogue.firmware.items()
        },
        lets=tuple(
            LetRow(tuple(row.vmms), row.register, row.value)
            for row in catalogue.lets
            if row.end in ("source", "either")
        ),
        vmms=tuple(
            VmmRow(row.name, row.family, tuple((since, before) for _, since, before in row.suggests))
            for row in catalogue.vmms.values()
        ),
        names={number: name for name, number in sorted(catalogue.kvm_ids.items())},
        around=dict(catalogue.around),
        board=catalogue.board,
        windows=tuple(catalogue.windows),
        cpu_interface=tuple(catalogue.cpu_interface),
        fields={_REACH: ReachField(reach.register, reach.lsb, (1 << reach.width) - 1)},
    )
