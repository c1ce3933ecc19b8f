"""Arguments and options that several verbs share, spelt once."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = [
    "AcceptWeaker",
    "AlsoTarget",
    "AnyFiles",
    "AssumeSameImpdef",
    "Explain",
    "Facts",
    "Force",
    "GuestFile",
    "HostFiles",
    "ImplementationAs",
    "Json",
    "Kernel",
    "Key",
    "Means",
    "Names",
    "OneFile",
    "Output",
    "Switches",
    "Tolerate",
    "Vmm",
]

HostFiles = Annotated[
    list[str],
    typer.Argument(metavar="HOST...", help="Host profiles, directories of them, or @recorded machines."),
]
GuestFile = Annotated[
    str, typer.Argument(metavar="GUEST", help="A guest profile; a host stands for its passthrough guest.")
]
OneFile = Annotated[str, typer.Argument(metavar="FILE", help="A file of another tool.")]
AnyFiles = Annotated[list[str], typer.Argument(metavar="FILE...", help="Profiles, or files of other tools.")]

Key = Annotated[
    list[str] | None,
    typer.Option(
        "--key", metavar="PEM", help="Take only a frozen GUEST that this public key signed. Repeatable."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Explain = Annotated[
    bool, typer.Option("--explain", help="Leave nothing out: every name, every step and its reason.")
]
Names = Annotated[bool, typer.Option("--names", help="Name every host, however many.")]
Output = Annotated[
    str,
    typer.Option("-o", "--output", metavar="FILE", help="Write the profile to FILE; - is standard output."),
]
Force = Annotated[
    bool,
    typer.Option("--force", help="Replace FILE also where it holds something else; never an input."),
]
Kernel = Annotated[
    str,
    typer.Option(
        "--kernel",
        metavar="RELEASE",
        help="The kernel of the host, as uname -r prints it, where FILE has none.",
    ),
]
Facts = Annotated[
    list[str] | None,
    typer.Option(
        "--fact",
        metavar="HOST:FACT=V",
        help="A fact that is not recorded, as n1:cntfrq_hz=25000000. Repeatable.",
    ),
]
AssumeSameImpdef = Annotated[
    bool,
    typer.Option(
        "--assume-same-impdef",
        help="Take IMPLEMENTATION DEFINED pointer authentication of different cores for the same.",
    ),
]
AcceptWeaker = Annotated[
    bool,
    typer.Option(
        "--accept-weaker-mitigation",
        help="Let a guest arrive where a workaround level is lower than it was told at boot.",
    ),
]
Tolerate = Annotated[
    list[str] | None,
    typer.Option(
        "--tolerate",
        metavar="CLASS",
        help="Let fields differ: el2-only, id-trap, cache-format, mpam, or REG.FIELD. Repeatable.",
    ),
]
ImplementationAs = Annotated[
    str,
    typer.Option(
        "--implementation",
        metavar="HOST",
        help="Show this host's MIDR, REVIDR and AIDR, or MIDR=0x...,REVIDR=0x...; else the lowest.",
    ),
]
AlsoTarget = Annotated[
    list[str] | None,
    typer.Option(
        "--also-target",
        metavar="MIDR:REVIDR",
        help="A core of hosts to come: the guest's list of cores is fixed at boot. Repeatable.",
    ),
]
Vmm = Annotated[
    str,
    typer.Option(
        "--vmm",
        metavar="VMM",
        help="What restores the guest: kvm, qemu-10.0, qemu-11.1, FROM:TO, firecracker.",
    ),
]
Means = Annotated[
    str,
    typer.Option(
        "--means",
        metavar="MEANS",
        help="What gives the guest its CPU: passthrough, switches, sysreg, preload; else the cheapest is named.",
    ),
]
Switches = Annotated[
    str,
    typer.Option(
        "--switches",
        metavar="OPTIONS",
        help="Passthrough guests are started with these, as pmu=off,kvm-psci-version=1.1.",
    ),
]
