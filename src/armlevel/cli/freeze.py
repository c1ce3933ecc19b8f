"""A guest profile, frozen: a name, a version, where it came from, and a signature."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from armlevel.cli.files import beside, is_file
from armlevel.cli.options import GuestFile, Json
from armlevel.cli.output import say, say_json, tell, wrapped
from armlevel.documents import Frozen, read_file, read_published, write_frozen
from armlevel.documents.names import visible
from armlevel.operations.freeze import freeze
from armlevel.operations.named import guest_named, hosts_named
from armlevel.operations.policies import options_of
from armlevel.words.subjects import keys_text

__all__ = ["frozen_lines", "run"]


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
        str,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Write here instead of NAME-VERSION.json; - is standard output.",
        ),
    ] = "",
    as_json: Json = False,
) -> int:
    """Freeze a guest profile: exact bytes under a name and a version, with its lineage and a signature.

    Keys are PEM, as OpenSSL makes them: `openssl genpkey -algorithm ed25519 -out key.pem` for --key, and
    `openssl pkey -in key.pem -pubout -out public.pem` for `armlevel verify-signature`. Exit 0 if it is frozen, 1 if a
    host refuses the guest, 3 if a host or the profile itself does not record enough: then nothing is written.
    """
    from armlevel.documents.signing import private_key

    wanted = guest_named(guest)
    secret = private_key(read_file(key), key) if key else None
    if key and (told := _open_to_others(key)):
        tell(told)
    found = freeze(
        wanted,
        name,
        version,
        hosts=hosts_named(host)[0] if host else (),
        parent=read_published(read_file(parent), parent).frozen if parent else None,
        key=secret,
        source=f"passthrough guest of {visible(guest)}",
    )
    for there, answer in found.against:
        tell(f"not frozen: on {there}, {wanted.name} is {answer}; see armlevel check")
    if found.lacking:
        tell(
            f"not frozen: a frozen profile is exact, and {wanted.name} does not record {keys_text(found.lacking)}"
        )
    target = output or f"{name}-{version}.json"
    if found.frozen is not None:
        write_frozen(target, found.data.decode())
    with beside(target):
        if as_json:
            say_json(found.document() | {"file": target if found.frozen is not None else None})
        elif found.frozen is not None:
            say(frozen_lines(found.frozen, found.signed_by))
    if found.frozen is not None and is_file(target):
        tell(f"{found.frozen.guest.name} written to {target}" + ("" if found.signed_by else ", not signed"))
    return found.status


def _open_to_others(key: str) -> str:
    try:
        mode = Path(key).stat().st_mode
    except OSError:  # standard input
        return ""
    if not (stat.S_ISREG(mode) and mode & 0o077):
        return ""
    return f"note: {key} is open to others (mode {stat.S_IMODE(mode):04o}), and who reads it signs as you: chmod 600"


def frozen_lines(frozen: Frozen, signed_by: Sequence[str]) -> list[str]:
    """Return what a frozen profile is, without its guest, as lines."""
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
        "policy": "not recorded"
        if line.policy is None
        else " ".join(options_of(line.policy, line.given)) or "none",
        "tolerates": ", ".join(frozen.guest.tolerates) or "nothing",
        "parent": line.parent or "none",
        "key": ", ".join(signed_by) or "not signed",
    }
    return [
        f"{frozen.name}, version {frozen.version}",
        *(one for title, text in rows.items() for one in wrapped(text, f"  {title:10}")),
    ]
