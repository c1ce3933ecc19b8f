"""Fingerprints and cpu-config dumps of Firecracker."""

from __future__ import annotations

import json
from typing import Any

import pytest

from armlevel.errors import BadDocument
from armlevel.formats import read_foreign, recognise
from armlevel.kvm import id_of
from armlevel.profile import Implementation, Shape

VALUES = {
    "MIDR_EL1": 0x411FD401,
    "REVIDR_EL1": 1,
    "AIDR_EL1": 0,
    "MPIDR_EL1": 0x80000000,
    "ID_AA64PFR0_EL1": 0x1101000021111112,
    "ID_AA64ISAR0_EL1": 0x1021111110212120,
    "CLIDR_EL1": 0x3000123,
    "CTR_EL0": 0xB444C004,
    "CCSIDR_EL1[0]": 2,
    "KVM_REG_ARM_PSCI_VERSION": 0x10003,
    "KVM_REG_ARM_STD_BMAP": 1,
    "TTBR0_EL1": 0x1DE7EC7EDBADC0DE,
    "X0": 0x80000,
    "V0": 1 << 100,
}


def modifiers(values: dict[str, int]) -> list[dict[str, str]]:
    return [{"addr": f"{id_of(name):#018x}", "bitmap": f"0b{value:0128b}"} for name, value in values.items()]


def fingerprint(**changes: Any) -> dict[str, Any]:
    config = {"kvm_capabilities": [], "vcpu_features": [], "reg_modifiers": modifiers(VALUES)}
    return {
        "firecracker_version": "1.16.0",
        "kernel_version": "6.18.30-61.116.amzn2023.aarch64",
        "microcode_version": "0x0000000000000001",
        "bios_version": "1.0",
        "bios_revision": "1.0",
        "guest_cpu_config": config | changes.pop("config", {}),
    } | changes


def read(document: Any) -> Any:
    return read_foreign(json.dumps(document).encode(), "f.json", "f")


def test_a_fingerprint_is_sorted_into_identity_firmware_and_state():
    host = read(fingerprint())
    offer = host.offer(Shape())
    assert host.name == "f"
    assert host.software.kernel == "6.18.30-61.116.amzn2023.aarch64"
    assert host.software.vmms == {"firecracker": "1.16.0"}
    assert [cpu.implementation for cpu in host.cpus] == [Implementation(0x411FD401, 1, 0)]
    assert set(offer.limits) == {*VALUES} - {
        "MPIDR_EL1",
        "KVM_REG_ARM_PSCI_VERSION",
        "KVM_REG_ARM_STD_BMAP",
        "TTBR0_EL1",
        "X0",
        "V0",
    }
    assert offer.firmware == {"KVM_REG_ARM_PSCI_VERSION": 0x10003, "KVM_REG_ARM_STD_BMAP": 1}
    assert offer.state["V0"] == 1 << 100
    assert set(offer.register_list) == {*map(id_of, VALUES), id_of("PC"), id_of("CNTVCT_EL0")}
    assert offer.how == "predicted"
    assert host.facts.cntfrq_hz is None


def test_revidr_may_stand_in_the_head_alone():
    values = {name: value for name, value in VALUES.items() if name != "REVIDR_EL1"}
    host = read(fingerprint(config={"reg_modifiers": modifiers(values)}))
    assert host.cpus[0].implementation.revidr == 1


def test_a_cpu_config_dump_is_of_an_unknown_kernel():
    host = read(fingerprint()["guest_cpu_config"])
    offer = host.offer(Shape())
    assert offer.default == "unknown"
    assert offer.accepts == {}
    assert host.software.kernel is None


def test_a_kernel_that_was_not_measured_is_unknown():
    assert read(fingerprint(kernel_version="6.9.1")).offer(Shape()).default == "unknown"
    assert read(fingerprint(kernel_version="next-20260101")).offer(Shape()).default == "unknown"


