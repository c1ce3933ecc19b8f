"""/proc/cpuinfo, with or without the files of ``cpu*/regs/identification`` below /sys/devices/system/cpu.

One text with both (``cat /proc/cpuinfo; grep . /sys/devices/system/cpu/cpu*/regs/identification/*``), or a directory
that holds copies of both trees. It says which CPUs there are and how fast the counter runs. It does not say what KVM
offers: a capability bit tells that the host kernel uses a feature, not which value of a field a guest sees. So the one
offer of such a host has its identity and nothing else, and every field is unknown.
"""

from __future__ import annotations

import errno
import re
from pathlib import Path

from armlevel.arch import Catalogue
from armlevel.errors import BadDocument
from armlevel.formats.text import number
from armlevel.profile import Cpu, Facts, Host, Implementation, Made, Offer, Shape

__all__ = ["counter_frequency", "gather", "is_gathered", "looks", "read"]

_BLOCK = ("CPU implementer", "CPU architecture", "CPU variant", "CPU part", "CPU revision")
_PAIR = re.compile(r"([A-Za-z][A-Za-z ]*?)\s*: ?(.*)")
_SYSFS = re.compile(r"\S*\bcpu(\d+)/regs/identification/([a-z]+_el1):\s*(\S+)\s*")
_CPUINFO = ("proc/cpuinfo", "cpuinfo")
_TREES = ("sys/devices/system/cpu", "cpu", ".")
_LARGEST = 1 << 22


def looks(text: str) -> bool:
    """Whether there are lines of an arm64 /proc/cpuinfo."""
    return any(re.search(rf"^{key}\s*:", text, re.MULTILINE) for key in _BLOCK)


def is_gathered(path: str) -> bool:
    """Whether a directory is a copy of the trees, and not one of profiles."""
    return any(Path(path, name).is_file() for name in _CPUINFO)


def gather(path: str) -> bytes:
    """Return one text with what a directory holds of both trees.

    Raises:
        OSError: a file of them cannot be read.

    """
    sources = [Path(path, name) for name in _CPUINFO if Path(path, name).is_file()]
    parts = [_some(source) for source in sources[:1]]
    for tree in _TREES:
        registers = sorted(Path(path, tree).glob("cpu[0-9]*/regs/identification/*"))
        parts.extend(f"{one.relative_to(path)}:".encode() + _some(one).strip() for one in registers)
    return b"\n".join(parts) + b"\n"


def counter_frequency(bogomips: str) -> int | None:
    """Return CNTFRQ_EL0 in Hz from a BogoMIPS figure; None where its two decimals may have cut something off.

    The kernel prints the frequency divided by 500,000 and cuts it after two decimals, which is 5 kHz.

    >>> counter_frequency("2100.00"), counter_frequency("243.75"), counter_frequency("166.66")
    (1050000000, 121875000, None)
    """
    if not re.fullmatch(r"\d{1,6}\.\d\d", bogomips):
        return None
    hertz = int(bogomips.replace(".", "")) * 5_000
    return hertz if hertz and (hertz % 100_000 == 0 or hertz % 125_000 == 0) else None


