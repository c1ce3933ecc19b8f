"""What the command line of a running QEMU says of its guest: what it asked for, and whether it was started with it.

Sources: QEMU qemu-options.hx, system/vl.c (which options read more options, set properties, or load a guest's state).
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from armlevel.arch import Catalogue
from armlevel.errors import BadDocument
from armlevel.formats.cpu_request import CpuRequest
from armlevel.formats.qemu_machine import options_after
from armlevel.formats.qemu_read import read_option

__all__ = ["QemuStart", "is_qemu", "read_start"]

_PROGRAMS = ("qemu-system-aarch64", "qemu-kvm")
# Their state comes from elsewhere: another host, a file, a snapshot.
_COMES = {"incoming": "incoming", "loadvm": "loadvm"}
# They may change the CPU, and are read nowhere here: files of options, and properties that are set by another road.
_ELSEWHERE = ("readconfig", "set", "preconfig", "x-exit-preconfig")
_GLOBALS = ("arm-cpu", "kvm-accel", "virt", "machine", "accel")


@dataclass(frozen=True, slots=True)
class QemuStart:
    """What is known from the words of a process that is QEMU.

    ``request``  what it asks for; None if that cannot be told, and ``fault`` is why: a code
    ``comes``    how the guest's state came, if not by its start here: ``incoming`` or ``loadvm``
    ``name``, ``uuid``  of the guest, where they are given
    """

    request: CpuRequest | None = None
    fault: str = ""
    comes: str = ""
    name: str = ""
    uuid: str = ""


def is_qemu(program: str) -> bool:
    """Whether a file is QEMU for Arm guests, by its name.

    >>> (
    ...     is_qemu("/usr/bin/qemu-system-aarch64"),
    ...     is_qemu("/usr/libexec/qemu-kvm"),
    ...     is_qemu("/usr/bin/firecracker"),
    ... )
    (True, True, False)
    """
    return program.rpartition("/")[2].removesuffix(".real") in _PROGRAMS


def read_start(words: Sequence[str], catalogue: Catalogue, *, configured: bool = False) -> QemuStart:
    """Read the words of a process that is QEMU; ``configured``: there is a file that it reads unless told not to.

    >>> from armlevel.arch import load
    >>> words = ["qemu-system-aarch64", "-accel", "kvm", "-cpu", "host,pmu=off", "-incoming", "defer"]
    >>> found = read_start(words, load())
    >>> found.comes, found.fault, dict(found.request.choices)
    ('incoming', '', {'pmu_v3': False})
    """
    options = {word.lstrip("-") for word in words[1:] if word.startswith("-")}
    comes = next((how for option, how in _COMES.items() if option in options), "")
    name = uuid = ""
    for value in options_after(words, ("-name", "--name")):
        first = value.partition(",")[0]
        keys = dict(part.partition("=")[::2] for part in value.split(","))
        name = keys.get("guest", "" if "=" in first else first)
    for value in options_after(words, ("-uuid", "--uuid")):
        uuid = value
    if (configured and "no-user-config" not in options) or _says_more(words, options):
        return QemuStart(None, "options-elsewhere", comes, name, uuid)
    try:
        # The name of the program tells that the line is whole; a wrapper's first word may be any.
        request = read_option(shlex.join(["qemu-system-aarch64", *words[1:]]), "", "", catalogue)
    except BadDocument:
        return QemuStart(None, "options-not-known", comes, name, uuid)
    return QemuStart(request, "", comes, name, uuid)


def _says_more(words: Sequence[str], options: set[str]) -> bool:
    if options.intersection(_ELSEWHERE):
        return True
    boards = options_after(words, ("-machine", "--machine", "-M"))
    devices = options_after(words, ("-device", "--device"))
    settings = options_after(words, ("-global", "--global"))
    return (
        any("arm-cpu" in one for one in devices)
        or any("confidential-guest-support" in one for one in boards)
        or any(name in setting for setting in settings for name in _GLOBALS)
    )
