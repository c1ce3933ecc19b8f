"""Validated structures to profile values, with the checks that need more than one place of a document."""

from __future__ import annotations

from armlevel.documents.items import shown
from armlevel.documents.maps import Faults, ValuePool
from armlevel.documents.models import (
    FactsModel,
    GuestModel,
    HostModel,
    ImplementationModel,
    MadeModel,
    OfferModel,
    ShapeModel,
    VerdictModel,
)
from armlevel.engine.findings import Finding, Remedy, Verdict
from armlevel.errors import UnknownName
from armlevel.profile import (
    SHAPE_FEATURES,
    Cpu,
    Facts,
    Guest,
    Host,
    Implementation,
    Made,
    Offer,
    Shape,
    ShownImplementation,
    Software,
)
from armlevel.profile.shape import shape_feature

__all__ = ["guest_of", "host_of", "host_with", "offer_of", "verdict_of"]


def host_of(model: HostModel, pool: ValuePool, faults: Faults) -> Host:
    """Build a host from its validated document, or note what is wrong with it."""
    offers = [
        _offer(document, f"offers[{index}]", pool, faults) for index, document in enumerate(model.offers)
    ]
    return host_with(offers, model, pool, faults)


def offer_of(model: OfferModel, pool: ValuePool, faults: Faults) -> Offer:
    """Build one offer from its validated document, or note that something is wrong with it."""
    return _offer(model, "offers[]", pool, faults)


def host_with(offers: list[Offer], model: HostModel, pool: ValuePool, faults: Faults) -> Host:
    """Build a host from its offers and what else its document says; the offers of ``model`` are not looked at."""
    places: dict[Shape, int] = {}
    for index, offer in enumerate(offers):
        place = f"offers[{index}]"
        if offer.like is not None and offer.like >= index:
            faults.add(f"{place}.like", f"{offer.like} is no earlier offer")
        if offer.like is None and offer.register_list_without:
            faults.add(f"{place}.register_list_without", "has no meaning without like")
        if (first := places.setdefault(offer.shape, index)) != index:
            faults.add(f"{place}.shape", f"{offer.shape.label} is already the shape of offers[{first}]")
    software = model.software
    return Host(
        model.name,
        tuple(offers) if faults else pool.shared_as(("offers", tuple(map(id, offers))), tuple(offers)),
        tuple(Cpu(_implementation(cpu), cpu.count) for cpu in model.cpus),
        _facts(model.facts),
        Software(
            software.kernel,
            software.kvm_capabilities,
            software.vmms,
            software.firmware,
            tuple(software.boot_options),
            software.vulnerabilities,
        ),
        _made(model.made),
    )


def guest_of(model: GuestModel, pool: ValuePool, faults: Faults) -> Guest:
    """Build a guest from its validated document, or note what is wrong with it."""
    shown = None
    if model.implementation is not None:
        shown = ShownImplementation(
            _implementation(model.implementation), tuple(map(_implementation, model.implementation.targets))
        )
    return Guest(
        model.name,
        _shape(model.shape, "shape", faults),
        pool.values(model.registers, "registers", faults),
        None if model.register_list is None else pool.ids(model.register_list, "register_list", faults),
        pool.values(model.firmware, "firmware", faults),
        None if model.sve_vls is None else tuple(model.sve_vls),
        _facts(model.facts),
        shown,
        tuple(model.starts_on),
        tuple(model.tolerates),
        _made(model.made),
        model.pmu_counters,
    )


def verdict_of(model: VerdictModel, _pool: ValuePool, faults: Faults) -> Verdict:
    """Build a verdict from its validated document; its two answers must be those of its parts."""
    parts = {part: (answers.start, answers.arrive) for part, answers in model.parts.items()}
    findings = tuple(
        Finding(
            finding.subject,
            finding.part,
            finding.severity,
            tuple(finding.needs),
            tuple(finding.offers.items()),
            finding.cause,
            tuple(finding.applies),
            tuple(finding.because),
            tuple(Remedy(remedy.do, remedy.what, tuple(remedy.hosts)) for remedy in finding.remedies),
            messages=tuple(finding.messages),
        )
        for finding in model.findings
    )
    verdict = Verdict(model.guest, model.host, parts, findings)
    for side, said, follows in (
        ("start", model.start, verdict.start),
        ("arrive", model.arrive, verdict.arrive),
    ):
        if said != follows:
            faults.add(side, f"{said!r}, but its parts say {follows!r}")
    return verdict


def _offer(model: OfferModel, place: str, pool: ValuePool, faults: Faults) -> Offer:
    registers = None
    if model.register_list is not None:
        registers = pool.ids(model.register_list, f"{place}.register_list", faults)
    offer = Offer(
        pool.shared(_shape(model.shape, f"{place}.shape", faults)),
        model.how,
        model.default,
        pool.values(model.limits, f"{place}.limits", faults),
        pool.accepts(model.accepts, f"{place}.accepts", faults),
        registers,
        pool.values(model.firmware, f"{place}.firmware", faults),
        pool.state(model.state, f"{place}.state", faults),
        None if model.sve_vls is None else tuple(model.sve_vls),
        model.pmu,
        model.like,
        pool.ids(model.register_list_without, f"{place}.register_list_without", faults),
        pool.values(model.changed_by_kvm, f"{place}.changed_by_kvm", faults),
        model.side_effects,
    )
    if faults:
        return offer
    # Every part is one object for equal contents, so their identities tell equal offers.
    parts = (
        offer.limits,
        offer.accepts,
        offer.register_list,
        offer.firmware,
        offer.state,
        offer.register_list_without,
        offer.changed_by_kvm,
    )
    side_effects = tuple((lowered, *seen.items()) for lowered, seen in offer.side_effects.items())
    rest = (
        offer.shape,
        offer.how,
        offer.default,
        offer.sve_vls,
        tuple(offer.pmu.items()),
        offer.like,
        side_effects,
    )
    return pool.shared_as(("offer", tuple(map(id, parts)), rest), offer)


def _shape(model: ShapeModel, place: str, faults: Faults) -> Shape:
    for index, name in enumerate(model.features):
        if name not in SHAPE_FEATURES:
            where = f"{place}.features[{index}]"
            try:
                faults.add(where, f"a document spells {shown(name)} {shape_feature(name)}")
            except UnknownName as exc:
                faults.add(where, str(exc))
    features = frozenset(model.features)
    if len(features) != len(model.features):
        faults.add(f"{place}.features", "names a feature twice")
    return Shape(features, model.imp_id_writable)


def _implementation(model: ImplementationModel) -> Implementation:
    texts = (model.midr, model.revidr, model.aidr)
    return Implementation(*(None if text is None else int(text, 16) for text in texts))


def _facts(model: FactsModel) -> Facts:
    return Facts(model.cntfrq_hz, model.dczid, model.gmid, model.page_size, model.sources)


def _made(model: MadeModel) -> Made:
    return Made(model.tool, model.catalogue, model.at, model.source)
