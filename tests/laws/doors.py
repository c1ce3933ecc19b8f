"""Every door through which an answer leaves, as what it promises about two documents."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import Any

from armlevel import engine
from armlevel.arch import load
from armlevel.documents import guest_object, host_object, read_guest, read_host
from armlevel.engine import Part, level, passthrough
from armlevel.engine.parts.machine_given import given_on
from armlevel.errors import ArmlevelError
from armlevel.formats.cpu_request import CpuRequest
from armlevel.kvm import id_of
from armlevel.operations.baseline import baseline
from armlevel.operations.check import check
from armlevel.operations.diff import diff
from armlevel.operations.drift import drift
from armlevel.operations.export import TARGETS, export, needs_host
from armlevel.operations.freeze import freeze
from armlevel.operations.matrix import letter_of, matrix
from armlevel.operations.migrate import migrate
from armlevel.operations.nova_filter import nova_filter
from armlevel.operations.plan import plan
from armlevel.operations.run import run
from armlevel.profile import Guest, GuestMachine, Host, Shape
from tests.fidelity.hosts import read

__all__ = ["GUEST_DOORS", "HOST_DOORS", "Promises", "guest_document", "host_document", "promises"]

#: What a door says yes to. Nothing that is read or refused is a promise.
Promises = frozenset[tuple[str, ...]]
Document = Mapping[str, Any]

# A few registers of each part: the more there are, the fewer changes are tried in the same time.
_REGISTERS = (
    *("MIDR_EL1", "REVIDR_EL1", "AIDR_EL1", "CTR_EL0", "CLIDR_EL1", "CCSIDR_EL1[0]", "ID_AA64PFR0_EL1"),
    *("ID_AA64ISAR0_EL1", "ID_AA64ISAR1_EL1", "ID_AA64DFR0_EL1", "ID_AA64MMFR0_EL1", "ID_AA64ZFR0_EL1"),
    *("ID_PFR0_EL1", "ID_DFR0_EL1", "TTBR0_EL1", "PMCR_EL0", "S3_0_0_4_3"),
)
_SHAPES = (["pmu_v3", "ptrauth", "sve"], ["sve"])
_CAPABILITIES = ("VCPU_SVE", "VCPU_PMU_V3", "VCPU_PTRAUTH", "STEAL_TIME", "ARM_WRITABLE_IMP_ID_REGS")


_ASKED = GuestMachine(
    vmm="qemu",
    machine="virt-10.0",
    gic_asked="max",
    its=True,
    vcpus=4,
    memory=1 << 30,
    maxmem=8 << 30,
    slots=1,
    virtualization=False,
    steal_time_asked="default",
    **load().board_defaults((10, 0)),
)


@cache
def host_document() -> dict[str, Any]:
    """A small host that records something under every key it can."""
    (found,) = read(["neoverse-v1@7.x"])
    rich, poor = (found.offer(Shape(frozenset(some))) for some in _SHAPES)
    assert rich is not None
    assert poor is not None
    # One shape stands for itself, and one is like it: what is changed in the first is changed in both.
    less = {name: value for name, value in poor.limits.items() if rich.limits[name] != value}
    gone = tuple(sorted({*(rich.register_list or ())} - {*(poor.register_list or ())}))
    like = replace(
        rich, shape=poor.shape, like=0, limits=less, accepts={}, register_list=None, firmware={}, state={}
    )
    like = replace(like, register_list_without=gone, sve_vls=None, pmu={}, side_effects={}, changed_by_kvm={})
    document = host_object(replace(found, offers=(rich, like)))
    del document["digest"]
    listed = {f"{id_of(name):#018x}" for name in _REGISTERS}
    firmware = [name for name in document["offers"][0]["firmware"] if name in load().firmware]
    listed |= {f"{id_of(name):#018x}" for name in firmware}
    for offer in document["offers"]:
        for key in ("limits", "state", "changed_by_kvm"):
            if key in offer:
                offer[key] = {name: value for name, value in offer[key].items() if name in _REGISTERS}
        for key in ("accepts", "side_effects"):
            if key in offer:
                offer[key] = {
                    s: value for s, value in offer[key].items() if s.partition(".")[0] in _REGISTERS
                }
        for key in ("register_list", "register_list_without"):
            if key in offer:
                offer[key] = [one for one in offer[key] if one in listed]
    document["software"]["kvm_capabilities"] = {
        name: value
        for name, value in document["software"]["kvm_capabilities"].items()
        if name in _CAPABILITIES
    }
    return document


@cache
def guest_document() -> dict[str, Any]:
    """The levelled guest of that host, and what stands around it there."""
    there = host(host_document())
    outcome = level([there], load())
    assert outcome.answer == "runs"
    assert outcome.guest is not None
    facts = replace(outcome.guest.facts, page_size=there.facts.page_size)
    whole = replace(outcome.guest, facts=facts, machine=given_on(_ASKED, there, load()))
    assert set(engine.check(whole, there, load()).parts.values()) == {("runs", "runs")}
    document = guest_object(whole)
    del document["digest"]
    return document


def host(document: Document) -> Host:
    return read_host(json.dumps(document).encode(), "host")


def guest(document: Document) -> Guest:
    return read_guest(json.dumps(document).encode(), "guest")


def promises(door: Callable[..., Iterator[tuple[str, ...]]], *documents: Document) -> Promises | None:
    """What a door promises about documents, nothing where it refuses to answer; None where they are no documents."""
    try:
        some = [host(one) if one["kind"].startswith("host") else guest(one) for one in documents]
    except ArmlevelError:
        return None
    with contextlib.suppress(ArmlevelError):
        return frozenset(door(*some))
    return frozenset()


# ---- doors of two hosts


def by_diff(one: Host, two: Host) -> Iterator[tuple[str, ...]]:
    if diff([one, two]).status == 0:
        yield ("no difference",)


def by_drift(one: Host, two: Host) -> Iterator[tuple[str, ...]]:
    found = drift([two], since=[one])
    if found.status == 0 and not any(one.changes for one in found.hosts):
        yield ("as it was",)


def by_migrate(one: Host, two: Host) -> Iterator[tuple[str, ...]]:
    for move in migrate([one, two]).moves:
        if move.answer == "runs":
            yield ("moves", move.source, move.target)


def by_migrate_of_qemu(one: Host, two: Host) -> Iterator[tuple[str, ...]]:
    for move in migrate([one, two], vmm="qemu-10.0").moves:
        if move.answer == "runs":
            yield ("moves", move.source, move.target)
        if move.prediction is not None and move.prediction.outcome == "completes":
            yield ("completes", move.source, move.target)


def by_baseline(one: Host, two: Host) -> Iterator[tuple[str, ...]]:
    if baseline([one, two]).status == 0:
        yield ("baseline",)


def by_plan(one: Host, two: Host) -> Iterator[tuple[str, ...]]:
    found = plan([one, two])
    for group in found.plan.pools:
        yield from (("group", *some) for some in combinations(sorted(group.hosts), 2))
        yield from (("placed", name) for name in group.hosts)
    if found.status == 0:
        yield ("planned",)


def by_matrix(one: Host, two: Host) -> Iterator[tuple[str, ...]]:
    found = matrix([one, two])
    for cell in found.cells:
        if letter_of(cell) in "PL":
            yield ("moves", cell.source, cell.target)
    for group in found.groups.groups:
        yield from (("together", *some) for some in combinations(sorted(group.hosts), 2))
        yield from (("has one", name) for name in group.hosts)


def by_import(_: Host, two: Host) -> Iterator[tuple[str, ...]]:
    from armlevel.operations.import_ import guest_of

    for off in ((), ("pmu_v3", "ptrauth")):
        request = CpuRequest("a domain", dict.fromkeys(off, False), frozenset({"pmu_v3", "sve", "ptrauth"}))
        with contextlib.suppress(ArmlevelError):
            if guest_of(request, two, "file").status == 0:
                yield ("imported", *off)


# ---- doors of a guest and a host


def by_check(one: Guest, two: Host) -> Iterator[tuple[str, ...]]:
    # A yes is one of the parts that were judged: what was not is named beside it.
    (verdict,) = check(one, [two]).verdicts
    for part, (start, arrive) in verdict.parts.items():
        if start == "runs":
            yield ("starts", part)
        if arrive == "runs":
            yield ("arrives", part)
    if verdict.start == "runs" and not verdict.not_judged:
        yield ("starts",)
    if verdict.arrive == "runs" and not verdict.not_judged:
        yield ("arrives",)


def by_export(one: Guest, two: Host) -> Iterator[tuple[str, ...]]:
    for to, forms in TARGETS.items():
        for form in forms:
            if form == "fingerprint":
                continue
            for there in (two, *(() if needs_host(to, form) else (None,))):
                with contextlib.suppress(ArmlevelError):
                    found = export(one, to, form, host=there)
                    if there is not None and not _whole(one, found.not_judged):
                        continue
                    where = "anywhere" if there is None else "there"
                    if found.status == 0:
                        yield ("written", to, form, where)
                    if form in ("features", "provider"):
                        yield from (("marked", word) for word in _marks(found.text))


def by_filter(one: Guest, two: Host) -> Iterator[tuple[str, ...]]:
    found = nova_filter([one], [two]).document()
    for kinds in found["answers"].values():
        for answer in kinds.values():
            if _whole(one, tuple(answer.get("not_judged", ()))):
                yield from (("passes", side) for side in ("start", "arrive") if answer[side] == "runs")


def _marks(text: str) -> Iterator[str]:
    for word in ("=start", "=arrive", "ARMLEVEL_START", "ARMLEVEL_ARRIVE"):
        if word in text:
            yield word


def _whole(guest: Guest, not_judged: tuple[Part, ...]) -> bool:
    # A yes without the machine is no plain one, and names what it leaves out.
    assert ("machine" in not_judged) == (guest.machine is None)
    return not not_judged


def by_freeze(one: Guest, _: Host) -> Iterator[tuple[str, ...]]:
    if freeze(one, "cpu", "1").status == 0:
        yield ("frozen",)


def by_run(one: Guest, two: Host) -> Iterator[tuple[str, ...]]:
    command = ["qemu-system-aarch64", "-M", "virt-10.0", "-accel", "kvm", "-cpu", "host"]
    for more in ([], ["-incoming", "defer"]):
        with contextlib.suppress(ArmlevelError):
            found = run([*command, *more], one, two, {}, here=False)
            if found.status == 0 and _whole(one, found.not_judged):
                yield ("started", *more)


def by_diff_with_a_guest(one: Guest, two: Host) -> Iterator[tuple[str, ...]]:
    if diff([one, passthrough(two, load(), shape=one.shape, machine=one.machine)]).status == 0:
        yield ("no difference",)


def by_migrate_of_a_guest(one: Guest, two: Host) -> Iterator[tuple[str, ...]]:
    other = host(host_document())
    for vmm in ("kvm", "qemu-10.0"):
        for move in migrate([other, two], one, vmm=vmm).moves:
            parts = {part: arrive for part, (_, arrive) in move.verdict.parts.items()}
            for part, answer in parts.items():
                if answer == "runs":
                    yield ("moves", vmm, move.source, move.target, part)
            if move.answer == "runs" and not move.verdict.not_judged:
                yield ("moves", vmm, move.source, move.target)


HOST_DOORS = (by_diff, by_drift, by_migrate, by_migrate_of_qemu, by_baseline, by_plan, by_matrix, by_import)
GUEST_DOORS = (
    by_check,
    by_export,
    by_filter,
    by_freeze,
    by_run,
    by_diff_with_a_guest,
    by_migrate_of_a_guest,
)
