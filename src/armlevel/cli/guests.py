"""The guests that run on this host: what each holds, how that is known, and where each may go."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Annotated

import typer

from armlevel.cli import progress
from armlevel.cli.options import Facts, Json, Tolerate
from armlevel.cli.output import columns, meant, say, say_json, wrapped
from armlevel.documents import read_file
from armlevel.documents.running import running_of
from armlevel.errors import UsageError
from armlevel.operations.guests import GuestsResult, RunningGuest, guests, held_profile
from armlevel.operations.named import host_named, hosts_named
from armlevel.operations.policies import policy_of
from armlevel.operations.probe import probe
from armlevel.operations.stamps import Stamped, event_in, rebooted, stamp
from armlevel.probe.running import read_running
from armlevel.profile import Host
from armlevel.words.answers import left_out_text, part_text
from armlevel.words.guests import KNOWN_TEXT, STAMP_TEXT, remark_text
from armlevel.words.subjects import subject_text

__all__ = ["run"]

_MOST = 3


def run(
    hosts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[HOST...]", help="Where may each go? Profiles, directories, or @recorded machines."
        ),
    ] = None,
    profile: Annotated[
        str,
        typer.Option(
            "--profile", metavar="FILE", help="This host's profile, made in this boot; else it is probed."
        ),
    ] = "",
    running: Annotated[
        str,
        typer.Option(
            "--running",
            metavar="FILE",
            help="What was read on a host before, in place of this one; with --profile.",
        ),
    ] = "",
    stamp_them: Annotated[
        bool,
        typer.Option("--stamp", help="Write what is known into the metadata of libvirt's running domains."),
    ] = False,
    events: Annotated[
        str,
        typer.Option(
            "--events",
            metavar="FILE",
            help="Stamp again at each event that virsh event --loop wrote there; - is standard input.",
        ),
    ] = "",
    tolerate: Tolerate = None,
    fact: Facts = None,
    as_json: Json = False,
) -> int:
    """Say which guests run on this host, what CPU each holds and how that is known, and where each may go.

    Nothing is stopped, asked or changed: /proc, KVM's debugfs and libvirt's state files are read, as root. What is not
    known of a guest may be anything that this host keeps. Exit 0 if all may go (without HOST: if something is known of
    each), 1 if some may not, 3 if that cannot be said.
    """
    if running and not profile:
        raise UsageError("--running without --profile", hint="it was read on a host, whose profile is needed")
    if stamp_them and running:
        raise UsageError(
            "--stamp with --running", hint="a stamp is written on the host, where the guests are"
        )
    if events and not stamp_them:
        raise UsageError("--events without --stamp", hint="at each event the stamp is renewed")
    there, _ = hosts_named(hosts, fact or ()) if hosts else ([], ())
    policy = policy_of(tolerate=tolerate)
    here: Host | None = host_named("--profile", profile) if profile else None
    read = running_of(read_file(running), running) if running else read_running()
    if here is None:
        progress.begin("probing this machine")
        here = probe(vmms=False).host
        progress.end()
    here = held_profile(here, read)
    found = guests(read, here, there, policy)
    done = stamp(found) if stamp_them else ()
    if as_json:
        say_json(found.document() | ({"stamps": [one.document() for one in done]} if stamp_them else {}))
    else:
        say(_page(found, done))
    if events:
        _follow(events, here)
    return max(found.status, *(1 if one.outcome == "refused" else 0 for one in done), 0)


def _follow(events: str, here: Host) -> None:
    # A reboot renews what the guest learnt of its host; any other event may be a guest that is new here.
    lines: Iterable[str] = (
        sys.stdin if events == "-" else read_file(events).decode(errors="replace").splitlines()
    )
    for line in lines:
        event = event_in(line)
        if event is None:
            continue
        kind, name = event
        found = guests(read_running(), here)
        found = replace(found, guests=tuple(one for one in found.guests if one.name == name))
        if kind == "reboot":
            found = rebooted(found, here, [name])
        say(f"{one.name}: {STAMP_TEXT[one.outcome]}" for one in stamp(found))
        sys.stdout.flush()


def _page(found: GuestsResult, done: Sequence[Stamped]) -> list[str]:
    lines = wrapped(_head(found), rest="    ")
    if found.guests:
        rows = [("guest", "pid", "VMM", "known by", "not known", *(["may go to"] if found.asked else []))]
        rows += [_row(one, asked=bool(found.asked)) for one in found.guests]
        lines += ["", *columns(rows, "  ")]
    for guest in found.guests:
        notes = [remark_text(code) for code in guest.birth.remarks]
        notes += [f"its flavor requires {trait}" for trait in guest.traits]
        notes += [
            _why(guest, number) for number in range(len(guest.moves)) if guest.moves[number].answer != "runs"
        ]
        notes += [
            f"{STAMP_TEXT[one.outcome]}{f': {one.said}' if one.said else ''}"
            for one in done
            if one.name == guest.name
        ]
        if notes:
            lines += [
                "",
                f"  {guest.name}:",
                *(line for text in notes for line in wrapped(text, "    ", "      ")),
            ]
    return lines


def _head(found: GuestsResult) -> str:
    total = len(found.guests)
    births = [one.birth for one in found.guests]
    counts = (
        (sum(not one.not_known for one in births), "known whole"),
        (sum(one.guest is not None and bool(one.not_known) for one in births), "known in part"),
        (sum(one.guest is None for one in births), "that may be any guest of this host"),
    )
    text = f"{found.host}: {total} guest{'' if total == 1 else 's'}"
    text += "".join(f", {count} {what}" for count, what in counts if count)
    if found.unread:
        text += f"; {found.unread} processes could not be looked into, so there may be more: run this as root"
    left = {part for one in found.guests for move in one.moves for part in move.not_judged}
    return text + (f" ({left_out_text(sorted(left))})" if left else "")


def _row(guest: RunningGuest, *, asked: bool) -> tuple[str, ...]:
    birth = guest.birth
    open_ = "all" if birth.guest is None else ", ".join(map(part_text, birth.not_known)) or "-"
    row = (guest.name, str(guest.pid), guest.vmm, KNOWN_TEXT[birth.known], open_)
    if not asked:
        return row
    may = [move.host for move in guest.moves if move.answer == "runs"]
    return (*row, ", ".join(may) or "-")


def _why(guest: RunningGuest, number: int) -> str:
    move = guest.moves[number]
    against = [one for one in move.findings if one.severity in ("stops", "breaks")]
    against = against or [one for one in move.findings if one.severity == "unknown"]
    names = list(dict.fromkeys(subject_text(one.subject) for one in against))
    parts = [part_text(part) for part, answer in move.parts.items() if answer == move.answer]
    what = ", ".join(names[:_MOST]) or ", ".join(parts)
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return f"to {move.host}: {meant(move.answer)}: {what}{more}"
