"""What a person should know although it changes no answer: errata, hidden instructions, mitigations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from armlevel.arch import Catalogue, Erratum, known_of
from armlevel.engine.findings import Finding, Remedy, Severity
from armlevel.engine.parts.registers_implementation import midr_text, shown_by
from armlevel.engine.risks.errata import concerning, missed, needless
from armlevel.engine.risks.hidden_instructions import still_executing
from armlevel.profile import Guest, Host, Implementation, Offer

__all__ = ["RISKS", "risks_here", "risks_of_fleet", "risks_of_profile"]

#: The subjects of the findings made here.
RISKS = (
    "errata.missed",
    "errata.needless",
    "instructions.hidden",
    "mitigations",
    "implementation.identity",
    "implementation.targets",
)

# ID register fields by which a guest chooses how to protect itself from speculation; lower says less protection.
_MITIGATIONS = (
    "ID_AA64PFR0_EL1.CSV2",
    "ID_AA64PFR0_EL1.CSV3",
    "ID_AA64PFR1_EL1.SSBS",
    "ID_AA64MMFR1_EL1.ECBHB",
    "ID_AA64ISAR2_EL1.CLRBHB",
)
_NO_BOUNDARY = "not a security boundary"
_ORDER_BY_DIC = "1542419"

Fleet = Sequence[tuple[Host, Offer]]


def risks_of_fleet(guest: Guest, fleet: Fleet, catalogue: Catalogue) -> tuple[Finding, ...]:
    """Return the risks of a levelled guest on all its hosts, one finding a kind."""
    kinds = _kinds(fleet)
    values = known_of(catalogue, guest.registers)
    return (
        *_errata(guest, _with_targets(guest, fleet), values, catalogue),
        *_hidden(guest, fleet, kinds, catalogue),
        *_mitigations(guest, fleet, kinds, catalogue),
        *_identity(guest, fleet, catalogue),
    )


def risks_here(
    guest: Guest, host: Host, offer: Offer, values: Mapping[str, int], catalogue: Catalogue
) -> tuple[Finding, ...]:
    """Return the risks of any guest on one host; ``values`` are the guest's by ``REG.FIELD``."""
    fleet = ((host, offer),)
    here = host.implementations
    targets = frozenset(guest.implementation.targets) if guest.implementation is not None else frozenset()
    unlisted = sorted(one for one in here if targets and not any(one.same_as(other) for other in targets))
    doubtful = all(any(one.same_as(other) is None for other in targets) for one in unlisted)
    told = Finding(
        "implementation.targets",
        "registers",
        "note",
        needs=("not recorded",) if doubtful else (),
        offers=((host.name, " ".join(midr_text(one) for one in unlisted if one.midr is not None)),),
        cause="policy",
        applies=("arrive",),
        because=(
            "whether the list of target implementations has this host's is not known: a number is not recorded"
            if doubtful
            else "the list of target implementations is fixed at boot and does not have this host's",
        ),
    )
    return (
        *_errata(guest, [(host.name, here)], values, catalogue),
        *_hidden(guest, fleet, {id(host): [host.name]}, catalogue),
        *_mitigations(guest, fleet, {id(host): [host.name]}, catalogue),
        *_identity(guest, fleet, catalogue),
        *((told,) if unlisted else ()),
    )


def risks_of_profile(guest: Guest, catalogue: Catalogue) -> tuple[Finding, ...]:
    """Return what a guest profile says by itself: the errata of its targets that it does not look for."""
    return _errata(guest, _with_targets(guest, ()), known_of(catalogue, guest.registers), catalogue)


def _with_targets(guest: Guest, fleet: Fleet) -> list[tuple[str, frozenset[Implementation]]]:
    # The cores of each host, and then those that the guest may run on and no host of these has, by MIDR_EL1.
    cores = [(host.name, host.implementations) for host, _ in fleet]
    targets = guest.implementation.targets if guest.implementation is not None else ()
    to_come = [one for one in targets if one.midr is not None and not any(one in some for _, some in cores)]
    return [*cores, *((midr_text(one), frozenset({one})) for one in to_come)]


