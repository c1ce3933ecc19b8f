"""Let one guest move whatever the guard says, for a time and a reason."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from armlevel.cli.options import Json
from armlevel.cli.output import say, say_json, wrapped
from armlevel.errors import UsageError
from armlevel.onefile.metadata import Override, written_time
from armlevel.operations.override import OverrideResult, end_of, override, remove_override
from armlevel.operations.virsh import Virsh

__all__ = ["run"]


def run(
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="The guest, as libvirt here calls it.")],
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="When it ends, in UTC: 2026-11-30T22:00:00Z."),
    ] = None,
    span: Annotated[
        str | None, typer.Option("--for", metavar="SPAN", help="Or how long it lasts: 30m, 2h, 1d.")
    ] = None,
    reason: Annotated[
        str | None,
        typer.Option("--reason", metavar="TEXT", help="Why; it stands in every journal on the way."),
    ] = None,
    breaks: Annotated[
        bool, typer.Option("--breaks", help="Also where the guest would be taken, and then go wrong.")
    ] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take the override away.")] = False,
    connect: Annotated[
        str, typer.Option("--connect", metavar="URI", help="libvirt's URI, if not the usual one.")
    ] = "",
    as_json: Json = False,
) -> int:
    """Let a guest move whatever the guard says: there, or where it is restored.

    virsh writes it into the domain's metadata, on the host where the guest is now, and it travels with the guest: no
    server, and no file on any other host. It has an end and a reason. KVM's own refusal it does not change.
    """
    virsh = Virsh(connect)
    if remove:
        if (until, span, reason, breaks) != (None, None, None, False):
            raise UsageError("--remove takes an override away, and stands alone")
        result = remove_override(virsh, domain)
    else:
        if reason is None:
            raise UsageError("an override has a reason", hint="--reason 'rack 4 is on battery'")
        end = end_of(until, span, datetime.now(UTC))
        result = override(virsh, domain, Override(until=end, reason=reason, breaks=breaks))
    if as_json:
        say_json(result.document())
    else:
        say(_page(result))
    return 0


def _page(result: OverrideResult) -> list[str]:
    if result.override is None:
        return wrapped(f"{result.domain} has no override", rest="    ")
    until = written_time(result.override.until)
    first = f"{result.domain} may move whatever the guard says, until {until}: {result.override.reason}"
    lines = wrapped(first, rest="    ")
    if not result.override.breaks:
        lines += ["", "Where it would be taken and then go wrong it is refused all the same (--breaks)."]
    if result.saved:
        lines += [
            "",
            *wrapped(
                "Its saved state keeps the metadata that it was saved with: a restore does not see this."
            ),
        ]
    return lines
