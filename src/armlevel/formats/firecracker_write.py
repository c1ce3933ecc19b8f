"""Firecracker's files from ours: the custom CPU template that makes a guest on one host, and a host's fingerprint.

A template holds only what is different from the host: capabilities KVM must have, vCPU features, and single bits of
registers. Firecracker reads each register of a fresh, finalized vCPU, puts the bits in and writes it back, in the
order of the file; vector lengths, the PMU and the IDs of the implementation cannot be chosen so. Sources: firecracker
``docs/cpu_templates/cpu-templates.md``, ``src/vmm/src/cpu_config/aarch64``, ``src/cpu-template-helper``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from armlevel.arch import Catalogue
from armlevel.errors import UsageError
from armlevel.formats.export_result import ChangedRegister, ExportResult, Gap, not_known, written
from armlevel.kvm import id_of, name_of
from armlevel.profile import (
    IMPLEMENTATION_REGISTERS,
    SHAPE_FEATURES,
    Guest,
    Host,
    Offer,
    Shape,
    whole_register,
)

__all__ = ["export_fingerprint", "export_template"]

# What Firecracker can turn on: vCPU feature bits that need nothing else, and the capabilities to ask KVM for first.
_FEATURES = {"sve": ("170",), "ptrauth": ("171", "172"), "el1_32bit": ("93",)}
_WIDTH = 128
# CTR_EL0 goes first, because CLIDR_EL1 and CCSIDR_EL1 are checked against it.
_FIRST = ("CTR_EL0",)
_BIOS = re.compile(r"BIOS (.*) revision (.*)", re.DOTALL)


def export_template(guest: Guest, host: Host, catalogue: Catalogue) -> ExportResult:
    """Return the custom CPU template that turns ``host``'s CPU into the guest's, as far as a template can.

    Bits that this host's KVM refuses stay out of it, because Firecracker starts no VM whose template KVM refuses.

    Raises:
        UsageError: the host was not probed in a shape that Firecracker can make.

    """
    possible = guest.shape.features & _FEATURES.keys()
    offer = host.offer(Shape(possible))
    if offer is None:
        raise UsageError(
            f"{host.name} has no offer for shape {Shape(possible).label}, which Firecracker would make there",
            hint="probe the host again",
        )
    left = [
        Gap(f"shape.{name}", "on", "off", ("kvm", "shape"))
        for name in sorted(guest.shape.features - possible)
    ]
    left += _lengths_left(guest, offer)
    writes = []
    shown = {**offer.limits, **offer.firmware}
    for name, value in sorted(
        written(guest).items(), key=lambda one: (one[0] in guest.firmware, one[0] not in _FIRST)
    ):
        if name not in shown:
            left.append(Gap(name, f"{value:#x}", "", ("same",), certain=False))
        elif shown[name] != value:
            after, refused = _taken(name, shown[name], value, offer, catalogue)
            left += refused
            if after != shown[name]:
                writes.append(ChangedRegister(name, id_of(name), shown[name], after))
    # A snapshot holds every register that KVM lists, and a host without one of them refuses it.
    left += _more_carried(guest, offer)
    template = {
        "kvm_capabilities": [cap for name in sorted(possible) for cap in _FEATURES[name]],
        "vcpu_features": _features(possible),
        "reg_modifiers": [_modifier(one) for one in writes],
    }
    return ExportResult(json.dumps(template, indent=2) + "\n", tuple(left))


def _lengths_left(guest: Guest, offer: Offer) -> list[Gap]:
    if "sve" not in guest.shape.features or (guest.sve_vls is not None and guest.sve_vls == offer.sve_vls):
        return []
    if guest.sve_vls is None or offer.sve_vls is None:
        return [not_known("sve_vls")]
    wanted, has = (" ".join(map(str, lengths)) for lengths in (guest.sve_vls, offer.sve_vls))
    return [Gap("sve_vls", wanted, has, ("kvm", "shape"))]


def _more_carried(guest: Guest, offer: Offer) -> list[Gap]:
    if guest.register_list is None or offer.register_list is None:
        return [not_known("register-list")]
    more = sorted(set(offer.register_list) - set(guest.register_list))
    return [Gap(f"list.{name_of(one)}", "not carried", "carried", ("kvm", "same")) for one in more]


def _taken(name: str, found: int, wanted: int, offer: Offer, catalogue: Catalogue) -> tuple[int, list[Gap]]:
    """Return the register with every field that KVM takes, and what is left of the others."""
    register, row = catalogue.registers.get(name), catalogue.firmware.get(name)
    if register is None:
        lower = (
            row is not None
            and row.settable
            and (wanted <= found if row.kind == "version" else not wanted & ~found)
        )
        outcome = (
            "same"
            if lower
            else "refused"
            if row is not None
            else _outcome(offer, whole_register(name), wanted)
        )
        return (wanted, []) if outcome == "same" else (found, [_left(name, wanted, found, outcome)])
    after, left = found, []
    for one in register.fields:
        if one.get(found) == one.get(wanted):
            continue
        # Firecracker does not enable KVM_CAP_ARM_WRITABLE_IMP_ID_REGS.
        outcome = (
            "refused" if name in IMPLEMENTATION_REGISTERS else _outcome(offer, one.subject, one.get(wanted))
        )
        if outcome in ("same", "unknown"):
            after = one.put(after, one.get(wanted))
        if outcome != "same":
            left.append(_left(one.subject, one.get(wanted), one.get(found), outcome))
    if (found ^ wanted) & register.reserved_mask:
        mask = register.reserved_mask
        left.append(_left(f"{name} (reserved bits)", wanted & mask, found & mask, "refused"))
    return after, left


def _outcome(offer: Offer, subject: str, value: int) -> str:
    takes = offer.accepts.get(subject)
    if takes is not None:
        return takes.outcome(value)
    return "unknown" if offer.default == "unknown" else "refused"


def _left(subject: str, wanted: int, found: int, outcome: str) -> Gap:
    if outcome == "unknown":
        return Gap(subject, f"{wanted:#x}", f"{found:#x} if KVM refuses it", ("same",), certain=False)
    return Gap(subject, f"{wanted:#x}", f"{found:#x}", ("same",))


def _features(names: Iterable[str]) -> list[dict[str, object]]:
    bits = sorted({bit for name in names for bit in SHAPE_FEATURES[name][0]})
    if not bits:
        return []
    bitmap = "".join("1" if bit in bits else "x" for bit in range(max(bits), -1, -1))
    return [{"index": 0, "bitmap": f"0b{bitmap}"}]


def _modifier(one: ChangedRegister) -> dict[str, str]:
    changed = one.found ^ one.value
    width = 64 if one.register_id >> 52 & 0xF == 3 else 32
    digits = "".join(
        str(one.value >> bit & 1) if changed >> bit & 1 else "x" for bit in range(width - 1, -1, -1)
    )
    return {"addr": f"{one.register_id:#018x}", "bitmap": f"0b{digits}"}


def export_fingerprint(host: Host, version: str = "") -> ExportResult:
    """Return a host as cpu-template-helper writes a fingerprint: every recorded register of a plain vCPU.

    Raises:
        UsageError: the host was not probed in that shape, or its REVIDR_EL1 is not recorded.

    """
    offer = host.offer(Shape())
    if offer is None:
        raise UsageError(
            f"{host.name} has no offer for shape base, of which a fingerprint is", hint="probe it again"
        )
    if not offer.limits:
        raise UsageError(
            f"{host.name}: no ID register is recorded, of which a fingerprint is", hint="probe the host"
        )
    revidr = _revidr(host, offer)
    if revidr is None:
        raise UsageError(
            f"{host.name}: REVIDR_EL1 is not recorded, which a fingerprint has as its microcode_version",
            hint="probe the host again",
        )
    values = {**offer.limits, **offer.firmware, **offer.state}
    by_id = {id_of(name): value for name, value in values.items()}
    # The file has no word for what is not recorded: an empty text, and the gaps tell.
    firmware = host.software.firmware or ""
    bios = _BIOS.fullmatch(firmware)
    fingerprint = {
        "firecracker_version": version or host.software.vmms.get("firecracker", ""),
        "kernel_version": host.software.kernel or "",
        "microcode_version": f"{revidr:#018x}",
        "bios_version": bios[1] if bios else firmware,
        "bios_revision": bios[2] if bios else "",
        "guest_cpu_config": {
            "kvm_capabilities": [],
            "vcpu_features": [],
            "reg_modifiers": [
                {"addr": f"{register:#018x}", "bitmap": f"0b{value:0{_WIDTH}b}"}
                for register, value in sorted(by_id.items())
                if value >> _WIDTH == 0
            ],
        },
    }
    heads = ("firecracker_version", "kernel_version", "bios_version")
    left = tuple(not_known(key, "the host's") for key in heads if not fingerprint[key])
    return ExportResult(json.dumps(fingerprint, indent=2) + "\n", left + _state_left(offer, by_id))


def _state_left(offer: Offer, by_id: Mapping[int, int]) -> tuple[Gap, ...]:
    if offer.register_list is None:
        return (not_known("register-list", "every register"),)
    missing = len(set(offer.register_list) - by_id.keys())
    return (not_known("state", f"{missing} registers"),) if missing > len(_LEFT_OUT) else ()


# PC and the counter change while a VM runs; the helper leaves them out, too.
_LEFT_OUT = (0x6030_0000_0010_0040, 0x6030_0000_0013_DF1A)


def _revidr(host: Host, offer: Offer) -> int | None:
    # That of the first CPU, as the helper reads it.
    recorded = host.cpus[0].implementation.revidr if host.cpus else None
    return offer.limits.get("REVIDR_EL1") if recorded is None else recorded
