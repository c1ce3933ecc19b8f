"""Which registers a guest's state carries from host to host."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from armlevel.arch import Catalogue, Drop, evaluate, known_of, mentioned
from armlevel.engine.case import Case
from armlevel.engine.fields.tolerance import ids_of
from armlevel.engine.findings import Finding, Remedy, Severity
from armlevel.engine.names import HostName, RowText, hosts_of, register_of
from armlevel.engine.reasons import Reason, from_row
from armlevel.engine.subjects import about_register, about_whole
from armlevel.engine.values import NOT_RECORDED, State, offered
from armlevel.kvm import group_of, name_of
from armlevel.profile import Guest, Offer

__all__ = [
    "NOT_SHOWN",
    "UNKNOWN_THERE",
    "Carried",
    "carried_unvalued",
    "carry",
    "hidden_ids",
    "judge_list",
    "why_of",
]

#: What is said of a register that the host has, and that its KVM hides from this guest.
NOT_SHOWN = Reason("feature-not-shown")

#: What is said of a register of which no row says which kernels list it.
UNKNOWN_THERE = Reason("register-not-known")


# The conditions of a row that are no expression over fields.
_NO_CACHE: Literal["no such cache"] = "no such cache"
_IS_ZERO: Literal["value == 0"] = "value == 0"


@dataclass(frozen=True, slots=True)
class Carried:
    """The ids listed by every host, and what is said about the others. ``ids`` is None if no list is recorded."""

    ids: tuple[int, ...] | None
    findings: tuple[Finding, ...] = ()


def carry(
    offers: Sequence[tuple[str, Offer]],
    values: Mapping[str, int],
    meaningless_ids: frozenset[int],
    catalogue: Catalogue,
    releases: Mapping[str, str | None] | None = None,
) -> Carried:
    """Intersect the register lists; every other register needs a drop row whose condition holds.

    ``values`` are the levelled ``REG.FIELD`` values, which conditions are about, and ``releases`` the hosts' kernels,
    which may take a register away from a VM with these values. A register that must be dropped without a row is a
    conflict; a row that loses guest state gives a ``risk``.
    """
    # Hosts with one list and one answer share a set: it is made once.
    releases = releases or {}
    shared: dict[tuple[tuple[int, ...], frozenset[int]], frozenset[int]] = {}
    lists: dict[str, frozenset[int]] = {}
    for name, offer in offers:
        if offer.register_list is not None:
            # What a host may hide from this guest, nobody may send it.
            key = (
                offer.register_list,
                frozenset(hidden_ids(offer, releases.get(name), values, catalogue)),
            )
            if key not in shared:
                shared[key] = frozenset(offer.register_list) - key[1]
            lists[name] = shared[key]
    findings: list[Finding] = []
    if len(lists) < len(offers):
        missing = offered(*((name, NOT_RECORDED) for name, offer in offers if offer.register_list is None))
        remedy = Remedy("probe", hosts=tuple(name for name, _ in missing))
        findings.append(
            Finding(about_whole("register-list"), "list", "unknown", offers=missing, remedies=(remedy,))
        )
    if not lists:
        return Carried(None, tuple(findings))
    distinct = set(lists.values())
    common = frozenset.intersection(*distinct) - meaningless_ids
    some = frozenset.union(*distinct) - common - meaningless_ids
    rows = _rows_by_id(catalogue)
    by_name = dict(offers)
    for register in sorted(some):
        listed = tuple(name for name, ids in lists.items() if register in ids)
        others = tuple(name for name, ids in lists.items() if register not in ids)
        holders = [by_name[name] for name in listed]
        finding = _judge_drop(register, rows.get(register), holders, values)
        if finding is not None:
            severity, reason = finding
            shown = offered(
                *((name, State("listed")) for name in listed),
                *((name, State("not-listed")) for name in others),
            )
            without = hosts_of(others)
            remedies = (Remedy("upgrade-kernel", hosts=without), Remedy("leave-out", hosts=without))
            findings.append(
                Finding(
                    about_register(name_of(register)),
                    "list",
                    severity,
                    offers=shown,
                    cause="kernel",
                    because=(reason,),
                    remedies=remedies if severity == "stops" else (),
                    # One host of each kind is enough to conflict.
                    sets=((HostName(listed[0]), HostName(others[0])),) if severity == "stops" else (),
                )
            )
    return Carried(tuple(sorted(common)), tuple(findings))


@lru_cache(maxsize=4)
def _rows_by_id(catalogue: Catalogue) -> Mapping[int, Drop]:
    return {register: row for row in catalogue.drops for register in row.kvm_ids}


def _judge_drop(
    register: int, row: Drop | None, holders: Sequence[Offer], values: Mapping[str, int]
) -> tuple[Severity, Reason] | None:
    if row is None:
        return "stops", Reason("register-needed")
    may = {_may_drop(row, register, offer, values) for offer in holders}
    if may == {True}:
        return ("risk", from_row(row.loses)) if row.loses else None
    severity: Severity = "stops" if False in may else "unknown"
    if row.when == _NO_CACHE and None in may:
        return severity, Reason("caches-not-known")
    return severity, Reason("left-only-when", (RowText(str(row.when)),))


def _may_drop(row: Drop, register: int, offer: Offer, values: Mapping[str, int]) -> bool | None:
    # None: what it hangs on is not recorded.
    if row.when == "always":
        return True
    if row.when == _IS_ZERO:
        name = name_of(register)
        value = offer.firmware.get(name, offer.state.get(name))
        return None if value is None else value == 0
    if row.when == _NO_CACHE:
        return _no_such_cache(register, values)
    return None if isinstance(row.when, str) else evaluate(row.when, values)


def _no_such_cache(register: int, values: Mapping[str, int]) -> bool | None:
    # CSSELR_EL1: bits 3:1 are the level less one, bit 0 asks for the instruction cache. CLIDR_EL1.Ctype<n>:
    # 0 none, 1 instruction only, 2 data only, 3 separate, 4 unified (DDI 0487, CLIDR_EL1).
    level, instruction = (register & 0xF) >> 1, bool(register & 1)
    ctype = values.get(f"CLIDR_EL1.Ctype{level + 1}")
    return None if ctype is None else ctype not in ((1, 3) if instruction else (2, 3, 4))


def hidden_ids(
    offer: Offer, release: str | None, values: Mapping[str, int], catalogue: Catalogue
) -> dict[int, bool]:
    """Return the listed registers that KVM hides from a VM with these ``REG.FIELD`` values; false: it may.

    The list of a fresh vCPU has them where the host's CPU has what they are for. Once the VM no longer shows that, KVM
    neither lists, gives nor takes them; before, it listed them on every CPU.
    """
    rows = [row for row in catalogue.drops if row.gated_on and row.hidden(None, values) is None]
    if not rows:
        return {}
    line = catalogue.line(release)
    asked = {register for row in rows for register in _leans_on(row)}
    own = known_of(catalogue, {name: offer.limits[name] for name in asked & offer.limits.keys()})
    found: dict[int, bool] = {}
    for row in rows:
        hidden = row.hidden(line.name if line is not None else None, values)
        # A host that lists it though its own CPU is without the feature lists it on every condition.
        if hidden is not False and row.hidden(None, own) is False:
            found |= dict.fromkeys(set(row.kvm_ids) & set(offer.register_list or ()), hidden is True)
    return found


@lru_cache(maxsize=256)
def _leans_on(row: Drop) -> frozenset[str]:
    # The registers that its condition is about.
    return frozenset() if isinstance(row.when, str) else frozenset(map(register_of, mentioned(row.when)))


def why_of(register: int, catalogue: Catalogue) -> Reason:
    """Return which kernels list a register and which do not, as far as a row says."""
    rows = (row for row in catalogue.drops if register in row.kvm_ids and row.why)
    return next((from_row(row.why) for row in rows), UNKNOWN_THERE)


def carried_unvalued(guest: Guest, gone: Collection[str], catalogue: Catalogue) -> list[str]:
    """Return the ID registers that a guest's state carries and whose value its profile does not record."""
    identity = {
        row.kvm_id: name for name, row in catalogue.registers.items() if not row.derived and name not in gone
    }
    carried = (
        name_of(one) if group_of(one) == "demux" else identity.get(one) for one in guest.register_list or ()
    )
    bundle = catalogue.bundles["implementation"].registers
    return [
        name
        for name in dict.fromkeys(carried)
        if name is not None and name not in guest.registers and name not in bundle
    ]


