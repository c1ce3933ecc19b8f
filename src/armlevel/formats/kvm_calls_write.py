"""The calls that give a vCPU a guest profile on one host, in order: as JSON, and as a commented C header.

For people who write VMMs. Memory, interrupt controller and the rest of the machine are the VMM's own; where they
matter for the order, a stage says so. Source: Linux Documentation/virt/kvm/api.rst, devices/vcpu.rst.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from armlevel.formats.export_result import ExportResult
from armlevel.kvm import name_of
from armlevel.kvm.numbers import CAPABILITIES, FEATURE_BITS
from armlevel.profile import SHAPE_FEATURES

__all__ = ["FORMS", "Call", "Setting", "calls_of", "export", "feature_bits", "header"]

FORMS = {"json": "the calls as JSON", "header": "tables for a VMM written in C"}

_VLS, _VLS_WORDS, _QUADWORD = 0x6060_0000_0015_FFFF, 8, 128
_STAGES = {
    "vm": "after KVM_CREATE_VM, before the first KVM_CREATE_VCPU",
    "vcpu": "for each vCPU, and again after each KVM_ARM_VCPU_INIT that resets it",
    "devices": "the interrupt controller is created, with all its vCPUs there, and initialised",
    "run": "for each vCPU, before the first KVM_RUN of any",
    "after": "for each vCPU: what must be read now; anything else is another CPU",
}


class Call(Protocol):
    """One register: its name, KVM's id of it, and a value."""

    @property
    def name(self) -> str:
        """Arm's name."""

    @property
    def kvm_id(self) -> int:
        """The id of KVM_GET_ONE_REG."""

    @property
    def value(self) -> int:
        """The value on this host."""


class Setting(Protocol):
    """How one host is made to show a guest profile; the engine computes it."""

    @property
    def guest(self) -> str:
        """Whose CPU."""

    @property
    def host(self) -> str:
        """On which host."""

    @property
    def capabilities(self) -> Sequence[str]:
        """KVM_CAP_ names to be enabled on the VM."""

    @property
    def features(self) -> Sequence[str]:
        """Shape features of each vCPU."""

    @property
    def sve_vls(self) -> Sequence[int] | None:
        """Vector lengths in bits."""

    @property
    def writes(self) -> Sequence[Call]:
        """Registers to be written, in order."""

    @property
    def expects(self) -> Sequence[Call]:
        """Registers as they must be read afterwards."""

    @property
    def register_list(self) -> Sequence[int]:
        """KVM ids of the registers that a migration stream may hold."""


def feature_bits(features: Sequence[str]) -> int:
    """Return ``kvm_vcpu_init.features[0]``: PSCI 0.2 and what the shape asks for.

    >>> hex(feature_bits(["sve"]))
    '0x14'
    """
    bits = {FEATURE_BITS["PSCI_0_2"], *(bit for name in features for bit in SHAPE_FEATURES[name][0])}
    return sum(1 << bit for bit in bits)


