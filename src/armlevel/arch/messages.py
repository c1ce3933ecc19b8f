"""Messages of VMMs, libvirt, the kernel and KVM's calls, as rows: who says them, and the codes of what they mean.

The rows have a compiled table of their own, which only whoever explains a message reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["SPEAKERS", "SUBJECTS", "MessageRow", "literal_of", "messages", "prove_messages"]

#: What a message is about: the parts of a question, what stands around the vCPU, the host itself.
SUBJECTS = ("registers", "list", "shape", "firmware", "machine", "host")
#: Who says messages -> the name of it.
SPEAKERS = {
    "qemu": "QEMU",
    "libvirt": "libvirt",
    "linux": "Linux",
    "kvm": "KVM",
    "firecracker": "Firecracker",
    "cloud-hypervisor": "Cloud Hypervisor",
    "crosvm": "crosvm",
}
_CODE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message: who ``says`` it in which ``versions``, and a ``pattern`` whose names say what stands where.

    Case does not count: people quote the beginning of a sentence as it suits theirs.

    ``means`` and ``do`` are codes; ``vmms`` the sets of behaviour that print it, none if it is not about one of them.
    ``part`` is the part of the question that it is about, ``about`` the registers and fields, whatever the line says.
    """

    name: str
    says: str
    pattern: str
    means: str
    do: tuple[str, ...]
    example: str
    versions: str = ""
    vmms: tuple[str, ...] = ()
    see: str = ""
    part: str = ""
    about: tuple[str, ...] = ()

    @property
    def captures(self) -> tuple[str, ...]:
        """The names that its pattern gives to parts of the message."""
        return tuple(re.compile(self.pattern).groupindex)


@lru_cache(maxsize=1)
def messages() -> tuple[MessageRow, ...]:
    """Return every message, those that are tried first at the beginning.

    >>> messages()[0].name
    'qemu-could-not-set-register'
    """
    from armlevel.arch.message_table import MESSAGES  # only who asks for it reads it

    return tuple(MessageRow(*row) for row in MESSAGES)


def literal_of(pattern: str) -> str:
    r"""Return the longest text that stands in all that a pattern fits; empty if it cannot be told.

    >>> literal_of(r"(?P<a>\w+): Failed to put registers? after (?:init|reset)"), literal_of("a|b")
    (': Failed to put register', '')
    """
    runs, run, depth = [""], "", 0
    pieces = re.findall(r"\\.|\[(?:\\.|[^\]])*\]|\{[^}]*\}|.", pattern, re.DOTALL)
    for piece, after in zip(pieces, [*pieces[1:], ""], strict=True):
        if depth == 0 and piece == "|":
            return ""
        depth += (piece == "(") - (piece == ")")
        letter = _letter(piece)
        if letter and not depth and after[:1] not in ("?", "*", "{"):
            run += letter
        else:
            runs, run = [*runs, run], ""
    return max([*runs, run], key=len)


def _letter(piece: str) -> str:
    # What a piece of a pattern stands for, if that is one letter.
    if piece[0] == "\\":
        return "" if piece[1].isalnum() else piece[1]
    return piece if len(piece) == 1 and piece not in "()|.^$*+?{}" else ""


def prove_messages(rows: Sequence[MessageRow]) -> Iterator[str]:
    """Prove the rows: each reads, has a source, and is the first that fits its own example."""
    for place, row in enumerate(rows):
        yield from _words_of(row)
        try:
            pattern = re.compile(row.pattern, re.IGNORECASE)
        except re.error as exc:
            yield f"{row.name}: its pattern does not read: {exc}"
            continue
        found = pattern.search(row.example)
        if found is None:
            yield f"{row.name}: its pattern does not fit its example"
            continue
        if literal_of(row.pattern).lower() not in row.example.lower():
            yield f"{row.name}: {literal_of(row.pattern)!r} stands in its pattern and not in its example"
        for other in rows[:place]:
            first = re.search(other.pattern, row.example, re.IGNORECASE)
            if first is not None and first.start() < found.end() and found.start() < first.end():
                yield f"{row.name}: {other.name} fits its example first"


def _words_of(row: MessageRow) -> Iterator[str]:
    if row.says not in SPEAKERS:
        yield f"{row.name}: nobody is called {row.says}"
    if row.part not in SUBJECTS:
        yield f"{row.name}: it is about {row.part or 'nothing'}, and no part is called so"
    if not row.see:
        yield f"{row.name}: it has no source"
    if not row.do or not all(_CODE.fullmatch(code) for code in (row.means, *row.do)):
        yield f"{row.name}: means and do are codes, and something is to be done"
