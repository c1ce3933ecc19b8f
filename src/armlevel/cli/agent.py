"""Agents as they are seen from outside their hosts: who is known by which key, and what they report."""

from __future__ import annotations

import shlex
import subprocess
import time
from pathlib import Path
from typing import Annotated

import typer

from armlevel.cli.helping import Verb, VerbGroup
from armlevel.cli.options import Json
from armlevel.cli.output import columns, say, say_json, wrapped
from armlevel.documents import read_file
from armlevel.documents.known_hosts import KnownHosts, read_known_hosts
from armlevel.errors import UsageError
from armlevel.operations.agents.accept import ReportResult
from armlevel.operations.agents.enrol import EnrolResult, Trust, enrol_key, enrol_request
from armlevel.operations.agents.listing import list_agents, retired
from armlevel.operations.agents.store import AgentStore, read_spool
from armlevel.operations.agents.tokens import LONGEST, new_token
from armlevel.operations.agents.values import How
from armlevel.words.agents import ENROL, PARTS, REPORTS, said

__all__ = ["app"]

app = typer.Typer(cls=VerbGroup, add_completion=False, rich_markup_mode=None, no_args_is_help=False)

_Store = Annotated[str, typer.Argument(metavar="STORE", help="The directory in which agents are known.")]
_PUBLIC_KEY = "/var/lib/armlevel-sender/agent_key.pub"
_PATIENCE = 60


@app.callback()
def _agent() -> None:
    """Know hosts by their agents' keys, and take their reports: here, in a directory."""


@app.command("accept", cls=Verb)
def accept(
    store: _Store,
    spool: Annotated[list[str], typer.Argument(metavar="SPOOL...", help="Directories with a report each.")],
    as_json: Json = False,
) -> int:
    """Take the reports of agents: who speaks is the key that signed, and nothing older is taken after.

    Exit: 0 taken, 1 refused, 3 taken and something of it is not known (its time, or a file that it names).
    """
    found = []
    with AgentStore(Path(store)).held() as held:
        for one in spool:
            result = held.accept(read_spool(one), one, now=time.time())
            found.append(result)
            if as_json:
                say_json(result.document())
            else:
                say(_report_lines(result, one))
    statuses = {one.status for one in found}
    return next((one for one in (1, 3) if one in statuses), 0)


@app.command("enrol", cls=Verb)
def enrol(
    store: _Store,
    request: Annotated[
        str, typer.Option("--request", metavar="FILE", help="What armlevel-agent enrol wrote on the host.")
    ] = "",
    known_hosts: Annotated[
        str,
        typer.Option(
            "--known-hosts", metavar="FILE", help="SSH host keys and @cert-authority lines that vouch."
        ),
    ] = "",
    ssh: Annotated[
        str, typer.Option("--ssh", metavar="HOST", help="Fetch the agent's key over ssh; it is named HOST.")
    ] = "",
    key: Annotated[
        str, typer.Option("--key", metavar="FILE", help="The agent's public key, by hand; needs --name.")
    ] = "",
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="What the host is called, with --ssh or --key.")
    ] = "",
    as_json: Json = False,
) -> int:
    """Know a host by its agent's key from now on: by its request, over ssh, or by hand.

    A request is signed with the agent's key; the SSH host key, its certificate, or a token of this store vouches.
    Exit: 0 it is known, 1 it is not, with the reason.
    """
    given = [one for one in (request, ssh, key) if one]
    if len(given) != 1:
        raise UsageError("one of --request, --ssh and --key is needed", hint="armlevel agent enrol --help")
    if request and name:
        raise UsageError("the name stands in the request", hint="leave --name out")
    if key and not name:
        raise UsageError("a key says no name", hint="say whose it is: --name NAME")
    data = _fetched(ssh) if ssh else read_file(request or key)
    hosts = read_known_hosts(read_file(known_hosts).decode(errors="replace")) if known_hosts else KnownHosts()
    now = time.time()
    with AgentStore(Path(store)).held() as held:
        if request:
            trust = held.trust()
            found = enrol_request(
                data, request, held.agents(), Trust(hosts, trust.tokens, trust.pepper), now=now
            )
        else:
            how: How = "ssh session" if ssh else "by hand"
            called = name or ssh.rpartition("@")[2]
            found = enrol_key(data.decode(errors="replace"), called, how, held.agents(), now=now)
        held.enrol(found)
    if as_json:
        say_json(found.document())
    else:
        say(_enrol_lines(found))
    return found.status


