"""Every ID register value and the implementation of a guest, field by field, against one offer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from armlevel.arch import Catalogue, Field
from armlevel.engine.case import Case
from armlevel.engine.causes import newer_line
from armlevel.engine.fields.bundles import register_outcome
from armlevel.engine.fields.cache_geometry import refused_geometry
from armlevel.engine.fields.domains import accepts_of, fields_of
from armlevel.engine.fields.partial import possible_midrs
from armlevel.engine.fields.tolerance import class_of, tolerance_remedy, tolerated_finding
from armlevel.engine.findings import (
    Cause,
    Finding,
    Remedy,
    Severity,
    Side,
)
from armlevel.engine.names import FieldName, hosts_of
from armlevel.engine.parts.register_list import carried_unvalued
from armlevel.engine.parts.registers_certain import is_never_taken, why_never
from armlevel.engine.parts.registers_implementation import not_alike, shown_by
from armlevel.engine.reasons import Reason, ReasonCode, from_row
from armlevel.engine.subjects import Subject, about_field, about_register, about_whole
from armlevel.engine.values import (
    ANY,
    NOT_RECORDED,
    FieldValues,
    Implementations,
    RegisterValue,
    Value,
    offered,
)
from armlevel.kvm import id_of
from armlevel.profile import (
    IMPLEMENTATION_REGISTERS,
    Accepts,
    Guest,
    Host,
    Implementation,
    Offer,
    Outcome,
)

__all__ = ["judge_implementation", "judge_registers", "silent", "told_by_the_lists"]

# Fields that only software of these levels can use make no difference to a guest without them.
_ABOVE_GUEST = ("el2", "el3")
_CACHE: Literal["CCSIDR_EL1["] = "CCSIDR_EL1["


_GUEST_UNRECORDED: ReasonCode = "guest-implementation-not-recorded"


def judge_registers(case: Case) -> list[Finding]:
    """Judge every ID register value and the implementation, field by field, against one offer."""
    guest, host, offer, catalogue = case.guest, case.host, case.offer, case.catalogue
    findings = judge_implementation(case)
    cause = _cause(guest, host, shown_by(offer.limits, host))
    if not guest.registers:
        findings.append(
            _not_recorded(guest.name, about_whole("id-registers"), "guest-registers-not-recorded")
        )
    else:
        findings += silent(case)
    for name, want in guest.registers.items():
        limit = offer.limits.get(name)
        if limit is None:
            if name in case.gone or told_by_the_lists(name, guest, offer, catalogue):
                continue
            findings.append(_not_recorded(host.name, about_register(name), "host-value-not-recorded"))
            continue
        if want == limit:
            continue
        if geometry := refused_geometry(offer, name, want):
            needs, offers = (RegisterValue(want),), offered((host.name, RegisterValue(limit)))
            why = (Reason(geometry),)
            findings.append(
                Finding(about_register(name), "registers", "stops", needs, offers, cause, because=why)
            )
            continue
        for field in fields_of(catalogue, name, (want, limit)):
            value, top = field.get(want), field.get(limit)
            if value != top:
                accepts = accepts_of(offer, field, top)
                asked = _Asked(field, value, top, accepts, cause, name in case.gone)
                findings += _judge_field(asked, case)
    return findings


def silent(case: Case) -> list[Finding]:
    """Return the ID registers of which the profile does not say what the guest saw.

    Those that the host shows, or that the guest's state carries; a register that no table knows is one too: a guest
    that boots here reads it.
    """
    guest, catalogue = case.guest, case.catalogue
    identity = set(catalogue.bundles["implementation"].registers)
    carried = carried_unvalued(guest, case.gone, catalogue)
    return [
        _not_recorded(guest.name, about_register(name), "guest-value-not-recorded")
        for name in dict.fromkeys([*case.offer.limits, *carried])
        if name not in guest.registers
        and name not in case.gone
        and name not in identity
        and ((row := catalogue.registers.get(name)) is None or not row.derived)
        # A cache that the hosts of a fleet do not share is in no guest's list, and of lists another part speaks.
        and (not name.startswith(_CACHE) or name in carried)
    ]


def _not_recorded(owner: str, subject: Subject, why: ReasonCode) -> Finding:
    return Finding(
        subject,
        "registers",
        "unknown",
        offers=offered((owner, NOT_RECORDED)),
        because=(Reason(why),),
        remedies=(Remedy("probe", hosts=hosts_of([owner])),),
    )


def told_by_the_lists(name: str, guest: Guest, offer: Offer, catalogue: Catalogue) -> bool:
    """Whether the guest's state carries a register that the host does not list: another part says so."""
    if guest.register_list is None or offer.register_list is None:
        return False
    row = catalogue.registers.get(name)
    kvm_id = id_of(name) if row is None else row.kvm_id
    return kvm_id in guest.register_list and kvm_id not in offer.register_list


