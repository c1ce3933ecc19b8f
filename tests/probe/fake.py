"""A made-up KVM behind the same interface as the real one, with rules of its own: what a kernel of some line does."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Mapping, Sequence

from armlevel.arch import load
from armlevel.errors import KvmError
from armlevel.kvm.vcpu import EXIT_MMIO, Exit
from armlevel.kvm.vgic import GICD_IIDR, GICD_TYPER2, ICC_CTLR_EL1, VGIC_TYPES, Attribute

CATALOGUE = load()
PFR0, ISAR0, ZFR0, DFR0, MMFR2, MIDR, CTR = (
    CATALOGUE.registers[name].kvm_id
    for name in (
        "ID_AA64PFR0_EL1",
        "ID_AA64ISAR0_EL1",
        "ID_AA64ZFR0_EL1",
        "ID_AA64DFR0_EL1",
        "ID_AA64MMFR2_EL1",
        "MIDR_EL1",
        "CTR_EL0",
    )
)
PSCI, WA1, BMAP = 0x6030000000140000, 0x6030000000140001, 0x6030000000160000
CCSIDR0 = 0x6020000000110000
PMCR = 0x603000000013DCE0
VLS = 0x606000000015FFFF

#: (register id, value, limit, features) -> what is kept; None: refused.
Rule = Callable[[int, int, int, frozenset[str]], "int | None"]

_BITS = {
    1: "el1_32bit",
    3: "pmu_v3",
    4: "sve",
    5: "ptrauth",
    6: "ptrauth",
    7: "has_el2",
    8: "e2h0",
    9: "strict",
}


def refuse(code: int, what: str = "") -> KvmError:
    return KvmError(f"{what}: refused", code=code, subject=what)


def nothing_writable(_register: int, value: int, limit: int, _features: frozenset[str]) -> int | None:
    return value if value == limit else None


def before_6_5(register: int, value: int, limit: int, _features: frozenset[str]) -> int | None:
    """Only PFR0.CSV2 and CSV3 take anything, and of CSV2 no more than 1."""
    if register == PFR0:
        csv2, csv3 = value >> 56 & 0xF, value >> 60
        rest = value & ~(0xFF << 56) == limit & ~(0xFF << 56)
        return value if rest and csv2 <= 1 and csv3 <= 1 else None
    return nothing_writable(register, value, limit, _features)


def like_7_3(register: int, value: int, limit: int, features: frozenset[str]) -> int | None:
    """Feature fields are lowered at will; MMFR2.NV = 2 is taken and dropped; MIDR only where it was opened."""
    if register == MIDR:
        return value if value == limit or ("imp_id" in features and value < 1 << 32) else None
    if register == MMFR2 and value == limit | 2 << 24:
        return limit
    if register in (PFR0, ISAR0, ZFR0, DFR0):
        nibbles = range(0, 64, 4)
        return value if all(value >> n & 15 <= limit >> n & 15 for n in nibbles) else None
    return nothing_writable(register, value, limit, features)


class FakeVcpu:
    def __init__(self, host: FakeKvm, vm: FakeVm) -> None:
        self.host, self.vm = host, vm
        self.features = frozenset[str]()
        self.values: dict[int, int] = {}
        self.sve_final = self.ran = False
        self.at = 0

    def init(self, bits: Iterable[int]) -> None:
        for bit in bits:
            if bit not in self.host.known_bits:
                raise refuse(errno.ENOENT, f"bit {bit}")
        wanted = frozenset(_BITS[bit] for bit in bits if bit in _BITS)
        if not wanted <= self.host.possible:
            raise refuse(errno.EINVAL, "features")
        self.features = wanted | self.vm.enabled
        self.values = dict(self.host.values)
        if "sve" not in wanted:
            self.values.pop(VLS, None)
            self.values[PFR0] &= ~(0xF << 32)
            self.values[ZFR0] = 0
        if "pmu_v3" not in wanted:
            self.values.pop(PMCR, None)
            self.values[DFR0] &= ~(0xF << 8)
        self.limits = dict(self.values)

    def finalize_sve(self) -> None:
        self.sve_final = True

    def registers(self) -> tuple[int, ...]:
        if "sve" in self.features and not self.sve_final:
            raise refuse(errno.EPERM)
        return tuple(self.values)

    def get(self, register_id: int, what: str = "") -> int:
        if register_id not in self.values:
            raise refuse(errno.ENOENT, what)
        return self.values[register_id]

    def set(self, register_id: int, value: int, what: str = "") -> None:
        if register_id >> 16 & 0xFFF == 0x10 or register_id == 0x603000000013C600:
            return
        if self.write_and_read_back(register_id, [value]) == [None]:
            raise refuse(errno.EINVAL, what)

    def write_and_read_back(self, register_id: int, values: Sequence[int]) -> list[int | None]:
        found: list[int | None] = []
        for value in values:
            self.host.tries += 1
            kept = self._kept(register_id, value)
            if kept is not None:
                self.values[register_id] = kept
            found.append(kept)
        return found

    def _kept(self, register_id: int, value: int) -> int | None:
        if register_id not in self.limits:
            return None
        limit = self.limits[register_id]
        if register_id == WA1:
            return limit if value <= limit else None
        if register_id == BMAP:
            return value if value & ~limit == 0 else None
        if register_id == PSCI:
            return value if value in (2, 0x10000, 0x10001) else None
        if register_id == CCSIDR0:
            return value
        return self.host.rule(register_id, value, limit, self.features)

    def enable_pmu(self, *, irq: bool) -> None:
        assert "pmu_v3" in self.features

    def choose_pmu(self, kind: int) -> None:
        pass

    def finalize(self) -> None:
        self.ran = True
        for register_id, value in self.host.at_first_run.items():
            self.values[register_id] = value

    def run(self) -> Exit:
        value = self.host.mrs[self.at]
        self.at += 1
        return Exit(EXIT_MMIO, 0x1000_0000, value, write=True)


class FakeGic:
    """A vGICv3 by the rules of Linux: PRIbits is lowered before anything is refused, and never rises again."""

    def __init__(self, host: FakeKvm) -> None:
        self.values = {ICC_CTLR_EL1: host.icc_ctlr, GICD_IIDR: 0x4B00343B, GICD_TYPER2: 0}
        self.ready = False

    def initialise(self) -> None:
        self.ready = True

    def get(self, register: Attribute) -> int:
        if not self.ready or register not in self.values:
            raise refuse(errno.ENXIO, register.name)
        return self.values[register]

    def set(self, register: Attribute, value: int) -> None:
        now = self.get(register)
        if register == GICD_IIDR and value >> 12 & 15 not in (2, 3):
            raise refuse(errno.EINVAL, register.name)
        if register == ICC_CTLR_EL1:
            if value >> 8 & 7 > now >> 8 & 7:
                raise refuse(errno.EINVAL, register.name)
            self.values[register] = now = now & ~0x700 | value & 0x700
            if value >> 11 & 7 > now >> 11 & 7 or (value ^ now) >> 14 & 3:
                raise refuse(errno.EINVAL, register.name)
        self.values[register] = value


class FakeVm:
    def __init__(self, host: FakeKvm) -> None:
        self.host = host
        self.enabled = frozenset[str]()
        host.open += 1

    def __enter__(self) -> FakeVm:  # noqa: PYI034 - nobody derives from it
        return self

    def __exit__(self, *_: object) -> None:
        self.host.open -= 1

    def enable(self, name: str) -> None:
        if name not in self.host.capabilities:
            raise refuse(errno.EINVAL, name)
        self.enabled |= {{"ARM_WRITABLE_IMP_ID_REGS": "imp_id", "ARM_MTE": "mte"}[name]}

    def extension(self, name: str) -> int:
        return self.host.capabilities.get(name, 0)

    def create_vcpu(self) -> FakeVcpu:
        return FakeVcpu(self.host, self)

    def writable_masks(self) -> tuple[int, ...] | None:
        return None if self.host.masks is None else tuple(self.host.masks.get(n, 0) for n in range(192))

    def extension_at(self, number: int) -> int:
        return self.host.more_capabilities.get(number, 0)

    def has_device(self, number: int) -> bool:
        return number in self.host.devices

    def has_vgic(self, kind: str) -> bool:
        return self.has_device(VGIC_TYPES[kind])

    def create_vgic(self, kind: str) -> FakeGic:
        if not self.has_vgic(kind):
            raise refuse(errno.ENODEV, kind)
        return FakeGic(self.host)

    def add_memory(self, guest_address: int, content: bytes) -> None:
        pass


class FakeKvm:
    """A host: what it shows and takes, which features it knows (else ENOENT) and can have (else EINVAL)."""

    def __init__(
        self,
        rule: Rule = nothing_writable,
        *,
        known_bits: Iterable[int] = range(7),
        possible: Iterable[str] = ("pmu_v3", "sve"),
        capabilities: Mapping[str, int] | None = None,
        masks: Mapping[int, int] | None = None,
        at_first_run: Mapping[int, int] | None = None,
        mrs: Sequence[int] = (100_000_000, 4),
        devices: Iterable[int] = (4, 7, 8),
        icc_ctlr: int = 0x400,
        ipa: tuple[int, int] = (32, 48),
        more_capabilities: Mapping[int, int] | None = None,
        more_registers: Iterable[int] = (),
    ) -> None:
        self.rule = rule
        self.known_bits, self.possible = frozenset(known_bits), frozenset(possible)
        self.capabilities = dict(capabilities or {})
        self.masks = masks
        self.at_first_run = dict(at_first_run or {})
        self.mrs = mrs
        self.devices, self.icc_ctlr, self.ipa = frozenset(devices), icc_ctlr, ipa
        self.capabilities.setdefault("ARM_VM_IPA_SIZE", ipa[1])
        self.more_capabilities = dict(more_capabilities or {})
        self.open = self.tries = 0
        self.values = {
            PFR0: 0x1100_0001_1101_1112,
            ISAR0: 0x21,
            ZFR0: 0x1,
            DFR0: 0x0000_0000_0030_5606,
            MMFR2: 0x0,
            MIDR: 0x410FD493,
            CTR: 0x8444C004,
            PSCI: 0x10001,
            WA1: 1,
            BMAP: 1,
            CCSIDR0: 0x700FE01A,
            PMCR: 6 << 11,
            VLS: 0b11,
            **dict.fromkeys(more_registers, 0),
        }

    def create_vm(self, ipa_bits: int = 0) -> FakeVm:
        if ipa_bits and not self.ipa[0] <= ipa_bits <= self.ipa[1]:
            raise refuse(errno.EINVAL, f"{ipa_bits} bits")
        return FakeVm(self)
