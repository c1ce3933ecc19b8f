"""Give a scratch VM the CPU of a guest profile, and see whether it is: by reading back, and by a guest's own eyes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from armlevel.errors import KvmError
from armlevel.kvm.ids import id_of
from armlevel.probe.after_first_run import gic_of, make_ready
from armlevel.probe.guest import read_by_mrs
from armlevel.probe.hypervisor import KvmLike, VcpuLike
from armlevel.probe.shapes import vcpu_of
from armlevel.probe.untrapped import leaked
from armlevel.profile import Guest

__all__ = ["Applied", "Code", "Difference", "Known", "Seen", "apply_guest"]

Code = Literal["differs", "reserved", "absent", "refused", "not-recorded"]
#: By what it was seen: read back from KVM, or read by the guest's own instructions.
Seen = Literal["kvm", "guest"]

_VLS = 0x6060_0000_0015_FFFF
_QUADWORD = 128
_FACTS = {"cntfrq_hz": (3, 3, 14, 0, 0), "dczid": (3, 3, 0, 0, 7)}
# CLIDR_EL1 is checked against CTR_EL0; a workaround level depends on ID_AA64PFR1_EL1.SSBS, so firmware comes last.
_FIRST = ("CTR_EL0",)
_GIC_LSB = 24  # ID_AA64PFR0_EL1.GIC


class _Field(Protocol):
    @property
    def subject(self) -> str: ...
    def get(self, value: int, /) -> int: ...
    def put(self, value: int, new: int, /) -> int: ...


class _Register(Protocol):
    @property
    def encoding(self) -> tuple[int, int, int, int, int]: ...
    @property
    def fields(self) -> Sequence[_Field]: ...
    @property
    def reserved_mask(self) -> int: ...


class Known(Protocol):
    """What applying a guest asks of the rows: the catalogue answers it, and so does a probe's plan."""

    @property
    def registers(self) -> Mapping[str, _Register]:
        """The ID registers by name."""

    @property
    def kvm_ids(self) -> Mapping[str, int]:
        """The KVM ids of ID registers and firmware pseudo-registers, by name."""


class Difference(NamedTuple):
    """Where the scratch VM is not what the profile says, or is not known to be.

    ``subject``  a register, a field of one, or a fact
    ``code``     ``differs``, ``reserved`` (of a register, the bits that no field has), ``absent`` (there is no such
                 register), ``refused`` (KVM does not take it), ``not-recorded`` (by the profile: nothing was compared)
    ``wanted``   what the profile says, ``None``: not recorded
    ``found``    what stands there; of what KVM refuses, what it offers, ``None``: it cannot be read
    ``errno``    of a register that KVM refuses whole, KVM's answer
    """

    subject: str
    code: Code
    seen: Seen
    wanted: int | None
    found: int | None
    errno: int | None = None


class Applied(NamedTuple):
    """What became of a profile: the differences, those that are no fault of it, and what the guest read by itself."""

    differences: tuple[Difference, ...]
    notes: tuple[Difference, ...]
    read: Mapping[str, int]
    gic: str


