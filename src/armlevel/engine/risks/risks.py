"""What a person should know although it changes no answer: errata, hidden instructions, mitigations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from armlevel.arch import Catalogue, Erratum, known_of
from armlevel.engine.case import Case
from armlevel.engine.findings import Finding, Remedy, Severity
from armlevel.engine.names import EVERY_HOST, FieldName, Name, RowText, hosts_of
from armlevel.engine.parts.registers_implementation import shown_by
from armlevel.engine.reasons import Reason
from armlevel.engine.risks.errata import concerning, missed, missed_by, needless
from armlevel.engine.risks.hidden_instructions import still_executing
from armlevel.engine.risks.interrupt_controller import without_system_registers
from armlevel.engine.subjects import about_whole
from armlevel.engine.values import NOT_RECORDED, Implementations, Lowered, Lowering, Offers, named, offered
from armlevel.profile import Guest, Host, Implementation, Offer

__all__ = ["RISKS", "risks_here", "risks_of_fleet", "risks_of_profile"]

#: The subjects of the findings made here.
RISKS = (
    about_whole("errata.missed"),
    about_whole("errata.needless"),
    about_whole("instructions.hidden"),
    about_whole("mitigations"),
    about_whole("implementation.identity"),
    about_whole("implementation.targets"),
    about_whole("interrupt-controller"),
)

# ID register fields by which a guest chooses how to protect itself from speculation; lower says less protection.
_MITIGATIONS = (
    "ID_AA64PFR0_EL1.CSV2",
    "ID_AA64PFR0_EL1.CSV3",
    "ID_AA64PFR1_EL1.SSBS",
    "ID_AA64MMFR1_EL1.ECBHB",
    "ID_AA64ISAR2_EL1.CLRBHB",
)
_NO_BOUNDARY = Reason("no-security-boundary")
_ORDER_BY_DIC = "1542419"

_T = TypeVar("_T")
Fleet = Sequence[tuple[Host, Offer]]
# One host and its offer, and the names of all hosts that answer as it does.
Alike = Sequence[tuple[Host, Offer, Sequence[str]]]


def risks_of_fleet(guest: Guest, fleet: Fleet, catalogue: Catalogue) -> tuple[Finding, ...]:
    """Return the risks of a levelled guest on all its hosts, one finding a kind."""
    alike = _alike(fleet)
    values = known_of(catalogue, guest.registers)
    return (
        *_errata(guest, _with_targets(guest, fleet), values, catalogue),
        *_hidden(guest, fleet, alike, catalogue),
        *_mitigations(guest, fleet, alike, catalogue),
        *_identity(guest, fleet, catalogue),
        *without_system_registers(guest, fleet, values, catalogue),
    )


def risks_here(case: Case) -> tuple[Finding, ...]:
    """Return the risks of any guest on one host."""
    guest, host, offer, catalogue = case.guest, case.host, case.offer, case.catalogue
    fleet = ((host, offer),)
    here = host.implementations
    targets = frozenset(guest.implementation.targets) if guest.implementation is not None else frozenset()
    unlisted = sorted(one for one in here if targets and not any(one.same_as(other) for other in targets))
    doubtful = all(any(one.same_as(other) is None for other in targets) for one in unlisted)
    told = Finding(
        about_whole("implementation.targets"),
        "registers",
        "note",
        needs=(NOT_RECORDED,) if doubtful else (),
        offers=offered((host.name, Implementations(tuple(unlisted)))),
        cause="policy",
        applies=("arrive",),
        because=(Reason("targets-not-known" if doubtful else "targets-fixed-at-boot"),),
    )
    return (
        *_errata(guest, [(host.name, here)], case.known, catalogue),
        *_hidden(guest, fleet, [(host, offer, [host.name])], catalogue),
        *_mitigations(guest, fleet, [(host, offer, [host.name])], catalogue),
        *_identity(guest, fleet, catalogue),
        *without_system_registers(guest, fleet, case.known, catalogue),
        *((told,) if unlisted else ()),
    )


def risks_of_profile(guest: Guest, catalogue: Catalogue) -> tuple[Finding, ...]:
    """Return what a guest profile says by itself: the errata of its targets that it does not look for."""
    return _errata(guest, _with_targets(guest, ()), known_of(catalogue, guest.registers), catalogue)


def _with_targets(guest: Guest, fleet: Fleet) -> list[tuple[str, frozenset[Implementation]]]:
    # The cores of each host, and then those that the guest may run on and no host of these has, by MIDR_EL1.
    cores = [(host.name, host.implementations) for host, _ in fleet]
    targets = guest.implementation.targets if guest.implementation is not None else ()
    here = frozenset[Implementation]().union(*(some for _, some in cores))
    to_come = [one for one in targets if one.midr is not None and one not in here]
    return [*cores, *((f"{one.midr:#x}", frozenset({one})) for one in to_come)]


def _alike(fleet: Fleet) -> Alike:
    # Of one offer and one kernel there is one answer: the first such host is asked, in the name of all.
    alike: dict[tuple[Offer, str | None], tuple[Host, Offer, list[str]]] = {}
    for host, offer in fleet:
        alike.setdefault((offer, host.software.kernel), (host, offer, []))[2].append(host.name)
    return list(alike.values())


def _errata(
    guest: Guest,
    cores: Sequence[tuple[str, frozenset[Implementation]]],
    values: Mapping[str, int],
    catalogue: Catalogue,
) -> tuple[Finding, ...]:
    if guest.implementation is None or guest.implementation.shown.midr is None:
        return ()
    shown = guest.implementation.shown
    rows = concerning(values, catalogue)
    lacking = missed_by(rows, (one for _, some in cores for one in some), shown)
    findings = []
    offers = offered(
        *(
            (name, named(*dict.fromkeys(i for one in sorted(some) for i in _ids(lacking[one], one))))
            for name, some in cores
            if any(lacking[one] for one in some)
        )
    )
    if offers:
        findings.append(
            Finding(
                about_whole("errata.missed"),
                "registers",
                "risk",
                needs=(Implementations((shown,)),),
                offers=offers,
                cause="policy",
                because=tuple(dict.fromkeys(_erratum(row) for rows in lacking.values() for row in rows)),
                remedies=_against(lacking, cores, rows),
            )
        )
    spare = needless(rows, lacking, shown)
    if spare:
        findings.append(
            Finding(
                about_whole("errata.needless"),
                "registers",
                "note",
                needs=(Implementations((shown,)),),
                offers=((EVERY_HOST, named(*_ids(spare, shown))),),
                cause="policy",
                because=tuple(map(_erratum, spare)),
            )
        )
    return tuple(findings)


def _erratum(row: Erratum) -> Reason:
    return Reason("erratum", (Name(row.name), RowText(row.what)))


def _ids(rows: Sequence[Erratum], core: Implementation) -> list[str]:
    if core.midr is None:
        return []
    revidr = 0 if core.revidr is None else core.revidr  # no bit of it says that an erratum is mended
    return [name for row in rows for name in row.ids(core.midr, revidr)]


def _against(
    lacking: Mapping[Implementation, tuple[Erratum, ...]],
    cores: Sequence[tuple[str, frozenset[Implementation]]],
    rows: Sequence[Erratum],
) -> tuple[Remedy, ...]:
    # Another implementation, if one misses nothing; the list of targets, where each row follows it; DIC for the one
    # it decides.
    found = []
    for name, some in cores:
        if (
            len(some) == 1
            and not any(one.unrecorded for one in some)
            and not any(missed(rows, real, one) for one in some for real in lacking)
        ):
            (face,) = some
            host = [name] if len(cores) > 1 and not name.startswith("0x") else []
            found.append(Remedy("implementation", tuple(face.registers().values()), hosts_of(host)))
            break
    gone = [row for some in lacking.values() for row in some]
    if all(row.listed and not row.others for row in gone):
        found.append(Remedy("serve-targets"))
    if any(row.name == _ORDER_BY_DIC for row in gone):
        found.append(Remedy("pin", (FieldName("CTR_EL0.DIC"), 0)))
    return tuple(found)


def _hidden(guest: Guest, fleet: Fleet, alike: Alike, catalogue: Catalogue) -> tuple[Finding, ...]:
    by_host = _each(fleet, alike, lambda h, o: still_executing(guest.registers, h, o, catalogue))
    everywhere = set.intersection(*(set(names) for names in by_host.values())) if by_host else set()
    findings = []
    for severity, wanted in (("risk", False), ("note", True)):
        offers = offered(
            *(
                (host, named(*chosen))
                for host, names in by_host.items()
                if (chosen := [name for name in names if (name in everywhere) is wanted])
            )
        )
        if offers:
            findings.append(_about_hidden("risk" if severity == "risk" else "note", offers))
    return tuple(findings)


def _about_hidden(severity: Severity, offers: Offers) -> Finding:
    because = (Reason("instructions-not-asked"), _NO_BOUNDARY)
    return Finding(
        about_whole("instructions.hidden"),
        "registers",
        severity,
        offers=offers,
        cause="silicon",
        because=because,
    )


def _mitigations(guest: Guest, fleet: Fleet, alike: Alike, catalogue: Catalogue) -> tuple[Finding, ...]:
    def dropped(_: Host, offer: Offer) -> tuple[Lowering, ...]:
        lowered = []
        for field in (catalogue.fields[subject] for subject in _MITIGATIONS):
            want, limit = guest.registers.get(field.register), offer.limits.get(field.register)
            if want is None or limit is None:
                continue
            if field.compare(field.get(want), field.get(limit)) == "less":
                lowered.append(Lowering(FieldName(field.subject), field.get(limit), field.get(want)))
        return tuple(lowered)

    by_host = _each(fleet, alike, dropped)
    offers = offered(*((host, Lowered(fields)) for host, fields in by_host.items() if fields))
    because = (Reason("less-protection"), _NO_BOUNDARY)
    finding = Finding(
        about_whole("mitigations"), "registers", "risk", offers=offers, cause="silicon", because=because
    )
    return (finding,) if offers else ()


def _each(
    fleet: Fleet, alike: Alike, ask: Callable[[Host, Offer], tuple[_T, ...]]
) -> dict[str, tuple[_T, ...]]:
    # What every host answers, in the order of the hosts.
    answers: dict[str, tuple[_T, ...]] = {}
    for host, offer, names in alike:
        answers |= dict.fromkeys(names, ask(host, offer))
    return {host.name: answers[host.name] for host, _ in fleet}


def _identity(guest: Guest, fleet: Fleet, catalogue: Catalogue) -> tuple[Finding, ...]:
    if guest.implementation is None or guest.implementation.shown.midr is None:
        return ()
    shown = guest.implementation.shown
    own = [(host, shown_by(offer.limits, host)) for host, offer in fleet]
    others = offered(
        *(
            (host.name, Implementations((one,)))
            for host, one in own
            if one is not None and one.part not in (None, shown.part)
        )
    )
    software = tuple(
        Reason("picks-by-midr", (Name(row.name), RowText(row.picks))) for row in catalogue.dispatch
    )
    finding = Finding(
        about_whole("implementation.identity"),
        "registers",
        "note",
        needs=(Implementations((shown,)),),
        offers=others,
        cause="policy",
        because=software,
    )
    return (finding,) if others else ()
