"""QEMU's ``-cpu host,...``, as a person typed it or a domain of libvirt holds it: what it asks of a host."""

from __future__ import annotations

import re
from collections.abc import Mapping

from armlevel.arch import Catalogue, Field
from armlevel.errors import BadDocument
from armlevel.formats.cpu_request import Bits, CpuRequest
from armlevel.formats.qemu_write import CHOICES, PSCI, sysregs

__all__ = ["is_option", "read_option", "recipe_of"]

_LEGACY = ("aarch64", "pmu", "sve", "pauth", "kvm-steal-time", "kvm-no-adjvtime")
_LENGTHS = frozenset(f"sve{length}" for length in range(128, 2049, 128))
_BOARD = {"mte": "mte", "virtualization": "has_el2"}
_OPTION = re.compile(r"(?:-cpu\s+)?(?:host|max)(?:,[A-Za-z][\w.-]*=[\w.-]+)*\s*")


def is_option(text: str) -> bool:
    """Whether a text is the value of ``-cpu``, with or without that word, or a command line that has it."""
    return bool(_OPTION.fullmatch(text.strip()) or re.search(r"(?:^|\s)-cpu\s+host\b", text))


def read_option(text: str, path: str, _name: str, catalogue: Catalogue) -> CpuRequest:
    """Read a ``-cpu`` option, alone or in a command line (the last one counts, as QEMU has it).

    Raises:
        BadDocument: it has faults, all of which are listed.

    """
    words = text.replace("\\\n", " ").split()
    found = [words[i + 1] for i, word in enumerate(words[:-1]) if word == "-cpu"] or words[:1]
    board: dict[str, str] = {}
    for i, word in enumerate(words[:-1]):
        if word in ("-machine", "-M"):
            board |= dict(one.partition("=")[::2] for one in words[i + 1].split(",")[1:])
    faults: list[str] = []
    request = recipe_of(found[-1], catalogue, faults, board)
    if faults:
        raise BadDocument(path, tuple(faults), hint="QEMU's -cpu host,... was expected")
    return request


def recipe_of(
    option: str, catalogue: Catalogue, faults: list[str], board: Mapping[str, str] | None = None
) -> CpuRequest:
    """Return what a ``-cpu`` option asks for; what cannot be understood is put into ``faults``."""
    model, *settings = option.split(",")
    if model not in ("host", "max"):
        faults.append(f"-cpu {model}: KVM gives guests the host's CPU; -cpu host is needed")
    given = dict(one.partition("=")[::2] for one in settings)
    fields = sysregs(given, catalogue)
    choices = {
        feature: True
        for key, feature in (("mte", "mte"), ("virtualization", "has_el2"))
        if (board or {}).get(key) == "on"
    }
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
