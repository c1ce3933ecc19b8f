"""/proc/cpuinfo, with or without the files of ``cpu*/regs/identification`` below /sys/devices/system/cpu.

One text with either or both (``cat /proc/cpuinfo; grep . /sys/devices/system/cpu/cpu*/regs/identification/*``), or a
directory that holds copies of both trees. It says which CPUs there are and how fast the counter runs. It does not say
what KVM offers: a capability bit tells that the host kernel uses a feature, not which value of a field a guest sees. So
the one offer of such a host has its identity and nothing else, and every field is unknown.

Every processor that is named counts, by /proc/cpuinfo or by sysfs (``present``, ``online``, a directory); one whose
identification is not there is one that is not known.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from armlevel.arch import Catalogue
from armlevel.errors import BadDocument
from armlevel.formats.processors import (
    MOST,
    Beside,
    Processor,
    frequency_facts,
    hwcaps_of,
    range_list,
    unknown_host,
)
from armlevel.formats.release import kernel_in
from armlevel.formats.text import integer, number
from armlevel.profile import Host, Implementation

__all__ = ["gather", "is_gathered", "looks", "read"]

_NUMBERS = (("CPU implementer", 8), ("CPU variant", 4), ("CPU part", 12), ("CPU revision", 4))
#: What a block of one processor has, each key once.
_BLOCK = frozenset({"CPU architecture", "BogoMIPS", "Features", *(key for key, _ in _NUMBERS)})
_SYSFS = re.compile(r"\bcpu(\d+)/regs/identification/([a-z]{1,20}_el1)$")
_NAMED = re.compile(r"\bcpu/cpu(\d{1,7})/")
_LISTS = re.compile(r"\bcpu/(present|online)$")
_HEADING = re.compile(r"==> (\S{1,300}) <==")
_CPUINFO = ("proc/cpuinfo", "cpuinfo")
_VERSION = ("proc/version", "version")
_TREES = ("sys/devices/system/cpu", "cpu", ".")
_LARGEST = 1 << 22
_HINT = "an arm64 /proc/cpuinfo was expected"


def looks(text: str) -> bool:
    """Whether there are lines of an arm64 /proc/cpuinfo, or of sysfs' identification registers."""
    lines = text.splitlines()
    keys = {line.partition(":")[0].strip() for line in lines}
    if keys & {key for key, _ in _NUMBERS}:
        return True
    return any(
        _SYSFS.search(path) for line in lines for path in (line.partition(":")[0].strip(), _heading(line))
    )


def is_gathered(path: str) -> bool:
    """Whether a directory is a copy of the trees, and not one of profiles."""
    return (
        any(Path(path, name).is_file() for name in _CPUINFO) or next(_identification(path), None) is not None
    )


def gather(path: str) -> bytes:
    """Return one text with what a directory holds of both trees, and of /proc/version.

    Raises:
        OSError: a file of them cannot be read.

    """
    parts = []
    for names in (_CPUINFO, _VERSION):
        sources = [Path(path, name) for name in names if Path(path, name).is_file()]
        parts += [_some(source) for source in sources[:1]]
    for tree in _TREES:
        lists = [Path(path, tree, name) for name in ("present", "online") if tree != "."]
        processors = [one for one in Path(path, tree).glob("cpu[0-9]*") if one.is_dir()]
        parts += [f"/sys/devices/system/cpu/{one.name}/:".encode() for one in sorted(processors)]
        parts += [
            f"/sys/devices/system/cpu/{one.name}:".encode() + _some(one).strip()
            for one in lists
            if one.is_file()
        ]
    parts += [
        f"{one.relative_to(path)}:".encode() + _some(one).strip() for one in sorted(_identification(path))
    ]
    return b"\n".join(parts) + b"\n"


@dataclass(slots=True)
class _Text:
    """What the lines say: blocks of /proc/cpuinfo, registers of sysfs by processor, and processors that are named."""

    path: str
    faults: list[str] = field(default_factory=list)
    blocks: list[tuple[int | None, dict[str, str]]] = field(default_factory=list)
    registers: dict[int, dict[str, int]] = field(default_factory=dict)
    named: set[int] = field(default_factory=set)
    kernel: str | None = None
    others: dict[str, str] = field(default_factory=dict)
    block: dict[str, str] | None = None


def read(text: str, path: str, name: str, _catalogue: Catalogue) -> Host:
    """Read the CPUs of a host; what its KVM offers stays unknown.

    Raises:
        BadDocument: it has faults, all of which are listed.

    """
    found = _parse(text, path)
    _refuse_others(found)
    processors = _processors(found)
    if not processors and not found.faults:
        found.faults.append("no processor is described")
    if found.faults:
        raise BadDocument(path, tuple(found.faults), hint=_HINT)
    blocks = [block for _, block in found.blocks if block]
    lines = {block["Features"] for block in blocks if "Features" in block}
    source = "/proc/cpuinfo: which CPUs there are; what KVM offers is not in it, so every field is unknown"
    if len(lines) == 1:
        source += f". The host's capabilities: {' '.join(lines)}"
    return unknown_host(
        name,
        processors,
        source,
        Beside(
            frequency_facts(block.get("BogoMIPS", "") for block in blocks),
            hwcaps_of(block.get("Features", "") for block in blocks),
            found.kernel,
        ),
    )


def _parse(text: str, path: str) -> _Text:
    found = _Text(path)
    heading = ""
    for row, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            found.block = None
        elif heading_here := _heading(line):
            heading = heading_here
        elif heading and ":" not in line:
            _take_sysfs(heading, line.strip(), f"line {row}", found)
        elif kernel := kernel_in(line):
            found.kernel = kernel
        else:
            _take_pair(line, row, found)
    return found


