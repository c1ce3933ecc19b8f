"""What the terminal is, and what a person wants of it: how wide, in colour or not, quiet or not."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Literal, TextIO

__all__ = [
    "WIDTH",
    "Color",
    "Wishes",
    "forget_wishes",
    "is_terminal",
    "page_width",
    "wants_color",
    "width_of",
    "wishes",
]

#: Columns of a page that goes into a file or to another program.
WIDTH = 80

_NARROWEST = 40

Color = Literal["auto", "always", "never"]


@dataclass(slots=True)
class Wishes:
    """What was asked of the output of this command line, by options that every verb has."""

    color: Color = "auto"
    quiet: bool = False


#: The wishes of the command line that runs now.
wishes = Wishes()


def forget_wishes() -> None:
    """Begin another command line."""
    wishes.color, wishes.quiet = "auto", False


def is_terminal(stream: TextIO) -> bool:
    """Return whether a person looks at a stream."""
    try:
        return stream.isatty()
    except ValueError:  # it is closed
        return False


def width_of(stream: TextIO) -> int:
    """Return how many columns a stream shows: the terminal's, else those of a page."""
    if not is_terminal(stream):
        return WIDTH
    told = os.environ.get("COLUMNS", "")
    if told.isascii() and told.isdigit() and int(told):
        return int(told)
    try:
        return os.get_terminal_size(stream.fileno()).columns or WIDTH
    except (OSError, ValueError):
        return WIDTH


def page_width() -> int:
    """Return the columns that a page is laid out for; what is narrower than a page can be is folded as it leaves."""
    return max(width_of(sys.stdout), _NARROWEST)


def wants_color(stream: TextIO) -> bool:
    """Return whether words on a stream are coloured: as --color says, else on a terminal unless NO_COLOR is set."""
    if wishes.color != "auto":
        return wishes.color == "always"
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
