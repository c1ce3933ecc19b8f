#!/usr/bin/env python3
"""Run the commands of written pages and put what they print into the pages.

Output with a line ``...`` in it was shortened by a person: it is kept while it still holds, and named where it does
not. Blocks that need a checkout, emulated hosts or a real one are left alone.

tools/fill_pages.py               every page of docs/
tools/fill_pages.py PAGE...       these
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tools")]

from pages.console import Ran, blocks_of, run, says  # noqa: E402 - the path above comes first

__all__ = ["filled", "main"]


def filled(text: str, ran: list[Ran]) -> tuple[str, list[Ran]]:
    """Return a page with what its commands printed, and those whose shortened output no longer holds."""
    stale = []
    at = 0
    for one in ran:
        shown = "".join(f"{line}\n" for line in (f"$ {one.command.line}", *one.command.prints))
        at = text.index(shown, at)
        if "..." in one.command.prints and not says(one):
            stale.append(one)
        new = shown
        if "..." not in one.command.prints:
            printed = "".join(f"{line.rstrip()}\n" for line in one.printed.splitlines())
            new = f"$ {one.command.line}\n{printed}"
        text = text[:at] + new + text[at + len(shown) :]
        at += len(new)
    return text, stale


def main() -> int:
    """Fill; 1 if some output that a person shortened no longer holds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pages", nargs="*", type=Path, metavar="PAGE")
    pages = parser.parse_args().pages or sorted((ROOT / "docs").rglob("*.md"))
    here = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "src"),
    }
    wrong = 0
    for page in pages:
        before = page.read_text(encoding="utf-8")
        listed = [one for block in blocks_of(before) if not block.where for one in block.commands]
        with tempfile.TemporaryDirectory() as folder:
            after, stale = filled(before, run(listed, Path(folder), here, 300) if listed else [])
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(f"{page}: filled")
        for one in stale:
            print(f"{page}: shortened by hand, and no longer so:\n{one}")
            wrong = 1
    return wrong


if __name__ == "__main__":
    sys.exit(main())