def test_the_vcpu_features_of_a_dump_are_its_shape():
    features = [{"index": 0, "bitmap": "0b1111000"}]
    host = read(fingerprint(config={"vcpu_features": features, "kvm_capabilities": ["170", "171", "172"]}))
    assert host.offers[0].shape == Shape(frozenset({"sve", "ptrauth", "pmu_v3"}))


def test_a_host_without_idc_must_keep_cleaning_its_caches():
    values = VALUES | {"CTR_EL0": 0x8444C004, "CLIDR_EL1": 0x9200003}
    accepts = read(fingerprint(config={"reg_modifiers": modifiers(values)})).offers[0].accepts
    assert accepts["CLIDR_EL1.LoC"].outcome(0) == "refused"
    assert accepts["CLIDR_EL1.LoUU"].outcome(0) == "same"  # as long as LoUIS is not 0 too
    assert accepts["CLIDR_EL1.LoUU"].outcome(7) == "same"
    values |= {"CLIDR_EL1": 0x9000003}
    accepts = read(fingerprint(config={"reg_modifiers": modifiers(values)})).offers[0].accepts
    assert accepts["CLIDR_EL1.LoUU"].outcome(0) == "refused"


def test_whether_a_host_must_clean_is_not_known_without_its_ctr():
    values = VALUES | {"CLIDR_EL1": 0x9200003}
    cleans_not, silent = (
        read(fingerprint(config={"reg_modifiers": modifiers(some)})).offers[0].accepts
        for some in (
            values | {"CTR_EL0": 0x9444C004},
            {name: value for name, value in values.items() if name != "CTR_EL0"},
        )
    )
    assert cleans_not["CLIDR_EL1.LoC"].outcome(0) == "same"
    assert silent["CLIDR_EL1.LoC"].outcome(0) == "unknown"
    assert silent["CLIDR_EL1.LoC"].outcome(1) == "same"
    assert silent["CLIDR_EL1.LoUU"].outcome(0) == "same"  # either host keeps it while LoUIS is not 0


BAD = {
    "a template": (
        {"reg_modifiers": [{"addr": "0x603000000013c020", "bitmap": "0b" + "x" * 64}]},
        "not a dump of a CPU",
    ),
    "no register": ({"reg_modifiers": []}, "no register is recorded"),
    "a register twice": ({"reg_modifiers": modifiers(VALUES) + modifiers({"X0": 1})}, "stands twice"),
    "an id that is none": ({"reg_modifiers": [{"addr": "0x12", "bitmap": "0b1"}]}, "is no arm64 register id"),
    "a bitmap that is none": (
        {"reg_modifiers": [{"addr": "0x603000000013c020", "bitmap": "12"}]},
        "no number in base 2",
    ),
    "a modifier without bitmap": (
        {"reg_modifiers": [{"addr": "0x603000000013c020"}]},
        "needs addr and bitmap",
    ),
    "registers of x86": ({"cpuid_modifiers": []}, "cpuid_modifiers: unknown key"),
    "features that are none": (
        {"vcpu_features": [{"index": 0, "bitmap": "0b2"}]},
        "is no bitmap of 0, 1 and x",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_fingerprint_with_a_fault_says_which(name):
    config, sentence = BAD[name]
    with pytest.raises(BadDocument) as caught:
        read(fingerprint(config=config))
    assert sentence in str(caught.value)
    assert "a fingerprint of Firecracker was expected" in str(caught.value)


def test_all_faults_are_told_and_a_file_that_is_almost_a_fingerprint_is_one():
    almost = {
        key: value
        for key, value in fingerprint().items()
        if key not in ("kernel_version", "guest_cpu_config")
    }
    assert recognise(json.dumps(almost).encode()) is not None
    with pytest.raises(BadDocument) as caught:
        read(almost | {"weather": "fine"})
    assert len(caught.value.faults) == 4


def test_a_fingerprint_with_a_key_twice_is_refused():
    data = json.dumps(fingerprint()).encode().replace(b'"bios_revision"', b'"bios_version"')
    with pytest.raises(BadDocument, match="'bios_version' stands twice in one object"):
        read_foreign(data, "f.json", "f")