def apply_guest(kvm: KvmLike, guest: Guest, known: Known, *, pmu: int | None = None) -> Applied:
    """Make a scratch VM of ``guest``, finalize it, and compare: every register, then what instructions read.

    Raises:
        KvmError: this host cannot have the guest's shape at all.

    """
    gics = gic_of(kvm)
    gic = _gic(guest, gics)
    wanted = _wanted(guest)
    registers, kvm_ids = known.registers, known.kvm_ids
    ids = {name: id_of(name, kvm_ids) for name in (*wanted, *guest.firmware)}
    differences: list[Difference] = []
    with vcpu_of(kvm, guest.shape, pmu=pmu) as (vm, vcpu):
        if guest.sve_vls is not None and "sve" in guest.shape.features:
            bitmap = sum(1 << (length // _QUADWORD - 1) for length in guest.sve_vls)
            differences += _write(vcpu, "sve_vls", _VLS, bitmap)
        # Limits are read before anything is written; SVE must be final for that.
        make_ready(vm, vcpu, guest.shape, gic)
        for name, value in wanted.items():
            differences += _write_register(vcpu, name, ids[name], value, registers.get(name))
        for name, value in guest.firmware.items():
            differences += _write(vcpu, name, ids[name], value)
        vcpu.finalize()
        read_back = {name: _get(vcpu, ids[name]) for name in wanted}
        differences += _compare(wanted, read_back, registers, "kvm")
        levels = {name: _get(vcpu, ids[name]) for name in guest.firmware}
        differences += [
            _different(name, "kvm", value, levels[name])
            for name, value in guest.firmware.items()
            if levels[name] != value
        ]
        encodings = {name: registers[name].encoding for name in wanted if name in registers} | _FACTS
        read = read_by_mrs(vm, vcpu, encodings)
    seen = {name: value for name, value in read.items() if value is not None}
    differences += _compare({n: v for n, v in wanted.items() if n in encodings}, read, registers, "guest")
    for fact in _FACTS:
        told = getattr(guest.facts, fact)
        if told is not None and told != read[fact]:
            differences.append(_different(f"facts.{fact}", "guest", told, read[fact]))
    differences += _partly_recorded(guest)
    distinct = dict.fromkeys(differences)
    notes = tuple(difference for difference in distinct if leaked(difference, seen))
    return Applied(
        tuple(difference for difference in distinct if difference not in notes), notes, seen, gic or "none"
    )


def _gic(guest: Guest, gics: tuple[str, ...]) -> str | None:
    # ID_AA64PFR0_EL1.GIC, ID_AA64PFR2_EL1.GCIE and ID_PFR1_EL1.GIC follow from the interrupt controller that the VM has
    # (Linux KVM vgic-init.c), so the profile says which one to make, and is then held to it like any other field.
    if "ID_AA64PFR0_EL1" not in guest.registers:
        return gics[0] if gics else None
    kind = "vgic-v3" if guest.registers["ID_AA64PFR0_EL1"] >> _GIC_LSB & 0xF else "vgic-v2"
    return kind if kind in gics else None


def _wanted(guest: Guest) -> dict[str, int]:
    wanted = guest.id_registers
    return {name: wanted[name] for name in sorted(wanted, key=lambda name: (name not in _FIRST, name))}


def _partly_recorded(guest: Guest) -> list[Difference]:
    # A VM that has the rest of an implementation is not known to be of it; nor is one with an interrupt controller that
    # nobody named the guest's.
    lacking = list(guest.unrecorded_implementation)
    if "ID_AA64PFR0_EL1" not in guest.registers:
        lacking.append("ID_AA64PFR0_EL1")
    return [Difference(name, "not-recorded", "guest", None, None) for name in lacking]


def _get(vcpu: VcpuLike, register_id: int) -> int | None:
    try:
        value: int = vcpu.get(register_id)
    except KvmError:
        return None
    return value


def _write(vcpu: VcpuLike, name: str, register_id: int, value: int) -> list[Difference]:
    try:
        vcpu.set(register_id, value, name)
    except KvmError as exc:
        return [Difference(name, "refused", "kvm", value, None, exc.code)]
    return []


def _write_register(
    vcpu: VcpuLike, name: str, register_id: int, value: int, row: _Register | None
) -> list[Difference]:
    refused = _write(vcpu, name, register_id, value)
    limit = _get(vcpu, register_id)
    if not refused or row is None or limit is None:
        return refused
    # One bad field refuses the whole register, and KVM does not say which: ask for each alone.
    differences = [
        Difference(field.subject, "refused", "kvm", field.get(value), field.get(limit))
        for field in row.fields
        if field.get(value) != field.get(limit)
        and _write(vcpu, name, register_id, field.put(limit, field.get(value)))
    ]
    return differences or refused


def _compare(
    wanted: Mapping[str, int],
    read_back: Mapping[str, int | None],
    registers: Mapping[str, _Register],
    seen: Seen,
) -> Iterator[Difference]:
    for name, value in wanted.items():
        got = read_back[name]
        row = registers.get(name)
        if got is None or row is None:
            if got != value:
                yield _different(name, seen, value, got)
            continue
        for field in row.fields:
            if field.get(got) != field.get(value):
                yield _different(field.subject, seen, field.get(value), field.get(got))
        if (value ^ got) & row.reserved_mask:
            yield Difference(name, "reserved", seen, value & row.reserved_mask, got & row.reserved_mask)


def _different(subject: str, seen: Seen, wanted: int, found: int | None) -> Difference:
    return Difference(subject, "absent" if found is None else "differs", seen, wanted, found)
