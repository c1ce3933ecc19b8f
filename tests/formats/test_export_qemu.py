"""QEMU's options, out and in. What real QEMUs say to them is in test_lab_qemu.py."""

from __future__ import annotations

import json

import pytest

from armlevel.arch import load
from armlevel.errors import BadDocument
from armlevel.formats import read_foreign, read_request
from armlevel.formats.expansion import properties
from armlevel.formats.qemu_write import export, options_of
from armlevel.profile import Shape
from tests.formats.profiles import back, baselines, host, naturals

CATALOGUE = load()
LEVELLED = next(
    guest
    for guest, one, other in baselines()
    if {one.name, other.name} == {"neoverse-v1@7.x", "neoverse-n2@7.x"}
)


def answer(**props):
    return {"return": {"model": {"name": "host", "props": props}}}


PLAIN = answer(pmu=True, sve=True, sve128=True, sve256=True, pauth=True, aarch64=True)


def test_a_passthrough_guest_needs_nothing_else_and_comes_back_equal():
    for guest, there in naturals():
        found = export(guest, options_of(guest, CATALOGUE), CATALOGUE, host=there)
        assert found.left == ()
        assert back(found.text, there) == guest


def test_options_are_written_once_and_in_one_order():
    for guest, *_ in baselines():
        words = options_of(guest, CATALOGUE).cpu_option.split(",")
        assert words[0] == "host"
        assert [word.partition("=")[0] for word in words[1:4]][:2] == ["pmu", "sve"]
        assert len({word.partition("=")[0] for word in words}) == len(words)


def test_fields_are_set_by_the_names_that_the_target_has_in_either_spelling():
    v1 = host("neoverse-v1@7.x")
    for name in ("TGRAN4_2", "TGran4_2"):
        key = f"SYSREG_ID_AA64MMFR0_EL1_{name}"
        names = properties(answer(pmu=True, **{key: 0}), "e")
        options = options_of(LEVELLED, CATALOGUE, properties=names)
        assert options.cpu[key] == "0x1"
        left = {one.subject for one in export(LEVELLED, options, CATALOGUE, host=v1).left}
        assert "ID_AA64MMFR0_EL1.TGRAN4_2" not in left
        assert "ID_AA64MMFR0_EL1.TGRAN16_2" in left


def test_no_field_is_set_that_the_target_does_not_list():
    assert "SYSREG" not in options_of(LEVELLED, CATALOGUE, properties=properties(PLAIN, "e")).cpu_option


def test_a_target_that_lists_every_field_needs_armlevel_run_for_the_rest_only():
    every = {
        f"SYSREG_{one.register}_{one.arm}": 0
        for register in CATALOGUE.registers.values()
        for one in register.fields
    }
    names = properties(answer(**every), "e")
    for guest, *hosts in baselines():
        options = options_of(guest, CATALOGUE, properties=names)
        for there in hosts:
            found = export(guest, options, CATALOGUE, host=there)
            fields = [
                one.subject for one in found.left if one.subject.startswith("ID_") and "." in one.subject
            ]
            assert fields == []
            again = back(found.text, there)
            assert {
                name: again.registers[name] for name in guest.registers if name.startswith("ID_AA64")
            } == {name: value for name, value in guest.registers.items() if name.startswith("ID_AA64")}


def test_the_psci_version_is_set_where_the_target_has_the_property():
    listing = {
        "query-cpu-model-expansion": PLAIN,
        "qom-list-properties": {"return": [{"name": "kvm-psci-version"}]},
    }
    names = properties(listing, "e")
    assert options_of(LEVELLED, CATALOGUE, properties=names).cpu["kvm-psci-version"] == "1.3"
    assert "kvm-psci-version" not in options_of(LEVELLED, CATALOGUE).cpu


def test_an_expansion_is_a_host_with_unknown_fields():
    there = read_foreign(json.dumps(PLAIN).encode(), "e.json", "e")
    assert there.shapes == (Shape(frozenset({"pmu_v3", "sve", "ptrauth"})),)
    offer = there.offers[0]
    assert (offer.sve_vls, offer.default, dict(offer.limits)) == ((128, 256), "unknown", {})


def test_a_register_counts_as_known_only_where_all_its_fields_are_listed():
    register = CATALOGUE.registers["ID_AA64ISAR0_EL1"]
    fields = {f"SYSREG_{register.name}_{one.arm}": 1 for one in register.fields}
    there = read_foreign(json.dumps(answer(**fields)).encode(), "e.json", "e")
    assert there.offers[0].limits[register.name] == register.encode({one.name: 1 for one in register.fields})
    fields.popitem()
    assert read_foreign(json.dumps(answer(**fields)).encode(), "e.json", "e").offers[0].limits == {}


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"return": {"model": {"name": "cortex-a57", "props": {}}}}, "return.model.name: is 'cortex-a57'"),
        ({"return": {"model": {"name": "host"}}}, "return.model.props: is not an object"),
        (
            {"error": {"class": "GenericError", "desc": "The CPU type 'host' requires KVM"}},
            "QEMU refused: \"The CPU type 'host' requires KVM\"",
        ),
        (answer(SYSREG_ID_AA64ISAR0_EL1_AES=16), "is no number of 4 bits"),
        (answer(SYSREG_ID_AA64MMFR0_EL1_TGRAN4_2=1, SYSREG_ID_AA64MMFR0_EL1_TGran4_2=2), "stands twice"),
    ],
)
def test_an_expansion_with_a_fault_says_which(document, sentence):
    with pytest.raises(BadDocument) as caught:
        read_foreign(json.dumps(document).encode(), "e.json", "e")
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("-cpu host,sve=maybe", "-cpu sve=maybe: not an option of an Arm CPU that we know"),
        ("-cpu host,sve129=on", "-cpu sve129=on: not an option"),
        ("-cpu host,SYSREG_ID_AA64ISAR0_EL1_AES=0x10", "ID_AA64ISAR0_EL1.AES has 4 bits"),
        ("-cpu host,kvm-psci-version=new", "not a version like 1.1"),
    ],
)
def test_an_option_with_a_fault_says_which(option, sentence):
    with pytest.raises(BadDocument) as caught:
        read_request(option.encode(), "o")
    assert sentence in str(caught.value)


def test_the_last_cpu_of_a_command_line_counts():
    line = b"qemu-system-aarch64 -M virt,mte=on -cpu host,pmu=on \\\n  -cpu host,pmu=off,aarch64=off"
    request = read_request(line, "o")
    assert request is not None
    assert request.choices == {"mte": True, "pmu_v3": False, "el1_32bit": True}


def test_an_option_is_no_host():
    with pytest.raises(BadDocument, match="armlevel import FILE --host HOST"):
        read_foreign(b"-cpu host,pmu=off", "o", "o")
