"""The commands of a page: what is in its ``console`` blocks, and what it says they print."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Block", "Command", "blocks_of", "says"]

_FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Command:
    """A command line and the lines that follow it; ``...`` alone stands for any lines."""

    line: str
    prints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Commands that a person types one after the other; ``where`` is empty, ``lab`` or ``real``."""

    where: str
    commands: tuple[Command, ...]


def blocks_of(page: Path) -> list[Block]:
    """Return the console blocks of a page."""
    blocks = []
    for language, where, text in _FENCE.findall(page.read_text(encoding="utf-8")):
        if language != "console":
            continue
        commands: list[Command] = []
        for line in text.splitlines():
            if line.startswith("$ "):
                commands.append(Command(line[2:], ()))
            elif commands[-1].line.endswith("\\"):
                commands[-1] = Command(f"{commands[-1].line[:-1]}{line.strip()}", ())
            else:
                commands[-1] = Command(commands[-1].line, (*commands[-1].prints, line))
        blocks.append(Block(where.strip(), tuple(commands)))
    return blocks


def says(printed: str, lines: tuple[str, ...]) -> bool:
    """Whether what was printed is what a page shows."""
    parts = [".*" if line == "..." else re.escape(line) + r"\n" for line in lines]
    return re.fullmatch("".join(parts), printed, re.DOTALL) is not None
