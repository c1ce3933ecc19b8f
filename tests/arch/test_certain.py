"""What is said of hosts of which little is recorded: rows against what was recorded of the same cores and kernels."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from armlevel.arch import Catalogue, load
from armlevel.arch.prove import prove, prove_registers
from armlevel.arch.table import TABLE
from armlevel.documents import load_hosts
from armlevel.machines import folder
from armlevel.profile import Host, Implementation
from tests.fidelity import hosts as lab

SILICON = sorted((Path(__file__).parents[1] / "machines/cpus").glob("*.json"))


def recorded() -> list[Host]:
    with folder() as place:
        return [*load_hosts([str(one) for one in sorted(place.glob("*.json"))]), *lab.read()]


def changed(**sections: Any) -> Catalogue:
    return Catalogue({**TABLE, **sections})


def test_a72_and_a76_differ_in_what_no_kernel_changes():
    rows = load().certain
    for subject in ("ID_AA64PFR0_EL1.FP", "ID_AA64PFR0_EL1.AdvSIMD"):
        assert rows.keeps[subject] == "limit"
        assert rows.cores[0x41, 0xD08][subject].isdisjoint(rows.cores[0x41, 0xD0B][subject])


def test_every_recorded_host_shows_what_is_said_of_its_core(tell):
    held, cores = 0, set()
    for host in recorded():
        for offer in map(host.offer, host.shapes):
            shown = Implementation.from_registers(offer.limits) if offer is not None else None
            part = shown.part if shown is not None else None
            if offer is None or part is None or part not in load().certain.cores:
                continue
            for subject, values in load().certain.cores[part].items():
                field = load().fields[subject]
                assert field.get(offer.limits[field.register]) in values, (host.name, subject)
                held += 1
            cores.add(part)
    assert len(cores) >= 8, cores
    tell(f"values of cores: {held:,} of {len(cores)} cores as recorded hosts show them")


def test_silicon_has_what_is_said_of_its_core():
    cores = set()
    for path in SILICON:
        values = {name: int(text, 16) for name, text in json.loads(path.read_text())["registers"].items()}
        shown = Implementation.from_registers(values)
        part = (shown.part if shown is not None else None) or (0, 0)
        for subject, some in load().certain.cores.get(part, {}).items():
            field = load().fields[subject]
            if field.register in values:
                assert field.get(values[field.register]) in some, (path.name, subject)
                cores.add(part)
    assert len(cores) >= 5, cores


def test_every_recorded_host_keeps_no_more_than_is_said(tell):
    held = 0
    for host in recorded():
        for offer, (subject, keeps) in product(map(host.offer, host.shapes), load().certain.keeps.items()):
            field = load().fields[subject]
            if offer is None or field.register not in offer.limits:
                continue
            limit, accepts = field.get(offer.limits[field.register]), offer.accepts.get(subject)
            kept = accepts.values if accepts is not None else frozenset({limit})
            assert kept is not None
            for value in kept - {limit}:
                assert keeps == "lower", (host.name, subject, value)
                assert field.compare(value, limit) == "less", (host.name, subject, value)
            held += 1
    assert held > 2_000
    tell(f"what KVM keeps: {held:,} fields of recorded offers")


CERTAIN, CORES = TABLE["certain"], TABLE["cores"]


@pytest.mark.parametrize(
    ("section", "fault"),
    [
        (
            {"certain": ((7, 3), (*CERTAIN[1], ("ID_AA64ISAR0_EL1.AES", "limit")), *CERTAIN[2:])},
            "can be written",
        ),
        (
            {"certain": ((7, 3), (("MIDR_EL1.Variant", "lower"), *CERTAIN[1]), *CERTAIN[2:])},
            "has no order",
        ),
        ({"certain": ((7, 3), (("ID_AA64DFR0_EL1.PMUVer", "lower"), *CERTAIN[1]), *CERTAIN[2:])}, "not keep"),
        ({"certain": ((7, 2), *CERTAIN[1:])}, "newest line"),
        ({"certain": (*CERTAIN[:2], (("HWCAP_EVTSTRM", (4, 6)),), *CERTAIN[3:])}, "HWCAP_EVTSTRM"),
        ({"certain": (*CERTAIN[:2], (("HWCAP_PACA", (5, 0)),), *CERTAIN[3:])}, "HWCAP_PACA"),
        ({"cores": (("x", ((0x41, 0xFFF),), (("ID_AA64PFR0_EL1.FP", (1,)),)),)}, "not known"),
    ],
)
def test_a_wrong_row_is_refused_with_its_reason(section, fault):
    faults = prove(changed(**section))
    assert faults
    assert any(fault in one for one in faults), faults


@pytest.mark.parametrize(
    "cores",
    [
        (("x", ((0x41, 0xD08),), (("ID_AA64PFR0_EL1.FP", (16,)),)),),
        (("x", ((0x41, 0xD08),), (("ID_AA64PFR0_EL1.FP", ()),)),),
        (("x", ((0x41, 0xD08),), (("ID_AA64PFR0_EL1.NAME", (1,)),)),),
        (("x", ((0x41, 0xD08),), (("ID_AA64PFR0_EL1.EL2", (1,)),)),),
        (("", ((0x41, 0xD08),), (("ID_AA64PFR0_EL1.FP", (1,)),)),),
    ],
)
def test_a_wrong_value_of_a_core_is_refused_when_the_table_is_loaded(cores):
    assert prove_registers(changed(cores=cores))
    assert not prove_registers(load())