@app.command("token", cls=Verb)
def token(
    store: _Store,
    name: Annotated[
        str, typer.Option("--name", metavar="PATTERN", help="Which hosts it is for: web-1, or web-*.")
    ],
    hours: Annotated[
        float, typer.Option("--hours", metavar="H", help="How long it is good, 24 at most.")
    ] = 24,
    as_json: Json = False,
) -> int:
    """Make a token with which one host may ask to be known, once; it is shown here and kept nowhere."""
    with AgentStore(Path(store)).held() as held:
        seconds = int(hours * 3600) if 0 < hours <= LONGEST / 3600 else -1
        text, made = new_token(name, pepper=held.pepper(), now=time.time(), seconds=seconds)
        held.put_token(made)
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(made.until))
    if as_json:
        say_json(
            {"kind": "new-token/1", "id": made.id, "token": text, "pattern": made.pattern, "until": until}
        )
    else:
        say(
            [
                text,
                *wrapped(f"for one host that is called {made.pattern}, once, until {until}", "  "),
                *wrapped("on the host: armlevel-agent enrol --token-file FILE -o enrolment.json", "  "),
            ]
        )
    return 0


@app.command("list", cls=Verb)
def list_known(store: _Store, as_json: Json = False) -> int:
    """List who is known by which key, and the newest that each said."""
    if not Path(store).is_dir():
        raise UsageError(f"{store}: there is no store of agents", hint="armlevel agent enrol makes one")
    with AgentStore(Path(store)).held() as held:
        found = list_agents(held.agents())
    if as_json:
        say_json(found.document())
        return 0
    counted = sum(one.standing == "enrolled" for one in found.agents)
    rows = [
        (
            one.name,
            one.standing,
            one.how,
            f"report {one.mark.sequence}" if one.mark.sequence else "no report",
            one.key.fingerprint,
        )
        for one in found.agents
    ]
    say([f"{counted} host{'' if counted == 1 else 's'} known", *columns(rows, "  ")])
    return 0


@app.command("retire", cls=Verb)
def retire(store: _Store, name: Annotated[str, typer.Argument(metavar="NAME", help="A host.")]) -> int:
    """Give up a host's key: nothing that it signs is taken any more."""
    if not Path(store).is_dir():
        raise UsageError(f"{store}: there is no store of agents", hint="armlevel agent enrol makes one")
    with AgentStore(Path(store)).held() as held:
        found = retired(held.agents(), name)
        held.put(found)
    say([f"{name} is known no longer", *wrapped(f"its key was {found.key.fingerprint}", "  ")])
    return 0


def _fetched(host: str) -> bytes:
    if host.startswith("-"):
        raise UsageError(f"--ssh {host}: is no host")
    words = ["ssh", "-o", "BatchMode=yes", "--", host, f"cat {shlex.quote(_PUBLIC_KEY)}"]
    try:
        done = subprocess.run(words, capture_output=True, timeout=_PATIENCE, check=False)  # noqa: S603 - ssh, to whom a person named
    except FileNotFoundError as exc:
        raise UsageError("there is no ssh here", hint="install OpenSSH's client") from exc
    except subprocess.TimeoutExpired as exc:
        raise UsageError(f"{host} did not answer within {_PATIENCE} seconds") from exc
    if done.returncode:
        why = " ".join(done.stderr.decode(errors="replace").split())[:300]
        hint = "is the agent installed there? its package makes the key"
        raise UsageError(f"{host}: its agent's key cannot be fetched: {why}", hint=hint)
    return done.stdout


def _report_lines(found: ReportResult, path: str) -> list[str]:
    name = found.agent.name if found.agent is not None else ""
    if found.refused:
        details = {"detail": found.detail} | ({"name": name} if name else {})
        reason, remedy = said(REPORTS, found.refused, details)
        return [f"refused: {path}", *wrapped(reason, "  "), *wrapped(remedy, "  do: ")]
    assert found.report is not None
    lines = [
        f"taken: report {found.report.sequence} of {name}",
        *wrapped(f"{PARTS[found.profile]}", "  profile: "),
        *wrapped(f"{PARTS[found.guests]}", "  guests: "),
    ]
    if found.detail:
        lines += wrapped(found.detail, "    ")
    lines += [f"  events: {len(found.events)} new" + (f", {found.lost} lost" if found.lost else "")]
    if found.clock == "unknown":
        lines += wrapped(
            "its clock and ours differ by more than 10 minutes, so when it was said is unknown", "  "
        )
    if found.report.name != name:
        lines += wrapped(f"it calls itself {found.report.name}, and its key is that of {name}", "  ")
    return lines


def _enrol_lines(found: EnrolResult) -> list[str]:
    key = "" if found.key is None else found.key.fingerprint
    if found.refused:
        details = {"detail": found.detail, "key": key} | ({"name": found.name} if found.name else {})
        reason, remedy = said(ENROL, found.refused, details)
        return [f"refused: {found.name or 'a host'}", *wrapped(reason, "  "), *wrapped(remedy, "  do: ")]
    how = found.how if found.how == "by hand" else f"by {found.how}"
    lines = [f"enrolled: {found.name}, {how}", f"  key: {key}"]
    if found.replaced is not None:
        lines += wrapped(f"in the place of {found.replaced.key.fingerprint}, which is given up", "  ")
    return lines