@dataclass(frozen=True, slots=True)
class _Asked:
    # One field where the guest's value is not the host's limit.
    field: Field
    value: int
    limit: int
    accepts: Accepts
    cause: Cause
    gone: bool  # the register means nothing in this guest

    def finding(
        self, host: Host, severity: Severity, side: Side | None, because: tuple[Reason, ...] = ()
    ) -> Finding:
        sides: tuple[Side, ...] = (side,) if side else ("arrive",) if self.gone else ("start", "arrive")
        offers = offered((host.name, _takes(self.accepts, self.limit)))
        needs = (FieldValues((self.value,)),)
        return Finding(
            about_field(self.field.subject), "registers", severity, needs, offers, self.cause, sides, because
        )


def _judge_field(asked: _Asked, case: Case) -> list[Finding]:
    guest, host, catalogue = case.guest, case.host, case.catalogue
    field, value = asked.field, asked.value
    outcome = asked.accepts.outcome(value)
    if outcome == "same":
        return []
    if field.subject in case.tolerated:
        by = class_of(field.subject, guest.tolerates, catalogue, guest.shape)
        takes = offered((host.name, _takes(asked.accepts, asked.limit)))
        return [tolerated_finding(field, by, takes, (FieldValues((value,)),))]
    if outcome == "changed" or value in asked.accepts.unsure:
        return _judge_changed(asked, host, catalogue)
    never: tuple[Reason, ...] = ()
    if outcome == "unknown" and is_never_taken(case, field, value):
        never = why_never(field, [host], catalogue, frozenset({value}))
    if outcome == "unknown" and not never:
        finding = asked.finding(host, "unknown", None, (Reason("value-not-measured"),))
        return [replace(finding, remedies=(Remedy("probe", hosts=hosts_of([host.name])),))]
    direction = field.compare(value, asked.limit)
    remedy = None
    if direction == "more":
        remedy = Remedy("pin", (FieldName(field.subject), asked.limit))
    elif direction == "less":
        remedy = newer_line(field.subject, {host.name: host.software.kernel}, catalogue)
    tolerance = tolerance_remedy(field.subject, catalogue, guest.shape)
    remedies = tuple(one for one in (remedy, tolerance) if one is not None)
    return [replace(asked.finding(host, "stops", None, never), remedies=remedies)]


def _judge_changed(asked: _Asked, host: Host, catalogue: Catalogue) -> list[Finding]:
    row = next((row for row in catalogue.ignored if row.field == asked.field.subject), None)
    why = (from_row(row.why),) if row is not None else ()
    if asked.value in asked.accepts.unsure:
        arrive = asked.finding(host, "unknown", "arrive", (*why, Reason("hangs-on-hardware")))
    else:
        harmless = asked.gone or (row is not None and row.harmless) or asked.field.who in _ABOVE_GUEST
        arrive = asked.finding(host, "note" if harmless else "breaks", "arrive", why)
    return [arrive] if asked.gone else [asked.finding(host, "stops", "start", why), arrive]


def _takes(accepts: Accepts, limit: int) -> Value:
    return ANY if accepts.values is None else FieldValues(tuple(sorted(accepts.values | {limit})))


