"""Firmware pseudo-registers: PSCI version, hypercall bitmaps, SMCCC workaround levels.

A workaround level is a fact of the host and not a setting: KVM compares a written level with its own and
stores nothing (Linux arch/arm64/kvm/hypercalls.c, kvm_arm_set_fw_reg; read back unchanged on 7.3.4). So a
guest must be born where it is told the lowest level of the fleet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_

from armlevel.arch import Catalogue, FirmwareRegister, evaluate, known_of, mentioned
from armlevel.engine.case import Case
from armlevel.engine.findings import Finding, Remedy, Severity, Side
from armlevel.engine.names import RegisterName, hosts_of
from armlevel.engine.parts.firmware_tried import best_for_all, tried
from armlevel.engine.reasons import Reason, ReasonCode
from armlevel.engine.subjects import about_register, about_several, about_whole
from armlevel.engine.values import NOT_RECORDED, NamedValues, RegisterValue, Value, offered
from armlevel.profile import Guest, Offer
from armlevel.profile.accepts import Outcome

__all__ = ["FirmwareLevel", "judge_firmware", "level_firmware"]


@dataclass(frozen=True, slots=True)
class FirmwareLevel:
    """The common firmware registers, the hosts a guest may be born on, and what stands in the way."""

    values: Mapping[str, int]
    starts_on: tuple[str, ...]
    findings: tuple[Finding, ...] = ()


def level_firmware(
    offers: Sequence[tuple[str, Offer]],
    fields: Mapping[str, int],
    catalogue: Catalogue,
    *,
    weaker: bool = False,
) -> FirmwareLevel:
    """Level the firmware registers that every host has: PSCI the lowest version, bitmaps what all answer to.

    ``fields`` are the levelled ``REG.FIELD`` values, which a workaround level may depend on. ``starts_on`` is the hosts
    that show the lowest workaround level of every kind. Where no host does, ``weaker`` takes the levels of one host.
    """
    values: dict[str, int] = {}
    findings = [*_not_recorded(offers), *_unread(offers, catalogue)]
    levels: dict[str, Mapping[str, int]] = {}
    lowest: dict[str, frozenset[str]] = {}  # workaround register -> the hosts that show its lowest level
    # A host without a record hides no conflict of the others.
    recorded = [(host, offer) for host, offer in offers if offer.firmware]
    everybodys = [frozenset(offer.firmware) for _, offer in recorded]
    for name in sorted(frozenset.intersection(*everybodys) if everybodys else ()):
        row = catalogue.firmware.get(name)
        shown = {host: told(row, offer, offer.firmware[name], fields, catalogue) for host, offer in recorded}
        levels[name] = shown
        value, weakest = _common(row, shown)
        if value is not None and row is not None and row.kind in ("version", "bitmap"):
            value = best_for_all(name, value, (offer for _, offer in recorded), bits=row.kind == "bitmap")
        if value is None:
            have = offered(*((host, RegisterValue(level)) for host, level in shown.items()))
            findings.append(Finding(about_register(name), "firmware", "stops", offers=have, cause="kernel"))
            continue
        values[name] = value
        if len(weakest) < len(shown):
            lowest[name] = weakest
    born = tuple(host for host, _ in offers if all(host in weakest for weakest in lowest.values()))
    if lowest and not born and weaker:
        one = min(
            sorted(host for host, _ in recorded),
            key=lambda host: [_rank(name, levels[name][host], catalogue) for name in lowest],
        )
        values |= {name: levels[name][one] for name in lowest}
        born = tuple(
            host for host, _ in offers if all(levels[name].get(host) == values[name] for name in lowest)
        )
    if lowest:
        findings.append(
            _mixed(values, born, {name: levels[name] for name in lowest}, catalogue, weaker=weaker)
        )
    return FirmwareLevel(values, born, tuple(findings))


def _not_recorded(offers: Sequence[tuple[str, Offer]]) -> list[Finding]:
    missing = offered(*((host, NOT_RECORDED) for host, offer in offers if not offer.firmware))
    because = (Reason("host-firmware-not-recorded"),)
    remedy = Remedy("probe", hosts=tuple(host for host, _ in missing))
    finding = Finding(
        about_whole("firmware"), "firmware", "unknown", offers=missing, because=because, remedies=(remedy,)
    )
    return [finding] if missing else []


def _unread(offers: Sequence[tuple[str, Offer]], catalogue: Catalogue) -> list[Finding]:
    # A register that a host lists has a value there, and no value of another host stands for it.
    findings = []
    for name, row in sorted(catalogue.firmware.items()):
        hosts = tuple(
            host
            for host, offer in offers
            if offer.firmware and name not in offer.firmware and row.kvm_id in (offer.register_list or ())
        )
        if hosts:
            findings.append(_unknown(name, (), hosts, "listed-value-not-recorded"))
    return findings


def _unknown(name: str, needs: tuple[Value, ...], hosts: tuple[str, ...], why: ReasonCode) -> Finding:
    return Finding(
        about_register(name),
        "firmware",
        "unknown",
        needs,
        offered(*((host, NOT_RECORDED) for host in hosts)),
        because=(Reason(why),),
        remedies=(Remedy("probe", hosts=hosts_of(hosts)),),
    )


def _common(row: FirmwareRegister | None, shown: Mapping[str, int]) -> tuple[int | None, frozenset[str]]:
    # The common value, and the hosts that a guest may be born on as far as this register says.
    everywhere = frozenset(shown)
    if len(set(shown.values())) == 1:
        return next(iter(shown.values())), everywhere
    if row is None:
        return None, everywhere
    if row.kind == "version":
        oldest = min(shown.values())
        known = [version for version in row.versions if version <= oldest]
        return max(known, default=None), everywhere
    if row.kind == "bitmap":
        return reduce(and_, shown.values()), everywhere
    ranks = {host: rank for host, value in shown.items() if (rank := row.rank(value)) is not None}
    if len(ranks) < len(shown):
        return None, everywhere
    weakest = frozenset(host for host, rank in ranks.items() if rank == min(ranks.values()))
    return min(shown[host] for host in weakest), weakest


def _mixed(
    values: Mapping[str, int],
    born: tuple[str, ...],
    levels: Mapping[str, Mapping[str, int]],
    catalogue: Catalogue,
    *,
    weaker: bool,
) -> Finding:
    hosts = dict.fromkeys(host for shown in levels.values() for host in shown)
    below = any(
        _rank(name, level, catalogue) < _rank(name, values[name], catalogue)
        for name, shown in levels.items()
        for level in shown.values()
    )
    return Finding(
        about_several(levels),
        "firmware",
        "stops" if not born else "risk" if weaker and below else "note",
        needs=(_levels(values, levels),),
        offers=offered(
            *(
                (host, _levels({name: shown[host] for name, shown in levels.items()}, levels))
                for host in hosts
                if host not in born
            )
        ),
        cause="silicon",
        because=(Reason("start-where-lowest" if born else "lowest-nowhere"),),
        remedies=(Remedy("start-on", hosts=hosts_of(born)) if born else Remedy("leave-out"),),
    )


def _levels(values: Mapping[str, int], names: Iterable[str]) -> NamedValues:
    return NamedValues(tuple((RegisterName(name), values[name]) for name in names))


def _rank(name: str, value: int, catalogue: Catalogue) -> int:
    rank = catalogue.firmware[name].rank(value)
    return value if rank is None else rank


def told(
    row: FirmwareRegister | None, offer: Offer, value: int, fields: Mapping[str, int], catalogue: Catalogue
) -> int:
    """Return what a guest with these ``REG.FIELD`` values reads where the host's reset value is ``value``."""
    if row is None or row.raised is None or value != row.raised[0]:
        return value
    unless = row.raised[2]
    registers = {catalogue.fields[subject].register for subject in mentioned(unless)}
    native = known_of(catalogue, {name: offer.limits[name] for name in registers if name in offer.limits})
    without = evaluate(unless, fields) is False and evaluate(unless, native) is True
    return row.raised[1] if without else value


