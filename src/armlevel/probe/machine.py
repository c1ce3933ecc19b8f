"""What Linux says about the machine itself: /sys and /proc, read and never written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from armlevel.probe.vmms import vmms_of
from armlevel.profile import Cpu, Implementation
from armlevel.profile.host import nothing
from armlevel.profile.machine import KvmMode

__all__ = ["Machine", "read_machine"]

# Boot options that lower what KVM can show (Linux arch/arm64/kernel/pi/idreg-override.c, Documentation/admin-guide).
_NARROWING = re.compile(
    r"(?:arm64\.no\w+|id_aa64\w+\.\w+|arm64_sw\.(?!nokaslr)\w+|kvm-arm\.\w+|kvm\.\w+|mitigations|nospectre_\w+|ssbd|"
    r"allow_mismatched_32bit_el0|kpti|nodebugmon|irqchip\.gicv3_\w+)(?:=\S*)?"
)
_TIMER = re.compile(r"\s(\d+)\s+(?:Level|Edge)\s+arch_timer\b")
_TIMERS: dict[int, KvmMode] = {26: "vhe", 28: "vhe", 27: "nvhe", 30: "nvhe"}
_RANGE = re.compile(r"(\d+)(?:-(\d+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Physical CPUs and the facts around them.

    ``cpus``             one entry for each (MIDR, REVIDR, AIDR) that some CPU has, with their count
    ``where``            the CPU numbers of each, in the same order; more than one entry is a heterogeneous machine
    ``kernel``           release;  ``page_size``  bytes
    ``boot_options``     those on the command line that lower what KVM can show
    ``vulnerabilities``  /sys/devices/system/cpu/vulnerabilities
    ``firmware``         vendor and version of the system's firmware, where DMI has them
    ``pmu``              perf event type of the PMU of the first kind of CPU
    ``name``             host name;  ``vmms``  VMM programs found and their versions
    ``usable``           numbers of the CPUs that this process may run on
    ``mode``             whether the kernel runs at EL2 (vhe) or KVM does beside it (nvhe)
    """

    cpus: tuple[Cpu, ...]
    where: tuple[tuple[int, ...], ...]
    kernel: str | None
    page_size: int
    boot_options: tuple[str, ...] = ()
    vulnerabilities: Mapping[str, str] = field(default_factory=nothing)
    firmware: str | None = None
    pmu: int | None = None
    name: str = ""
    vmms: Mapping[str, str] = field(default_factory=nothing)
    usable: tuple[int, ...] = ()
    mode: KvmMode | None = None


def read_machine(root: str = "/", *, vmms: bool = True) -> Machine:
    """Read the machine under ``root`` (a copy of /sys and /proc serves as well).

    With ``vmms`` its VMMs are run, to ask their versions.
    """
    base = Path(root)
    found: dict[Implementation, list[int]] = {}
    for number in _numbers(_text(base / "sys/devices/system/cpu/present")):
        folder = base / f"sys/devices/system/cpu/cpu{number}/regs/identification"
        midr = _hex(folder / "midr_el1")
        if midr is None:
            continue  # an offline CPU shows no registers
        revidr, aidr = _hex(folder / "revidr_el1"), _hex(folder / "aidr_el1")
        found.setdefault(Implementation(midr, revidr, aidr), []).append(number)
    kinds = sorted(found)
    line = _text(base / "proc/cmdline")
    vulnerabilities = base / "sys/devices/system/cpu/vulnerabilities"
    states = {file.name: _text(file) for file in sorted(vulnerabilities.glob("*"))}
    dmi = base / "sys/class/dmi/id"
    return Machine(
        cpus=tuple(
            Cpu(kind, len(found[kind]), tuple(found[kind]) if len(kinds) > 1 else ()) for kind in kinds
        ),
        where=tuple(tuple(found[kind]) for kind in kinds),
        kernel=_text(base / "proc/sys/kernel/osrelease") or None,
        page_size=os.sysconf("SC_PAGE_SIZE"),
        boot_options=tuple(word for word in line.split() if _NARROWING.fullmatch(word)),
        vulnerabilities={name: state for name, state in states.items() if state not in ("", "Not affected")},
        firmware=" ".join(filter(None, (_text(dmi / "bios_vendor"), _text(dmi / "bios_version")))) or None,
        pmu=_pmu(base, found[kinds[0]] if kinds else ()),
        name=_text(base / "proc/sys/kernel/hostname"),
        vmms=vmms_of() if root == "/" and vmms else nothing(),
        usable=tuple(sorted(os.sched_getaffinity(0))) if root == "/" else (),
        mode=_mode(_text(base / "proc/interrupts")),
    )


def _mode(interrupts: str) -> KvmMode | None:
    # A kernel at EL2 takes the timers of EL2, one at EL1 those of EL1 (Linux drivers/clocksource/arm_arch_timer.c,
    # arch_timer_select_ppi), and these are private interrupts of fixed numbers (Arm DEN0094, BSA, PPI assignments).
    found = _TIMER.search(interrupts)
    return None if found is None else _TIMERS.get(int(found[1]))


def _pmu(base: Path, cpus: Iterable[int]) -> int | None:
    # CPUs that are not alike have a PMU for each kind; one that names no CPUs is that of all.
    kinds = sorted((base / "sys/bus/event_source/devices").glob("armv8_*/type"))
    types = {file.parent: int(text) for file in kinds if (text := _text(file)).isdigit()}
    own = [kind for kind in types if set(cpus) & set(_numbers(_text(kind / "cpus")))]
    return next((types[kind] for kind in (*own, *types)), None)


def _numbers(text: str) -> list[int]:
    numbers: list[int] = []
    for first, last in _RANGE.findall(text):
        numbers.extend(range(int(first), int(last or first) + 1))
    return numbers


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _hex(path: Path) -> int | None:
    text = _text(path)
    return int(text, 16) if text else None
