"""A KVM that does what a recorded host was seen to do, and what the rows say of its kernel; trying runs on it."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence

from armlevel.arch import Catalogue, known_of
from armlevel.engine.fields.bundles import register_outcome
from armlevel.engine.fields.cache_geometry import refused_geometry
from armlevel.engine.fields.domains import accepts_of, fields_of
from armlevel.engine.parts.firmware import told
from armlevel.engine.parts.firmware_tried import tried
from armlevel.engine.parts.register_list import hidden_ids
from armlevel.engine.parts.registers_first_run import broken_by
from armlevel.errors import KvmError
from armlevel.kvm import id_of
from armlevel.kvm.vcpu import EXIT_MMIO, Exit
from armlevel.kvm.vgic import ICC_CTLR_EL1, Attribute
from armlevel.onefile.here import Here
from armlevel.probe.plan import plan_of
from armlevel.probe.shapes import FEATURES
from armlevel.profile import IMPLEMENTATION_REGISTERS, Host, Shape
from armlevel.profile.machine import ICC_CTLR_FIELDS, YES

__all__ = ["RecordedKvm", "here_of"]

_VLS, _PMCR = 0x606000000015FFFF, 0x603000000013DCE0
_QUADWORD = 128
_CAPABILITIES = {
    "ARM_VM_IPA_SIZE": "ipa_bits",
    "STEAL_TIME": "steal_time",
    "COUNTER_OFFSET": "counter_offset",
}


def here_of(host: Host) -> Here:
    """What Linux says on a recorded host."""
    return Here(tuple(cpu.implementation for cpu in host.cpus), (0,), None, host.facts.page_size)


def refuse(code: int, what: str = "") -> KvmError:
    return KvmError(f"{what}: refused", code=code, subject=what)


class RecordedKvm:
    """KVM of one recorded host."""

    def __init__(self, host: Host, catalogue: Catalogue) -> None:
        self.host, self.catalogue = host, catalogue
        self.plan = plan_of(catalogue)

    def create_vm(self, ipa_bits: int = 0) -> RecordedVm:
        assert not ipa_bits
        return RecordedVm(self)


class RecordedVm:
    def __init__(self, kvm: RecordedKvm) -> None:
        self.kvm, self.enabled = kvm, set[str]()

    def __enter__(self) -> RecordedVm:  # noqa: PYI034 - nobody derives from it
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def enable(self, name: str) -> None:
        if not self.kvm.host.software.kvm_capabilities.get(name):
            raise refuse(errno.EINVAL, name)
        self.enabled.add(name)

    def extension(self, name: str) -> int:
        return int(getattr(self.kvm.host.machine, _CAPABILITIES[name]) or 0)

    def extension_at(self, number: int) -> int:
        raise NotImplementedError(number)

    def has_device(self, number: int) -> bool:
        raise NotImplementedError(number)

    def has_vgic(self, kind: str) -> bool:
        machine = self.kvm.host.machine
        return machine is not None and (machine.gic or {}).get(kind.removeprefix("vgic-")) == YES

    def create_vgic(self, kind: str) -> RecordedGic:
        if not self.has_vgic(kind):
            raise refuse(errno.ENODEV, kind)
        return RecordedGic(self.kvm.host)

    def create_vcpu(self) -> RecordedVcpu:
        return RecordedVcpu(self)

    def writable_masks(self) -> tuple[int, ...] | None:
        return None

    def add_memory(self, guest_address: int, content: bytes) -> None:
        pass


class RecordedGic:
    def __init__(self, host: Host) -> None:
        self.fields = (host.machine.icc_ctlr or {}) if host.machine is not None else {}

    def initialise(self) -> None:
        pass

    def get(self, register: Attribute) -> int:
        if register != ICC_CTLR_EL1 or not self.fields:
            raise refuse(errno.ENXIO, register.name)
        return sum(self.fields[name].shown << lsb for name, (_, lsb) in ICC_CTLR_FIELDS.items())

    def set(self, register: Attribute, value: int) -> None:
        shown = self.get(register)
        for name, (msb, lsb) in ICC_CTLR_FIELDS.items():
            ones = (1 << (msb - lsb + 1)) - 1
            want = value >> lsb & ones
            if want != shown >> lsb & ones and not self.fields[name].takes(want):
                raise refuse(errno.EINVAL, name)


class RecordedVcpu:
    def __init__(self, vm: RecordedVm) -> None:
        self.vm, self.host, self.catalogue = vm, vm.kvm.host, vm.kvm.catalogue
        self.at = 0

    def init(self, bits: Iterable[int]) -> None:
        asked = set(bits)
        features = {name for name, some in FEATURES.items() if asked.issuperset(some)}
        known = self.host.software.kvm_capabilities
        if any(known.get(f"VCPU_{name.upper()}") == 0 for name in features):
            raise refuse(errno.ENOENT, "features")
        if "ARM_MTE" in self.vm.enabled:
            features.add("mte")
        writable = "ARM_WRITABLE_IMP_ID_REGS" in self.vm.enabled
        offer = self.host.offer(Shape(frozenset(features), imp_id_writable=writable))
        if offer is None:
            raise refuse(errno.EINVAL, "features")
        self.offer = offer
        rows = self.catalogue.firmware
        self.names = {id_of(name): name for name in offer.limits}
        self.levels = {rows[name].kvm_id: name for name in offer.firmware}
        self.values = {number: offer.limits[name] for number, name in self.names.items()}
        self.values |= {number: offer.firmware[name] for number, name in self.levels.items()}

    def finalize_sve(self) -> None:
        pass

    def enable_pmu(self, *, irq: bool) -> None:
        pass

    def choose_pmu(self, kind: int) -> None:
        pass

    def known(self) -> dict[str, int]:
        registers = {name: self.values[number] for number, name in self.names.items()}
        return dict(known_of(self.catalogue, registers))

    def registers(self) -> tuple[int, ...]:
        hidden = hidden_ids(self.offer, self.host.software.kernel, self.known(), self.catalogue)
        return tuple(one for one in self.offer.register_list or () if not hidden.get(one))

    def get(self, register_id: int, what: str = "") -> int:
        if register_id == _VLS:
            return sum(1 << (length // _QUADWORD - 1) for length in self.offer.sve_vls or ())
        if register_id == _PMCR:
            return self.offer.pmu["counters"] << 11
        if register_id not in self.values:
            raise refuse(errno.ENOENT, what)
        value = self.values[register_id]
        if (name := self.levels.get(register_id)) is not None:
            return told(self.catalogue.firmware[name], self.offer, value, self.known(), self.catalogue)
        return value

    def set(self, register_id: int, value: int, what: str = "") -> None:
        if register_id == _VLS:
            have, most = self.offer.sve_vls or (), value.bit_length() * _QUADWORD
            if value != sum(1 << (length // _QUADWORD - 1) for length in have if length <= most):
                raise refuse(errno.EINVAL, what)
        elif register_id in self.levels:
            self._set_level(register_id, self.levels[register_id], value)
        elif register_id in self.names:
            self.values[register_id] = self._kept(self.names[register_id], value)

    def write_and_read_back(self, register_id: int, values: Sequence[int]) -> list[int | None]:
        found: list[int | None] = []
        for value in values:
            try:
                self.set(register_id, value)
            except KvmError:
                found.append(None)
            else:
                found.append(self.get(register_id))
        return found

    def _kept(self, name: str, value: int) -> int:
        limit = self.offer.limits[name]
        if value == limit:
            return value
        if name in IMPLEMENTATION_REGISTERS:
            if register_outcome(self.offer, name, value, self.catalogue) != "same":
                raise refuse(errno.EINVAL, name)
            return value
        if refused_geometry(self.offer, name, value):
            raise refuse(errno.EINVAL, name)
        kept = value
        for field in fields_of(self.catalogue, name, (value, limit)):
            want, top = field.get(value), field.get(limit)
            if want == top:
                continue
            accepts = accepts_of(self.offer, field, top)
            outcome = accepts.outcome(want)
            if outcome not in ("same", "changed"):
                raise refuse(errno.EINVAL, field.subject)
            if outcome == "changed":
                after = accepts.kept(want)
                kept = field.put(kept, top if after is None else after)
        return kept

    def _set_level(self, register_id: int, name: str, value: int) -> None:
        row, own = self.catalogue.firmware[name], self.offer.firmware[name]
        outcome = tried(self.offer, name, value)
        if outcome == "unknown":
            ours, theirs = row.rank(value), row.rank(own)
            lower = ours is not None and theirs is not None and ours <= theirs
            fits = lower if row.kind == "level" else value in row.versions and value <= own
            fits = not value & ~own if row.kind == "bitmap" else fits
            outcome = "refused" if not fits else "changed" if row.kind == "level" else "same"
        if outcome == "refused":
            raise refuse(errno.EINVAL, name)
        if outcome == "same" and row.kind != "level":
            self.values[register_id] = value

    def finalize(self) -> None:
        own, known = known_of(self.catalogue, self.offer.limits), self.known()
        line = self.catalogue.line(self.host.software.kernel)
        for row in self.catalogue.couplings:
            if line is None or line.name not in row.lines or broken_by(row, own, self.catalogue):
                continue
            for subject, most in broken_by(row, known, self.catalogue).items():
                field = self.catalogue.fields[subject]
                number = id_of(field.register)
                self.values[number] = field.put(self.values[number], most)

    def run(self) -> Exit:
        facts = self.host.facts
        order = [facts.cntfrq_hz, facts.dczid, facts.gmid]
        value = order[self.at] or 0
        self.at += 1
        return Exit(EXIT_MMIO, 0x1000_0000, value, write=True)