def judge_list(case: Case) -> list[Finding]:
    """Return a finding for each register the guest's state carries and the host does not list.

    What the guest is not shown, the host may not list.
    """
    guest, host, offer, catalogue = case.guest, case.host, case.offer, case.catalogue
    if guest.register_list is None or offer.register_list is None:
        why = Reason("guest-list-not-recorded" if guest.register_list is None else "host-list-not-recorded")
        return [
            Finding(
                about_whole("register-list"),
                "list",
                "unknown",
                offers=offered((host.name, NOT_RECORDED)),
                because=(why,),
                remedies=(Remedy("probe", hosts=hosts_of([host.name])),),
            )
        ]
    hidden = hidden_ids(offer, host.software.kernel, case.known, catalogue)
    listed = set(offer.register_list) - hidden.keys()
    lacking = [
        Finding(
            about_register(name_of(register)),
            "list",
            "stops" if hidden.get(register, True) else "unknown",
            needs=(State("carried"),),
            offers=offered((host.name, State("not-listed"))),
            cause="kernel",
            because=(NOT_SHOWN if register in hidden else why_of(register, catalogue),),
            remedies=(Remedy("level", hosts=hosts_of([host.name])),),
        )
        for register in sorted(set(guest.register_list) - listed)
    ]
    return lacking + list(_beyond_the_profile(case, listed - set(guest.register_list)))


def _beyond_the_profile(case: Case, beyond: Collection[int]) -> Iterator[Finding]:
    # Registers that a guest which is started here has, and its profile has not. KVM starts it all the same; its state
    # is another than the profile's unless a row says that they may be left behind, and so levelling refuses them too.
    rows = _rows_by_id(case.catalogue)
    moot = ids_of(case.tolerated, case.catalogue) | {
        case.catalogue.registers[name].kvm_id for name in case.gone if name in case.catalogue.registers
    }
    for register in sorted(set(beyond) - moot):
        found = _judge_drop(register, rows.get(register), [case.offer], case.known)
        if found is None or found[0] == "risk":
            continue
        severity, reason = found
        yield Finding(
            about_register(name_of(register)),
            "list",
            severity,
            offers=offered((case.host.name, State("listed"))),
            cause="kernel",
            applies=("start",),
            because=(reason,),
        )
