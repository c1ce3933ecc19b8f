"""Documents to profile values, with the checks that need more than one place of a document.

The one reader of host and guest profiles. It takes the parsed JSON of a document whose structure was checked: by
the tables of :mod:`armlevel.documents.structure`. Standard library only.
"""

from __future__ import annotations

import marshal
from collections.abc import Mapping, Sequence
from typing import Any

from armlevel.documents.items import shown
from armlevel.documents.maps import Faults, ValuePool
from armlevel.documents.names import wrong_in
from armlevel.errors import UnknownName
from armlevel.profile import (
    SHAPE_FEATURES,
    Cpu,
    Facts,
    Given,
    Guest,
    GuestMachine,
    Host,
    HostMachine,
    Implementation,
    Made,
    Offer,
    Origin,
    Policy,
    Shape,
    ShownImplementation,
    Software,
    TriedField,
)
from armlevel.profile.shape import shape_feature

__all__ = ["guest_of", "host_of", "host_with", "lineage_of", "offer_of", "shape_of"]

_IMPLEMENTATION = ("midr", "revidr", "aidr")
Document = Mapping[str, Any]


def host_of(document: Document, pool: ValuePool, faults: Faults) -> Host:
    """Build a host from its document, or note what is wrong with it."""
    offers = [
        offer_of(offer, pool, faults, f"offers[{index}]") for index, offer in enumerate(document["offers"])
    ]
    return host_with(offers, document, pool, faults)


def host_with(offers: Sequence[Offer], document: Document, pool: ValuePool, faults: Faults) -> Host:
    """Build a host from its offers and what else its document says; the offers of ``document`` are not looked at."""
    places: dict[Shape, int] = {}
    for index, offer in enumerate(offers):
        place = f"offers[{index}]"
        if offer.like is not None and offer.like >= index:
            faults.add(f"{place}.like", f"{offer.like} is no earlier offer")
        if offer.like is None and offer.register_list_without:
            faults.add(f"{place}.register_list_without", "has no meaning without like")
        if (first := places.setdefault(offer.shape, index)) != index:
            faults.add(f"{place}.shape", f"{offer.shape.label} is already the shape of offers[{first}]")
    software = document.get("software", {})
    hwcaps = document.get("hwcaps")
    return Host(
        _name(document.get("name") or "", "name", faults),
        tuple(offers) if faults else pool.shared_as(("offers", tuple(map(id, offers))), tuple(offers)),
        tuple(map(_cpu, document.get("cpus", ()))),
        _facts(document.get("facts", {})),
        # Many hosts of a fleet have one software level, word for word.
        pool.once(b"software" + marshal.dumps(software, 2), lambda: _software(software)),
        _made(document.get("made", {})),
        None if hwcaps is None else pool.shared(tuple(hwcaps)),
        tuple(map(_cpu, document.get("other_cpus", ()))),
        None if (machine := document.get("machine")) is None else _machine(machine, faults),
        document.get("accelerator") or "kvm",
    )


def guest_of(document: Document, pool: ValuePool, faults: Faults) -> Guest:
    """Build a guest from its document, or note what is wrong with it."""
    shown_as = document.get("implementation")
    return Guest(
        _name(document.get("name") or "", "name", faults),
        shape_of(document["shape"], "shape", faults),
        pool.values(document["registers"], "registers", faults),
        _ids(document, "register_list", "", pool, faults),
        pool.values(document.get("firmware", {}), "firmware", faults),
        _lengths(document),
        _facts(document.get("facts", {})),
        None if shown_as is None else _shown_implementation(shown_as),
        tuple(_name(host, "starts_on", faults) for host in document.get("starts_on", ())),
        tuple(document.get("tolerates", ())),
        _made(document.get("made", {})),
        document.get("pmu_counters"),
        {
            name: frozenset(int(one, 16) for one in some)
            for name, some in document.get("possible", {}).items()
        },
        None if (machine := document.get("machine")) is None else _guest_machine(machine),
        tuple(document.get("unknown", ())),
    )


def offer_of(document: Document, pool: ValuePool, faults: Faults, place: str = "offers[]") -> Offer:
    """Build one offer from its document, or note what is wrong with it."""
    listed = _ids(document, "register_list", f"{place}.", pool, faults)
    offer = Offer(
        pool.shared(shape_of(document["shape"], f"{place}.shape", faults)),
        document["how"],
        document["default"],
        pool.values(document.get("limits", {}), f"{place}.limits", faults),
        pool.accepts(document.get("accepts", {}), f"{place}.accepts", faults),
        listed,
        pool.values(document.get("firmware", {}), f"{place}.firmware", faults),
        pool.state(document.get("state", {}), f"{place}.state", faults),
        _lengths(document),
        document.get("pmu", {}),
        document.get("like"),
        pool.ids(document.get("register_list_without", []), f"{place}.register_list_without", faults),
        pool.values(document.get("changed_by_kvm", {}), f"{place}.changed_by_kvm", faults),
        document.get("side_effects", {}),
    )
    return offer if faults else _shared(offer, pool)


