"""Firmware pseudo-registers: PSCI version, hypercall bitmaps, SMCCC workaround levels.

A workaround level is a fact of the host and not a setting: KVM compares a written level with its own and
stores nothing (Linux arch/arm64/kvm/hypercalls.c, kvm_arm_set_fw_reg; read back unchanged on 7.3.4). So a
guest must be born where it is told the lowest level of the fleet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_

from armlevel.arch import Catalogue, FirmwareRegister
from armlevel.engine.findings import Finding, Remedy, Severity, Side
from armlevel.profile import Guest, Offer

__all__ = ["FirmwareLevel", "judge_firmware", "level_firmware"]


@dataclass(frozen=True, slots=True)
class FirmwareLevel:
    """The common firmware registers, the hosts a guest may be born on, and what stands in the way."""

    values: Mapping[str, int]
    born_on: tuple[str, ...]
    findings: tuple[Finding, ...] = ()


def level_firmware(offers: Sequence[tuple[str, Offer]], catalogue: Catalogue) -> FirmwareLevel:
    """Level the firmware registers that every host has: PSCI the lowest version, bitmaps what all answer to.

    ``born_on`` is the hosts that show the lowest workaround level of every kind.
    """
    values: dict[str, int] = {}
    findings = _not_recorded(offers)
    lowest: dict[str, frozenset[str]] = {}  # workaround register -> the hosts that show its lowest level
    # A host without a record hides no conflict of the others.
    recorded = [(host, offer) for host, offer in offers if offer.firmware]
    everybodys = [frozenset(offer.firmware) for _, offer in recorded]
    for name in sorted(frozenset.intersection(*everybodys) if everybodys else ()):
        shown = {host: offer.firmware[name] for host, offer in recorded}
        value, weakest = _common(catalogue.firmware.get(name), shown)
        if value is None:
            texts = tuple((host, f"{level:#x}") for host, level in shown.items())
            findings.append(Finding(name, "firmware", "stops", offers=texts, cause="kernel"))
            continue
        values[name] = value
        if len(weakest) < len(shown):
            lowest[name] = weakest
    born = tuple(host for host, _ in offers if all(host in weakest for weakest in lowest.values()))
    if lowest:
        findings.append(_mixed(tuple(lowest), values, born, recorded))
    return FirmwareLevel(values, born, tuple(findings))


def _not_recorded(offers: Sequence[tuple[str, Offer]]) -> list[Finding]:
    missing = tuple((host, "not recorded") for host, offer in offers if not offer.firmware)
    because = ("the host's firmware registers are not recorded",)
    remedy = Remedy("probe", hosts=tuple(host for host, _ in missing))
    finding = Finding("firmware", "firmware", "unknown", offers=missing, because=because, remedies=(remedy,))
    return [finding] if missing else []


def _common(row: FirmwareRegister | None, shown: Mapping[str, int]) -> tuple[int | None, frozenset[str]]:
    # The common value, and the hosts that a guest may be born on as far as this register says.
    everywhere = frozenset(shown)
    if len(set(shown.values())) == 1:
        return next(iter(shown.values())), everywhere
    if row is None:
        return None, everywhere
    if row.kind == "version":
        return min(shown.values()), everywhere
    if row.kind == "bitmap":
        return reduce(and_, shown.values()), everywhere
    ranks = {host: rank for host, value in shown.items() if (rank := row.rank(value)) is not None}
    if len(ranks) < len(shown):
        return None, everywhere
    weakest = frozenset(host for host, rank in ranks.items() if rank == min(ranks.values()))
    return min(shown[host] for host in weakest), weakest


def _mixed(
    names: tuple[str, ...],
    values: Mapping[str, int],
    born: tuple[str, ...],
    offers: Sequence[tuple[str, Offer]],
) -> Finding:
    because = "workaround levels differ: guests must be born where they are lowest"
    if not born:
        because = "no host shows the lowest level of each, so no guest can be born"
    return Finding(
        " and ".join(names),
        "firmware",
        "note" if born else "stops",
        needs=tuple(f"{name}={values[name]:#x}" for name in names),
        offers=tuple(
            (h, ", ".join(f"{o.firmware[n]:#x}" for n in names)) for h, o in offers if h not in born
        ),
        cause="silicon",
        because=(because,),
        remedies=(Remedy("born-on", hosts=born) if born else Remedy("leave-out"),),
    )


def judge_firmware(
    guest: Guest, host: str, offer: Offer, catalogue: Catalogue, *, weaker: bool
) -> list[Finding]:
    """Return what stands between the guest's firmware registers and one host.

    ``weaker`` lets a guest arrive where a workaround level is lower than it was told; start is never weakened.
    """
    if not guest.firmware or not offer.firmware:
        reason = (
            "the host's firmware registers are not recorded"
            if guest.firmware
            else "the guest's are not recorded"
        )
        return [
            Finding("firmware", "firmware", "unknown", offers=((host, "not recorded"),), because=(reason,))
        ]
    findings = []
    for name, want in sorted(guest.firmware.items()):
        if guest.carries is not None and not _carried(name, guest.carries, catalogue):
            continue
        have = offer.firmware.get(name)
        if have is None:
            continue  # the register list tells whether the host has it
        for severity, sides, because in _compare(name, want, have, catalogue, weaker=weaker):
            findings.append(
                Finding(
                    name,
                    "firmware",
                    severity,
                    needs=(f"{want:#x}",),
                    offers=((host, f"{have:#x}"),),
                    cause="kernel",
                    applies=sides,
                    because=(because,),
                    remedies=(Remedy("born-on" if sides == ("start",) else "level"),),
                )
            )
    return findings


def _carried(name: str, carries: tuple[int, ...], catalogue: Catalogue) -> bool:
    row = catalogue.firmware.get(name)
    return row is None or row.kvm_id in carries


def _compare(
    name: str, want: int, have: int, catalogue: Catalogue, *, weaker: bool
) -> list[tuple[Severity, tuple[Side, ...], str]]:
    row = catalogue.firmware.get(name)
    both: tuple[Side, ...] = ("start", "arrive")
    if want == have:
        return []
    if row is None:
        return [("stops", both, "no row says that another value is accepted")]
    if row.kind == "version":
        return [] if want <= have else [("stops", both, "KVM refuses a version above its own")]
    if row.kind == "bitmap":
        return [] if not want & ~have else [("stops", both, "KVM refuses a bit it does not serve")]
    return _compare_levels(row.rank(want), row.rank(have), weaker=weaker)


def _compare_levels(
    want: int | None, have: int | None, *, weaker: bool
) -> list[tuple[Severity, tuple[Side, ...], str]]:
    if want is None or have is None:
        return [("unknown", ("start", "arrive"), "a level that no row names")]
    if want == have:
        return []
    told: tuple[Severity, tuple[Side, ...], str] = (
        "stops",
        ("start",),
        "a guest booted here is told another level",
    )
    if want < have:
        return [told]
    if weaker:
        return [told, ("risk", ("arrive",), "the guest was told a stronger level than this host has")]
    return [told, ("stops", ("arrive",), "KVM refuses a level above its own")]
