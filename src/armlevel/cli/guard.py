"""The guard of this host: libvirt's hook and the archive it starts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from armlevel.cli.helping import Verb, VerbGroup
from armlevel.cli.options import Json
from armlevel.cli.output import columns, say, say_json, wrapped
from armlevel.operations.guard_host import GuardResult, guard_install, guard_remove, guard_status
from armlevel.words.guard_host import found_text, remedy_of

__all__ = ["app"]

app = typer.Typer(cls=VerbGroup, add_completion=False, rich_markup_mode=None, no_args_is_help=False)

_Root = Annotated[
    str,
    typer.Option(
        "--root", metavar="DIR", help="Where the host's files are, as for an image; nothing is reloaded."
    ),
]


@app.callback()
def _guard() -> None:
    """Guard this host: a guest that it cannot run is refused before anything of it is moved."""


@app.command("install", cls=Verb)
def install(root: _Root = "/", as_json: Json = False) -> int:
    """Put libvirt's hook and the guard's archive in their places, and have libvirt look for hooks again.

    No daemon is restarted, no guest is touched. A file of somebody else is not replaced.
    """
    return _told(guard_install(_files(), Path(root)), as_json=as_json)


@app.command("status", cls=Verb)
def status(root: _Root = "/", as_json: Json = False) -> int:
    """Say whether the guard is there, whole, armlevel's own, and known to libvirt.

    Exit 0 if all is well, 1 if something is not so, 3 if something is not known. Nothing is changed.
    """
    return _told(guard_status(_files(), Path(root)), as_json=as_json)


@app.command("remove", cls=Verb)
def remove(root: _Root = "/", as_json: Json = False) -> int:
    """Take the guard away: the hook first, then what it starts. What it kept of answers stays."""
    return _told(guard_remove(Path(root)), as_json=as_json)


def _files() -> Mapping[str, bytes]:
    from armlevel.lab.collector import pack_guard

    return pack_guard()


def _told(result: GuardResult, *, as_json: bool) -> int:
    if as_json:
        say_json(result.document())
    else:
        say(_page(result))
    return result.status


def _page(result: GuardResult) -> list[str]:
    rows = [(check.state, check.name, found_text(check.code, check.words)) for check in result.checks]
    told = [(check.name, text) for check in result.checks if (text := remedy_of(check.code, check.words))]
    return [
        *wrapped(_first(result), rest="    "),
        *([""] if rows else []),
        *columns(rows, "  "),
        *([""] if told else []),
        *columns([("what to do", name, text) for name, text in told], "  "),
    ]


def _first(result: GuardResult) -> str:
    if result.done == "removed":
        return "removed: no migration, restore or start is looked at here any more"
    if result.done == "nothing" and not result.checks:
        return "there was no guard here"
    bad = [check.name for check in result.checks if check.state == "not"]
    doubtful = [check.name for check in result.checks if check.state == "unknown"]
    done = "installed" if result.done == "installed" else "guarded"
    if bad:
        return (
            f"{'installed, but' if result.done == 'installed' else 'not guarded:'} not so: {', '.join(bad)}"
        )
    return f"{done}; not known: {', '.join(doubtful)}" if doubtful else done