def _name(name: str, place: str, faults: Faults) -> str:
    if wrong := wrong_in(name):
        faults.add(place, f"{shown(name, 80)} has {wrong}, which is no character of a name")
    return name


def lineage_of(document: Document) -> tuple[tuple[Origin, ...], Policy | None, tuple[Given, ...]]:
    """Return the hosts, the choices and the given facts of who made a document, or of a lineage."""
    hosts = tuple(Origin(host["name"], host.get("digest")) for host in document.get("hosts", ()))
    given = tuple(Given(fact["host"], fact["fact"], fact["value"]) for fact in document.get("given", ()))
    policy = document.get("policy")
    return hosts, None if policy is None else _policy(policy), given


def shape_of(document: Document, place: str, faults: Faults) -> Shape:
    """Build a shape; a feature that is none, or is named twice, is a fault."""
    named = document.get("features", ())
    for index, name in enumerate(named):
        if name not in SHAPE_FEATURES:
            where = f"{place}.features[{index}]"
            try:
                faults.add(where, f"a document spells {shown(name)} {shape_feature(name)}")
            except UnknownName as exc:
                faults.add(where, str(exc))
    features = frozenset(named)
    if len(features) != len(named):
        faults.add(f"{place}.features", "names a feature twice")
    return Shape(features, document.get("imp_id_writable", False))


def _shared(offer: Offer, pool: ValuePool) -> Offer:
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


def _ids(
    document: Document, key: str, before: str, pool: ValuePool, faults: Faults
) -> tuple[int, ...] | None:
    listed = document.get(key)
    return None if listed is None else pool.ids(listed, f"{before}{key}", faults)


def _lengths(document: Document) -> tuple[int, ...] | None:
    lengths = document.get("sve_vls")
    return None if lengths is None else tuple(lengths)


def _implementation(document: Document) -> Implementation:
    return Implementation(**{name: int(document[name], 16) for name in _IMPLEMENTATION if name in document})


def _cpu(document: Document) -> Cpu:
    count, numbers = document.get("count"), tuple(document.get("numbers", ()))
    return Cpu(_implementation(document), count, numbers, document.get("cntfrq_hz"))


def _machine(document: Document, faults: Faults) -> HostMachine:
    said = dict(document)
    for name in ("ich_vtr", "gicd_typer2"):
        if name in said:
            said[name] = int(said[name], 16)
    if "icc_ctlr" in said:
        fields = said["icc_ctlr"].items()
        said["icc_ctlr"] = {name: _tried(one, f"machine.icc_ctlr.{name}", faults) for name, one in fields}
    if "gicd_iidr" in said:
        said["gicd_iidr"] = _tried(said["gicd_iidr"], "machine.gicd_iidr", faults)
    if "unknown" in said:
        said["unknown"] = tuple(said["unknown"])
    return HostMachine(**said)


def _guest_machine(document: Document) -> GuestMachine:
    said = dict(document)
    if "windows" in said:
        said["windows"] = {name: int(base, 16) for name, base in said["windows"].items()}
    if "ich_vtr" in said:
        said["ich_vtr"] = int(said["ich_vtr"], 16)
    return GuestMachine(**said)


def _tried(document: Document, place: str, faults: Faults) -> TriedField:
    taken, refused = frozenset(document.get("taken", ())), frozenset(document.get("refused", ()))
    if both := taken & refused:
        faults.add(place, f"{min(both)} is both taken and refused")
    return TriedField(document["shown"], taken, refused)


def _shown_implementation(document: Document) -> ShownImplementation:
    return ShownImplementation(
        _implementation(document), tuple(map(_implementation, document.get("targets", ())))
    )


def _software(document: Document) -> Software:
    return Software(
        document.get("kernel") or None,
        document.get("kvm_capabilities", {}),
        document.get("vmms", {}),
        document.get("firmware") or None,
        tuple(document.get("boot_options", ())),
        document.get("vulnerabilities", {}),
    )


def _facts(document: Document) -> Facts:
    return Facts(**document)


def _made(document: Document) -> Made:
    tool, catalogue, at, source = (document.get(key) or None for key in ("tool", "catalogue", "at", "source"))
    hosts, policy, given = lineage_of(document)
    return Made(tool, catalogue, at, source, hosts, policy, given)


def _policy(document: Document) -> Policy:
    shown_as = document.get("implementation")
    return Policy(
        without=frozenset(document.get("without", ())),
        hide=tuple(document.get("hide", ())),
        require=tuple(document.get("require", ())),
        pins={subject: int(value, 16) for subject, value in document.get("pins", {}).items()},
        implementation=None if shown_as is None else _implementation(shown_as),
        also_targets=tuple(map(_implementation, document.get("also_targets", ()))),
        tolerate=tuple(document.get("tolerate", ())),
        assume_same_impdef=document.get("assume_same_impdef", False),
        accept_weaker_mitigation=document.get("accept_weaker_mitigation", False),
    )