def read(text: str, path: str, name: str, _catalogue: Catalogue) -> Host:
    """Read the CPUs of a host; what its KVM offers stays unknown.

    Raises:
        BadDocument: it has faults, all of which are listed.

    """
    faults: list[str] = []
    blocks, identification = _parse(text, faults)
    midrs = {cpu: _midr(block, f"processor {cpu}", faults) for cpu, block in blocks.items()}
    for cpu, registers in identification.items():
        if "midr_el1" in registers and midrs.setdefault(cpu, registers["midr_el1"]) != registers["midr_el1"]:
            faults.append(f"processor {cpu}: /proc/cpuinfo and midr_el1 name different CPUs")
    if not midrs:
        faults.append("no processor is described")
    if faults:
        raise BadDocument(path, tuple(faults), hint="an arm64 /proc/cpuinfo was expected")
    kinds: dict[Implementation, list[int]] = {}
    for cpu in sorted({**midrs, **identification}):
        kinds.setdefault(_implementation(midrs.get(cpu), identification.get(cpu, {})), []).append(cpu)
    # Where CPUs are not alike, which one a guest reads depends on where it runs.
    limits = next(iter(kinds)).registers() if len(kinds) == 1 else {}
    capabilities = {block["Features"] for block in blocks.values() if "Features" in block}
    source = "/proc/cpuinfo: which CPUs there are; what KVM offers is not in it, so every field is unknown"
    if len(capabilities) == 1:
        source += f". The host's capabilities: {' '.join(capabilities)}"
    return Host(
        name,
        (Offer(Shape(), "predicted", "unknown", limits),),
        tuple(
            Cpu(one, len(numbers), tuple(numbers) if len(kinds) > 1 else ())
            for one, numbers in sorted(kinds.items())
        ),
        _facts(blocks),
        made=Made(source=source[:4096]),
        hwcaps=_hwcaps(capabilities),
    )


def _hwcaps(lines: set[str]) -> tuple[str, ...] | None:
    # Linux shows every CPU what all of them have. A program that runs as a 32-bit one is shown other words.
    words = tuple(lines.pop().split()) if len(lines) == 1 else ()
    return words if "fp" in words else None


def _parse(text: str, faults: list[str]) -> tuple[dict[int, dict[str, str]], dict[int, dict[str, int]]]:
    blocks: dict[int, dict[str, str]] = {}
    identification: dict[int, dict[str, int]] = {}
    block: dict[str, str] = {}
    for row, line in enumerate(text.splitlines(), 1):
        if match := _SYSFS.fullmatch(line):
            value = number(match[3], 16, f"line {row}", faults, 64)
            identification.setdefault(int(match[1]), {})[match[2]] = value
        elif match := _PAIR.fullmatch(line):
            key, value_text = match[1], match[2].strip()
            if key == "processor":
                if not value_text.isdecimal() or int(value_text) in blocks:
                    faults.append(f"line {row}: processor {value_text!r} is no new number")
                    continue
                block = blocks.setdefault(int(value_text), {})
            else:
                block[key] = value_text
        elif line.strip():
            faults.append(f"line {row}: {ascii(line.strip())[:60]} is no key and value")
    return blocks, identification


def _midr(block: dict[str, str], place: str, faults: list[str]) -> int:
    numbers = []
    for key, bits in (("CPU implementer", 8), ("CPU variant", 4), ("CPU part", 12), ("CPU revision", 4)):
        text = block.get(key, "")
        try:
            value = int(text, 0)
        except ValueError:
            value = -1
        if not 0 <= value < 1 << bits:
            faults.append(f"{place}: {key} is {text!r}, which is no number of {bits} bits")
        numbers.append(value)
    implementer, variant, part, revision = numbers
    # Architecture 0xf: the features are in the ID registers, as they are in every arm64 CPU.
    return implementer << 24 | variant << 20 | 0xF << 16 | part << 4 | revision


def _implementation(midr: int | None, registers: dict[str, int]) -> Implementation:
    # A kernel before 6.15 shows no AIDR_EL1: what is not there is not 0.
    return Implementation(midr, registers.get("revidr_el1"), registers.get("aidr_el1"))


def _facts(blocks: dict[int, dict[str, str]]) -> Facts:
    figures = {block.get("BogoMIPS", "") for block in blocks.values()}
    hertz = counter_frequency(figures.pop()) if len(figures) == 1 else None
    if hertz is None:
        return Facts()
    return Facts(cntfrq_hz=hertz, sources={"cntfrq_hz": "BogoMIPS x 500000 in /proc/cpuinfo"})


def _some(path: Path) -> bytes:
    # Of a copied tree anything may be a pipe, which is not waited for.
    if not path.is_file():
        raise OSError(errno.EINVAL, "is no file", str(path))
    with path.open("rb") as stream:
        return stream.read(_LARGEST)
