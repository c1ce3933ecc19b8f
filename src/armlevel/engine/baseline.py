"""The richest guest CPU that every host of a set can run, or the proof that there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from armlevel.arch import Catalogue, FieldRule
from armlevel.engine.fields.bundles import Bundled, level_bundle
from armlevel.engine.fields.closure import Lowering
from armlevel.engine.fields.tolerance import ids_of, tolerated_of
from armlevel.engine.findings import OF_A_GUEST, PARTS, Answer, Finding, Part, Remedy, answer_of, worst
from armlevel.engine.names import hosts_of
from armlevel.engine.parts.facts import common_facts, level_facts
from armlevel.engine.parts.firmware import level_firmware
from armlevel.engine.parts.register_list import carried_unvalued, carry
from armlevel.engine.parts.registers import Levelling, level_fields
from armlevel.engine.parts.registers_certain import certain_conflicts
from armlevel.engine.parts.registers_implementation import implementation_of, level_implementation, unlike
from armlevel.engine.parts.shape import common_shape
from armlevel.engine.parts.shape_pmu import level_pmu
from armlevel.engine.parts.shape_smaller import dropped_findings, smaller_may_help, smaller_shapes
from armlevel.engine.parts.shape_vectors import level_pauth, level_vls
from armlevel.engine.policy import Policy
from armlevel.engine.reasons import Reason
from armlevel.engine.risks.risks import risks_of_fleet
from armlevel.engine.subjects import Subject, about_register, about_shape, about_whole
from armlevel.engine.values import NOT_RECORDED, named, offered
from armlevel.errors import UsageError
from armlevel.profile import Guest, Host, Offer, Shape
from armlevel.profile.host import whole_offer

__all__ = ["LEVELLED", "Baseline", "about_pauth", "bundle_values", "level"]

#: The parts of the question about a levelled guest: it was given nothing yet around its vCPUs.
LEVELLED: tuple[Part, ...] = tuple(part for part in PARTS if part not in OF_A_GUEST)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The outcome of levelling a set of hosts.

    ``guest``     the common guest CPU, also where some part of the question stands against it: then it is only a
                  candidate, and ``answer`` says so; None if the registers themselves have no common value
    ``findings``  conflicts (``stops``, ``breaks``), what is not known, and notes
    ``parts``     what each part of the question answers by itself
    ``steps``     fields that Arm's rules lowered;  ``kept``  rules broken as some host breaks them by itself
    ``dropped`` features of the richest shape without which there is a baseline, and with which there is none
    """

    shape: Shape | None
    guest: Guest | None
    findings: tuple[Finding, ...]
    parts: Mapping[Part, Answer]
    steps: tuple[Lowering, ...] = ()
    kept: tuple[FieldRule, ...] = ()
    dropped: frozenset[str] = frozenset()

    @property
    def answer(self) -> Answer:
        """``runs``: it is a baseline; ``refused``: there is none; ``unknown``: some part cannot be told."""
        return worst(self.parts.values())

    @property
    def conflicts(self) -> tuple[Finding, ...]:
        """The findings that stand against a baseline, or may."""
        return tuple(f for f in self.findings if f.severity in ("stops", "breaks", "unknown"))


def level(
    hosts: Sequence[Host], catalogue: Catalogue, policy: Policy | None = None, *, name: str = "baseline"
) -> Baseline:
    """Level a set of hosts: shape, registers, state, firmware, facts, implementation.

    Neither the order of the hosts nor duplicates matter. Where the richest shape that all hosts have gives no baseline,
    smaller ones are tried, and what was dropped is told in a note. Pointer authentication that cannot be shared is
    dropped in any case, because every VMM can do without it and no register can make it equal.

    Raises:
        UsageError: no hosts, or a policy that asks for what no field announces.
        UnknownName: a policy names an unknown feature or field.

    """
    if not hosts:
        raise UsageError("no hosts to level", hint="name at least one host profile")
    policy = policy or Policy()
    shape = common_shape(hosts, policy.without)
    if shape is None:
        return _no_shape(hosts)
    outcome = _level_shape(hosts, shape, catalogue, policy, name)
    if "ptrauth" in shape.features and any(about_pauth(f.subject) for f in outcome.conflicts):
        outcome = _without_pauth(outcome, hosts, catalogue, policy, name)
    if outcome.answer != "refused" or not smaller_may_help(
        outcome.conflicts, hosts, outcome.shape, catalogue
    ):
        return outcome
    return _smaller(outcome, hosts, catalogue, policy, name)


