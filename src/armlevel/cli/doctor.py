"""What armlevel can do on this machine."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from armlevel.cli.options import Json
from armlevel.cli.output import columns, say, say_json, wrapped
from armlevel.operations.doctor import DoctorResult, doctor, read_here
from armlevel.operations.named import host_named
from armlevel.words.doctor import found_text, remedy_of

__all__ = ["run"]


def run(
    profile: Annotated[
        str | None,
        typer.Option("--profile", metavar="FILE", help="A profile of this machine: is it still true?"),
    ] = None,
    as_json: Json = False,
) -> int:
    """Say what armlevel can do on this machine, and what to do about the rest.

    Nothing is fetched, nothing is written, and it needs no root. Exit 0 if all is well, 1 if something is not so, 3 if
    something is not known.
    """
    from armlevel.lab.possible import lab_check
    from armlevel.lab.settings import LabSettings

    host = host_named("--profile", profile) if profile is not None else None
    found = doctor(read_here(), host, path=profile or "", lab=[lab_check(LabSettings.of(os.environ))])
    if as_json:
        say_json(found.document())
    else:
        say(_page(found))
    return found.status


def _page(found: DoctorResult) -> list[str]:
    bad = [check.name for check in found.checks if check.state == "not"]
    doubtful = [check.name for check in found.checks if check.state == "unknown"]
    parts = [
        f"not so: {', '.join(bad)}" if bad else "",
        f"not known: {', '.join(doubtful)}" if doubtful else "",
    ]
    first = "; ".join(filter(None, parts)) or "all is well"
    rows = [(check.state, check.name, found_text(check.code, check.words)) for check in found.checks]
    lines = [*wrapped(f"{first} ({found.architecture})", rest="    "), "", *columns(rows, "  ")]
    remedies = [
        (check.name, remedy_of(check.code, check.words)) for check in found.checks if check.state != "ok"
    ]
    told = [(name, text) for name, text in remedies if text]
    return [
        *lines,
        *([""] if told else []),
        *columns([("what to do", name, text) for name, text in told], "  "),
    ]
