"""The richest guest CPU that every host can run, or why there is none."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated

import typer

from armlevel.arch import load
from armlevel.cli import progress
from armlevel.cli.files import beside, is_file
from armlevel.cli.levelled import baseline_lines
from armlevel.cli.options import (
    AcceptWeaker,
    AlsoTarget,
    AssumeSameImpdef,
    Explain,
    Facts,
    Force,
    HostFiles,
    ImplementationAs,
    Json,
    Means,
    Names,
    Output,
    Tolerate,
    Vmm,
)
from armlevel.cli.output import say, say_json, tell
from armlevel.documents import guest_object, pretty, write_output
from armlevel.documents.names import visible
from armlevel.operations.baseline import baseline
from armlevel.operations.named import hosts_named
from armlevel.operations.policies import policy_of
from armlevel.words.answers import unknown_text

__all__ = ["run"]


def run(
    hosts: HostFiles,
    output: Output = "",
    force: Force = False,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="The profile's name; else FILE's.")
    ] = "",
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--without", metavar="FEATURE", help="Leave out of the shape: sve, pmu, pauth ... Repeatable."
        ),
    ] = None,
    hide: Annotated[
        list[str] | None, typer.Option("--hide", metavar="FEAT_X", help="Do not show a feature. Repeatable.")
    ] = None,
    require: Annotated[
        list[str] | None,
        typer.Option("--require", metavar="FEAT_X", help="No baseline without this feature. Repeatable."),
    ] = None,
    pin: Annotated[
        list[str] | None,
        typer.Option("--pin", metavar="REG.FIELD=V", help="Give a field this value. Repeatable."),
    ] = None,
    tolerate: Tolerate = None,
    vmm: Vmm = "kvm",
    means: Means = "",
    implementation: ImplementationAs = "",
    also_target: AlsoTarget = None,
    fact: Facts = None,
    assume_same_impdef: AssumeSameImpdef = False,
    accept_weaker_mitigation: AcceptWeaker = False,
    names: Names = False,
    explain: Explain = False,
    as_json: Json = False,
) -> int:
    """Find the richest guest CPU that every host can run, or say why there is none.

    The profile is written with -o, never when some host refuses it; --json prints the whole answer with it.
    """
    progress.begin("levelling")
    there, given = hosts_named(hosts, fact or ())
    policy = policy_of(
        there,
        without=without,
        hide=hide,
        require=require,
        pins=pin,
        implementation=implementation,
        also_targets=also_target,
        tolerate=tolerate,
        assume_same_impdef=assume_same_impdef,
        accept_weaker_mitigation=accept_weaker_mitigation,
    )
    called = name or (visible(PurePath(output).stem) if is_file(output) else "") or "baseline"
    found = baseline(there, policy, name=called, given=given, vmm=vmm, means=means)
    guest = found.guest
    if guest is not None and output:
        write_output(output, pretty(guest_object(guest)), force=force)
    with beside(output):
        if as_json:
            say_json(found.document())
        else:
            say(baseline_lines(found, load(), explain=explain, names=names, typed=hosts))
    if guest is not None and is_file(output):
        tell(f"{guest.name} written to {output}")
    if guest is not None and found.answer == "unknown" and (as_json or output):
        tell(f"not a yes yet: {unknown_text(found.found.findings)}")
    if guest is not None and len(guest.starts_on) == 1 < len(there):
        tell(
            f"note: of {len(there)} hosts only {guest.starts_on[0]} may start this guest: the file of one host decides "
            "that for all; see whether it is right (Who decides for a fleet)"
        )
    return found.status
