"""What an exported file leaves undone, in words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from armlevel.cli.output import wrapped
from armlevel.operations import Gap
from armlevel.words.subjects import key_text

__all__ = ["left_lines"]

_WAYS = {
    "run": "armlevel run starts QEMU with it",
    "firecracker": "a CPU template of Firecracker can set it",
    "kvm": "a VMM that makes KVM's calls can have it (--to kvm)",
    "shape": "level a profile that does without it",
    "record": "the profile does not record it: make one of hosts that do",
    "probe": "the host is not recorded there: probe it",
    "check": "no file helps there: see armlevel check",
    "same": "use hosts that are equal there",
    "unsaid": "its filter lets them pass unless --unknown refuse: see armlevel check",
    "commandline": "--form commandline has it",
}


def left_lines(lefts: Sequence[Gap], width: int) -> list[str]:
    """Return what a person is told: by what can be done about it, the subjects with both values."""

    def way(one: Gap) -> tuple[bool, tuple[str, ...]]:
        return not one.certain, one.ways

    lines: list[str] = []
    for (maybe, ways), some in groupby(sorted(lefts, key=way), key=way):
        head = "may not be in this file, depending on the host" if maybe else "not in this file"
        if ways == ("record",):
            head = "what this file gives is not known"
        if ways == ("unsaid",):
            head = "nobody can say whether it may start and arrive"
        cures = "; or ".join(_way(one) for one in ways)
        lines += wrapped(f"armlevel: {head}; {cures}:", rest="    ", width=width)
        told = [_told(one, only_named=ways in (("record",), ("check",), ("unsaid",))) for one in some]
        lines += wrapped(", ".join(told), "    ", width=width)
    return lines


def _told(one: Gap, *, only_named: bool) -> str:
    if only_named:
        return key_text(one.subject)
    return f"{one.subject}={one.needs}" + (f" (else {one.has})" if one.has else "")


def _way(one: str) -> str:
    if one.startswith("property:"):
        return f"a QEMU with {one.partition(':')[2]} has it: give its answer with --expansion"
    return _WAYS[one]
