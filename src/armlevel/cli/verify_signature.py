"""Whether a frozen profile is signed with a key, and not one bit of it was changed since."""

from __future__ import annotations

from typing import Annotated

import typer

from armlevel.cli.freeze import frozen_json, frozen_lines
from armlevel.cli.options import Json
from armlevel.cli.output import say, say_json, wrapped
from armlevel.documents import Published, read_file, read_published
from armlevel.errors import BadDocument

__all__ = ["run"]


def run(
    file: Annotated[str, typer.Argument(metavar="FROZEN", help="A frozen profile.")],
    key: Annotated[
        list[str], typer.Option("--key", metavar="PEM", help="An Ed25519 public key to trust. Repeatable.")
    ],
    as_json: Json = False,
) -> int:
    """Say whether a frozen profile was signed with one of these keys, and is unchanged.

    Exit: 0 it was, 1 it was not (changed, not signed, or another key).
    """
    from armlevel.documents.signing import key_id, public_key

    trusted = {key_id(public_key(read_file(one), one)): one for one in key}
    data = read_file(file)
    try:
        found = read_published(data, file)
    except BadDocument as exc:
        return _no(str(exc), None, as_json=as_json)
    by = [trusted[one] for one in found.signed_by if one in trusted]
    if not by:
        why = "not signed" if not found.signed_by else "signed, but with none of these keys"
        return _no(f"{file}: {why}", found, as_json=as_json)
    if as_json:
        say_json({"answer": "yes", "by": by, **frozen_json(found.frozen, found.signed_by)})
    else:
        lines = frozen_lines(found.frozen, found.signed_by)
        say([f"unchanged, and signed with {', '.join(by)}", *lines])
    return 0


def _no(why: str, found: Published | None, *, as_json: bool) -> int:
    if as_json:
        told = frozen_json(found.frozen, found.signed_by) if found is not None else {}
        say_json({"answer": "no", "because": why, **told})
    else:
        say(wrapped(f"no: {why}", rest="    "))
    return 1