def judge_firmware(case: Case) -> list[Finding]:
    """Return what stands between the guest's firmware registers and one host.

    A weaker mitigation lets a guest arrive where a workaround level is lower than it was told, and never start.
    """
    guest, host, offer, catalogue = case.guest, case.host.name, case.offer, case.catalogue
    if not guest.firmware or not offer.firmware:
        silent = Reason("host-firmware-not-recorded" if guest.firmware else "guest-firmware-not-recorded")
        missing = offered((host, NOT_RECORDED))
        return [Finding(about_whole("firmware"), "firmware", "unknown", offers=missing, because=(silent,))]
    findings = _untold(guest, offer, catalogue)
    for name, want in sorted(guest.firmware.items()):
        if guest.register_list is not None and not _carried(name, guest.register_list, catalogue):
            continue
        have = offer.firmware.get(name)
        if have is None:
            # Of a register that the host does not list, the register list speaks.
            row = catalogue.firmware.get(name)
            if row is None or row.kvm_id in (offer.register_list or ()):
                findings.append(_unknown(name, (RegisterValue(want),), (host,), "listed-value-not-recorded"))
            continue
        have = told(catalogue.firmware.get(name), offer, have, case.known, catalogue)
        # What was tried was tried at the host's own level; a guest that is told another one was not tried.
        outcome = tried(offer, name, want) if have == offer.firmware[name] else "unknown"
        row = catalogue.firmware.get(name)
        for severity, sides, why in _compare(row, want, have, outcome, weaker=case.weaker_mitigation):
            findings.append(
                Finding(
                    about_register(name),
                    "firmware",
                    severity,
                    needs=(RegisterValue(want),),
                    offers=offered((host, RegisterValue(have))),
                    cause="kernel",
                    applies=sides,
                    because=(Reason(why),),
                    remedies=(Remedy("start-on" if sides == ("start",) else "level"),),
                )
            )
    return findings


