"""Firecracker's files: fingerprints, dumps of a guest CPU configuration, and custom CPU templates.

A dump has every register of a fresh vCPU except three that change while a VM runs. A template has bits marked ``x``,
which stay as the host has them. Source: firecracker ``src/cpu-template-helper``, ``docs/cpu_templates``.
"""

from __future__ import annotations

from typing import Any

from armlevel.arch import Catalogue
from armlevel.errors import BadDocument
from armlevel.formats.cpu_request import CpuRequest, bits_of
from armlevel.formats.recorded import recorded_cpus, recorded_offers
from armlevel.formats.text import number
from armlevel.kvm import RegisterId
from armlevel.profile import SHAPE_FEATURES, Host, Made, Shape, Software

__all__ = ["is_config", "is_fingerprint", "is_template", "read_config", "read_fingerprint", "read_template"]

# PC and KVM_REG_ARM_TIMER_CNT (under KVM's encoding): every arm64 KVM lists them, the dump leaves them out.
_LEFT_OUT = (0x6030_0000_0010_0040, 0x6030_0000_0013_DF1A)
_WIDEST = 128
_CONFIG_KEYS = {"kvm_capabilities", "vcpu_features", "reg_modifiers"}
_FINGERPRINT_KEYS = {
    "firecracker_version",
    "kernel_version",
    "microcode_version",
    "bios_version",
    "bios_revision",
}


def is_fingerprint(document: dict[str, Any]) -> bool:
    """Whether this is meant to be a fingerprint."""
    return "guest_cpu_config" in document or len(_FINGERPRINT_KEYS & document.keys()) > 1


def is_config(document: dict[str, Any]) -> bool:
    """Whether this is meant to be a guest CPU configuration of aarch64."""
    return "reg_modifiers" in document


def is_template(document: dict[str, Any]) -> bool:
    """Whether this is a custom CPU template of aarch64: it keeps bits of the host, or changes no register at all."""
    items = document.get("reg_modifiers", [])
    if not document or not document.keys() <= _CONFIG_KEYS or not isinstance(items, list):
        return False
    bitmaps = [str(item.get("bitmap", "")) for item in items if isinstance(item, dict)]
    return not items or any("x" in bitmap.removeprefix("0b") for bitmap in bitmaps)


def read_template(document: dict[str, Any], path: str, _name: str, _catalogue: Catalogue) -> CpuRequest:
    """Read a custom CPU template.

    Raises:
        BadDocument: it has faults, all of which are listed.

    """
    faults: list[str] = []
    bits = []
    for index, item in enumerate(_list(document, "reg_modifiers", "", faults)):
        where = f"reg_modifiers[{index}]"
        if not isinstance(item, dict) or item.keys() != {"addr", "bitmap"}:
            faults.append(f"{where}: needs addr and bitmap, and nothing else")
            continue
        text = str(item["bitmap"]).removeprefix("0b").replace("_", "")
        register = _register(item["addr"], f"{where}.addr", faults)
        value = number(text.replace("x", "0"), 2, f"{where}.bitmap", faults)
        mask = int("".join("0" if digit == "x" else "1" for digit in text[:_WIDEST]) or "0", 2)
        bits.append(bits_of(register, mask, value))
    known = {bit for one, _ in SHAPE_FEATURES.values() for bit in one}
    chosen = _features(_list(document, "vcpu_features", "", faults), "vcpu_features", known, faults)
    _list(document, "kvm_capabilities", "", faults)
    if faults:
        raise BadDocument(path, tuple(faults), hint="a custom CPU template of Firecracker was expected")
    choices = {name: chosen.issuperset(needs) for name, (needs, _) in SHAPE_FEATURES.items() if needs}
    return CpuRequest("the template", choices, bits=tuple(bits))


def read_fingerprint(document: dict[str, Any], path: str, name: str, catalogue: Catalogue) -> Host:
    """Read a fingerprint.

    Raises:
        BadDocument: it has faults, all of which are listed.

    """
    faults = [
        f"{key}: is missing" for key in sorted({*_FINGERPRINT_KEYS, "guest_cpu_config"} - document.keys())
    ]
    faults += [
        f"{key}: unknown key" for key in sorted(document.keys() - _FINGERPRINT_KEYS - {"guest_cpu_config"})
    ]
    texts = {
        key: _text(document.get(key), key, faults) for key in sorted(_FINGERPRINT_KEYS & document.keys())
    }
    revidr = None
    if "microcode_version" in texts:
        # On aarch64 this is REVIDR_EL1 of cpu0.
        revidr = number(texts["microcode_version"], 16, "microcode_version", faults, 64)
    values, shape = _config(document.get("guest_cpu_config", {}), "guest_cpu_config.", faults)
    if faults:
        raise BadDocument(path, tuple(faults), hint="a fingerprint of Firecracker was expected")
    # The file has an empty text for what is not known.
    release = texts["kernel_version"] or None
    version = texts["firecracker_version"]
    bios = (texts["bios_version"], texts["bios_revision"])
    firmware = f"BIOS {bios[0]} revision {bios[1]}" if any(bios) else None
    offers = recorded_offers(values, catalogue, release, shape, {*values, *_LEFT_OUT})
    return Host(
        name,
        offers,
        recorded_cpus(offers, revidr),
        software=Software(release, vmms={"firecracker": version} if version else {}, firmware=firmware),
        made=Made(source=f"Firecracker fingerprint, {version}"),
    )


