"""What a command line of QEMU asks for around the vCPUs: ``-machine``, ``-m``, ``-smp``, and ``kvm-steal-time``.

Sources: QEMU docs/system/arm/virt.rst, qemu-options.hx, hw/arm/virt.c, hw/core/machine.c and machine-smp.c.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from armlevel.arch import Catalogue, release_numbers
from armlevel.profile import GuestMachine
from armlevel.profile.guest_machine import GIC_ASKED

__all__ = ["board_of", "machine_of", "options_after", "size_of"]

_MACHINE = ("-machine", "--machine", "-M")
_STEAL_TIME = "kvm-steal-time"
_TYPE = re.compile(r"virt(?:-(\d+\.\d+))?")
_SIZE = re.compile(r"(\d{1,19})([bkmgtpe]?)(?:i?b)?", re.IGNORECASE)
_UNITS = {unit: 1 << 10 * power for power, unit in enumerate("bkmgtpe")}
_TOPOLOGY = ("drawers", "books", "sockets", "dies", "clusters", "modules", "cores", "threads")
# QEMU 11 has msi= besides its=, and refuses both together.
_MSI = {"its": True, "auto": True, "gicv2m": False, "none": False, "off": False}


def options_after(words: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return the values of an option, under any of its names, in the order in which they stand.

    >>> options_after(["qemu", "-M", "virt", "-machine", "its=off"], ["-M", "-machine"])
    ['virt', 'its=off']
    """
    return [words[place + 1] for place, word in enumerate(words[:-1]) if word in names]


def board_of(words: Sequence[str]) -> dict[str, str]:
    """Return what the ``-machine`` options of a command line say, the last word counting; its type as ``type``.

    >>> board_of(["-M", "virt,its=off", "-machine", "gic-version=3"])
    {'type': 'virt', 'its': 'off', 'gic-version': '3'}
    """
    return _merged(options_after(words, _MACHINE), "type")


def size_of(text: str, unit: str = "b") -> int | None:
    """Return a size in bytes; without a unit it is in ``unit``. None if it is none.

    >>> size_of("128M"), size_of("2", "m"), size_of("600G"), size_of("much")
    (134217728, 2097152, 644245094400, None)
    """
    match = _SIZE.fullmatch(text.strip())
    return None if match is None else int(match[1]) * _UNITS[(match[2] or unit).lower()]


def machine_of(
    words: Sequence[str], catalogue: Catalogue, faults: list[str], *, whole: bool
) -> GuestMachine | None:
    """Return what a command line asks for; what cannot be understood is put into ``faults``.

    Of a ``whole`` one what is not said is QEMU's default; of a part of one it is not recorded. None if it says nothing
    of a machine.
    """
    board = board_of(words)
    if not (whole or board):
        return None
    kind = board.get("type")
    cpu = _merged(options_after(words, ("-cpu", "--cpu"))[-1:], "model")
    machine = GuestMachine(
        vmm="qemu",
        machine=kind,
        virtualization=_truth(board, "virtualization", faults, default=False),
        backing_page=_huge_page(words),
        **_steal_time(cpu, _numbers(kind), catalogue),
        **_gic(board, faults),
        **_memory(words, board, catalogue, faults, whole=whole),
        **_vcpus(words, faults, whole=whole),
    )
    return replace(machine, **_windows(board, kind, catalogue, faults))


def _merged(options: Iterable[str], first: str) -> dict[str, str]:
    # Of several options of a name the later word counts; the first word of each may lack its key.
    found: dict[str, str] = {}
    for option in options:
        for place, part in enumerate(option.split(",")):
            key, equals, value = part.partition("=")
            if equals:
                found[key] = value
            elif place == 0 and key:
                found[first] = key
            elif key:
                found[key] = "on"
    return found


def _numbers(kind: str | None) -> tuple[int, ...] | None:
    # The numbers of a machine type, () for the newest; None for one that a distribution made.
    match = _TYPE.fullmatch(kind or "")
    return None if match is None else release_numbers(match[1])


def _truth(board: Mapping[str, str], key: str, faults: list[str], *, default: bool | None) -> bool | None:
    value = board.get(key)
    if value is not None and value not in ("on", "off", "yes", "no", "true", "false"):
        faults.append(f"-machine {key}={value[:40]}: is neither on nor off")
        return None
    return default if value is None else value in ("on", "yes", "true")


