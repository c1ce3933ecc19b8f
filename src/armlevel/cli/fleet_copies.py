"""A fleet copied, put back, taken along as one file, and what is forgotten of it."""

from __future__ import annotations

from typing import Annotated

import typer

from armlevel.cli import progress
from armlevel.cli.fleet_options import Actor, Fleet, Reason, faults_text
from armlevel.cli.options import Force, Json
from armlevel.cli.output import meant, say, say_json, tell, wrapped
from armlevel.documents import pretty, write_output
from armlevel.operations.fleet_backup import fleet_backup
from armlevel.operations.fleet_export import fleet_export
from armlevel.operations.fleet_forget import FleetForgetResult, fleet_forget
from armlevel.operations.fleet_restore import FleetRestoreResult, fleet_restore
from armlevel.words.fleet import counted_hosts, counted_kinds
from armlevel.words.subjects import hosts_text

__all__ = ["backup", "export", "forget", "restore"]


def backup(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file that is not there yet.")],
    fleet: Fleet = "",
    as_json: Json = False,
) -> int:
    """Copy the store into one file while others write, and prove the copy.

    Keep the line that it prints elsewhere: restore holds the backup against it. The file is a store itself, also where
    the fleet is in PostgreSQL. The exit status is 1 if the history that was copied is not whole.
    """
    progress.begin("copying the store")
    found = fleet_backup(file, fleet)
    if as_json:
        say_json(found.document())
        return found.status
    proof = "its history is whole" if found.found.whole else f"its history is {meant('not whole', 'no')}"
    events = f"{found.head.length} events"
    text = f"{found.file}: {counted_hosts(found.hosts)}, {events}, {found.size} bytes; {proof}"
    lines = wrapped(text, rest="    ")
    if not found.found.whole:
        lines += wrapped(f"armlevel fleet audit --fleet {found.file}", "  what      ")
    say([*lines, "", found.head.text])
    return found.status


def restore(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A backup.")],
    head: Annotated[
        str,
        typer.Option(
            "--head", metavar="FILE", help="Hold it against a head that was kept too: the last one of FILE."
        ),
    ] = "",
    replace: Annotated[
        str,
        typer.Option(
            "--replace", metavar="KEPT", help="Replace the store that is there, and keep that one in KEPT."
        ),
    ] = "",
    reason: Reason = "",
    fleet: Fleet = "",
    actor: Actor = "",
    as_json: Json = False,
) -> int:
    """Prove a backup, and put it where the store is to be: a file, or a database by its URL.

    Nothing is replaced that was not said, and nothing at all by a backup whose history is not whole: the exit status is
    1 then. Agents are not part of the store: who reports next is taken as before.
    """
    progress.begin("proving the backup")
    found = fleet_restore(file, fleet, kept=head, replace=replace, reason=reason, actor=actor)
    if as_json:
        say_json(found.document())
    else:
        say(_restored(found))
    return found.status


def _restored(found: FleetRestoreResult) -> list[str]:
    if not found.restored:
        faults = faults_text(found.found)
        text = f"{found.file} is {meant('not whole', 'no')}, and nothing was restored: {faults[0]}"
        return [*wrapped(text, rest="    "), *(line for one in faults[1:50] for line in wrapped(one, "  "))]
    text = f"{found.place} is what {found.file} was: {counted_hosts(found.hosts)}, {found.found.head.length} events"
    lines = wrapped(text, rest="    ")
    if found.replaced is not None:
        text = f"a store with {found.replaced.length} events; it is in {found.kept}"
        lines += wrapped(text, "  replaced  ")
    return [*lines, "", found.head.text]


def export(
    output: Annotated[
        str,
        typer.Option("-o", "--output", metavar="FILE", help="Write it to FILE; else to standard output."),
    ] = "-",
    force: Force = False,
    fleet: Fleet = "",
) -> int:
    """Write the whole fleet as one document, with which questions can be asked where the store is not.

    Every verb that takes hosts takes it as its hosts that nobody retired: armlevel check guest.json fleet.json.
    """
    progress.begin("reading the fleet")
    found = fleet_export(fleet)
    write_output(output, pretty(found.document()), force=force)
    if output != "-":
        text = f"{output}: {counted_hosts(len(found.hosts))} of {counted_kinds(len(found.kinds))}"
        say(wrapped(text, rest="    "))
    return found.status


def forget(
    hosts: Annotated[
        list[str] | None, typer.Argument(metavar="HOST...", help="Hosts of the fleet that were retired.")
    ] = None,
    guest: Annotated[
        list[str] | None,
        typer.Option("--guest", metavar="NAME", help="A guest profile, by name or digest. Repeatable."),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="NAME", help="Somebody's name in the history. Repeatable."),
    ] = None,
    reason: Reason = "",
    fleet: Fleet = "",
    actor: Actor = "",
    as_json: Json = False,
) -> int:
    """Forget what law or policy says must go; that it went stands in the history, which stays whole.

    Its contents go from the store: a host with all it was, a guest profile, the name of who did something. Events keep
    ids, digests, labels and reasons. Backups and exports that were made before still have it.
    """
    found = fleet_forget(
        hosts or (), fleet, reason=reason, guests=guest or (), actors=name or (), actor=actor
    )
    if as_json:
        say_json(found.document())
    else:
        say(_forgotten(found))
    return found.status


def _forgotten(found: FleetForgetResult) -> list[str]:
    told = [hosts_text(found.hosts)] if found.hosts else []
    told += [f"guest {hosts_text(found.guests)}"] if found.guests else []
    told += [f"{found.actors} name{'s' * (found.actors != 1)}"] if found.actors else []
    lines = wrapped(f"forgotten: {'; '.join(told)}", rest="    ")
    if found.kinds:
        lines += wrapped(f"{found.kinds} kinds of hosts that no other was of", "  with it   ")
    if found.named_in:
        levels = hosts_text([f"{pool} {version}" for pool, version in found.named_in], every=True)
        tell(f"the names stay in what was frozen, whose bytes do not change: level {levels}")
    return [*lines, "", found.head.text]
