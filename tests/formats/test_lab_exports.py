"""Exports judged by real programs: QEMU 10 and 11, and KVM, inside emulated hosts."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from armlevel.arch import load
from armlevel.engine import Policy, check, level, passthrough
from armlevel.engine.moves.settings import settings_of
from armlevel.formats.expansion import properties
from armlevel.formats.firecracker_write import export_template
from armlevel.formats.kvm_calls_write import export as export_calls
from armlevel.formats.qemu_write import options_of
from armlevel.lab import Job, Laboratory, parse_host
from armlevel.profile import Shape
from tests.emulated import fetched
from tests.formats.profiles import baselines, host

CATALOGUE = load()
#: With and without SVE, with several vector lengths, old and new kernel.
HOSTS = ("max@7.x", "neoverse-n1@6.12", "neoverse-v1@7.x")
CHEAPEST = "neoverse-n1@6.12"
NEW = "kvm-psci-version"
HIDDEN = (("FEAT_SHA256",), ("FEAT_DotProd", "FEAT_LSE"), ("FEAT_PMULL", "FEAT_CRC32", "FEAT_LRCPC"))


@cache
def guests(name):
    """Passthrough guests in each shape QEMU can make on a host, vectors capped; and each baseline of it."""
    there, found = host(name), []
    for shape in there.shapes:
        if shape.imp_id_writable or not shape.features <= {"pmu_v3", "sve", "ptrauth"}:
            continue
        guest = passthrough(there, CATALOGUE, shape=shape)
        lengths = guest.sve_vls or ()
        found += [
            guest,
            *(replace(guest, sve_vls=lengths[:count]) for count in (1, 2, 4) if count < len(lengths)),
        ]
    found += [guest for guest, one, two in baselines() if there in (one, two)]
    for features in HIDDEN:
        outcome = level(
            [there], CATALOGUE, Policy(hide=features), name=f"{name} without {' '.join(features)}"
        )
        found += [outcome.guest] if outcome.guest and outcome.answer == "runs" else []
    return found


def tasks(name):
    there, wanted = host(name), guests(name)
    options = [options_of(guest, CATALOGUE) for guest in wanted]
    picked = [len(wanted) // 2, len(wanted) - 1]
    qemu = {}
    for version, names in (("10", ()), ("11", (NEW,))):
        starts = [options_of(wanted[index], CATALOGUE, properties=names) for index in picked]
        qemu[version] = {
            "first": [options[0].machine_option, "host"],
            "props": [one.properties for one in options],
            "starts": [[one.machine_option, one.cpu_option, list(one.cpu)] for one in starts],
        }
    levelled = [guest for guest in wanted if check(guest, there, CATALOGUE).start == "runs"]
    return {
        "qemu": qemu,
        "calls": [json.loads(export_calls(settings_of(guest, there, CATALOGUE)).text) for guest in levelled],
        "templates": [
            json.loads(export_template(guest, there, CATALOGUE).text)
            for guest in wanted
            if "pmu_v3" in guest.shape.features
        ],
    }


def answers(lab: Laboratory, name: str) -> dict[str, Any]:
    """Boot a host and let everything be judged in it."""
    where = parse_host(f"{name},memory=1024")
    with fetched():
        lab.prepare(where)
        images = lab.vmm_images(where, "11", "10")
    files = {
        "inside.py": Path(__file__).with_name("inside.py").read_bytes(),
        "tasks.json": json.dumps(tasks(name)).encode(),
    }
    result = lab.run(where, Job('python3 -I inside.py "$OUT/found.json"', files), extra=images)
    assert result.status == 0, result.stderr
    found: dict[str, Any] = json.loads(result.files["found.json"])
    return found


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name == CHEAPEST else pytest.mark.slow) for name in HOSTS],
)
def test_real_programs_take_every_export_and_end_up_as_said(laboratory, name, tell):
    # One test a host: two would boot it twice where tests run in several processes.
    answer = answers(laboratory, name)
    for version, found in answer["qemu"].items():
        taken_and_read_back(name, version, found)
        tell(f"QEMU {version} in {name}: {len(guests(name))} profiles' options taken and read back equal")
        properties_are_read(version, found)
    assert answer["calls"]
    assert [one for one in answer["calls"] if one] == []
    tell(f"KVM in {name}: {len(answer['calls'])} lists of calls replayed, every register as said")
    templates = answer["templates"]
    assert {value for one in templates for value in one.values() if not value.startswith("0x")} == set()
    assert any(templates)
    tell(
        f"Firecracker in {name}: {len(templates)} templates, {sum(map(len, templates))} registers changed by KVM"
    )


def taken_and_read_back(name, version, found):
    for guest, expanded in zip(guests(name), found["expanded"], strict=True):
        asked = options_of(guest, CATALOGUE).properties
        props = expanded["model"]["props"]
        assert {key: props[key] for key in asked} == asked
        on = {int(key[3:]) for key, value in props.items() if key[3:].isdecimal() and value is True}
        assert on == set(guest.sve_vls or ())
    for got, (_, option, _) in zip(found["started"], tasks(name)["qemu"][version]["starts"], strict=True):
        words = {"on": True, "off": False}
        given = dict(one.partition("=")[::2] for one in option.split(",")[1:])
        assert got == {key: words.get(value, value) for key, value in given.items()}


def properties_are_read(version, found):
    document = {"query-cpu-model-expansion": found["expansion"], "qom-list-properties": found["properties"]}
    names = properties(document, "qmp")
    assert {"pmu", "sve", "sve128", "pauth", "kvm-steal-time"} <= set(names)
    assert (NEW in names) == (version == "11")
    assert not [one for one in names if one.startswith("SYSREG_")]


def test_twenty_profiles_are_judged():
    assert sum(len(guests(name)) for name in HOSTS) >= 20
    assert any(Shape() == guest.shape for guest in guests("max@7.x"))