def read_config(document: dict[str, Any], path: str, name: str, catalogue: Catalogue) -> Host:
    """Read the dump of a guest CPU configuration; it does not say on which kernel it was taken.

    Raises:
        BadDocument: it has faults, all of which are listed.

    """
    faults: list[str] = []
    values, shape = _config(document, "", faults)
    if faults:
        raise BadDocument(path, tuple(faults), hint="a cpu-config dump of Firecracker was expected")
    offers = recorded_offers(values, catalogue, shape=shape, listed={*values, *_LEFT_OUT})
    made = Made(source="Firecracker guest CPU configuration")
    return Host(name, offers, recorded_cpus(offers), made=made)


def _text(given: object, key: str, faults: list[str]) -> str:
    if isinstance(given, str):
        return given
    faults.append(f"{key}: {ascii(given)[:60]} is not a text")
    return ""


def _config(document: object, place: str, faults: list[str]) -> tuple[dict[int, int], Shape]:
    if not isinstance(document, dict):
        faults.append(f"{place.rstrip('.')}: is not an object")
        return {}, Shape()
    faults.extend(f"{place}{key}: unknown key" for key in sorted(document.keys() - _CONFIG_KEYS))
    values: dict[int, int] = {}
    for index, item in enumerate(_list(document, "reg_modifiers", place, faults)):
        where = f"{place}reg_modifiers[{index}]"
        if not isinstance(item, dict) or item.keys() != {"addr", "bitmap"}:
            faults.append(f"{where}: needs addr and bitmap, and nothing else")
            continue
        register = _register(item["addr"], f"{where}.addr", faults)
        if register in values:
            faults.append(f"{where}.addr: {item['addr']} stands twice")
        values[register] = _bitmap(item["bitmap"], f"{where}.bitmap", faults)
    if not values:
        faults.append(f"{place}reg_modifiers: no register is recorded")
    bits = {bit for bits, _ in SHAPE_FEATURES.values() for bit in bits}
    chosen = _features(_list(document, "vcpu_features", place, faults), f"{place}vcpu_features", bits, faults)
    names = {name for name, (needs, _) in SHAPE_FEATURES.items() if needs and chosen.issuperset(needs)}
    _list(document, "kvm_capabilities", place, faults)
    return values, Shape(frozenset(names))


def _list(document: dict[str, Any], key: str, place: str, faults: list[str]) -> list[Any]:
    items = document.get(key, [])
    if isinstance(items, list):
        return items
    faults.append(f"{place}{key}: is not a list")
    return []


def _register(given: object, place: str, faults: list[str]) -> int:
    register = number(given, 16, place, faults, 64)
    try:
        RegisterId.decode(register)
    except ValueError as exc:
        if register:
            faults.append(f"{place}: {exc}")
    return register


def _bitmap(given: object, place: str, faults: list[str]) -> int:
    if isinstance(given, str) and "x" in given.removeprefix("0b"):
        faults.append(f"{place}: has bits marked x; this is a template to apply, not a dump of a CPU")
        return 0
    return number(given, 2, place, faults)


def _features(items: list[Any], place: str, known: set[int], faults: list[str]) -> set[int]:
    chosen: set[int] = set()
    for index, item in enumerate(items):
        where = f"{place}[{index}]"
        if not isinstance(item, dict) or item.keys() != {"index", "bitmap"} or item["index"] != 0:
            faults.append(f"{where}: needs index 0 and bitmap")
            continue
        bitmap = str(item["bitmap"]).removeprefix("0b").replace("_", "")
        if not bitmap or len(bitmap) > _WIDEST or set(bitmap) - set("01x"):
            faults.append(f"{where}.bitmap: {ascii(item['bitmap'])[:60]} is no bitmap of 0, 1 and x")
            continue
        chosen |= {bit for bit, digit in enumerate(reversed(bitmap)) if digit == "1" and bit in known}
    return chosen
