"""Fleets of synthetic hosts to measure with: every host is a document of its own, none like another."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from armlevel import machines
from armlevel.arch import Catalogue, Field, load
from armlevel.documents import host_object, pretty, read_host
from armlevel.profile import Accepts, Host, Offer, Shape

__all__ = ["all_shapes", "one_shape", "write_fleet"]

# A real recording, whose kernel lets userspace write most fields.
_TEMPLATE = "graviton3-6.18.json"
_LOWERED = 12
_SHAPE_FEATURES = ("pmu_v3", "ptrauth", "sve")


def _template() -> Host:
    with machines.folder() as folder:
        return read_host((folder / _TEMPLATE).read_bytes(), _TEMPLATE)


def _lowerable(offer: Offer, catalogue: Catalogue) -> list[Field]:
    # Fields that this host may show less of: what boot options, firmware and older cores do to a fleet.
    return [
        field
        for subject, field in catalogue.fields.items()
        if field.order.kind in ("unsigned", "signed")
        and (accepts := offer.accepts.get(subject)) is not None
        and accepts.values is not None
        and len(accepts.values) > 1
    ]


def _vary(host: Host, number: int, rng: random.Random, catalogue: Catalogue) -> Host:
    base = host.offers[0]
    limits, accepts = dict(base.limits), dict(base.accepts)
    for field in rng.sample(_lowerable(base, catalogue), _LOWERED):
        values = accepts[field.subject].values or frozenset()
        limit = rng.choice(sorted(values))
        limits[field.register] = field.put(limits[field.register], limit)
        kept = frozenset(v for v in values if field.compare(v, limit) in ("same", "less"))
        accepts[field.subject] = Accepts(kept | {limit})
    cpu = host.cpus[0]
    cpu = replace(cpu, implementation=replace(cpu.implementation, revidr=number), count=64)
    limits["REVIDR_EL1"] = number
    offers = (replace(base, limits=limits, accepts=accepts), *host.offers[1:])
    return replace(host, name=f"host-{number:05}", cpus=(cpu,), offers=offers)


def one_shape(count: int, seed: int = 1) -> Iterator[Host]:
    """Yield hosts with one offer: the implementation IDs writable, everything else as recorded or lowered."""
    catalogue, rng, host = load(), random.Random(seed), _template()
    whole = host.offer(Shape(imp_id_writable=True))
    if whole is None:
        raise ValueError(f"{_TEMPLATE} has no offer with writable implementation IDs")
    host = replace(host, offers=(whole,))
    for number in range(count):
        yield _vary(host, number, rng, catalogue)


def all_shapes(count: int, seed: int = 2) -> Iterator[Host]:
    """Yield hosts probed in every shape: the later offers list only how they differ from the first."""
    catalogue = load()
    features = [set(some) for size in range(4) for some in combinations(_SHAPE_FEATURES, size)]
    features += [{"mte"}, {"el1_32bit"}, {"mte", *_SHAPE_FEATURES}, {"pmu_v3", "pmu_v3_strict"}]
    shapes = [Shape(frozenset(some), writable) for some in features for writable in (True, False)]
    for host in one_shape(count, seed):
        base = replace(host.offers[0], shape=shapes[0])
        others = [_other(base, shape, catalogue) for shape in shapes[1:]]
        yield replace(host, offers=(base, *others))


def _other(base: Offer, shape: Shape, catalogue: Catalogue) -> Offer:
    limits, accepts = {}, {}
    if "sve" in shape.features:
        sve = catalogue.field("ID_AA64PFR0_EL1.SVE")
        limits["ID_AA64PFR0_EL1"] = sve.put(base.limits["ID_AA64PFR0_EL1"], 1)
        accepts = {f.subject: Accepts.of(range(2)) for f in catalogue.register("ID_AA64ZFR0_EL1").fields}
    if "pmu_v3" in shape.features:
        pmu = catalogue.field("ID_AA64DFR0_EL1.PMUVer")
        limits["ID_AA64DFR0_EL1"] = pmu.put(base.limits["ID_AA64DFR0_EL1"], 6)
        accepts[pmu.subject] = Accepts.of([0, 1, 4, 5, 6])
    return Offer(
        shape,
        base.how,
        base.default,
        limits,
        accepts,
        sve_vls=(128, 256) if "sve" in shape.features else None,
        like=0,
    )


def write_fleet(folder: Path, hosts: Iterator[Host]) -> list[str]:
    """Write each host as a file of ``folder`` and return their paths."""
    folder.mkdir()
    paths = []
    for host in hosts:
        path = folder / f"{host.name}.json"
        path.write_text(pretty(host_object(host)), encoding="ascii")
        paths.append(str(path))
    return paths


def mixed(count: int, seed: int = 5, blocks: int = 24, fixed: int = 2) -> Iterator[Host]:
    """Yield a fleet that falls into groups: recorded machines of 6.18, fields lowered, some of them not writable.

    Each of ``blocks`` choices of clock and core has hosts that lower other fields; ``fixed`` of a host's fields take
    nothing but their limit, as where its kernel does not let userspace write them: so pairs conflict here and there.
    """
    catalogue, rng = load(), random.Random(seed)
    with machines.folder() as folder:
        templates = [
            read_host((folder / f"{name}.json").read_bytes(), name)
            for name in machines.names()
            if name.endswith("6.18")
        ]
    clocks = [25_000_000 * (1 + block) for block in range(blocks)]
    stuck = {
        block: rng.sample(_lowerable(templates[0].offers[0], catalogue), 3 * fixed) for block in range(blocks)
    }
    for number in range(count):
        block = rng.randrange(blocks)
        host = _vary(templates[block % len(templates)], number, rng, catalogue)
        base = host.offers[0]
        limits, accepts = dict(base.limits), dict(base.accepts)
        for field in rng.sample(stuck[block], fixed):
            limit = rng.choice((0, 1))
            limits[field.register] = field.put(limits[field.register], limit)
            accepts[field.subject] = Accepts(frozenset({limit}))
        offers = (replace(base, limits=limits, accepts=accepts), *host.offers[1:])
        yield replace(host, offers=offers, facts=replace(host.facts, cntfrq_hz=clocks[block]))
