#!/usr/bin/env python3
"""Write ``docs/howto/troubleshooting.md`` from the rows of messages, or with ``--check`` only compare."""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tools")]

from armlevel.arch.messages import SPEAKERS, MessageRow, messages  # noqa: E402 - the path above comes first
from armlevel.cli.app import run  # noqa: E402
from armlevel.operations.explain import explain  # noqa: E402
from armlevel.words.messages import PARTS, advice_text, meaning_text  # noqa: E402
from pages.markdown import code, page  # noqa: E402

__all__ = ["PAGE", "main", "troubleshooting"]

PAGE = ROOT / "docs/howto/troubleshooting.md"

_ABOUT = """A guest does not start, or does not arrive, and something printed a line. `armlevel explain` says
what it means. This page is made from the rows that it knows (`src/armlevel/arch/data/messages.toml`, by
`tools/write_troubleshooting.py`)."""

_LOG = """A whole log does as well: `armlevel explain FILE`, or `-` for the standard input. The lines that are
known are found among the others, and those that speak of an error and are not known are counted and shown. Exit
3 if nothing is known."""

_HOSTS = """With the profiles of both hosts the move is judged, and what stands in its way is named: what the
text is about first, then the rest, with the guest's value, the host's, and what helps."""

_REGISTERS = """A register is decoded in any spelling: KVM's id in hexadecimal or decimal, the encoding as QEMU,
Linux and compilers print it, its name."""

_MESSAGE = "qemu-system-aarch64: Could not set register fw reg 0 to 10003 (is 10001)"
_COMMANDS: tuple[tuple[str, tuple[str, ...], int], ...] = (
    ("", (_MESSAGE,), 0),
    (_HOSTS, (_MESSAGE, "--from", "@graviton3-6.18", "--to", "@graviton3-6.1"), 4),
    (_REGISTERS, ("0x6030000000160003",), 0),
)


def troubleshooting() -> str:
    """Return the page."""
    parts = [_ABOUT]
    for about, arguments, lines in _COMMANDS:
        parts += [about, _console(arguments, lines)]
    rows = messages()
    parts += [_LOG, f"It knows {len(rows)} messages:"]
    for says, name in SPEAKERS.items():
        parts += [f"## {name}", *(_message(row) for row in rows if row.says == says)]
    return page("Error messages", *parts)


def _console(arguments: Sequence[str], lines: int) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        run(["explain", *arguments])
    shown = out.getvalue().splitlines()
    words = " ".join(f'"{word}"' if " " in word else word for word in arguments)
    cut = f" | head -n {lines}" if lines else ""
    text = "\n".join(line.rstrip() for line in (shown[:lines] if lines else shown))
    return code(f"$ armlevel explain {words}{cut}\n{text}", "console")


def _message(row: MessageRow) -> str:
    (said,) = [one for one in explain(row.example).explained if one.row == row]
    meaning = meaning_text(row.means, said.words)
    about = [meaning[0].upper() + meaning[1:] + ".", f"About {PARTS[row.part]}."]
    named = [*(one.name for one in said.registers), *row.about]
    if named:
        about.append(f"Here: `{'`, `'.join(named)}`.")
    if said.attribute is not None:
        about.append(f"Here: `{said.attribute[1]}`.")
    do = [f"- {advice_text(one)}" for one in row.do]
    source = f"*{row.versions}. Source: {row.see}.*" if row.versions else f"*Source: {row.see}.*"
    return "\n\n".join([code(row.example), _plain(" ".join(about)), _plain("\n".join(do)), _plain(source)])


def _plain(text: str) -> str:
    return text.replace("<", "\\<")


def main() -> int:
    """Write, or compare; 1 if the page is not what the rows give."""
    parser = argparse.ArgumentParser(
        description="write docs/howto/troubleshooting.md from the rows of messages"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the page is stale")
    options = parser.parse_args()
    text, there = troubleshooting(), PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    if options.check:
        if text != there:
            print(
                f"{PAGE.name} is not what the rows give: run tools/write_troubleshooting.py", file=sys.stderr
            )
            return 1
        return 0
    if text != there:
        PAGE.write_text(text, encoding="utf-8")
        print(f"{PAGE.relative_to(ROOT)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
