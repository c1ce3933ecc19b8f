"""Whether a guest CPU may arrive on this host, learnt by making a scratch VM of it and reading back what became of it.

No verdict is computed: KVM itself is asked for every value that the guest holds, and a few instructions read what no
KVM shows. What trying cannot see is compared: facts that the guest learnt at boot, the core that signed its pointers,
its event counters. A scratch VM never runs code of the guest.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

from armlevel.arch.expr import evaluate
from armlevel.errors import KvmError, UnknownName
from armlevel.kvm.ids import id_of
from armlevel.onefile.arrival_facts import compare_facts
from armlevel.onefile.arrival_list import missing_registers
from armlevel.onefile.arrival_shape import (
    compare_counters,
    compare_lengths,
    compare_signers,
    interrupt_controller,
    missing_features,
)
from armlevel.onefile.found import Found
from armlevel.onefile.here import Here
from armlevel.onefile.rows import Rows
from armlevel.probe.after_first_run import CNTFRQ, DCZID, GICS, GMID, make_ready
from armlevel.probe.guest import read_by_mrs
from armlevel.probe.hypervisor import KvmLike, VcpuLike
from armlevel.probe.plan import Run, Tried
from armlevel.probe.shapes import vcpu_of
from armlevel.profile import IMPLEMENTATION_REGISTERS, Guest, Implementation
from armlevel.profile.policy import WEAKER_MITIGATION

__all__ = ["arrival"]

_VLS = 0x6060_0000_0015_FFFF
_QUADWORD = 128
_FIRST = ("CTR_EL0",)  # CLIDR_EL1 is checked against it
_DEMUX = 0x6020_0000_0011_0000
_GROUP = 0xFFFF_FFFF_FFFF_0000
_REFUSED = (errno.EINVAL, errno.ENOENT, errno.EPERM, errno.EBUSY, errno.ENOEXEC)
_READ_HERE = frozenset({"mte", "pmu_v3", "ptrauth", "sve"})
_WITHOUT_TAGS = {"cntfrq_hz": CNTFRQ, "dczid": DCZID}
_ENCODINGS = {**_WITHOUT_TAGS, "gmid": GMID}


def arrival(kvm: KvmLike, guest: Guest, rows: Rows, here: Here) -> tuple[Found, ...]:
    """Try a guest CPU on this host; return what stands against its arrival, and notes.

    Raises:
        KvmError: KVM failed at something that every host can do; then nothing is known.

    """
    found = [Found("kvm-newer", "unknown", name) for name in guest.unknown]
    lacking, facts, around = _in_a_vm(kvm, guest, rows, here, found)
    if lacking:
        return (*found, *lacking)
    found += compare_facts(kvm, guest, here, facts)
    return tuple(dict.fromkeys((*found, *around)))


def _in_a_vm(
    kvm: KvmLike, guest: Guest, rows: Rows, here: Here, found: list[Found]
) -> tuple[list[Found], dict[str, int], list[Found]]:
    # Everything that one VM of the guest's shape tells is found; returned is why there is none such, the facts, and
    # what is found around the vCPU.
    with ExitStack() as ends:
        try:
            vm, vcpu = ends.enter_context(vcpu_of(kvm, guest.shape, pmu=here.pmu))
        except KvmError:
            if lacking := missing_features(kvm, guest.shape):
                return lacking, {}, []
            raise
        trial = _Trial(guest, rows, here)
        if "sve" in guest.shape.features:
            have = vcpu.get(_VLS, "SVE vector lengths")
            found += compare_lengths(guest.sve_vls, have)
            wanted = sum(1 << (length // _QUADWORD - 1) for length in guest.sve_vls or ())
            if wanted and wanted != have and not found:
                found += _refusal(vcpu, _VLS, wanted, "sve_vls", have)
        kinds = tuple(kind for kind in GICS if vm.has_vgic(kind))
        gic = make_ready(vm, vcpu, guest.shape, interrupt_controller(guest, kinds))
        trial.fresh(vcpu)
        around: list[Found] = []
        if guest.machine is not None:
            from armlevel.onefile.arrival_around import InVm, around_of

            around += around_of(kvm, guest, rows, here, InVm(vm, gic))
        found += compare_counters(guest, vcpu, trial.listed, here)
        found += trial.implementation(vcpu)
        found += trial.registers(vcpu)
        found += trial.firmware(vcpu)
        found += trial.first_run(vcpu)
        found += missing_registers(guest, vcpu.registers(), rows, here)
        found += compare_signers(guest, trial.known, here)
        # Instructions of EL1 in AArch64 read them, where the VM is one of those that every probe runs.
        facts: dict[str, int | None] = {}
        if trial.finished and guest.shape.features <= _READ_HERE:
            facts = read_by_mrs(vm, vcpu, _ENCODINGS if "mte" in guest.shape.features else _WITHOUT_TAGS)
    return [], {name: value for name, value in facts.items() if value is not None}, around


def _refusal(vcpu: VcpuLike, number: int, value: int, subject: str, have: int) -> list[Found]:
    # What is refused is said; any other failure says nothing of the value.
    try:
        vcpu.set(number, value, subject)
    except KvmError as exc:
        if exc.code not in _REFUSED:
            raise
        return [Found("refused", "stops", subject, f"{value:#x}", f"{have:#x}", remedy="restart")]
    return []


@dataclass(slots=True)
class _Trial:
    """One scratch VM while the guest's values go into it.

    ``listed``  what KVM lists of the fresh vCPU, and ``limits`` the ID registers it shows, by name
    ``known``   what the guest sees, by field;  ``gone`` its registers that mean nothing
    ``held``    register -> what the VM held once it was written, with its id
    """

    guest: Guest
    rows: Rows
    here: Here
    known: dict[str, int] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    free: frozenset[str] = frozenset()
    listed: frozenset[int] = frozenset()
    limits: dict[str, int] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    levels: dict[str, bool] = field(default_factory=dict)
    finished: bool = False
    register_rows: Mapping[str, Tried] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.register_rows = self.rows.plan.registers
        for name, value in self.guest.registers.items():
            if (row := self.register_rows.get(name)) is not None:
                self.known |= {run.subject: run.get(value) for run in row.fields}
        self.gone = frozenset(
            name
            for names, unless in self.rows.no_meaning
            if evaluate(unless, self.known) is False
            for name in names
        )
        self.free = self.rows.tolerated(self.guest.tolerates, self.guest.shape)

    def fresh(self, vcpu: VcpuLike) -> None:
        """Read what this host shows before anything is written."""
        self.listed = frozenset(vcpu.registers())
        self.ids = {f"CCSIDR_EL1[{one & 0xFF}]": one for one in sorted(self.listed) if one & _GROUP == _DEMUX}
        self.ids |= {row.name: row.kvm_id for row in self.rows.plan.identity if row.kvm_id in self.listed}
        self.limits = {name: vcpu.get(number, name) for name, number in self.ids.items()}

    # ---- MIDR_EL1, REVIDR_EL1, AIDR_EL1

    def implementation(self, vcpu: VcpuLike) -> Iterator[Found]:
        """Try the numbers of the guest's implementation."""
        shown, possible = self.guest.implementation, self.guest.possible.get("MIDR_EL1")
        wanted = {} if shown is None else shown.shown.registers()
        midrs = {wanted["MIDR_EL1"]} if "MIDR_EL1" in wanted else possible
        writable = self.guest.shape.imp_id_writable
        here = {cpu.midr for cpu in self.here.cpus}
        if not writable and midrs and here and None not in here and not midrs & here:
            said = ", ".join(f"{one:#x}" for one in sorted(midrs))
            have = ", ".join(f"{one:#x}" for one in sorted(here))  # type: ignore[type-var]
            yield Found("refused", "stops", "MIDR_EL1", said, have, "silicon", "elsewhere")
            return
        if shown is None:
            yield Found("not-recorded", "unknown", "MIDR_EL1", remedy="probe")
        elif self.here.mixed and not writable:
            # KVM takes the numbers of the CPU that initialised it, and the guest reads those of the CPU it runs on.
            yield Found(
                "cpus-differ", "unknown", "MIDR_EL1", f"{wanted.get('MIDR_EL1', 0):#x}", remedy="elsewhere"
            )
        else:
            own = Implementation.from_registers(self.limits) or self.here.only_cpu
            yield from self._numbers(vcpu, wanted, {} if own is None else own.registers())

    def _numbers(self, vcpu: VcpuLike, wanted: Mapping[str, int], here: Mapping[str, int]) -> Iterator[Found]:
        for name in IMPLEMENTATION_REGISTERS:
            want, have = wanted.get(name), here.get(name)
            if want is None or have is None:
                yield Found("not-recorded", "unknown", name, _hex(want), _hex(have), remedy="probe")
            elif want != have:
                yield from self._other_number(vcpu, name, want, have)

    def _other_number(self, vcpu: VcpuLike, name: str, want: int, have: int) -> Iterator[Found]:
        number = self.rows.plan.registers[name].kvm_id
        if found := _refusal(vcpu, number, want, name, have):
            yield from found
        elif vcpu.get(number, name) != want:
            yield Found(
                "changed", "breaks", name, f"{want:#x}", f"{vcpu.get(number, name):#x}", "kernel", "restart"
            )

    # ---- ID registers

    def registers(self, vcpu: VcpuLike) -> Iterator[Found]:
        """Write every ID register of the guest, and compare what is kept."""
        if not self.guest.registers:
            yield Found("not-recorded", "unknown", "ID registers", remedy="probe")
            return
        for name in self._silent():
            yield from self._of_possible(vcpu, name)
            yield Found("not-recorded", "unknown", name, "", _hex(self.limits.get(name)), remedy="probe")
        for name in sorted(self.guest.registers, key=lambda name: (name not in _FIRST, name)):
            if name not in IMPLEMENTATION_REGISTERS:
                yield from self._register(vcpu, name, self.guest.registers[name])

    def _silent(self) -> list[str]:
        # ID registers of which the guest does not say what it saw, though this host shows them, or its state has them.
        by_id = {row.kvm_id: row.name for row in self.rows.plan.identity}
        carried = {
            f"CCSIDR_EL1[{one & 0xFF}]" if one & _GROUP == _DEMUX else by_id.get(one, "")
            for one in self.guest.register_list or ()
        }
        return [
            name
            for name in dict.fromkeys([*self.limits, *sorted(carried)])
            if name
            and name not in self.guest.registers
            and name not in self.gone
            and name not in IMPLEMENTATION_REGISTERS
            and (not name.startswith("CCSIDR_EL1[") or name in carried)
        ]

    def _of_possible(self, vcpu: VcpuLike, name: str) -> Iterator[Found]:
        # Of what is not recorded it may be known what it can be: where none of that is kept, it is a certain no.
        row, limit = self.register_rows.get(name), self.limits.get(name)
        if row is None or limit is None:
            return
        for run in row.fields:
            values = self.guest.possible.get(run.subject)
            if values and run.subject not in self.free and run.get(limit) not in values:
                after = vcpu.write_and_read_back(row.kvm_id, [run.put(limit, one) for one in sorted(values)])
                vcpu.set(row.kvm_id, limit, name)
                if after == [None] * len(values):
                    said = ", ".join(map(str, sorted(values)))
                    yield Found(
                        "refused", "stops", run.subject, said, str(run.get(limit)), "silicon", "elsewhere"
                    )

    def _register(self, vcpu: VcpuLike, name: str, want: int) -> Iterator[Found]:
        row, limit = self.register_rows.get(name), self.limits.get(name)
        if limit is None:
            if name not in self.gone and not self._said_by_the_list(name):
                yield Found("not-recorded", "unknown", name, f"{want:#x}", remedy="probe")
            return
        wanted = want
        for run in row.runs if row is not None else ():
            if run.subject in self.free and run.get(want) != run.get(limit):
                yield Found("tolerated", "note", run.subject, str(run.get(want)), str(run.get(limit)))
                wanted = run.put(wanted, run.get(limit))
        number = self.ids[name]
        refused = _refusal(vcpu, number, wanted, name, limit)
        if refused:
            yield from self._each(vcpu, row, wanted, limit) if row is not None else refused
            return
        kept = self.held[name] = vcpu.get(number, name)
        yield from self._changed(name, row, wanted, kept)

    def _said_by_the_list(self, name: str) -> bool:
        if self.guest.register_list is None:
            return False
        try:
            number = id_of(name, self.rows.plan.kvm_ids)
        except UnknownName:
            return False
        return number in self.guest.register_list and number not in self.listed

    def _each(self, vcpu: VcpuLike, row: Tried, wanted: int, limit: int) -> Iterator[Found]:
        # One bad field refuses the whole register, and KVM does not say which: each is asked for alone.
        alone = []
        for run in row.runs:
            value = run.get(wanted)
            if value == run.get(limit):
                continue
            after = vcpu.write_and_read_back(row.kvm_id, [run.put(limit, value)])[0]
            vcpu.write_and_read_back(row.kvm_id, [limit])
            if after is None:
                alone.append(
                    Found("refused", "stops", run.subject, str(value), str(run.get(limit)), remedy="restart")
                )
            else:
                yield from self._changed_run(run, value, run.get(after), row.name)
        yield from alone or [
            Found("refused-together", "stops", row.name, f"{wanted:#x}", f"{limit:#x}", remedy="restart")
        ]

    def _changed(self, name: str, row: Tried | None, wanted: int, kept: int) -> Iterator[Found]:
        if row is None and kept != wanted:
            yield Found("changed", "breaks", name, f"{wanted:#x}", f"{kept:#x}", "kernel", "restart")
        for run in row.runs if row is not None else ():
            yield from self._changed_run(run, run.get(wanted), run.get(kept), name)

    def _changed_run(self, run: Run, wanted: int, kept: int, name: str) -> Iterator[Found]:
        if kept == wanted:
            return
        harmless = name in self.gone or run.subject in self.rows.harmless or run.subject in self.rows.above
        yield Found(
            "changed",
            "note" if harmless else "breaks",
            run.subject,
            str(wanted),
            str(kept),
            "kernel",
            "" if harmless else "restart",
        )

    # ---- firmware registers

    def firmware(self, vcpu: VcpuLike) -> Iterator[Found]:
        """Write every firmware register that the guest's state has; what became of it shows after the first run."""
        carried = self.guest.register_list
        if not self.guest.firmware:
            yield Found("not-recorded", "unknown", "firmware registers", remedy="probe")
            return
        for name, row in sorted(self.rows.firmware.items()):
            if name not in self.guest.firmware and row.kvm_id in (
                self.listed if carried is None else carried
            ):
                yield Found("not-recorded", "unknown", name, remedy="probe")
        for name, want in sorted(self.guest.firmware.items()):
            known = self.rows.firmware.get(name)
            if known is None:
                yield Found("not-recorded", "unknown", name, f"{want:#x}", remedy="probe")
            elif known.kvm_id in self.listed and (carried is None or known.kvm_id in carried):
                try:
                    vcpu.set(known.kvm_id, want, name)
                    self.levels[name] = True
                except KvmError as exc:
                    if exc.code not in _REFUSED:
                        raise
                    self.levels[name] = False

    def _level(self, name: str, have: int, *, taken: bool) -> Iterator[Found]:
        want, row = self.guest.firmware[name], self.rows.firmware[name]
        said = f"{want:#x}", f"{have:#x}", "kernel", "restart"
        if row.kind != "level":
            if not taken or have != want:
                yield Found("refused", "stops", name, *said)
            return
        ours, theirs = row.ranks.get(want), row.ranks.get(have)
        if want == have and taken:
            return
        if ours is None or theirs is None:
            yield Found("not-recorded", "unknown", name, *said)
        elif ours > theirs and WEAKER_MITIGATION in self.guest.tolerates:
            yield Found("tolerated", "note", name, *said)
        elif not taken:
            yield Found("refused", "stops", name, *said)
        elif ours > theirs:
            yield Found("level-weaker", "breaks", name, *said)

    # ---- what KVM makes of it all

    def first_run(self, vcpu: VcpuLike) -> Iterator[Found]:
        """Let KVM finish the VM, and compare once more: it changes what it enforces before the first instruction."""
        try:
            vcpu.finalize()
        except KvmError as exc:
            if exc.code not in _REFUSED:
                raise
            yield Found(
                "will-not-run", "stops", "vCPU", host=errno.errorcode.get(exc.code, ""), cause="kernel"
            )
            return
        self.finished = True
        for name, was in self.held.items():
            now = vcpu.get(self.ids[name], name)
            row = self.register_rows.get(name)
            if now != was and name not in self.gone:
                yield from self._after(name, row, was, now)
        for name, taken in self.levels.items():
            yield from self._level(name, vcpu.get(self.rows.firmware[name].kvm_id, name), taken=taken)

    def _after(self, name: str, row: Tried | None, was: int, now: int) -> Iterator[Found]:
        runs: Iterable[Run] = row.runs if row is not None else (Run(name, 0, (1 << 64) - 1),)
        for run in runs:
            if run.get(was) != run.get(now) and run.subject not in self.free:
                values = str(run.get(was)), str(run.get(now))
                yield Found("changed-at-first-run", "breaks", run.subject, *values, "kernel", "restart")


def _hex(value: int | None) -> str:
    return "" if value is None else f"{value:#x}"
