"""JSON with the names of registers in it: a map, nested maps, lists of names and values, records of dumps.

``{"ID_AA64PFR0_EL1": "0x1100000011111111", ...}``; any spelling of a name; a value is a hexadecimal text, an integer,
or an object with one. Maps that are called like CPUs (``cpu0``), and the items of a list of CPUs, are CPUs that may
differ. ``kernel`` is the release of the host's kernel. What plays no part is listed in the profile's source.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from armlevel.arch import Catalogue, load
from armlevel.errors import BadDocument
from armlevel.formats.registers import Dump, host_of_dumps, named_register
from armlevel.formats.release import release_of
from armlevel.formats.text import integer, number
from armlevel.kvm import SpelledRegister, encoding_of, spelled
from armlevel.profile import Host

__all__ = ["looks", "read", "record_name"]

_HINT = "a map of register names to hexadecimal values was expected"
_CPU = re.compile(r"(?:cpu|core|processor)[ _-]?\d{1,5}", re.IGNORECASE)
_CPU_LISTS = frozenset({"cpus", "cores", "processors", "cpu_groups", "clusters"})
_KERNELS = frozenset({"kernel", "kernel_version", "kernel_release", "host_kernel", "osrelease", "uname"})
_FACTS = {"cntfrq_hz": "cntfrq_hz", "dczid": "dczid", "gmid": "gmid", "page_size": "page_size"}
_NAMES = ("name", "register", "reg", "id", "addr")
_VALUES = ("value", "val", "raw", "data")
_ENCODING = ("op0", "op1", "crn", "crm", "op2")
_NAMED = ("name", "hostname", "host")
_UNKNOWN = re.compile(r"\w{1,60}_EL[0-3]\d?", re.IGNORECASE)
_REMARKED = re.compile(r"(?:0x)?[0-9a-f_]{1,20}[\s;,(].{1,200}", re.IGNORECASE)
_KHZ = re.compile(r"(\d{1,7}) kHz")
_DEEPEST = 12


def looks(document: dict[str, Any]) -> bool:
    """Whether it has registers of Arm with values, and is of no kind of ours."""
    if "kind" in document:
        return False
    found = _Reader(load())
    found.read(document, "", found.common, 0)
    return found.registers > 0


def record_name(document: dict[str, Any]) -> str:
    """Return what a record calls itself; empty if it does not."""
    return next((str(document[key])[:200] for key in _NAMED if isinstance(document.get(key), str)), "")


def read(document: dict[str, Any], path: str, name: str, catalogue: Catalogue) -> Host:
    """Read the registers; which vCPU shape they were taken with is not said.

    Raises:
        BadDocument: it has faults, all of which are listed.

    """
    found = _Reader(catalogue)
    found.read(document, "", found.common, 0)
    if found.faults:
        raise BadDocument(path, tuple(found.faults), hint=_HINT)
    return host_of_dumps(name, found.common, found.each, catalogue, "map of register values")


@dataclass(slots=True)
class _Reader:
    """What was found on the way through the objects."""

    catalogue: Catalogue
    common: Dump = field(default_factory=Dump)
    each: list[Dump] = field(default_factory=list)
    registers: int = 0
    faults: list[str] = field(default_factory=list)

    def read(self, item: Any, place: str, dump: Dump, depth: int) -> None:
        """Read an object or a list, into ``dump`` or into those of the CPUs in it."""
        if depth > _DEEPEST:
            self.faults.append(f"{place}: is nested too deep")
        elif isinstance(item, dict):
            if not self._named_value(item, place, dump):
                for key, value in item.items():
                    self._entry(str(key), value, f"{place}.{key}" if place else str(key), dump, depth)
        elif isinstance(item, list):
            for index, one in enumerate(item):
                where = f"{place}[{index}]"
                if isinstance(one, list) and len(one) == 2 and isinstance(one[0], str):
                    self._entry(one[0], one[1], where, dump, depth)
                elif isinstance(one, dict | list):
                    self.read(one, where, dump, depth + 1)

    def _entry(self, key: str, value: Any, place: str, dump: Dump, depth: int) -> None:
        if value is None:
            return  # not recorded
        if isinstance(value, dict) and _CPU.fullmatch(key):
            self._cpu(value, place, 1, depth)
        elif isinstance(value, list) and key.lower() in _CPU_LISTS:
            for index, one in enumerate(value):
                if isinstance(one, dict):
                    self._cpu(one, f"{place}[{index}]", None, depth)
        elif (register := named_register(key, self.catalogue)) is not None:
            self._register(register, value, place, dump)
        elif isinstance(value, dict) or (
            isinstance(value, list) and any(isinstance(one, dict | list) for one in value)
        ):
            before = self.registers
            self.read(value, place, dump, depth + 1)
            if self.registers == before:
                dump.unused.append(key[:80])
        else:
            self._beside(key, value, place, dump)

    def _features(self, value: list[Any]) -> bool:
        return sum(isinstance(one, str) and one in self.catalogue.features for one in value) > 1

    def _cpu(self, item: dict[str, Any], place: str, count: int | None, depth: int) -> None:
        dump = Dump(count=count)
        self.each.append(dump)
        self.read(item, place, dump, depth + 1)

    def _register(self, register: SpelledRegister, value: Any, place: str, dump: Dump) -> None:
        if isinstance(value, dict):
            value = next((value[key] for key in _VALUES if key in value), None)
        self.registers += 1
        if isinstance(value, list) or (isinstance(value, str) and _REMARKED.fullmatch(value.strip())):
            # Several values, or one with a remark that may take it back: which it is, is not known.
            dump.unused.append(f"{register.name} ({ascii(value)[:60]})")
            return
        dump.take(register, _value(value, place, self.faults), place, self.faults, self.catalogue)

    def _named_value(self, item: dict[str, Any], place: str, dump: Dump) -> bool:
        # {"name": "MIDR_EL1", "value": "0x..."}; {"op0": 3, "op1": 0, "crn": 0, "crm": 0, "op2": 0, "value": "0x..."}
        value = next((key for key in _VALUES if key in item), None)
        if value is None:
            return False
        lower = {str(key).lower(): one for key, one in item.items()}
        text = " ".join(f"{key}:{lower[key]}" for key in _ENCODING if key in lower)
        named = next((item[key] for key in _NAMES if isinstance(item.get(key), str)), None)
        register = spelled(text) if encoding_of(text) else named and named_register(named, self.catalogue)
        if not register:
            return False
        self._register(register, item[value], place, dump)
        return True

    def _beside(self, key: str, value: Any, place: str, dump: Dump) -> None:
        # What is no register.
        lower = key.lower()
        if lower in _KERNELS and dump is self.common and (release := release_of(str(value)[:300])):
            dump.kernel = release
        elif lower in _FACTS:
            decimal = value if isinstance(value, int) and not isinstance(value, bool) else integer(value)
            taken = decimal if decimal is not None else _value(value, place, self.faults)
            dump.take_fact(_FACTS[lower], taken, place, self.faults)
        elif lower == "count" and isinstance(value, int) and 0 < value < 1 << 16 and dump is not self.common:
            dump.count = value
        elif lower == "hwcaps" and isinstance(value, list):
            dump.hwcaps = " ".join(str(one) for one in value)[:4096]
        elif lower == "agtimer" and (match := _KHZ.fullmatch(str(value)[:40])):
            self.registers += 1  # OpenBSD's dmesg: CNTFRQ_EL0
            dump.take_fact("cntfrq_hz", int(match[1]) * 1000, place, self.faults)
        elif (
            isinstance(value, list)
            and sum(one in self.catalogue.features for one in value if isinstance(one, str)) > 1
        ):
            self.registers += (
                1  # a feature is no value of a field: the host is one, and nothing is known of it
            )
            dump.unused.append(f"{key} ({len(value)} names of features)")
        elif lower == "bogomips":
            dump.bogomips = str(value)[:20]
        elif _UNKNOWN.fullmatch(key):
            dump.unused.append(f"{key} (no register is called so)")
        else:
            dump.unused.append(key[:80])


def _value(given: Any, place: str, faults: list[str]) -> int:
    if isinstance(given, int) and not isinstance(given, bool):
        if 0 <= given < 1 << 64:
            return given
        faults.append(f"{place}: is a number that no register of 64 bits holds")
        return 0
    return number(given, 16, place, faults, 64)
