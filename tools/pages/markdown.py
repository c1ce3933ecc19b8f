"""Small pieces of MyST Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["code", "page", "table", "toctree"]


def page(title: str, *parts: str, apart: bool = False) -> str:
    """Return a page: its title, then its parts; ``apart`` from the contents at the side, reached by links alone."""
    head = ["---\norphan: true\n---"] if apart else []
    return "\n\n".join([*head, f"# {title}", *(part.strip("\n") for part in parts if part)]) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table; no cell breaks it."""
    lines = [heads, ["---"] * len(heads), *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    text = " ".join(str(value).split())
    return (
        text
        if text.startswith(("`", "["))
        else text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
    )


def code(text: str, language: str = "text") -> str:
    """Return a block of code."""
    return f"```{language}\n{text.rstrip()}\n```"


def toctree(names: Iterable[str], *, depth: int = 1) -> str:
    """Return a table of contents of these pages."""
    return "\n".join(["```{toctree}", f":maxdepth: {depth}", "", *names, "```"])