def _cause(guest: Guest, host: Host, shown: Implementation | None) -> Cause:
    if guest.implementation is None or shown is None:
        return "not known"
    if "imp_id" in guest.shape.label:
        return "silicon"
    same = {guest.implementation.shown.same_as(one) for one in host.implementations | {shown}}
    return "kernel" if True in same else "not known" if None in same else "silicon"


def judge_implementation(case: Case) -> list[Finding]:
    """Judge MIDR_EL1, REVIDR_EL1 and AIDR_EL1."""
    guest, host, offer, catalogue = case.guest, case.host, case.offer, case.catalogue
    shown = shown_by(offer.limits, host)
    mixed = host.mixed and not offer.shape.imp_id_writable
    if (guest.implementation is None or mixed or shown is None) and (never := _no_cpu_has_it(case)):
        return never
    if guest.implementation is None:
        return [_one_of(case) or _not_recorded(guest.name, about_register("MIDR_EL1"), _GUEST_UNRECORDED)]
    if mixed:
        return not_alike(guest.implementation.shown, host, offer, catalogue)
    if shown is None:
        return [_not_recorded(host.name, about_register("MIDR_EL1"), "host-implementation-not-recorded")]
    wanted, here = guest.implementation.shown.registers(), shown.registers()
    findings: list[Finding] = []
    for register in IMPLEMENTATION_REGISTERS:
        want, have = wanted.get(register), here.get(register)
        if want is None:
            findings.append(_not_recorded(guest.name, about_register(register), "guest-value-not-recorded"))
        elif have is None:
            findings.append(_not_recorded(host.name, about_register(register), "host-value-not-recorded"))
        elif want != have and (outcome := _number_outcome(offer, register, want, catalogue)) != "same":
            findings.append(
                Finding(
                    about_register(register),
                    "registers",
                    "unknown" if outcome == "unknown" else "stops",
                    needs=(RegisterValue(want),),
                    offers=offered((host.name, RegisterValue(have))),
                    cause="silicon",
                    because=(Reason("implementation-not-writable"),),
                    remedies=(Remedy("level", hosts=hosts_of([host.name])),),
                )
            )
    return findings


def _no_cpu_has_it(case: Case) -> list[Finding]:
    # KVM takes the MIDR_EL1 of one of the host's CPUs; where none of them has the guest's, it does not matter of which.
    guest, here = case.guest, possible_midrs(case.host)
    midr = guest.implementation.shown.midr if guest.implementation is not None else None
    wanted = guest.possible.get("MIDR_EL1") if midr is None else frozenset({midr})
    if case.offer.shape.imp_id_writable or not wanted or not here or wanted & here:
        return []
    return [
        Finding(
            about_register("MIDR_EL1"),
            "registers",
            "stops",
            (_midrs(wanted),),
            offered((case.host.name, _midrs(here))),
            "silicon",
            because=(Reason("implementation-not-writable"),),
            remedies=(Remedy("level", hosts=hosts_of([case.host.name])),),
        )
    ]


def _one_of(case: Case) -> Finding | None:
    # A guest that was started on a host with CPUs of several kinds has the numbers of one of them.
    possible, here = case.guest.possible.get("MIDR_EL1"), possible_midrs(case.host)
    if not possible:
        return None
    return Finding(
        about_register("MIDR_EL1"),
        "registers",
        "unknown",
        (_midrs(possible),),
        offered((case.host.name, _midrs(here) if here else NOT_RECORDED)),
        because=(Reason("guest-of-one-kind"),),
        remedies=(Remedy("level", hosts=hosts_of([case.host.name])),),
    )


def _midrs(values: frozenset[int]) -> Implementations:
    return Implementations(tuple(map(Implementation, sorted(values))))


def _number_outcome(offer: Offer, register: str, want: int, catalogue: Catalogue) -> Outcome:
    outcome = register_outcome(offer, register, want, catalogue)
    # No kernel takes another number than its own where they were not made writable.
    return "refused" if outcome == "unknown" and not offer.shape.imp_id_writable else outcome
