"""A host of which a file names the processors: who they are as far as it says, and nothing of what KVM offers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from armlevel.errors import BadDocument
from armlevel.formats.text import integer
from armlevel.profile import Cpu, Facts, Host, Implementation, Made, Offer, Shape, Software

__all__ = [
    "MOST",
    "Processor",
    "counter_frequency",
    "frequency_facts",
    "hwcaps_of",
    "range_list",
    "unknown_host",
]

#: No machine has more processors.
MOST = 1 << 16

#: A processor's number, None where the file does not say which one it is, and its implementation as far as recorded.
Processor = tuple["int | None", Implementation]

# No firmware was seen to set a counter frequency that is no multiple of one of these.
_STEPS = (100_000, 125_000)
# Frequencies that boards and servers have (arm-socs-table 7adad61, Linux device trees), in kHz: what a figure of a
# kernel with HZ=300 may as well stand for.
_SEEN = (
    *(
        4_000,
        6_000,
        8_000,
        10_000,
        12_000,
        12_500,
        13_000,
        19_200,
        20_000,
        24_000,
        25_000,
        26_000,
        27_000,
        30_000,
    ),
    *(
        31_250,
        32_000,
        33_300,
        35_000,
        38_400,
        40_000,
        48_000,
        50_000,
        52_000,
        54_000,
        62_500,
        65_000,
        66_500,
        75_000,
    ),
    *(100_000, 121_875, 125_000, 150_000, 187_500, 200_000, 250_000, 400_000, 500_000, 1_000_000, 1_050_000),
)


@dataclass(frozen=True, slots=True)
class Beside:
    """What a file says of a host beside its processors."""

    facts: Facts = Facts()
    hwcaps: tuple[str, ...] | None = None
    kernel: str | None = None


def unknown_host(name: str, processors: Iterable[Processor], source: str, beside: Beside = Beside()) -> Host:
    """Return a host with these processors, whose KVM offers nothing that is known but who they are.

    Processors that read alike are of one kind only where the same numbers of them are recorded.
    """
    kinds: dict[Implementation, list[int | None]] = {}
    for number, implementation in processors:
        kinds.setdefault(implementation, []).append(number)
    # Where CPUs are not alike, which one a guest reads depends on where it runs.
    limits = next(iter(kinds)).registers() if len(kinds) == 1 else {}
    cpus = []
    for one, numbers in sorted(kinds.items()):
        known = tuple(sorted(number for number in numbers if number is not None))
        cpus.append(Cpu(one, len(numbers), known if len(kinds) > 1 and len(known) == len(numbers) else ()))
    return Host(
        name,
        (Offer(Shape(), "predicted", "unknown", limits),),
        tuple(cpus),
        beside.facts,
        Software(kernel=beside.kernel),
        Made(source=source[:4096]),
        hwcaps=beside.hwcaps,
    )


def counter_frequency(bogomips: str) -> int | None:
    """Return CNTFRQ_EL0 in Hz from a BogoMIPS figure; None where it does not determine one.

    The kernel cuts the frequency twice: to whole ticks of HZ, and after two decimals of the quotient by 500,000 / HZ.
    With HZ = 100, 250 or 1000 that loses less than 5 kHz. With HZ = 300 the divisor is cut as well (to 1,666), so that
    ``38.00`` may be 19 MHz or 19.2 MHz. Source: Linux arch/arm64/kernel/{setup,cpuinfo}.c, kernel/Kconfig.hz.

    >>> counter_frequency("2100.00"), counter_frequency("243.75"), counter_frequency("38.40")
    (1050000000, 121875000, 19200000)
    >>> counter_frequency("166.66"), counter_frequency("38.00"), counter_frequency("125.20")
    (None, None, None)
    """
    if not re.fullmatch(r"[0-9]{1,6}\.[0-9]{2}", bogomips):
        return None
    hertz = int(bogomips.replace(".", "")) * 5_000
    others = {1000 * seen for seen in _SEEN if _at_300(1000 * seen) == bogomips} - {hertz}
    return hertz if hertz and not others and any(hertz % step == 0 for step in _STEPS) else None


def _at_300(hertz: int) -> str:
    ticks = hertz // 300
    return f"{ticks // (500_000 // 300)}.{ticks // (5_000 // 300) % 100:02}"


def frequency_facts(figures: Iterable[str]) -> Facts:
    """Return the facts that the BogoMIPS of all processors give: the counter's frequency where all show one."""
    distinct = set(figures)
    hertz = counter_frequency(distinct.pop()) if len(distinct) == 1 else None
    if hertz is None:
        return Facts()
    return Facts(cntfrq_hz=hertz, sources={"cntfrq_hz": "BogoMIPS x 500000"})


def hwcaps_of(lines: Iterable[str]) -> tuple[str, ...] | None:
    """Return the capabilities of a kernel from the lines of all processors; None where they are not told.

    Linux shows every CPU what all of them have. A program that runs as a 32-bit one is shown other words.
    """
    distinct = set(lines)
    words = tuple(distinct.pop().split()) if len(distinct) == 1 else ()
    return words if "fp" in words else None


def range_list(text: str, place: str, path: str) -> tuple[int, ...]:
    """Return the numbers of a kernel's list of CPUs, ``0-3,8``.

    Raises:
        BadDocument: it is none.

    >>> range_list("0-2,5", "online", "x")
    (0, 1, 2, 5)
    """
    found: set[int] = set()
    for part in text.strip().split(",") if text.strip() else ():
        first, dash, last = part.strip().partition("-")
        low, high = integer(first), integer(last if dash else first)
        if low is None or high is None or not low <= high < MOST:
            raise BadDocument(path, (f"{place}: {ascii(text)[:60]} is no list of CPUs",))
        found.update(range(low, high + 1))
    return tuple(sorted(found))
