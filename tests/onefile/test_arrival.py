"""A made-up KVM is asked for a guest: what it refuses, changes or lacks is found, and nothing unknown is a yes."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from armlevel.arch import load
from armlevel.documents.packed import pack
from armlevel.errors import KvmError
from armlevel.kvm import id_of
from armlevel.onefile import trying
from armlevel.onefile.arrival import arrival
from armlevel.onefile.arrival_list import sets_of
from armlevel.onefile.codes import CODES
from armlevel.onefile.found import Found, answer_of
from armlevel.onefile.here import Here
from armlevel.onefile.rows import rows_of
from armlevel.profile import Facts, Guest, GuestMachine, Implementation, Shape, ShownImplementation
from tests.probe.fake import BMAP, CATALOGUE, CTR, MIDR, PFR0, PSCI, WA1, FakeKvm, FakeVcpu, like_7_3

ROWS = rows_of(load())
CORE = Implementation(0x410FD493, 0, 0)
HERE = Here((CORE,), (0,), None, 4096, "")
NAMES = {row.kvm_id: name for name, row in CATALOGUE.registers.items()}
FIRMWARE = {row.kvm_id: name for name, row in CATALOGUE.firmware.items()}


def kvm(**changes: Any) -> FakeKvm:
    return FakeKvm(like_7_3, **{"mrs": (100_000_000, 4), **changes})


def guest_of(host: FakeKvm, features: Iterable[str] = (), **changes: Any) -> Guest:
    """The passthrough guest of a made-up host."""
    host.values.setdefault(0x603000000013C006, 0)  # REVIDR_EL1
    host.values.setdefault(0x603000000013C807, 0)  # AIDR_EL1
    vcpu = FakeVcpu(host, host.create_vm())
    vcpu.init([{"pmu_v3": 3, "sve": 4}[name] for name in features])
    shown = vcpu.values
    registers = {NAMES[one]: value for one, value in shown.items() if one in NAMES and one != MIDR}
    registers = {name: value for name, value in registers.items() if name not in ("REVIDR_EL1", "AIDR_EL1")}
    plain = Guest(
        "g",
        Shape(frozenset(features)),
        {**registers, "CCSIDR_EL1[0]": 0x700FE01A},
        tuple(sorted(shown)),
        {FIRMWARE[one]: value for one, value in shown.items() if one in FIRMWARE},
        (128, 256) if "sve" in features else None,
        Facts(100_000_000, 4, None, 4096),
        ShownImplementation(CORE),
        pmu_counters=6 if "pmu_v3" in features else None,
    )
    return replace(plain, **changes)


def tried(host: FakeKvm, guest: Guest, here: Here = HERE) -> tuple[Found, ...]:
    host.values.setdefault(0x603000000013C006, 0)
    host.values.setdefault(0x603000000013C807, 0)
    found = arrival(host, guest, ROWS, here)
    assert all(one.code in CODES for one in found)
    return found


def against(found: Iterable[Found]) -> set[tuple[str, str, str]]:
    return {(one.code, one.severity, one.subject) for one in found if one.severity != "note"}


def with_register(guest: Guest, name: str, change: int) -> Guest:
    return replace(guest, registers={**guest.registers, name: guest.registers[name] ^ change})


@pytest.mark.parametrize("features", [(), ("pmu_v3",), ("pmu_v3", "sve")], ids=str)
def test_a_guest_runs_on_the_host_it_comes_from(features):
    host = kvm()
    assert tried(host, guest_of(host, features)) == ()
    assert host.open == 1  # that of guest_of: every scratch VM is gone


def test_what_is_refused_is_told_by_field():
    guest = with_register(guest_of(kvm()), "ID_AA64ISAR0_EL1", 0x100)
    assert against(tried(kvm(), guest)) == {("refused", "stops", "ID_AA64ISAR0_EL1.SHA1")}


def test_what_only_goes_together_is_refused_together():
    def rule(register: int, value: int, limit: int, _features: frozenset[str]) -> int | None:
        both = register == PFR0 and value & 0xFF == limit & 0xFF ^ 0x33
        return None if both else value

    guest = with_register(guest_of(kvm()), "ID_AA64PFR0_EL1", 0x33)
    assert against(tried(FakeKvm(rule), guest)) == {("refused-together", "stops", "ID_AA64PFR0_EL1")}


def test_what_is_changed_breaks_it_unless_rows_say_that_it_is_harmless():
    def rule(register: int, value: int, limit: int, _features: frozenset[str]) -> int:
        return limit

    guest = with_register(guest_of(kvm()), "ID_AA64ISAR0_EL1", 0x100)
    assert against(tried(FakeKvm(rule), guest)) == {("changed", "breaks", "ID_AA64ISAR0_EL1.SHA1")}
    nested = with_register(guest_of(kvm()), "ID_AA64MMFR2_EL1", 2 << 24)
    found = tried(kvm(), nested)
    assert [(one.code, one.severity) for one in found] == [("changed", "note")]
    assert answer_of(found) == "runs"


def test_what_may_differ_does():
    guest = with_register(guest_of(kvm()), "ID_AA64ISAR0_EL1", 0x100)
    found = tried(kvm(), replace(guest, tolerates=("ID_AA64ISAR0_EL1.SHA1",)))
    assert [(one.code, one.severity, one.subject) for one in found] == [
        ("tolerated", "note", "ID_AA64ISAR0_EL1.SHA1")
    ]
    nested = replace(with_register(guest_of(kvm()), "ID_AA64MMFR2_EL1", 3 << 24), tolerates=("el2-only",))
    assert answer_of(tried(kvm(), nested)) == "runs"
    assert answer_of(tried(kvm(), replace(nested, tolerates=()))) == "refused"


def test_a_register_without_meaning_need_not_be_recorded():
    mvfr0 = CATALOGUE.registers["MVFR0_EL1"].kvm_id
    both = guest_of(kvm())
    assert against(tried(kvm(more_registers=[mvfr0]), both)) == {("not-recorded", "unknown", "MVFR0_EL1")}
    only64 = with_register(both, "ID_AA64PFR0_EL1", 0x3)  # EL0 in AArch64 alone
    host = FakeKvm(lambda _id, value, _limit, _features: value, more_registers=[mvfr0])
    assert tried(host, only64) == ()


def test_what_the_first_run_changes_breaks_it():
    host = kvm(at_first_run={CTR: 0x8444C005})
    guest = guest_of(kvm())
    assert against(tried(host, guest)) == {("changed-at-first-run", "breaks", "CTR_EL0.IminLine")}


@pytest.mark.parametrize(
    ("code", "answer"), [(errno.EINVAL, "refused"), (errno.EPERM, "refused"), (errno.ENOMEM, None)]
)
def test_a_vm_that_will_not_run_is_refused_and_any_other_failure_is_none_of_it(monkeypatch, code, answer):
    def finalize(_self: FakeVcpu) -> None:
        raise KvmError("no", code=code)

    monkeypatch.setattr(FakeVcpu, "finalize", finalize)
    guest = guest_of(kvm())
    if answer is None:
        with pytest.raises(KvmError):
            tried(kvm(), guest)
    else:
        assert against(tried(kvm(), guest)) == {("will-not-run", "stops", "vCPU")}


def test_a_failure_at_any_call_is_never_a_yes(monkeypatch):
    guest = guest_of(kvm(), ("pmu_v3", "sve"))
    calls = ("init", "finalize_sve", "registers", "get", "set", "enable_pmu", "finalize", "run")
    for name in calls:
        for code in (errno.ENOMEM, errno.EINVAL, errno.EIO, errno.EINTR):
            with monkeypatch.context() as broken:

                def fail(*_: object, code: int = code, **__: object) -> None:
                    raise KvmError("broken", code=code)

                broken.setattr(FakeVcpu, name, fail)
                with contextlib.suppress(KvmError):
                    assert answer_of(tried(kvm(), guest)) != "runs", (name, code)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"registers": {}}, ("not-recorded", "ID registers")),
        ({"register_list": None}, ("not-recorded", "register list")),
        ({"firmware": {}}, ("not-recorded", "firmware registers")),
        ({"implementation": None}, ("not-recorded", "MIDR_EL1")),
        (
            {"implementation": ShownImplementation(Implementation(0x410FD493, 0))},
            ("not-recorded", "AIDR_EL1"),
        ),
        ({"facts": Facts(None, 4)}, ("not-recorded", "CNTFRQ_EL0")),
        ({"facts": Facts(100_000_000)}, ("not-recorded", "DCZID_EL0")),
        ({"unknown": ("KVM_CAP 999",)}, ("kvm-newer", "KVM_CAP 999")),
        ({"pmu_counters": None}, ("not-recorded", "pmu.counters")),
        ({"sve_vls": None}, ("not-recorded", "sve_vls")),
        ({"machine": GuestMachine(vmm="other")}, ("around", "machine.vmm")),
    ],
)
def test_what_is_not_recorded_is_unknown(changes, found):
    guest = guest_of(kvm(), ("pmu_v3", "sve"), **changes)
    said = tried(kvm(), guest)
    assert answer_of(said) == "unknown"
    assert found in {(one.code, one.subject) for one in said if one.severity == "unknown"}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"facts": Facts(62_500_000, 4)}, ("clock-differs", "breaks", "CNTFRQ_EL0")),
        ({"facts": Facts(100_000_000, 3)}, ("fact-differs", "breaks", "DCZID_EL0")),
        ({"sve_vls": (128, 256, 384)}, ("lengths-differ", "stops", "sve_vls")),
        ({"pmu_counters": 8}, ("counters-fewer", "breaks", "pmu.counters")),
        ({"shape": Shape(frozenset({"pmu_v3", "sve", "ptrauth"}))}, ("feature-missing", "stops", "ptrauth")),
        ({"shape": Shape(imp_id_writable=True)}, ("feature-missing", "stops", "imp_id")),
        (
            {"implementation": ShownImplementation(Implementation(0x410FD0C1, 0, 0))},
            ("refused", "stops", "MIDR_EL1"),
        ),
        (
            {"implementation": ShownImplementation(Implementation(0x410FD493, 1, 0))},
            ("refused", "stops", "REVIDR_EL1"),
        ),
    ],
)
def test_what_differs_is_refused(changes, found):
    guest = guest_of(kvm(), ("pmu_v3", "sve"), **changes)
    assert found in against(tried(kvm(), guest))


def test_a_weaker_workaround_breaks_a_guest_and_a_stronger_one_does_not():
    def told(level: int) -> FakeKvm:
        host = kvm()
        host.values[WA1] = level
        return host

    assert tried(told(2), guest_of(told(1))) == ()
    weaker = guest_of(told(2))
    assert against(tried(told(1), weaker)) == {("refused", "stops", FIRMWARE[WA1])}
    assert answer_of(tried(told(1), replace(weaker, tolerates=("accept-weaker-mitigation",)))) == "runs"


def test_firmware_is_tried_as_any_value():
    guest = guest_of(kvm())
    newer = replace(guest, firmware={**guest.firmware, FIRMWARE[PSCI]: 0x10003, FIRMWARE[BMAP]: 3})
    said = against(tried(kvm(), newer))
    assert said == {("refused", "stops", FIRMWARE[PSCI]), ("refused", "stops", FIRMWARE[BMAP])}
    strange = replace(guest, firmware={**guest.firmware, "KVM_REG_ARM_NEW": 1})
    assert answer_of(tried(kvm(), strange)) == "unknown"


def test_a_register_that_is_not_listed_stops_it_unless_this_vmm_lets_it(monkeypatch):
    tcr2 = id_of("TCR2_EL1")
    guest = guest_of(kvm(more_registers=[tcr2]))
    assert against(tried(kvm(), guest)) == {("list-lacks", "stops", "TCR2_EL1")}
    for version, severity in (("11.1.3", "note"), ("10.0.13", "stops"), ("12.4", "unknown"), ("", "unknown")):
        monkeypatch.setattr("armlevel.onefile.arrival_list.version_of", lambda _path, said=version: said)
        here = HERE._replace(emulator="/usr/bin/qemu-system-aarch64")
        assert {one.severity for one in tried(kvm(), guest, here)} == {severity}, version
    assert sets_of("/usr/bin/firecracker", ROWS) == {"firecracker"}


def test_on_cpus_of_several_kinds_nothing_is_promised():
    other = Implementation(0x410FD0C1, 0, 0)
    here = HERE._replace(cpus=(CORE, other))
    said = against(tried(kvm(), guest_of(kvm(), ("pmu_v3",)), here))
    assert ("cpus-differ", "unknown", "MIDR_EL1") in said
    assert ("cpus-differ", "unknown", "pmu.counters") in said
    third = guest_of(kvm(), implementation=ShownImplementation(Implementation(0x411FD401, 0, 0)))
    assert ("refused", "stops", "MIDR_EL1") in against(tried(kvm(), third, here))


def test_pointers_signed_by_another_core_are_refused():
    isar1 = CATALOGUE.registers["ID_AA64ISAR1_EL1"].kvm_id

    def signing() -> FakeKvm:
        host = FakeKvm(like_7_3, possible=("ptrauth",))
        host.values[isar1] = 1 << 8  # API
        return host

    guest = guest_of(signing())
    guest = replace(guest, shape=Shape(frozenset({"ptrauth"})))
    assert tried(signing(), guest) == ()
    elsewhere = HERE._replace(cpus=(Implementation(0x410FD0C1, 0, 0),))
    assert ("other-core", "breaks", "ptrauth") in against(tried(signing(), guest, elsewhere))
    nobody = HERE._replace(cpus=())
    assert ("core-not-known", "unknown", "ptrauth") in against(tried(signing(), guest, nobody))
    same = replace(guest, tolerates=("assume-same-impdef",))
    assert ("other-core", "breaks", "ptrauth") not in against(tried(signing(), same, elsewhere))


def test_the_interrupt_controller_is_tried_where_a_guest_records_one():
    asked = GuestMachine(vmm="firecracker", gic_asked="3", gic=3, its=False, virtualization=False, steal_time=False,
                         steal_time_asked="off", icc_ctlr={"PRIbits": 4, "IDbits": 0, "SEIS": 0, "A3V": 0})  # fmt: skip
    guest = guest_of(kvm(), machine=asked)
    assert against(tried(kvm(), guest)) == set()
    assert ("around", "stops", "machine.icc_ctlr") in against(tried(kvm(icc_ctlr=0x4000 | 0x400), guest))
    assert ("around", "stops", "machine.gic") in against(tried(kvm(devices=(4,)), guest))


def test_a_version_that_is_not_known_is_tried_as_unknown():
    said = trying.tried("7:anything", cache=None)
    assert (said.answer, said.findings[0].code, said.digest) == ("unknown", "unknown-packing", None)
    assert trying.tried("", cache=None).answer == "unknown"
    assert trying.tried("1:" + "A" * 100, cache=None).findings[0].code == "no-such-guest"


def test_a_machine_without_kvm_says_that_it_cannot_say():
    said = trying.tried(pack(guest_of(kvm())), cache=None, device="/nonexistent/kvm")
    assert (said.answer, said.findings[0].code) == ("unknown", "kvm-failed")
    assert said.digest is not None
