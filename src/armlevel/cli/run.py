"""QEMU with the CPU of a guest profile: stock QEMU, a library in its process, and nothing but the profile's guest.

Everything that can be known before is said before: whether the profile may start here (or arrive, with ``-incoming``),
and which QEMU options contradict it. What becomes of it after that is the library's business: it ends QEMU, in a
sentence, rather than let a guest see anything else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from armlevel.arch import load
from armlevel.cli.findings import Page
from armlevel.cli.options import AcceptWeaker, AssumeSameImpdef, Json, Key
from armlevel.cli.output import say, say_json, tell, wrapped
from armlevel.documents.outputs import may_append, may_replace
from armlevel.documents.replace import output_path
from armlevel.errors import UsageError
from armlevel.operations import run as operation
from armlevel.operations.named import guest_frozen, hosts_named
from armlevel.operations.policies import policy_of
from armlevel.operations.run import Files, RunResult
from armlevel.preload import execute
from armlevel.profile import Host
from armlevel.words.answers import left_out_text
from armlevel.words.shell import shell_word

__all__ = ["run"]

_A_DUMP = b"0x0000000000000000 0x0\n"

_Guest = Annotated[str, typer.Option("--guest", metavar="GUEST", help="The guest profile to show.")]
_Host = Annotated[
    str, typer.Option("--host", metavar="HOST", help="This machine's profile; without it, it is probed now.")
]
_Log = Annotated[str, typer.Option("--log", metavar="FILE", help="Append what the library did to FILE.")]
_Dump = Annotated[
    str, typer.Option("--dump", metavar="FILE", help="Write the registers the guest starts with to FILE.")
]
_Digest = Annotated[
    str,
    typer.Option(
        "--digest", metavar="SHA256", help="Refuse a profile whose digest, frozen or not, is another."
    ),
]
_Show = Annotated[bool, typer.Option("--show", help="Show what would be started, and start nothing.")]
_Command = Annotated[
    list[str], typer.Argument(metavar="-- QEMU...", help="The command line that starts QEMU.")
]


def run(
    command: _Command,
    guest: _Guest = "",
    host: _Host = "",
    digest: _Digest = "",
    key: Key = None,
    log: _Log = "",
    dump: _Dump = "",
    observe: Annotated[
        bool, typer.Option("--observe", help="Change nothing; only --log and --dump what stock QEMU does.")
    ] = False,
    show: _Show = False,
    assume_same_impdef: AssumeSameImpdef = False,
    accept_weaker_mitigation: AcceptWeaker = False,
    as_json: Json = False,
) -> int:
    """Start QEMU with a guest profile's CPU on this machine.

    Missing QEMU options are added; one that contradicts the profile is refused. With -incoming the guest has to be
    one that may arrive here, else one that may start. --json shows what would be started, as --show does.

    A line on standard error says that the guest was proved to be the profile's before it ran, or why there is none;
    without the proof the exit status is not 0. QEMU takes this process's place; a script, or a QEMU that detaches, is
    a child of it.
    """
    if observe == bool(guest):
        raise UsageError("name the profile with --guest, or --observe without one")
    files = Files(log, dump)
    if observe:
        found = operation.observe(command, os.environ, files)
    else:
        wanted, frozen = guest_frozen(guest, keys=key or ())
        found = operation.run(
            command,
            wanted,
            _machine(host) if host else None,
            os.environ,
            policy_of(
                assume_same_impdef=assume_same_impdef, accept_weaker_mitigation=accept_weaker_mitigation
            ),
            digest=digest,
            frozen=frozen,
            files=files,
            here=not (show or as_json),
        )
    if found.launch is not None:
        _hold(files)
    for note in found.notes:
        tell(f"note: {note}")
    if found.not_judged:
        tell(f"note: {left_out_text(found.not_judged)}")
    if as_json:
        say_json(found.document())
    elif found.launch is None:
        say(_refusal(found))
    elif show:
        say([_shown(found.launch.command, dict(found.launch.environment))])
    else:
        return execute(found.launch, os.environ)
    return found.status


def _hold(files: Files) -> None:
    # QEMU is about to write these: never over an input, nor over what is no earlier log or dump.
    if files.log:
        may_append(files.log)
    if files.dump:
        may_replace(files.dump, _A_DUMP, force=None)
    if files.log and files.dump and output_path(files.log) == output_path(files.dump):
        raise UsageError(f"--log and --dump are one file, {files.log}", hint="give each a name of its own")


def _machine(name: str) -> Host:
    hosts, _ = hosts_named([name])
    if len(hosts) != 1:
        raise UsageError(f"{name}: {len(hosts)} hosts, and one machine is meant", hint="name one file")
    return hosts[0]


def _refusal(found: RunResult) -> list[str]:
    may = "may not" if found.answer == "refused" else "cannot be said to be able to"
    head = wrapped(f"QEMU is not started: {found.guest} {may} {found.side} on {found.host}")
    return [*head, *Page(load(), sides=False).lines(found.findings)]


def _shown(command: Sequence[str], environment: Mapping[str, str]) -> str:
    return " ".join(
        [*(f"{name}={shell_word(text)}" for name, text in environment.items()), *map(shell_word, command)]
    )