def _kinds(fleet: Fleet) -> dict[int, list[str]]:
    # Hosts read from equal documents answer alike: each kind is asked once, in the name of all.
    first: dict[tuple[int, str], Host] = {}
    names: dict[int, list[str]] = {}
    for host, offer in fleet:
        same = first.setdefault((id(offer), host.software.kernel), host)
        names.setdefault(id(same), []).append(host.name)
    return names


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
    lacking = {one: missed(rows, one, shown) for _, some in cores for one in some}
    findings = []
    offers = tuple(
        (name, " ".join(dict.fromkeys(i for one in sorted(some) for i in _ids(lacking[one], one))))
        for name, some in cores
        if any(lacking[one] for one in some)
    )
    if offers:
        findings.append(
            Finding(
                "errata.missed",
                "registers",
                "risk",
                needs=(midr_text(shown),),
                offers=offers,
                cause="policy",
                because=tuple(
                    dict.fromkeys(f"{row.name}: {row.what}" for rows in lacking.values() for row in rows)
                ),
                remedies=_against(lacking, cores, rows),
            )
        )
    spare = needless(rows, lacking, shown)
    if spare:
        findings.append(
            Finding(
                "errata.needless",
                "registers",
                "note",
                needs=(midr_text(shown),),
                offers=(("every host", " ".join(_ids(spare, shown))),),
                cause="policy",
                because=tuple(f"{row.name}: {row.what}" for row in spare),
            )
        )  # fmt: skip
    return tuple(findings)


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
            numbers = face.registers().items()
            text = ",".join(f"{register.removesuffix('_EL1')}={number:#x}" for register, number in numbers)
            found.append(
                Remedy(
                    "implementation", text, (name,) if len(cores) > 1 and not name.startswith("0x") else ()
                )
            )
            break
    gone = [row for some in lacking.values() for row in some]
    if all(row.listed and not row.others for row in gone):
        found.append(Remedy("serve-targets"))
    if any(row.name == _ORDER_BY_DIC for row in gone):
        found.append(Remedy("pin", "CTR_EL0.DIC=0"))
    return tuple(found)


def _hidden(
    guest: Guest, fleet: Fleet, kinds: Mapping[int, Sequence[str]], catalogue: Catalogue
) -> tuple[Finding, ...]:
    by_host = _each(fleet, kinds, lambda h, o: still_executing(guest.registers, h, o, catalogue))
    everywhere = set.intersection(*(set(names) for names in by_host.values())) if by_host else set()
    findings = []
    for severity, wanted in (("risk", False), ("note", True)):
        offers = tuple(
            (host, " ".join(chosen))
            for host, names in by_host.items()
            if (chosen := [name for name in names if (name in everywhere) is wanted])
        )
        if offers:
            findings.append(_about_hidden("risk" if severity == "risk" else "note", offers))
    return tuple(findings)


def _about_hidden(severity: Severity, offers: tuple[tuple[str, str], ...]) -> Finding:
    because = ("programs that do not ask whether an instruction is there can run it", _NO_BOUNDARY)
    return Finding(
        "instructions.hidden", "registers", severity, offers=offers, cause="silicon", because=because
    )


def _mitigations(
    guest: Guest, fleet: Fleet, kinds: Mapping[int, Sequence[str]], catalogue: Catalogue
) -> tuple[Finding, ...]:
    def dropped(_: Host, offer: Offer) -> tuple[str, ...]:
        texts = []
        for field in (catalogue.fields[subject] for subject in _MITIGATIONS):
            want, limit = guest.registers.get(field.register), offer.limits.get(field.register)
            if want is None or limit is None:
                continue
            if field.compare(field.get(want), field.get(limit)) == "less":
                texts.append(f"{field.name} {field.get(limit)}->{field.get(want)}")
        return tuple(texts)

    offers = tuple((host, ", ".join(texts)) for host, texts in _each(fleet, kinds, dropped).items() if texts)
    because = ("the guest is told of less protection from speculation than the host has",)
    finding = Finding(
        "mitigations", "registers", "risk", offers=offers, cause="silicon", because=(*because, _NO_BOUNDARY)
    )
    return (finding,) if offers else ()


def _each(
    fleet: Fleet, kinds: Mapping[int, Sequence[str]], ask: Callable[[Host, Offer], tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    # What every host answers, in the order of the hosts.
    answers = {name: ask(h, o) for h, o in fleet if id(h) in kinds for name in kinds[id(h)]}
    return {host.name: answers[host.name] for host, _ in fleet}


def _identity(guest: Guest, fleet: Fleet, catalogue: Catalogue) -> tuple[Finding, ...]:
    if guest.implementation is None or guest.implementation.shown.midr is None:
        return ()
    shown = guest.implementation.shown
    own = [(host, shown_by(offer.limits, host)) for host, offer in fleet]
    others = tuple(
        (host.name, midr_text(one))
        for host, one in own
        if one is not None and one.part not in (None, shown.part)
    )
    software = tuple(f"{row.name} picks {row.picks} by MIDR_EL1" for row in catalogue.dispatch)
    finding = Finding(
        "implementation.identity",
        "registers",
        "note",
        needs=(midr_text(shown),),
        offers=others,
        cause="policy",
        because=software,
    )
    return (finding,) if others else ()
