"""CPU templates and fingerprints: written, read back, and applied as Firecracker applies them to a recorded offer."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from armlevel.arch import load
from armlevel.documents import canonical, host_object
from armlevel.engine import passthrough
from armlevel.errors import BadDocument, UsageError
from armlevel.formats import read_foreign, read_request
from armlevel.formats.export_result import written
from armlevel.formats.firecracker_write import export_fingerprint, export_template
from armlevel.kvm import name_of
from armlevel.profile import Shape, Software
from tests.formats.profiles import EMULATED, RECORDED, back, baselines, host, naturals

CATALOGUE = load()
PLAIN = Shape()
PAIRS = [(guest, there) for guest, *hosts in baselines() for there in hosts]


def applied(template, values):
    """Firecracker's way: read the register of a fresh vCPU, put the template's bits in, write it."""
    after = dict(values)
    for one in json.loads(template)["reg_modifiers"]:
        digits = one["bitmap"].removeprefix("0b")
        name = name_of(int(one["addr"], 16))
        keep = int("".join("1" if digit == "x" else "0" for digit in digits), 2)
        after[name] = after[name] & keep | int(digits.replace("x", "0"), 2)
    return after


def offer_of(there, shape=PLAIN):
    offer = there.offer(shape)
    assert offer is not None
    return offer


def offered(there, template):
    document = json.loads(template)
    request = read_request(template.encode(), "t")
    assert request is not None
    shape = request.shape_on(there)
    assert bool(document["vcpu_features"]) == bool(shape.features)
    return offer_of(there, shape)


def test_a_fingerprint_tells_what_of_its_head_is_not_recorded():
    there = replace(host(RECORDED[0]), software=Software())
    found = export_fingerprint(there)
    heads = ("firecracker_version", "kernel_version", "bios_version")
    assert [json.loads(found.text)[key] for key in heads] == ["", "", ""]
    assert [gap.subject for gap in found.left] == [*heads]
    assert read_foreign(found.text.encode(), "f.json", there.name).software == Software()


@pytest.mark.parametrize("name", RECORDED)
def test_a_fingerprint_comes_back_equal(name):
    there = host(name)
    found = export_fingerprint(there)
    again = read_foreign(found.text.encode(), "f.json", there.name)
    assert found.left == ()
    assert set(json.loads(found.text)) == {
        *("firecracker_version", "kernel_version", "microcode_version", "bios_version", "bios_revision"),
        "guest_cpu_config",
    }
    assert again.software == there.software
    one, other = offer_of(there), offer_of(again)
    assert (one.limits, one.firmware, one.state, one.register_list) == (
        other.limits,
        other.firmware,
        other.state,
        other.register_list,
    )
    assert export_fingerprint(again).text == found.text


def test_an_emulated_hosts_fingerprint_is_one(tell):
    for name in EMULATED:
        there = host(name)
        again = read_foreign(export_fingerprint(there).text.encode(), "f.json", name)
        mine, theirs = offer_of(there), offer_of(again)
        assert (theirs.limits, theirs.firmware) == (mine.limits, mine.firmware)
        assert again.software.kernel == there.software.kernel
    tell(f"Firecracker: {len(EMULATED) + len(RECORDED)} fingerprints written and read back equal")


def test_a_template_gives_each_host_what_it_says(tell):
    taken = 0
    for guest, there in PAIRS:
        found = export_template(guest, there, CATALOGUE)
        offer = offered(there, found.text)
        shown = {**offer.limits, **offer.firmware}
        after = applied(found.text, shown)
        left = {one.subject for one in found.left}
        for name, value in written(guest).items():
            row = CATALOGUE.registers.get(name)
            if name not in shown or row is None:
                continue
            for field in row.fields:
                was, got = field.get(shown[name]), field.get(after[name])
                assert got in {field.get(value), was}
                assert (got == field.get(value)) != (field.subject in left), field.subject
                if got != was:
                    assert offer.accepts[field.subject].outcome(got) == "same"
                    taken += 1
    assert len(PAIRS) >= 18
    tell(f"Firecracker: {len(PAIRS)} templates applied to recorded offers, {taken} fields changed, all taken")


def test_what_a_template_cannot_take_out_of_the_state_is_left():
    some = 0
    for guest, there in PAIRS:
        carried = set(offer_of(there, Shape(guest.shape.features & {"sve", "ptrauth"})).register_list or ())
        left = {
            one.subject
            for one in export_template(guest, there, CATALOGUE).left
            if one.subject.startswith("list.")
        }
        assert left == {f"list.{name_of(one)}" for one in carried - set(guest.register_list or carried)}
        some += bool(left)
    assert some


def test_a_template_touches_nothing_that_is_equal():
    for guest, there in naturals("firecracker"):
        found = export_template(guest, there, CATALOGUE)
        assert json.loads(found.text)["reg_modifiers"] == []


def test_a_template_read_back_gives_the_guest_as_far_as_a_template_can():
    for guest, there in PAIRS:
        found = export_template(guest, there, CATALOGUE)
        left = {one.subject.partition(".")[0] for one in found.left}
        again = back(found.text, there)
        same = {name for name, value in guest.registers.items() if again.registers.get(name) == value}
        assert guest.registers.keys() - same <= left


def test_a_guest_of_firecrackers_own_shape_comes_back_equal():
    guest, one, _ = next(found for found in baselines() if "cortex-a76@7.x" in (found[1].name, found[2].name))
    fields = replace(guest, shape=Shape())
    found = export_template(fields, one, CATALOGUE)
    assert {one.subject.partition(".")[0] for one in found.left} <= {
        "ID_AA64DFR0_EL1",
        "ID_DFR0_EL1",
        "MIDR_EL1",
        "list",
    }


def test_what_a_template_cannot_do_is_said():
    guest = next(guest for guest, one, _ in baselines() if one.name == "neoverse-n2@7.x")
    left = {one.subject: one for one in export_template(guest, host("neoverse-v1@7.x"), CATALOGUE).left}
    assert left["shape.pmu_v3"].ways == ("kvm", "shape")
    assert (left["sve_vls"].needs, left["sve_vls"].has) == ("128", "128 256")
    assert left["MIDR_EL1.PartNum"].ways == ("same",)


def test_a_shape_that_was_not_probed_is_a_sentence():
    guest, _ = naturals()[0]
    with pytest.raises(UsageError, match="probe the host again"):
        export_template(guest, replace(host("graviton3-6.18"), offers=()), CATALOGUE)


V1_AS_N1 = {
    "reg_modifiers": [
        {"addr": "0x603000000013c020", "bitmap": "0b" + "x" * 12 + "0000" + "x" * 12 + "0000" + "x" * 32},
        {"addr": "0x603000000013c030", "bitmap": "0b0001" + "x" * 12},
    ]
}


def test_a_published_templates_form_is_read():
    there = host("graviton3-6.18")
    plain = passthrough(there, CATALOGUE, vmm="firecracker")
    guest = back(json.dumps(V1_AS_N1), there)
    before, after = plain.registers["ID_AA64PFR0_EL1"], guest.registers["ID_AA64PFR0_EL1"]
    assert after == before & ~(0xF << 48 | 0xF << 32)
    assert guest.registers["ID_AA64ISAR0_EL1"] >> 12 & 0xF == 1
    features = {
        "kvm_capabilities": ["170", "171", "172"],
        "vcpu_features": [{"index": 0, "bitmap": "0b111xxxx"}],
    }
    request = read_request(json.dumps(features).encode(), "t")
    assert request is not None
    assert request.shape_on(host("neoverse-v1@7.x")) == Shape(frozenset({"sve", "ptrauth"}))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"addr": "0x12"}, "is no arm64 register id"),
        ({"bitmap": "0bxxzx"}, "is no number in base 2"),
        ({"note": "hello"}, "needs addr and bitmap, and nothing else"),
    ],
)
def test_a_template_with_a_fault_says_which(change, sentence):
    document = {"reg_modifiers": [V1_AS_N1["reg_modifiers"][0], V1_AS_N1["reg_modifiers"][1] | change]}
    with pytest.raises(BadDocument) as caught:
        read_request(json.dumps(document).encode(), "t")
    assert sentence in str(caught.value)
    assert "a custom CPU template of Firecracker was expected" in str(caught.value)


def test_the_documents_of_what_is_read_back_are_whole():
    again = read_foreign(export_fingerprint(host("graviton4-6.18")).text.encode(), "f.json", "x")
    assert canonical(host_object(again))