def vls_words(lengths: Sequence[int]) -> list[int]:
    """Return KVM_REG_ARM64_SVE_VLS, eight words of 64 bits: bit n stands for vectors of 128 * (n + 1) bits."""
    bitmap = sum(1 << (length // _QUADWORD - 1) for length in lengths)
    return [bitmap >> 64 * word & (1 << 64) - 1 for word in range(_VLS_WORDS)]


def calls_of(setting: Setting) -> Iterator[dict[str, Any]]:
    """Yield each call: ``stage`` says when, ``call`` which ioctl, the rest is its argument."""
    for name in setting.capabilities:
        number = CAPABILITIES[name.removeprefix("KVM_CAP_")]
        yield {"stage": "vm", "call": "KVM_ENABLE_CAP", "name": name, "cap": number}
    bits = feature_bits(setting.features)
    yield {"stage": "vcpu", "call": "KVM_ARM_VCPU_INIT", "name": "features[0]", "features": f"{bits:#x}"}
    if setting.sve_vls is not None:
        words = [f"{word:#018x}" for word in vls_words(setting.sve_vls)]
        yield {
            "stage": "vcpu",
            "call": "KVM_SET_ONE_REG",
            "name": "SVE_VLS",
            "id": f"{_VLS:#018x}",
            "words": words,
        }
        name, number = "KVM_ARM_VCPU_SVE", FEATURE_BITS["SVE"]
        yield {"stage": "vcpu", "call": "KVM_ARM_VCPU_FINALIZE", "name": name, "feature": number}
    yield {"stage": "devices", "call": "KVM_CREATE_DEVICE", "name": "the interrupt controller"}
    if {"pmu_v3", "pmu_v3_strict"} & set(setting.features):
        for name, attribute in (("KVM_ARM_VCPU_PMU_V3_IRQ", 0), ("KVM_ARM_VCPU_PMU_V3_INIT", 1)):
            yield {
                "stage": "devices",
                "call": "KVM_SET_DEVICE_ATTR",
                "name": name,
                "group": 0,
                "attr": attribute,
            }
    yield from (_register("run", "KVM_SET_ONE_REG", one) for one in setting.writes)
    yield from (_register("after", "KVM_GET_ONE_REG", one) for one in setting.expects)


def _register(stage: str, call: str, one: Call) -> dict[str, Any]:
    return {
        "stage": stage, "call": call, "name": one.name, "id": f"{one.kvm_id:#018x}", "value": f"{one.value:#018x}",
    }  # fmt: skip


def export(setting: Setting, form: str = "json") -> ExportResult:
    """Return the calls in one of the :data:`FORMS`."""
    if form == "header":
        return ExportResult(header(setting))
    document = {
        "guest": setting.guest,
        "host": setting.host,
        "stages": _STAGES,
        "calls": list(calls_of(setting)),
        "register_list": [f"{one:#018x}" for one in setting.register_list],
    }
    return ExportResult(json.dumps(document, indent=1, ensure_ascii=True) + "\n")


def header(setting: Setting) -> str:
    """Return tables in C99, each ended by a row of zeros; what each row is stands behind it."""
    features = ", ".join(["psci_0_2", *setting.features])
    caps = [(f"{CAPABILITIES[name.removeprefix('KVM_CAP_')]}", name) for name in setting.capabilities]
    vls = vls_words(setting.sve_vls or ())
    parts = [
        f"/* {_comment(setting.guest)} on {_comment(setting.host)}: what a VMM has KVM do, in this order. */",
        "#ifndef ARMLEVEL_CPU_H\n#define ARMLEVEL_CPU_H\n\n#include <stdint.h>\n",
        "struct armlevel_reg {\n\tuint64_t id;    /* as KVM_SET_ONE_REG takes it */\n\tuint64_t value;\n};\n",
        f"/* KVM_ENABLE_CAP, {_STAGES['vm']}. */",
        _table("uint32_t armlevel_caps", [*caps, ("0", "end")]),
        f"/* kvm_vcpu_init.features[0]: {features}. */",
        f"#define ARMLEVEL_VCPU_FEATURES {feature_bits(setting.features):#x}u\n",
        "/* KVM_REG_ARM64_SVE_VLS, then KVM_ARM_VCPU_FINALIZE(KVM_ARM_VCPU_SVE); all zero: no SVE, do neither. */",
        f"#define ARMLEVEL_SVE_VLS_ID {_VLS:#018x}ull",
        _table("uint64_t armlevel_sve_vls", [(f"{word:#x}ull", "") for word in vls]),
        f"/* Then {_STAGES['devices']}. */\n",
        f"/* KVM_SET_ONE_REG, {_STAGES['run']}. */",
        _registers("armlevel_writes", setting.writes),
        f"/* KVM_GET_ONE_REG, {_STAGES['after']}. */",
        _registers("armlevel_expects", setting.expects),
        "/* What a migration stream may hold; a register that is not here is left out of it. */",
        _table(
            "uint64_t armlevel_carries",
            [*((f"{one:#x}ull", name_of(one)) for one in setting.register_list), ("0", "end")],
        ),
        "#endif",
    ]
    return "\n".join(parts) + "\n"


def _registers(name: str, rows: Sequence[Call]) -> str:
    cells = [(f"{{ {one.kvm_id:#018x}ull, {one.value:#018x}ull }}", one.name) for one in rows]
    return _table(f"struct armlevel_reg {name}", [*cells, ("{ 0, 0 }", "end")])


def _table(declaration: str, rows: Sequence[tuple[str, str]]) -> str:
    lines = [f"\t{cell},{f' /* {_comment(word)} */' if word else ''}" for cell, word in rows]
    return "\n".join([f"static const {declaration}[] = {{", *lines, "};\n"])


def _comment(text: str) -> str:
    return re.sub(r"\*/|/\*|[^\x20-\x7e]", "?", text)