def _without_pauth(
    outcome: Baseline, hosts: Sequence[Host], catalogue: Catalogue, policy: Policy, name: str
) -> Baseline:
    fewer = replace(policy, without=policy.without | {"ptrauth"})
    smaller = common_shape(hosts, fewer.without)
    if smaller is None:
        return outcome
    again = _level_shape(hosts, smaller, catalogue, fewer, name)
    notes = tuple(
        replace(f, severity="note", because=(*f.because, Reason("ptrauth-dropped")), remedies=())
        for f in outcome.conflicts
        if about_pauth(f.subject)
    )
    return replace(again, findings=(*again.findings, *notes), dropped=frozenset({"ptrauth"}))


def _smaller(
    outcome: Baseline, hosts: Sequence[Host], catalogue: Catalogue, policy: Policy, name: str
) -> Baseline:
    # The fewest features less that give a certain yes; else that cannot be told. Without any of them first: where that
    # is refused, nothing in between is.
    unsure: Baseline | None = None
    for less in smaller_shapes(hosts, outcome.shape, policy.without):
        shape = common_shape(hosts, policy.without | less)
        if shape is None:
            continue
        again = _level_shape(hosts, shape, catalogue, replace(policy, without=policy.without | less), name)
        if again.answer == "refused":
            continue
        notes = [one for one in outcome.findings if one.severity == "note" and about_pauth(one.subject)]
        notes += dropped_findings(less, outcome.conflicts)
        tried = replace(again, findings=(*again.findings, *notes), dropped=outcome.dropped | less)
        if tried.answer == "runs":
            return tried
        unsure = unsure or tried
    return unsure or outcome


_PAUTH = ("APA", "API", "GPA", "GPI", "APA3", "GPA3", "PAC_frac")


def about_pauth(subject: Subject) -> bool:
    """Whether it is pointer authentication, which every VMM can do without."""
    register, _, field = subject.key.partition(".")
    of_field = register.startswith("ID_AA64ISAR") and field in _PAUTH
    return subject == about_shape("ptrauth") or of_field


def _no_shape(hosts: Sequence[Host]) -> Baseline:
    offers = offered(*((host.name, named(*(one.label for one in host.shapes))) for host in hosts))
    finding = Finding(
        about_whole("shape"),
        "shape",
        "unknown",
        offers=offers,
        because=(Reason("no-common-shape"),),
        remedies=(Remedy("probe", hosts=hosts_of(host.name for host in hosts)),),
    )
    parts: dict[Part, Answer] = dict.fromkeys(LEVELLED, "unknown")
    return Baseline(None, None, (finding,), parts)


