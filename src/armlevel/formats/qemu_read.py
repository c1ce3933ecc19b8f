"""QEMU's ``-cpu host,...``, as a person typed it or a domain of libvirt holds it: what it asks of a host."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace

from armlevel.arch import Catalogue, Field
from armlevel.errors import BadDocument
from armlevel.formats.cpu_request import Bits, CpuRequest
from armlevel.formats.qemu_machine import board_of, machine_of
from armlevel.formats.qemu_write import CHOICES, PSCI, sysregs

__all__ = ["gic_bits", "is_option", "read_option", "recipe_of"]

_LEGACY = ("aarch64", "pmu", "sve", "pauth", "kvm-steal-time", "kvm-no-adjvtime")
_LENGTHS = frozenset(f"sve{length}" for length in range(128, 2049, 128))
_BOARD = {"mte": "mte", "virtualization": "has_el2"}
_OPTION = re.compile(r"(?:host|max)(?:,[A-Za-z][\w.-]{0,60}=[\w.-]{1,60}){0,2000}")
_CPU, _ACCEL = ("-cpu", "--cpu"), ("-accel", "--accel")
_QEMU = re.compile(r"(?:\S*/)?(?:qemu-system-(?P<arch>\w{1,20})|qemu-kvm)(?:\.real)?")
# A register that KVM makes from the interrupt controller, and the field of it: 0 beside a GICv2.
_GIC_FIELDS = (("ID_AA64PFR0_EL1", 24), ("ID_PFR1_EL1", 28))


def is_option(text: str) -> bool:
    """Whether a text is the value of ``-cpu``, with or without that word, or a command line that has it."""
    if len(text) > _LONGEST:
        return False
    if "-cpu" in text:
        words = _words(text)
        if any(_is_value(words, index) for index, word in enumerate(words) if word in _CPU):
            return True
    stripped = text.strip()
    first = stripped.split(None, 1)[0] if stripped else ""
    return bool(_OPTION.fullmatch(stripped) or _QEMU.fullmatch(first))


def read_option(text: str, path: str, _name: str, catalogue: Catalogue) -> CpuRequest:
    """Read a ``-cpu`` option, alone or in a command line (the last one counts, as QEMU has it).

    Raises:
        BadDocument: it has faults, all of which are listed.

    """
    words = _words(text)
    found = [words[i + 1] for i, word in enumerate(words[:-1]) if word in _CPU]
    faults: list[str] = []
    programs = [match for word in words if (match := _QEMU.fullmatch(word))]
    arch = next((match["arch"] for match in programs if match["arch"]), "aarch64")
    board = board_of(words)
    if arch != "aarch64":
        faults.append(f"qemu-system-{arch}: is no QEMU for arm64")
    accelerators = _accelerators(words, board)
    if accelerators and "kvm" not in accelerators:
        named = ":".join(sorted(accelerators))[:40]
        faults.append(f"-accel {named}: without KVM no host's CPU is offered, and nothing is to be levelled")
    if not found and programs:
        faults.append(
            "no -cpu: QEMU gives this guest its own default, which KVM does not run; -cpu host is needed"
        )
    if faults:
        raise BadDocument(path, tuple(faults), hint=_HINT)
    request = recipe_of(found[-1] if found else words[0], catalogue, faults, board)
    machine = machine_of(words, catalogue, faults, whole=bool(programs))
    if faults:
        raise BadDocument(path, tuple(faults), hint=_HINT)
    return replace(request, machine=machine)


_LONGEST = 1 << 17  # no kernel takes a longer word, and no person types a longer line
_HINT = "QEMU's -cpu host,... was expected"


def _words(text: str) -> list[str]:
    # As a shell would take them apart; where its quotes do not match, by blanks.
    try:
        return shlex.split(text.replace("\\\r\n", " ").replace("\\\n", " "), comments=False)
    except ValueError:
        return [word.strip("'\"") for word in text.replace("\\\n", " ").split()]


def _is_value(words: Sequence[str], index: int) -> bool:
    return index + 1 < len(words) and bool(
        re.fullmatch(r"[A-Za-z][\w.-]{0,60}(?:,.*)?", words[index + 1], re.DOTALL)
    )


def _accelerators(words: Sequence[str], board: Mapping[str, str]) -> set[str]:
    named = [words[i + 1].partition(",")[0] for i, word in enumerate(words[:-1]) if word in _ACCEL]
    named += board.get("accel", "").split(":")
    named += ["kvm"] if {"-enable-kvm", "--enable-kvm"} & set(words) else []
    return {one.removeprefix("accel=") for one in named if one}


def gic_bits(version: str) -> list[Bits]:
    """Return the bits that a version of the interrupt controller changes in a guest's registers."""
    # KVM shows no GICv3 system registers beside a GICv2 (Linux arch/arm64/kvm/sys_regs.c, kvm_finalize_sys_regs). Any
    # other version, and host and max, leave what the host shows.
    if version != "2":
        return []
    return [Bits(register, 0xF << lsb, 0, where_shown=True) for register, lsb in _GIC_FIELDS]


def recipe_of(
    option: str, catalogue: Catalogue, faults: list[str], board: Mapping[str, str] | None = None
) -> CpuRequest:
    """Return what a ``-cpu`` option asks for; what cannot be understood is put into ``faults``."""
    model, *settings = option.split(",")
    if model not in ("host", "max"):
        faults.append(f"-cpu {model}: KVM gives guests the host's CPU; -cpu host is needed")
    given = dict(one.partition("=")[::2] for one in settings)
    fields = sysregs(given, catalogue)
    choices = {feature: True for key, feature in _BOARD.items() if (board or {}).get(key) == "on"}
    lengths: dict[int, bool] = {}
    bits: list[Bits] = []
    for key, value in given.items():
        place = f"-cpu {key}={value}"
        if key in fields:
            bits += _field_bits(fields[key], value, place, faults)
        elif key == "kvm-psci-version":
            bits += _psci_bits(value, place, faults)
        elif value not in ("on", "off") or not _is_known(key):
            faults.append(f"{place}: not an option of an Arm CPU that we know, with a value it can have")
        elif key in CHOICES:
            choices[CHOICES[key]] = value == "on"
        elif key == "aarch64":
            choices["el1_32bit"] = value == "off"
        elif key.startswith("sve"):
            lengths[int(key[3:])] = value == "on"
    bits += gic_bits((board or {}).get("gic-version", ""))
    return CpuRequest("QEMU's -cpu", choices, frozenset(CHOICES.values()), lengths, tuple(bits))


def _psci_bits(text: str, place: str, faults: list[str]) -> list[Bits]:
    match = re.fullmatch(r"(\d{1,4})\.(\d{1,4})", text)
    if match is None:
        faults.append(f"{place}: not a version like 1.1")
        return []
    return [Bits(PSCI, (1 << 32) - 1, int(match[1]) << 16 | int(match[2]))]


def _is_known(key: str) -> bool:
    return key in _LEGACY or key in _LENGTHS


def _field_bits(one: Field, text: str, place: str, faults: list[str]) -> list[Bits]:
    try:
        value = int(text, 0)
        return [Bits(one.register, one.mask, one.put(0, value))]
    except ValueError:
        faults.append(f"{place}: {one.subject} has {one.width} bits, and {text} is no number of so many")
        return []
