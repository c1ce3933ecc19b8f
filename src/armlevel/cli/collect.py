"""Profiles of many hosts over ssh."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from armlevel.cli import progress
from armlevel.cli.options import Json
from armlevel.cli.output import columns, meant, say, say_json, tell, wrapped
from armlevel.documents import Loaded
from armlevel.errors import UsageError
from armlevel.operations.collect import Collected, Collecting, CollectResult, collect
from armlevel.operations.reached import targets_of
from armlevel.words.collect import failure_text
from armlevel.words.fleet import counted_hosts
from armlevel.words.subjects import hosts_text

__all__ = ["run"]

_MOST_JOBS, _LONGEST = 128, 86_400


def run(
    host: Annotated[
        list[str] | None,
        typer.Argument(metavar="HOST...", help="Hosts, as for ssh: HOST, USER@HOST or ssh://USER@HOST:PORT."),
    ] = None,
    hosts: Annotated[
        list[str] | None,
        typer.Option(
            "--hosts",
            metavar="LIST",
            help="A list of hosts: one a line, or an Ansible inventory (INI, or JSON of ansible-inventory). "
            "Repeatable.",
        ),
    ] = None,
    group: Annotated[
        str, typer.Option("--group", metavar="GROUP", help="Only this group of the inventory.")
    ] = "",
    directory: Annotated[
        str, typer.Option("-d", "--directory", metavar="DIR", help="Write NAME.json of each host into DIR.")
    ] = "",
    fleet: Annotated[
        bool,
        typer.Option(
            "--fleet", help="Put them into the fleet store: ARMLEVEL_FLEET, or in your state directory."
        ),
    ] = False,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="KEY=VALUE", help="With --fleet: a label for each host. Repeatable."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace earlier profiles in DIR.")] = False,
    become: Annotated[
        Literal["sudo"] | None, typer.Option("--become", help="Run the probe there as root, by sudo.")
    ] = None,
    python: Annotated[
        str, typer.Option("--python", metavar="NAME", help="The Python there, where it is not python3.")
    ] = "python3",
    jobs: Annotated[
        int,
        typer.Option(
            "-j", "--jobs", metavar="N", min=1, max=_MOST_JOBS, help="Ask so many at the same time."
        ),
    ] = 16,
    timeout: Annotated[
        int,
        typer.Option(
            "--timeout",
            metavar="SECONDS",
            min=1,
            max=_LONGEST,
            rich_help_panel="Options",  # nothing is emulated here
            help="How long each may take.",
        ),
    ] = 120,
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--ssh-option", metavar="KEY=VALUE", help="An option of ssh, as for ssh -o. Repeatable."
        ),
    ] = None,
    no_vmms: Annotated[
        bool, typer.Option("--no-vmms", help="Do not run QEMU and other VMMs there with --version.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Probe many hosts over ssh at the same time, with your own ssh configuration.

    The probe goes over standard input and runs in memory, so nothing stays on a host. A host is called as it is named
    here. Each profile comes whole or not at all. The exit status is 1 if any host failed; each is told with the reason.
    """
    if not directory and not fleet:
        raise UsageError("where shall the profiles go?", hint="-d DIR, or --fleet, or both")
    if label and not fleet:
        raise UsageError("--label is for the fleet", hint="give --fleet too")
    targets = targets_of(host or (), hosts or (), group)
    take = _fleet(label or ()) if fleet else None
    how = Collecting(
        become=become or "",
        python=python,
        jobs=jobs,
        seconds=timeout,
        options=tuple(option or ()),
        vmms=not no_vmms,
    )
    progress.begin(f"asking {counted_hosts(len(targets))}")
    found = collect(
        targets,
        _program(),
        how,
        into=Path(directory) if directory else None,
        force=force,
        fleet=take,
        progress=progress.step,
    )
    if as_json:
        say_json(found.document())
    else:
        say(_page(found))
    for one in found.hosts:
        for remark in one.remarks:
            tell(f"{one.name}: {remark}")
    return found.status


def _program() -> Mapping[str, bytes]:
    from armlevel.lab.collector import pack_over_ssh

    return pack_over_ssh()


def _fleet(labels: Sequence[str]) -> Callable[[Sequence[Loaded]], Mapping[str, str]]:
    from armlevel.operations.fleet_add import fleet_add_loaded, labels_of
    from armlevel.operations.fleet_store import store_named

    labels_of(labels)
    store_named("")  # before any host is asked

    def take(loaded: Sequence[Loaded]) -> Mapping[str, str]:
        return {one.name: one.state for one in fleet_add_loaded(loaded, labels=labels).hosts}

    return take


def _page(found: CollectResult) -> list[str]:
    failed = found.failed
    whole = [one for one in found.hosts if not one.failed]
    states = Counter(one.state for one in whole if one.state)
    told = ", ".join(
        f"{states[state]} {state}" for state in ("new", "same", "changed", "known") if states[state]
    )
    if not failed:
        head = f"{meant('all', 'yes')} of {counted_hosts(len(found.hosts))} collected"
    else:
        head = f"{len(whole)} of {counted_hosts(len(found.hosts))} collected, {meant(f'{len(failed)} failed', 'no')}"
    lines = wrapped(head + (f": {told}" if told else ""), rest="    ")
    alike: dict[tuple[str, str], list[Collected]] = {}
    for one in failed:
        alike.setdefault((one.failed, one.detail), []).append(one)
    rows = []
    for (code, detail), some in alike.items():
        values = {"name": some[0].name, "reach": some[0].reach, "detail": detail}
        sentence, remedy = failure_text(code, values)
        rows += [(hosts_text([one.name for one in some]), sentence), ("", f"do: {remedy}")]
    return [*lines, *(["", *columns(rows, "  ")] if rows else [])]