def _untold(guest: Guest, offer: Offer, catalogue: Catalogue) -> list[Finding]:
    # Registers of the guest whose value its profile does not say; by the host's list where it has no list either.
    carries = (offer.register_list if guest.register_list is None else guest.register_list) or ()
    return [
        _unknown(name, (), (guest.name,), "carried-value-not-recorded")
        for name, row in sorted(catalogue.firmware.items())
        if name not in guest.firmware and row.kvm_id in carries
    ]


def _carried(name: str, carries: tuple[int, ...], catalogue: Catalogue) -> bool:
    row = catalogue.firmware.get(name)
    return row is None or row.kvm_id in carries


def _compare(
    row: FirmwareRegister | None, want: int, have: int, outcome: Outcome, *, weaker: bool
) -> list[tuple[Severity, tuple[Side, ...], ReasonCode]]:
    both: tuple[Side, ...] = ("start", "arrive")
    if want == have:
        return []
    if row is not None and row.kind == "level":
        return _compare_levels(row.rank(want), row.rank(have), outcome, weaker=weaker)
    if outcome != "unknown":
        return [] if outcome == "same" else [("stops", both, "value-seen-not-kept")]
    if row is None:
        return [("stops", both, "only-this-value")]
    if row.kind == "version":
        return _compare_versions(row, want, have)
    return [] if not want & ~have else [("stops", both, "bit-not-served")]


def _compare_versions(
    row: FirmwareRegister, want: int, have: int
) -> list[tuple[Severity, tuple[Side, ...], ReasonCode]]:
    both: tuple[Side, ...] = ("start", "arrive")
    if want > have:
        return [("stops", both, "version-above")]
    if want in row.versions:
        return []
    if want > max(row.versions):
        return [("unknown", both, "version-not-named")]
    return [("stops", both, "no-such-version")]


def _compare_levels(
    want: int | None, have: int | None, outcome: Outcome, *, weaker: bool
) -> list[tuple[Severity, tuple[Side, ...], ReasonCode]]:
    if want is None or have is None:
        return [("unknown", ("start", "arrive"), "level-not-named")]
    if want == have:
        return []
    told: tuple[Severity, tuple[Side, ...], ReasonCode] = (
        "stops",
        ("start",),
        "told-another-level",
    )
    if want < have:
        seen: Severity = "stops"
        return [told, (seen, ("arrive",), "level-seen-refused")] if outcome == "refused" else [told]
    if weaker or outcome in ("same", "changed"):
        # Where KVM takes such a level it still tells its own.
        severity: Severity = "risk" if weaker else "breaks"
        return [told, (severity, ("arrive",), "told-stronger-level")]
    return [told, ("stops", ("arrive",), "level-above")]
