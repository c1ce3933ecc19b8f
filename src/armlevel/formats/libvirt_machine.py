"""What a domain of libvirt asks for around the vCPUs, and what its own QEMU options change of that.

Sources: libvirt docs/formatdomain.rst; src/qemu/qemu_domain.c and qemu_postparse.c (a domain under KVM that says
nothing gets the highest GIC there is), qemu_command.c.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element

from armlevel.arch import Catalogue
from armlevel.formats.qemu_machine import board_of, machine_of, options_after
from armlevel.formats.text import integer
from armlevel.profile import GuestMachine

__all__ = ["machine_of_domain", "size_in"]

_UNITS = {
    "b": 1,
    "bytes": 1,
    "KB": 1000,
    "k": 1 << 10,
    "KiB": 1 << 10,
    "M": 1 << 20,
    "MiB": 1 << 20,
    "G": 1 << 30,
    "GiB": 1 << 30,
    "T": 1 << 40,
    "TiB": 1 << 40,
}


def size_in(text: str, unit: str, place: str, faults: list[str]) -> int | None:
    """Return a size in bytes, or note that it is none."""
    number = integer(text)
    if not number or unit not in _UNITS:
        faults.append(f"{place}: {text[:40]!a} {unit[:40]!a} is no size")
        return None
    return number * _UNITS[unit]


def machine_of_domain(
    domain: Element, words: Sequence[str], catalogue: Catalogue, faults: list[str]
) -> GuestMachine | None:
    """Return what a domain asks for; ``words`` are its own QEMU options, which come last and win.

    What cannot be understood is put into ``faults``.
    """
    kind = domain.find("os/type")
    named = kind.get("machine", "") if kind is not None else ""
    own = [word for option in options_after(words, ("-machine",)) for word in ("-machine", option)]
    cpu = [word for option in options_after(words, ("-cpu",))[-1:] for word in ("-cpu", option)]
    gic = domain.find("features/gic")
    asked = gic.get("version", "") if gic is not None else ""
    first = ["-machine", ",".join([named or "unnamed", f"gic-version={asked or 'max'}"])]
    machine = machine_of([*first, *own, *cpu], catalogue, faults, whole=False)
    if machine is None:
        return None
    if "-m" not in words:
        machine = replace(machine, **_memory(domain, faults))
    return replace(
        machine,
        machine=board_of([*(["-machine", named] if named else []), *own]).get("type"),
        vcpus=_vcpus(domain) if "-smp" not in words else None,
        backing_page=_huge_page(domain, faults),
    )


def _vcpus(domain: Element) -> int | None:
    text = domain.findtext("vcpu", "").strip()
    return int(text) if text.isdecimal() and 0 < int(text) < 1 << 16 else None


def _memory(domain: Element, faults: list[str]) -> dict[str, Any]:
    memory, most = domain.find("memory"), domain.find("maxMemory")
    size = _size_of(memory, "memory", faults)
    if most is None:
        return {"memory": size, "maxmem": size, "slots": 0}
    slots = most.get("slots", "")
    # Memory that is plugged counts as part of it: QEMU starts with that of the NUMA cells.
    cells = [
        size_in(one.get("memory", ""), one.get("unit", "KiB"), "cpu/numa/cell", faults)
        for one in domain.findall("cpu/numa/cell")
    ]
    if cells and None not in cells:
        size = sum(one for one in cells if one is not None)
    elif domain.find("devices/memory") is not None:
        size = None
    return {
        "memory": size,
        "maxmem": _size_of(most, "maxMemory", faults),
        "slots": int(slots) if slots.isdecimal() else None,
    }


def _size_of(one: Element | None, place: str, faults: list[str]) -> int | None:
    if one is None or not (one.text or "").strip():
        return None
    return size_in((one.text or "").strip(), one.get("unit", "KiB"), place, faults)


def _huge_page(domain: Element, faults: list[str]) -> int | None:
    page = domain.find("memoryBacking/hugepages/page")
    if page is None:
        return None
    return size_in(page.get("size", ""), page.get("unit", "KiB"), "memoryBacking/hugepages/page", faults)