def _gic(board: Mapping[str, str], faults: list[str]) -> dict[str, Any]:
    asked = board.get("gic-version", "default")
    if asked not in GIC_ASKED:
        faults.append(f"-machine gic-version={asked[:40]}: KVM has 2 and 3, and QEMU host and max")
    its = _truth(board, "its", faults, default=True)
    if "msi" in board and "its" not in board:
        its = _MSI.get(board["msi"])
        if its is None:
            faults.append(f"-machine msi={board['msi'][:40]}: is none that we know")
    return {"gic_asked": asked if asked in GIC_ASKED else None, "its": its}


def _steal_time(
    cpu: Mapping[str, str], numbers: tuple[int, ...] | None, catalogue: Catalogue
) -> dict[str, Any]:
    said = cpu.get(_STEAL_TIME)
    if numbers is not None and numbers and numbers < catalogue.board.steal_since:
        said = "off"  # whatever is asked for
    return {"steal_time_asked": said if said in ("on", "off") else "default"}


def _memory(
    words: Sequence[str], board: Mapping[str, str], catalogue: Catalogue, faults: list[str], *, whole: bool
) -> dict[str, Any]:
    given = options_after(words, ("-m", "--m"))
    said = _merged(given, "size")
    if not given and ("memory-backend" in board or not whole):
        # A backend has its own size.
        return _backend(words, board)
    found: dict[str, int | None] = {"size": catalogue.board.memory, "slots": 0}
    for key in ("size", "maxmem", "slots"):
        if key in said:
            text = said[key]
            found[key] = size_of(text, "m" if key == "size" else "b")
            if found[key] is None:
                faults.append(f"-m {key}={text[:40]}: is no {'number' if key == 'slots' else 'size'}")
    most = found.get("maxmem", found["size"])
    return {"memory": found["size"], "maxmem": most, "slots": found["slots"]}


def _backend(words: Sequence[str], board: Mapping[str, str]) -> dict[str, Any]:
    for option in options_after(words, ("-object", "--object")):
        said = _merged([option], "kind")
        if said.get("id") == board.get("memory-backend", "") and (size := size_of(said.get("size", ""))):
            return {"memory": size, "maxmem": size, "slots": 0}
    return {}


def _huge_page(words: Sequence[str]) -> int | None:
    backends = [_merged([option], "kind") for option in options_after(words, ("-object", "--object"))]
    sizes = [size_of(one["hugetlbsize"]) for one in backends if "hugetlbsize" in one]
    return sizes[0] if sizes else None


def _vcpus(words: Sequence[str], faults: list[str], *, whole: bool) -> dict[str, Any]:
    given = options_after(words, ("-smp", "--smp"))
    said = _merged(given, "cpus")
    if not given:
        return {"vcpus": 1} if whole else {}
    numbers = {key: int(value) for key, value in said.items() if value.isdecimal() and len(value) < 6}
    if wrong := sorted({*said} - {*numbers}):
        faults.append(f"-smp {wrong[0]}={said[wrong[0]][:40]}: is no number")
        return {}
    product = 1
    for key in _TOPOLOGY:
        product *= numbers.get(key, 1)
    most = numbers.get("maxcpus") or max(numbers.get("cpus", 0), product)
    return {"vcpus": max(most, 1)}


def _windows(
    board: Mapping[str, str], kind: str | None, catalogue: Catalogue, faults: list[str]
) -> dict[str, Any]:
    # With cxl=on windows of another kind follow, of which no row speaks.
    numbers = _numbers(kind)
    known = numbers is not None and board.get("cxl", "off") == "off"
    usual = catalogue.board_defaults(numbers or ()) if known else {}
    found: dict[str, Any] = {}
    for key in catalogue.board_defaults(()):
        option = key.replace("_", "-")
        if key.endswith("_size"):
            found[key] = size_of(board[option]) if option in board else usual.get(key)
            if option in board and found[key] is None:
                faults.append(f"-machine {option}={board[option][:40]}: is no size")
        else:
            found[key] = _truth(board, option, faults, default=usual.get(key))
    return found if board.get("cxl", "off") == "off" else dict.fromkeys(found)
