"""The richest guest CPU that every host can run, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Annotated, Any

import typer

from armlevel import __version__
from armlevel.arch import Catalogue, load
from armlevel.cli.answers import exit_of, findings_json, given_json
from armlevel.cli.implementations import implementation_named, target
from armlevel.cli.inputs import Given, hosts_named, pins_of
from armlevel.cli.levelled import baseline_lines
from armlevel.cli.options import (
    AcceptWeaker,
    AlsoTarget,
    AssumeSameImpdef,
    Explain,
    Facts,
    HostFiles,
    ImplementationAs,
    Json,
    Output,
    Tolerate,
)
from armlevel.cli.output import say, say_json, tell
from armlevel.cli.words import unknown_text
from armlevel.documents import guest_object, pretty, replace_file
from armlevel.engine import Baseline, Grouping, Policy, groups_of, level, tolerance_named
from armlevel.profile import Guest, Host, Implementation, Made
from armlevel.profile.shape import shape_feature

__all__ = ["run"]


def run(
    hosts: HostFiles,
    output: Output = "",
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
    implementation: ImplementationAs = "",
    also_target: AlsoTarget = None,
    fact: Facts = None,
    assume_same_impdef: AssumeSameImpdef = False,
    accept_weaker_mitigation: AcceptWeaker = False,
    explain: Explain = False,
    as_json: Json = False,
) -> int:
    """Find the richest guest CPU that every host can run, or say why there is none.

    The profile is written with -o or printed with --json; never when some host refuses it.
    """
    catalogue = load()
    there, given = hosts_named(hosts, fact or ())
    policy = Policy(
        without=frozenset(map(shape_feature, without or ())),
        hide=tuple(catalogue.feature(text).name for text in hide or ()),
        require=tuple(catalogue.feature(text).name for text in require or ()),
        pins=pins_of(pin or (), catalogue),
        implementation=implementation_named(implementation, there),
        also_targets=tuple(target(text) for text in also_target or ()),
        assume_same_impdef=assume_same_impdef,
        accept_weaker_mitigation=accept_weaker_mitigation,
        tolerate=tuple(tolerance_named(text, catalogue) for text in tolerate or ()),
    )
    called = name or (PurePath(output).stem if output else "") or "baseline"
    found = level(there, catalogue, policy, name=called)
    guest = found.guest
    if guest is not None:
        guest = _recorded(guest, there, policy, given, catalogue)
        found = replace(found, guest=guest)
    if found.answer == "refused":
        _refuse(
            found,
            groups_of(there, catalogue, policy, outcome=found),
            there,
            given,
            catalogue,
            as_json=as_json,
            explain=explain,
        )
    elif guest is None:
        groups = Grouping((), complete=False)
        _refuse(found, groups, there, given, catalogue, as_json=as_json, explain=explain)
    else:
        if output:
            replace_file(output, pretty(guest_object(guest)))
        if as_json:
            say_json(guest_object(guest))
        else:
            say(baseline_lines(found, there, given, catalogue, explain=explain))
        if output:
            tell(f"{guest.name} written to {output}")
        if found.answer == "unknown" and (as_json or output):
            tell(f"not a yes yet: {unknown_text(found.findings)}")
    return exit_of([found.answer])


def _refuse(
    found: Baseline,
    groups: Grouping,
    hosts: Sequence[Host],
    given: Sequence[Given],
    catalogue: Catalogue,
    *,
    as_json: bool,
    explain: bool,
) -> None:
    if not as_json:
        say(baseline_lines(found, hosts, given, catalogue, groups, explain=explain))
        return
    conflicts = [
        document | {"sets": [list(some) for some in finding.sets]}
        for document, finding in zip(findings_json(found.conflicts), found.conflicts, strict=True)
    ]
    answer: dict[str, Any] = {
        "answer": found.answer,
        "parts": dict(found.parts),
        "conflicts": conflicts,
        "groups": [{"hosts": list(group.hosts), "answer": group.answer} for group in groups.groups],
        "groups_complete": groups.complete,
        "candidate": None if found.guest is None else guest_object(found.guest),
    }
    say_json(answer | given_json(given))


def _implementation(one: Implementation) -> str:
    return ":".join(f"{number:#x}" for number in one.registers().values())


def _implementation_text(one: Implementation) -> str:
    numbers = one.registers().items()
    return ",".join(f"{register.removesuffix('_EL1')}={number:#x}" for register, number in numbers)


def _recorded(
    guest: Guest, hosts: Sequence[Host], policy: Policy, given: Sequence[Given], catalogue: Catalogue
) -> Guest:
    """Return the guest with who made it, out of what, and under which of a person's choices."""
    choices = [f"--without {text}" for text in sorted(policy.without)]
    choices += [f"--hide {text}" for text in policy.hide]
    choices += [f"--require {text}" for text in policy.require]
    choices += [f"--pin {subject}={value}" for subject, value in policy.pins.items()]
    choices += [f"--tolerate {text}" for text in policy.tolerate]
    choices += (
        [f"--implementation {_implementation_text(policy.implementation)}"]
        if policy.implementation is not None
        else []
    )
    choices += [f"--also-target {_implementation(one)}" for one in policy.also_targets]
    choices += ["--assume-same-impdef"] if policy.assume_same_impdef else []
    choices += ["--accept-weaker-mitigation"] if policy.accept_weaker_mitigation else []
    choices += [f"--fact {one}" for one in given]
    names = [host.name for host in hosts]
    source = f"baseline of {', '.join(names)}" + (f"; {' '.join(choices)}" if choices else "")
    if len(source) > 4000:
        source = f"baseline of {len(names)} hosts" + (f"; {' '.join(choices)}" if choices else "")
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    made = Made(f"armlevel {__version__}", catalogue.version, now, source[:4000])
    sources = {
        one.fact: "given with --fact" for one in given if getattr(guest.facts, one.fact, None) is not None
    }
    return replace(guest, made=made, facts=replace(guest.facts, sources=sources))
