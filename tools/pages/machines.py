"""A page for each recorded machine, as ``armlevel show`` prints it."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Iterable
from pathlib import Path

from armlevel.cli.app import run
from armlevel.documents.write import host_object
from armlevel.profile import Host
from pages.markdown import code, page, toctree

__all__ = ["machine_pages", "shown"]


def machine_pages(groups: Iterable[tuple[str, str, list[Host]]]) -> dict[str, str]:
    """Return path -> text; ``groups`` are (title, what they are, hosts)."""
    pages: dict[str, str] = {}
    parts: list[str] = []
    for title, about, hosts in groups:
        names = []
        for host in hosts:
            file = f"machines/{''.join(c if c.isalnum() or c in '-.' else '-' for c in host.name)}"
            pages[f"{file}.md"] = page(host.name, code(shown(host)))
            names.append(file.removeprefix("machines/"))
        parts += [f"## {title}", about, toctree(f"machines/{name}" for name in names)]
    pages["machines.md"] = page("Recorded machines", *parts)
    return pages


def shown(host: Host) -> str:
    """Return what ``armlevel show`` prints of a host."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "host.json"
        path.write_text(json.dumps(host_object(host)), encoding="utf-8")
        with contextlib.redirect_stdout(io.StringIO()) as out:
            code_ = run(["show", str(path)])
    if code_:
        raise SystemExit(f"{host.name}: armlevel show gives {code_}")
    return out.getvalue()
