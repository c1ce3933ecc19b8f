"""A guest profile, frozen: a name, a version, where it came from, and a signature."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

import typer

from armlevel import __version__
from armlevel.arch import load
from armlevel.cli.answers import exit_of
from armlevel.cli.inputs import guest_of, load_all
from armlevel.cli.options import GuestFile, Json
from armlevel.cli.output import say, say_json, tell, wrapped
from armlevel.documents import (
    Frozen,
    Origin,
    freeze,
    host_object,
    read_file,
    read_published,
    replace_file,
    write_published,
)
from armlevel.engine import check, worst
from armlevel.errors import BadDocument
from armlevel.profile import Guest, Host, Made

__all__ = ["frozen_json", "frozen_lines", "run"]


def run(
    guest: GuestFile,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="What the frozen CPU is called.")],
    version: Annotated[str, typer.Option("--version", metavar="V", help="Its version.")],
    key: Annotated[
        str, typer.Option("--key", metavar="PEM", help="Sign with this Ed25519 private key (see below).")
    ] = "",
    host: Annotated[
        list[str] | None,
        typer.Option(
            "--host",
            metavar="HOST",
            help="A host it was levelled for: its digest is recorded, and the guest must run there. Repeatable.",
        ),
    ] = None,
    parent: Annotated[
        str, typer.Option("--parent", metavar="FROZEN", help="The frozen profile that this one replaces.")
    ] = "",
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help="Write here instead of NAME-VERSION.json.")
    ] = "",
    as_json: Json = False,
) -> int:
    """Freeze a guest profile: exact bytes under a name and a version, with its lineage and a signature.

    Keys are PEM, as OpenSSL makes them: `openssl genpkey -algorithm ed25519 -out key.pem` for --key, and
    `openssl pkey -in key.pem -pubout -out public.pem` for `armlevel verify-signature`.
    """
    from armlevel.documents.signing import key_id, private_key

    catalogue = load()
    wanted = guest_of(guest, catalogue)
    if not wanted.made.tool:  # a host's passthrough guest was made here and now
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        made = Made(f"armlevel {__version__}", catalogue.version, now, f"passthrough guest of {guest}")
        wanted = replace(wanted, made=made)
    secret = private_key(read_file(key), key) if key else None
    hosts = _hosts(host or ())
    answers = [(one, check(wanted, one, catalogue)) for one in hosts]
    worse = [(one.name, verdict.arrive) for one, verdict in answers if verdict.arrive != "runs"]
    if worse:
        for there, answer in worse:
            tell(f"not frozen: on {there}, {wanted.name} is {answer}; see armlevel check")
        return exit_of([worst(answer for _, answer in worse)])
    origins = [Origin(one.name, host_object(one)["digest"]) for one in hosts]
    before = read_published(read_file(parent), parent).frozen.digest if parent else ""
    frozen = freeze(wanted, name, version, origins, before)
    target = output or f"{name}-{version}.json"
    replace_file(target, write_published(frozen, secret).decode())
    signed_by = (key_id(secret.public_key()),) if secret is not None else ()
    if as_json:
        say_json(frozen_json(frozen, signed_by) | {"file": target})
    else:
        say(frozen_lines(frozen, signed_by))
    tell(f"{frozen.guest.name} written to {target}" + ("" if secret is not None else ", not signed"))
    return 0


def _hosts(names: list[str] | tuple[str, ...]) -> list[Host]:
    if not names:
        return []
    hosts = []
    for loaded in load_all(names):
        if not isinstance(loaded.document, Host):
            kind = "guest profile" if isinstance(loaded.document, Guest) else "verdict"
            raise BadDocument(loaded.path, (f"a host is needed here, this is a {kind}",))
        hosts.append(loaded.document)
    return hosts


def frozen_json(frozen: Frozen, signed_by: tuple[str, ...]) -> dict[str, object]:
    """Return what a frozen profile is, without its guest."""
    line = frozen.lineage
    return {
        "name": frozen.name,
        "version": frozen.version,
        "digest": frozen.digest,
        "signed_by": list(signed_by),
        "lineage": {
            "hosts": [{"name": one.name, "digest": one.digest or None} for one in line.hosts],
            "source": line.source,
            "policy": list(line.policy),
            "tolerates": list(frozen.guest.tolerates),
            "catalogue": line.catalogue,
            "tool": line.tool,
            "at": line.at,
            "parent": line.parent or None,
        },
    }


def frozen_lines(frozen: Frozen, signed_by: tuple[str, ...]) -> list[str]:
    """Return the same as a page."""
    line = frozen.lineage
    hosts = ", ".join(f"{one.name} ({one.digest[7:19]})" if one.digest else one.name for one in line.hosts)
    made = ", ".join(
        filter(
            None,
            [line.tool, f"facts {line.catalogue}" if line.catalogue else "", line.at],
        )
    )
    rows = {
        "digest": frozen.digest,
        "hosts": hosts or "not recorded",
        "made by": made or "not recorded",
        "policy": " ".join(line.policy) or "none",
        "tolerates": ", ".join(frozen.guest.tolerates) or "nothing",
        "parent": line.parent or "none",
        "key": ", ".join(signed_by) or "not signed",
    }
    return [
        f"{frozen.name}, version {frozen.version}",
        *(one for title, text in rows.items() for one in wrapped(text, f"  {title:10}")),
    ]
