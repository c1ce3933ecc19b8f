"""Whether a frozen profile is signed with a key, and not one bit of it was changed since."""

from __future__ import annotations

from typing import Annotated

import typer

from armlevel.cli.freeze import frozen_lines
from armlevel.cli.options import Json
from armlevel.cli.output import say, say_json, wrapped
from armlevel.documents import read_file
from armlevel.operations.verify_signature import SignatureFault, SignatureResult, verify_signature

__all__ = ["run"]

_WHY: dict[SignatureFault, str] = {
    "not signed": "not signed",
    "other key": "signed, but with none of these keys",
}


def run(
    file: Annotated[str, typer.Argument(metavar="FROZEN", help="A frozen profile.")],
    key: Annotated[
        list[str], typer.Option("--key", metavar="PEM", help="An Ed25519 public key to trust. Repeatable.")
    ],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="It has to be called so.")] = "",
    version: Annotated[str, typer.Option("--version", metavar="V", help="It has to be this version.")] = "",
    digest: Annotated[
        str, typer.Option("--digest", metavar="SHA256", help="It has to have this digest, as freeze said.")
    ] = "",
    as_json: Json = False,
) -> int:
    """Say whether a frozen profile was signed with one of these keys, is unchanged, and is the one that is meant.

    Who has an older signed version can give it another file name: say which is meant with --name and --version, or
    with --digest. Without them, a file called NAME-VERSION.json has to hold just that.
    Exit: 0 it was, 1 it was not (changed, not signed, another key or another profile).
    """
    from armlevel.documents.signing import key_id, public_key

    trusted = {key_id(public_key(read_file(one), one)): one for one in key}
    found = verify_signature(read_file(file), file, trusted, name=name, version=version, digest=digest)
    if as_json:
        say_json(found.document())
    else:
        say(_lines(found, file))
    return found.status


def _lines(found: SignatureResult, file: str) -> list[str]:
    if found.fault == "other profile" and found.frozen is not None:
        meant = ", ".join(f"{what} {text}" for what, text in found.wanted)
        is_it = f"{found.frozen.name}, version {found.frozen.version}, {found.frozen.digest}"
        return wrapped(f"no: {file}: signed, but it is {is_it}, and another is meant: {meant}", rest="    ")
    if found.fault:
        return wrapped(f"no: {found.detail or f'{file}: {_WHY[found.fault]}'}", rest="    ")
    assert found.frozen is not None
    lines = frozen_lines(found.frozen, found.signed_by)
    return [f"unchanged, and signed with {', '.join(found.by)}", *lines]
