"""Validated structures to profile values, with the checks that need more than one place of a document."""

from __future__ import annotations

from armlevel.documents.build_verdict import implementation_of
from armlevel.documents.items import shown
from armlevel.documents.maps import Faults, ValuePool
from armlevel.documents.models import (
    FactsModel,
    GuestModel,
    HostModel,
    LineageModel,
    MadeModel,
    OfferModel,
    PolicyModel,
    ShapeModel,
)
from armlevel.errors import UnknownName
from armlevel.profile import (
    SHAPE_FEATURES,
    Cpu,
    Facts,
    Given,
    Guest,
    Host,
    Made,
    Offer,
    Origin,
    Policy,
    Shape,
    ShownImplementation,
    Software,
)
from armlevel.profile.shape import shape_feature

__all__ = ["guest_of", "host_of", "host_with", "offer_of"]


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
        tuple(Cpu(implementation_of(cpu), cpu.count) for cpu in model.cpus),
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
            implementation_of(model.implementation),
            tuple(map(implementation_of, model.implementation.targets)),
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


def _facts(model: FactsModel) -> Facts:
    return Facts(model.cntfrq_hz, model.dczid, model.gmid, model.page_size, model.sources)


def _made(model: MadeModel) -> Made:
    hosts, policy, given = lineage_of(model)
    return Made(model.tool, model.catalogue, model.at, model.source, hosts, policy, given)


def lineage_of(
    model: MadeModel | LineageModel,
) -> tuple[tuple[Origin, ...], Policy | None, tuple[Given, ...]]:
    """Return the hosts, the choices and the given facts of who made a document, or of a lineage."""
    hosts = tuple(Origin(one.name, one.digest or "") for one in model.hosts)
    given = tuple(Given(one.host, one.fact, one.value) for one in model.given)
    return hosts, None if model.policy is None else _policy(model.policy), given


def _policy(model: PolicyModel) -> Policy:
    shown = model.implementation
    return Policy(
        without=frozenset(model.without),
        hide=tuple(model.hide),
        require=tuple(model.require),
        pins={subject: int(value, 16) for subject, value in model.pins.items()},
        implementation=None if shown is None else implementation_of(shown),
        also_targets=tuple(map(implementation_of, model.also_targets)),
        tolerate=tuple(model.tolerate),
        assume_same_impdef=model.assume_same_impdef,
        accept_weaker_mitigation=model.accept_weaker_mitigation,
    )
