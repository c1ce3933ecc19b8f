"""A page for each verb, and a manual page, out of its own help."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from armlevel.cli.app import VERBS, _app
from armlevel.cli.examples import EXAMPLES
from armlevel.cli.helping import panel_of
from pages.markdown import page, toctree

__all__ = ["command_pages", "manual_pages", "manuals"]

_EXIT = """## Exit status

0: yes, or done. 1: no (refused, differs, no baseline). 3: cannot say. 2: bad usage or bad input. Of several answers
the worst counts: 1, then 3, then 0.

## Environment

`NO_COLOR`
: no colours, on a terminal neither.

`ARMLEVEL_FLEET`
: the store that `armlevel fleet` works with, where `--fleet` names none.

`ARMLEVEL_TRACEBACK`
: show where a fault of armlevel happened."""


def command_pages() -> dict[str, str]:
    """Return path -> text of every page about the command line."""
    pages = {f"reference/commands/{name}.md": _verb(name, command) for name, command in _commands()}
    listed = [f"commands/{name}" for name, _ in _commands()]
    pages["reference/commands.md"] = page(
        "The command line",
        "Each page is made from the help of the command, and is its manual page (`man armlevel-baseline`).",
        toctree(listed),
    )
    return pages


def manual_pages() -> dict[str, str]:
    """Return path -> text of the source of the manual pages."""
    pages = {f"{name}.md": _verb(name, command, manual=True) for name, command in _commands()}
    pages["index.md"] = page("Manual pages", toctree(name for name, _ in _commands()))
    return pages


def manuals() -> list[tuple[str, str, str, list[str], int]]:
    """Return what Sphinx needs to make a manual page of each command page."""
    return [
        (name, name, _line(command).rstrip("."), ["the armlevel developers"], 1)
        for name, command in _commands()
    ]


def _commands() -> Iterator[tuple[str, Any]]:
    top: Any = get_command(_app)
    context = top.make_context("armlevel", [], resilient_parsing=True)
    yield "armlevel", top
    for verb in VERBS:
        command = top.get_command(context, verb)
        yield f"armlevel-{verb}", command
        if hasattr(command, "list_commands"):
            below = command.make_context(verb, [], resilient_parsing=True, parent=context)
            yield from _below(f"armlevel-{verb}", command, below)


def _below(name: str, group: Any, context: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - typer's own classes
    for verb in group.list_commands(context):
        command = group.get_command(context, verb)
        yield f"{name}-{verb}", command
        if hasattr(command, "list_commands"):
            below = command.make_context(verb, [], resilient_parsing=True, parent=context)
            yield from _below(f"{name}-{verb}", command, below)


def _words(name: str) -> str:
    # The words of a command whose page is called so: verbs have hyphens of their own.
    for group in (
        "armlevel-lab-",
        "armlevel-agent-",
        "armlevel-fleet-pool-",
        "armlevel-fleet-host-",
        "armlevel-fleet-",
    ):
        if name.startswith(group):
            return group.replace("-", " ") + name.removeprefix(group)
    return name.replace("-", " ", 1)


def _verb(name: str, command: Any, *, manual: bool = False) -> str:  # noqa: ANN401 - typer's own class
    words = _words(name)
    context = command.make_context(words, [], resilient_parsing=True)
    usage = " ".join(context.get_usage().removeprefix("Usage: ").split())
    usage = re.sub(r"\{([^}]*?)(?:\.\.\.)?\}(\.\.\.)?", r"\1\2", usage)
    about = _prose(command.help or "")
    # A manual page says what the command does under NAME.
    parts = ["" if manual else _line(command), "## Synopsis", f"`{usage}`"]
    if rest := about.partition("\n\n")[2]:
        parts += ["## Description", rest]
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    if arguments:
        parts += ["## Arguments", "\n\n".join(_parameter(p, p.metavar or p.name) for p in arguments)]
    panels: dict[str, list[Any]] = {}
    for option in options:
        panels.setdefault(panel_of(option), []).append(option)
    for title, some in panels.items():
        parts += [f"## {title}", "\n\n".join(_parameter(p, _spelt(p)) for p in some)]
    if examples := EXAMPLES.get(words.removeprefix("armlevel").strip()):
        parts += [
            "## Examples",
            "\n\n".join(f"`armlevel {line}`\n: {_prose(text)}" for line, text in examples),
        ]
    if name == "armlevel":
        links = (
            (f"armlevel-{verb}(1)" if manual else f"[`{verb}`](armlevel-{verb}.md)", line)
            for verb, (_, line) in VERBS.items()
        )
        parts += [
            "## Commands",
            "\n\n".join(f"{link}\n: {line}" for link, line in links),
            _prose(command.epilog or ""),
        ]
    also = "armlevel(1)" if name != "armlevel" else ", ".join(f"armlevel-{verb}(1)" for verb in VERBS)
    return page(name, *parts, _EXIT, *(["## See also", also] if manual else []))


def _line(command: Any) -> str:  # noqa: ANN401 - typer's own class
    return _prose(command.help or "").partition("\n\n")[0]


def _prose(text: str) -> str:
    # What a terminal shows as it is, Markdown must not take for markup.
    return re.sub(r"(?<!`)([@<*_])", r"\\\1", text.strip().replace("\b", ""))


def _spelt(parameter: Any) -> str:  # noqa: ANN401 - typer's own class
    names = ", ".join((*parameter.opts, *parameter.secondary_opts))
    return names if getattr(parameter, "is_flag", False) else f"{names} {parameter.metavar or ''}".strip()


def _parameter(parameter: Any, name: str) -> str:  # noqa: ANN401 - typer's own class
    return f"`{name}`\n: {_prose(parameter.help or 'Show this and leave.')}"