def _level_shape(
    hosts: Sequence[Host], shape: Shape, catalogue: Catalogue, policy: Policy, name: str
) -> Baseline:
    offers = _offers(hosts, shape)
    levelled: Levelling = level_fields(offers, hosts, catalogue, policy)
    implementation = level_implementation(offers, hosts, catalogue, policy.implementation)
    cache = level_bundle("cache", offers, catalogue)
    values = {**levelled.values, **bundle_values(cache.values, catalogue)}
    silent = frozenset(
        catalogue.registers[register].kvm_id for register in levelled.gone if register in catalogue.registers
    )
    releases = {host.name: host.software.kernel for host in hosts}
    carried = carry(offers, values, silent | ids_of(levelled.tolerated, catalogue), catalogue, releases)
    firmware = level_firmware(offers, values, catalogue, weaker=policy.accept_weaker_mitigation)
    vls, vl_findings = level_vls(offers, shape)
    pauth = level_pauth(
        hosts,
        values,
        shape,
        assume_same=policy.assume_same_impdef,
        implementation_known=bool(dict(implementation.values).get("MIDR_EL1")),
    )
    pmu = level_pmu(offers, shape, frozenset(host.name for host in hosts if host.mixed))
    starts_on = tuple(name for name in firmware.starts_on if name not in pmu.no_start_on)
    if firmware.starts_on and not starts_on:
        pmu = replace(
            pmu,
            findings=tuple(
                replace(one, severity="stops", applies=("start", "arrive")) for one in pmu.findings
            ),
        )
    certain = certain_conflicts(offers, hosts, catalogue, policy)
    found: dict[Part, Sequence[Finding]] = {
        "shape": [*vl_findings, *pauth, *pmu.findings],
        "registers": [
            *(one for one in levelled.findings if one.subject not in {other.subject for other in certain}),
            *certain,
            *implementation.findings,
            *unlike(dict(implementation.values), hosts, offers, shape, catalogue),
            *cache.findings,
            *_unvalued(levelled, cache, Guest(name, shape, {}, carried.ids), hosts, catalogue),
        ],
        "list": carried.findings,
        "firmware": firmware.findings,
        "facts": level_facts(hosts, shape),
    }
    parts = {part: answer_of(found[part], "arrive") for part in LEVELLED}
    guest = None
    if levelled.registers is not None and not (certain or implementation.conflict or cache.conflict):
        shown = dict(implementation.values)
        guest = Guest(
            name=name,
            shape=shape,
            registers={**levelled.registers, **dict(cache.values)},
            register_list=carried.ids,
            firmware={n: v for n, v in firmware.values.items() if _is_carried(n, carried.ids, catalogue)},
            sve_vls=vls,
            facts=common_facts(hosts, shape),
            implementation=implementation_of(shown, hosts, policy.also_targets),
            starts_on=starts_on,
            tolerates=(*_needed(policy, levelled, shape, catalogue), *policy.recorded),
            pmu_counters=pmu.counters,
        )
    findings = tuple(finding for part in LEVELLED for finding in found[part])
    if guest is not None and "refused" not in parts.values():
        fleet = [(host, offer) for host, (_, offer) in zip(hosts, offers, strict=True)]
        findings += risks_of_fleet(guest, fleet, catalogue)
    return Baseline(
        shape,
        guest,
        (*findings, *levelled.policy),
        _with_policy(parts, levelled),
        levelled.steps,
        levelled.kept,
    )


def _unvalued(
    levelled: Levelling, cache: Bundled, carrying: Guest, hosts: Sequence[Host], catalogue: Catalogue
) -> list[Finding]:
    # ID registers that every host lists, and of which none records a value: a guest would have one that nobody knows.
    if levelled.registers is None or cache.findings:
        return []
    guest = replace(carrying, registers={**levelled.registers, **dict(cache.values)})
    return [
        Finding(
            about_register(register),
            "registers",
            "unknown",
            offers=offered(*((host.name, NOT_RECORDED) for host in hosts)),
            because=(Reason("listed-value-not-recorded"),),
            remedies=(Remedy("probe", hosts=hosts_of(host.name for host in hosts)),),
        )
        for register in carried_unvalued(guest, levelled.gone, catalogue)
    ]


def _needed(policy: Policy, levelled: Levelling, shape: Shape, catalogue: Catalogue) -> Sequence[str]:
    # A tolerance that nothing needed leaves no trace: the profile is as strict as without it.
    gone = {s for s in levelled.tolerated if catalogue.fields[s].register in levelled.gone}
    needed = levelled.tolerated - gone
    return [
        name for name in dict.fromkeys(policy.tolerate) if needed & tolerated_of((name,), catalogue, shape)
    ]


def _with_policy(parts: Mapping[Part, Answer], levelled: Levelling) -> dict[Part, Answer]:
    out = dict(parts)
    if levelled.policy:
        out["policy"] = answer_of(levelled.policy, "arrive")
    return out


def _offers(hosts: Sequence[Host], shape: Shape) -> list[tuple[str, Offer]]:
    # Hosts that were recorded alike have one offer: it is made whole once.
    whole: dict[tuple[Offer, ...], Offer] = {}
    offers = []
    for host in hosts:
        recorded = host.recorded(shape)
        if not recorded:
            raise UsageError(f"{host.name} has no offer for shape {shape.label}", hint="probe the host again")
        if (offer := whole.get(recorded)) is None:
            offer = whole[recorded] = whole_offer(recorded)
        offers.append((host.name, offer))
    return offers


def bundle_values(values: Sequence[tuple[str, int]], catalogue: Catalogue) -> dict[str, int]:
    """Return the ``REG.FIELD`` values of registers of a bundle."""
    return {
        field.subject: field.get(value)
        for name, value in values
        if name in catalogue.registers
        for field in catalogue.registers[name].fields
    }


def _is_carried(name: str, ids: tuple[int, ...] | None, catalogue: Catalogue) -> bool:
    row = catalogue.firmware.get(name)
    return ids is None or row is None or row.kvm_id in ids
