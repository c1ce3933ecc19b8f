"""Small documents of every kind, for tests to bend."""

from __future__ import annotations

import copy
import json
from typing import Any

HOST: dict[str, Any] = {
    "kind": "host-profile/1",
    "name": "a",
    "made": {"tool": "armlevel 0.1.0", "at": "2026-11-23T10:00:00Z"},
    "software": {
        "kernel": "6.18.30",
        "kvm_capabilities": {"vm_ipa_size": 48},
        "vmms": {"qemu": "10.0.2"},
        "boot_options": ["arm64.nosve", "kvm-arm.mode=nvhe"],
        "vulnerabilities": {"spectre_v2": "Mitigation: CSV2, BHB"},
    },
    "cpus": [
        {
            "midr": "0x00000000411fd401",
            "revidr": "0x0000000000000001",
            "aidr": "0x0000000000000000",
            "count": 64,
            "numbers": [0, 1, 2, 63],
            "cntfrq_hz": 1050000000,
        }
    ],
    "other_cpus": [{"midr": "0x00000000410fd034", "count": 1}],
    "hwcaps": ["fp", "asimd"],
    "facts": {"cntfrq_hz": 1050000000, "dczid": 4, "page_size": 4096, "sources": {"dczid": "read: at boot"}},
    "machine": {
        "gic": {"v2": "ENODEV", "v3": "yes", "its": "yes"},
        "icc_ctlr": {
            "PRIbits": {"shown": 4, "taken": [0, 1, 2, 3, 4], "refused": [5, 6, 7]},
            "SEIS": {"shown": 0, "taken": [0], "refused": [1]},
        },
        "ich_vtr": "0x0000000090180003",
        "gicd_iidr": {"shown": 3, "taken": [2, 3]},
        "gicd_typer2": "0x0000000000000000",
        "ipa_bits": 48,
        "ipa_min": 32,
        "ipa_fixed": False,
        "mode": "nvhe",
        "counter_offset": True,
        "steal_time": False,
        "ptp": True,
        "unknown": ["KVM_CAP 1000"],
    },
    "offers": [
        {
            "shape": {"features": [], "imp_id_writable": False},
            "how": "tried",
            "default": "limit-only",
            "limits": {
                "MIDR_EL1": "0x00000000411fd401",
                "ID_AA64PFR0_EL1": "0x1101000021111112",
                "ID_AA64ISAR0_EL1": "0x1021111110212120",
                "CCSIDR_EL1[0]": "0x0000000000000002",
                "S3_0_0_3_3": "0x0000000000000000",
            },
            "accepts": {
                "ID_AA64ISAR0_EL1.RNDR": [0, 1],
                "ID_AA64PFR0_EL1.MPAM": {
                    "values": [0],
                    "changed": {"1": 0},
                    "unsure": [2],
                    "how": "predicted",
                },
                "ID_AA64PFR0_EL1.RAS": {"values": [0, 2], "others": "unknown"},
                "CCSIDR_EL1[0].63:0": {"any": True},
            },
            "register_list": ["0x603000000013c000", "0x603000000013c020", "0x6030000000140000"],
            "firmware": {"KVM_REG_ARM_PSCI_VERSION": "0x0000000000010003"},
            "state": {"TTBR0_EL1": "0x0000000000000000", "V0": "0x0000000000000001" + "0" * 16},
        },
        {
            "shape": {"features": ["pmu_v3", "sve"], "imp_id_writable": False},
            "how": "tried",
            "default": "limit-only",
            "like": 0,
            "limits": {"ID_AA64PFR0_EL1": "0x1101000121111112"},
            "register_list_without": ["0x6030000000140000"],
            "sve_vls": [128, 256],
            "pmu": {"counters": 6},
            "changed_by_kvm": {"ID_AA64PFR0_EL1": "0x1101000121111112"},
            "side_effects": {
                "ID_AA64PFR1_EL1.SSBS=0": {"KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2": 3},
                "CTR_EL0.IDC=0": {"CLIDR_EL1.LoC": None},
            },
        },
    ],
}

GUEST: dict[str, Any] = {
    "kind": "guest-profile/1",
    "name": "g",
    "shape": {"features": ["sve"], "imp_id_writable": True},
    "registers": {"ID_AA64PFR0_EL1": "0x1101000121111112"},
    "register_list": ["0x603000000013c020"],
    "firmware": {"KVM_REG_ARM_PSCI_VERSION": "0x0000000000010001"},
    "sve_vls": [128],
    "facts": {"cntfrq_hz": 1000000000},
    "implementation": {
        "midr": "0x00000000411fd401",
        "targets": [{"midr": "0x00000000411fd401", "revidr": "0x0000000000000001"}],
    },
    "possible": {"MIDR_EL1": ["0x00000000410fd034"], "ID_AA64ISAR0_EL1.DP": ["0x0000000000000000"]},
    "starts_on": ["a"],
    "tolerates": ["el2-only"],
    "machine": {
        "vmm": "qemu",
        "machine": "virt-10.0",
        "gic_asked": "default",
        "gic": 3,
        "its": True,
        "vcpus": 4,
        "memory": 134217728,
        "maxmem": 644245094400,
        "slots": 1,
        "highmem": True,
        "compact_highmem": True,
        "highmem_redists": True,
        "highmem_ecam": True,
        "highmem_mmio": True,
        "highmem_mmio_size": 1099511627776,
        "virtualization": False,
        "steal_time_asked": "default",
        "steal_time": True,
        "backing_page": 2097152,
        "windows": {"ecam": "0x00000096d0000000", "mmio": "0x0000010000000000"},
        "icc_ctlr": {"PRIbits": 4, "IDbits": 0, "SEIS": 0, "A3V": 1},
        "ich_vtr": "0x0000000090180003",
        "gicd_iidr": 3,
    },
}

VERDICT: dict[str, Any] = {
    "kind": "verdict/1",
    "guest": "g",
    "host": "a",
    "start": "refused",
    "arrive": "runs",
    "parts": {
        "registers": {"start": "refused", "arrive": "runs"},
        "facts": {"start": "runs", "arrive": "runs"},
    },
    "judged": ["registers", "facts"],
    "findings": [
        {
            "subject": "ID_AA64ISAR0_EL1.RNDR",
            "about": {"kind": "field", "names": ["ID_AA64ISAR0_EL1.RNDR"]},
            "part": "registers",
            "needs": [{"kind": "field", "values": [1], "open": False, "text": "1"}],
            "offers": [
                {"host": "a", "offer": {"kind": "field", "values": [0], "open": False, "text": "0"}},
            ],
            "hosts": ["a"],
            "cause": "silicon",
            "severity": "stops",
            "applies": ["start"],
            "because": [{"code": "feature", "args": ["FEAT_RNG"], "text": "FEAT_RNG"}],
            "remedies": [
                {
                    "kind": "pin",
                    "args": ["ID_AA64ISAR0_EL1.RNDR", 0],
                    "hosts": ["a"],
                    "text": "level the guest with --pin ID_AA64ISAR0_EL1.RNDR=0",
                }
            ],
            "sets": [["a"]],
        }
    ],
}


def host(**changes: Any) -> dict[str, Any]:
    """Return a copy of the sample host; ``changes`` replace keys of the top."""
    return copy.deepcopy(HOST) | changes


def offer(**changes: Any) -> dict[str, Any]:
    """Return a copy of the sample host whose only offer has ``changes``."""
    document = copy.deepcopy(HOST)
    document["offers"] = [document["offers"][0] | changes]
    return document


def encoded(document: Any) -> bytes:
    """Return a document as bytes."""
    return json.dumps(document).encode()