def _take_pair(line: str, row: int, found: _Text) -> None:
    key, colon, value = (part.strip() for part in line.partition(":"))
    if not colon:
        found.faults.append(f"line {row}: {ascii(key)[:60]} is no key and value")
    elif _take_sysfs(key, value, f"line {row}", found):
        return
    elif key == "processor":
        found.block = _new_block(value, row, found)
    elif key in _BLOCK:
        # A key that stands twice, or in no block, is of a processor whose first line is missing.
        if found.block is None or key in found.block:
            found.block = {}
            found.blocks.append((None, found.block))
        found.block[key] = value
    else:
        found.others.setdefault(key, value)


def _heading(line: str) -> str:
    match = _HEADING.fullmatch(line.strip())
    return match[1] if match else ""


def _new_block(value: str, row: int, found: _Text) -> dict[str, str]:
    block: dict[str, str] = {}
    cpu = integer(value)
    if cpu is None or cpu >= MOST or any(cpu == known for known, _ in found.blocks):
        found.faults.append(f"line {row}: processor {ascii(value)[:60]} is no new number")
    else:
        found.blocks.append((cpu, block))
    return block


def _take_sysfs(key: str, value: str, place: str, found: _Text) -> bool:
    # A line that names a file below /sys/devices/system/cpu, and what it holds.
    if match := _SYSFS.search(key):
        cpu = integer(match[1])
        if cpu is None or cpu >= MOST:
            found.faults.append(f"{place}: cpu{match[1][:20]} is none that Linux has")
        else:
            found.registers.setdefault(cpu, {})[match[2]] = number(value, 16, place, found.faults, 64)
        return True
    if match := _LISTS.search(key):
        found.named.update(range_list(value, f"{place}: {match[1]}", found.path))
        return True
    if match := _NAMED.search(f"{key}/" if key.startswith("/") else key):
        if int(match[1]) < MOST:
            found.named.add(int(match[1]))
        return True
    return key.startswith(("/sys/", "sys/"))


def _refuse_others(found: _Text) -> None:
    # Files that are what they should be, of machines that are not: one sentence, not a fault a line.
    blocks = [block for _, block in found.blocks]
    model = found.others.get("model name", "")
    old = {block.get("CPU architecture", "") for block in blocks} & {"4T", "5TE", "5TEJ", "6TEJ", "7"}
    if (
        old
        or model.startswith(("ARMv7", "ARMv6", "ARMv5"))
        or found.others.get("Processor", "").startswith("ARMv")
    ):
        raise BadDocument(
            found.path,
            ("a 32-bit Arm kernel wrote it, and armlevel levels hosts with arm64 kernels",),
            hint="boot an arm64 kernel on that machine, and take its /proc/cpuinfo",
        )
    empty = sum(not block for block in blocks)
    if empty and empty == len(blocks) - 1 and blocks[-1]:
        raise BadDocument(
            found.path,
            (
                f"an arm64 kernel before 3.19 wrote it: it identifies one of {len(blocks)} processors, unsaid which",
            ),
            hint="take the /proc/cpuinfo of a newer kernel, or probe that host",
        )


def _processors(found: _Text) -> list[Processor]:
    midrs: dict[int, int | None] = {}
    unnumbered: list[Processor] = []
    for cpu, block in found.blocks:
        midr = _midr(block, "a processor" if cpu is None else f"processor {cpu}", found.faults)
        if cpu is None:
            unnumbered.append((None, Implementation(midr)))
        else:
            midrs[cpu] = midr
    for cpu, registers in found.registers.items():
        read = registers.get("midr_el1")
        if midrs.get(cpu) is None:
            midrs[cpu] = read
        elif read is not None and read != midrs[cpu]:
            found.faults.append(f"processor {cpu}: /proc/cpuinfo and midr_el1 name different CPUs")
    numbered = sorted({*midrs, *found.named})
    if len(numbered) > MOST:
        found.faults.append(f"more than {MOST} processors are named")
    return [
        *((cpu, _implementation(midrs.get(cpu), found.registers.get(cpu, {}))) for cpu in numbered),
        *unnumbered,
    ]


def _midr(block: dict[str, str], place: str, faults: list[str]) -> int | None:
    numbers = []
    for key, bits in _NUMBERS:
        if key not in block:
            return None
        value = _small(block[key])
        if value is None or value >> bits:
            faults.append(f"{place}: {key} is {block[key][:40]!r}, which is no number of {bits} bits")
            return None
        numbers.append(value)
    implementer, variant, part, revision = numbers
    # Architecture 0xf: the features are in the ID registers, as they are in every arm64 CPU.
    return implementer << 24 | variant << 20 | 0xF << 16 | part << 4 | revision


def _small(text: str) -> int | None:
    if re.fullmatch(r"0[xX][0-9a-fA-F]{1,8}", text):
        return int(text, 16)
    return integer(text)


def _implementation(midr: int | None, registers: dict[str, int]) -> Implementation:
    # A kernel before 6.15 shows no AIDR_EL1: what is not there is not 0.
    return Implementation(midr, registers.get("revidr_el1"), registers.get("aidr_el1"))


def _identification(path: str) -> Iterator[Path]:
    for tree in _TREES:
        yield from Path(path, tree).glob("cpu[0-9]*/regs/identification/*")


def _some(path: Path) -> bytes:
    # Of a copied tree anything may be a pipe, which is not waited for.
    if not path.is_file():
        raise OSError(errno.EINVAL, "is no file", str(path))
    with path.open("rb") as stream:
        return stream.read(_LARGEST)
