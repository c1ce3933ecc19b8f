"""Emulated Arm hosts with real KVM: what there is, run something in one, probe one or many."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from armlevel.cli import lab_migrate, lab_tcg, progress
from armlevel.cli.emulated import host_typed
from armlevel.cli.files import is_file
from armlevel.cli.helping import Verb, VerbGroup
from armlevel.cli.many import counted
from armlevel.cli.options import Force, GuestFile, Json
from armlevel.cli.output import columns, say, say_json, tell, wrapped
from armlevel.cli.verify import report
from armlevel.documents.files import read_file
from armlevel.documents.outputs import write_output
from armlevel.documents.replace import replace_file
from armlevel.documents.write import guest_object, pretty
from armlevel.errors import LabError, UsageError
from armlevel.lab import (
    MODELS,
    PATIENCE,
    EmulatedHost,
    Job,
    Laboratory,
    LabProbe,
    LabSettings,
    pack_collector,
    pack_verifier,
    read_collector,
)
from armlevel.lab.results import list_lab
from armlevel.operations.named import guest_named
from armlevel.operations.verify import VerifyResult
from armlevel.probe.apply import Applied, Difference

__all__ = ["app"]

app = typer.Typer(cls=VerbGroup, add_completion=False, rich_markup_mode=None, no_args_is_help=False)
app.command("migrate", cls=Verb)(lab_migrate.run)
app.command("tcg", cls=Verb)(lab_tcg.run)

_Where = Annotated[str, typer.Argument(metavar="HOST", help="CPU@LINE with options: neoverse-v1,sve=off@7.x")]
_Many = Annotated[list[str], typer.Argument(metavar="HOST...", help="Hosts, as neoverse-n2@6.12.")]
_Mirror = Annotated[
    str, typer.Option("--mirror", metavar="URI", help="Debian's archive, if apt here knows none.")
]
_Keyring = Annotated[str, typer.Option("--keyring", metavar="FILE", help="The keys it is signed with.")]
_Qemu = Annotated[str, typer.Option("--qemu", metavar="FILE", help="Use this qemu-system-aarch64.")]
_Collector = Annotated[
    str, typer.Option("--probe", metavar="FILE", help="Run this one-file probe, not our own.")
]
_Timeout = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=1, help="Give a host up after this.")
]


@app.callback()
def _lab() -> None:
    """Boot emulated Arm hosts with real KVM: stock Debian kernels under QEMU, on any machine."""


@app.command("list", cls=Verb)
def list_hosts(
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask the mirror for newer packages.")] = False,
    mirror: _Mirror = "",
    keyring: _Keyring = "",
    qemu: _Qemu = "",
    as_json: Json = False,
) -> int:
    """List kernel lines with their newest releases, CPU models with their variants, and what is cached."""
    progress.begin("asking the archive")
    found = list_lab(_laboratory(mirror, keyring, qemu, refresh=refresh))
    if as_json:
        say_json(found.document())
        return found.status
    rows = [
        (s.line, s.release or "-", "cached" if s.cached else s.problem or "to be fetched")
        for s in found.lines
    ]
    cpus = [(model.name, "  ".join(model.variants)) for model in MODELS]
    cached = sum(one.cached for one in found.lines)
    head = f"{len(found.lines)} kernel lines, {counted(cached, len(found.lines))} cached; {len(MODELS)} CPU models; "
    say(
        [
            *wrapped(head + (found.emulator.partition(" (")[0] or "no emulator"), rest="    "),
            "",
            "kernel lines",
            *columns(rows, "  "),
            "",
            "CPU models, and options worth a host",
            *columns(cpus, "  "),
        ]
    )
    emulator = found.emulator or f"none: {found.problem}"
    say(["", *wrapped(emulator, "emulator  "), f"cache     {found.cache}"])
    return found.status


@app.command("run", cls=Verb)
def run_command(
    host: _Where,
    command: Annotated[
        list[str], typer.Argument(metavar="-- COMMAND...", help="One word is a shell command line.")
    ],
    files: Annotated[
        list[str] | None,
        typer.Option("-f", "--file", metavar="FILE", help="Put FILE beside the command. Repeatable."),
    ] = None,
    directory: Annotated[
        str, typer.Option("-d", metavar="DIR", help="Write what it leaves in $OUT there.")
    ] = "",
    timeout: _Timeout = PATIENCE,
    mirror: _Mirror = "",
    keyring: _Keyring = "",
    qemu: _Qemu = "",
) -> int:
    """Boot a host, run a command in it as root, print what it prints; exit as it does."""
    where = host_typed(host, command[0], order="lab run HOST -- COMMAND...")
    inside = {Path(name).name: read_file(name) for name in files or ()}
    script = command[0] if len(command) == 1 else shlex.join(command)
    progress.begin(f"{where}: {script}")
    result = _laboratory(mirror, keyring, qemu).run(where, Job(script, inside), timeout)
    progress.end()
    sys.stdout.write(result.stdout)
    sys.stdout.flush()
    sys.stderr.write(result.stderr)
    for name, data in result.files.items():
        if directory:
            target = Path(directory, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            replace_file(str(target), data)
    return result.status


@app.command("probe", cls=Verb)
def probe(
    host: _Where,
    output: Annotated[
        str,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Write the host profile to FILE; - is standard output."
        ),
    ] = "",
    force: Force = False,
    collector: _Collector = "",
    timeout: _Timeout = PATIENCE,
    mirror: _Mirror = "",
    keyring: _Keyring = "",
    qemu: _Qemu = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the profile (as without -o).")] = False,
) -> int:
    """Boot a host and probe its KVM; write the host profile."""
    where = host_typed(host)
    progress.begin(f"{where}: probing")
    probed = _laboratory(mirror, keyring, qemu).probe(where, _collector(collector), timeout)
    progress.end()
    for remark in probed.remarks:
        tell(remark)
    if is_file(output):
        write_output(output, probed.text, force=force)
        tell(f"{output}: {where}, probed in {probed.seconds:.1f} s, boot included")
    if as_json or not is_file(output):
        sys.stdout.write(probed.text)
    return 0


@app.command("verify", cls=Verb)
def verify(
    host: _Where,
    guest: GuestFile,
    timeout: _Timeout = PATIENCE,
    mirror: _Mirror = "",
    keyring: _Keyring = "",
    qemu: _Qemu = "",
    as_json: Json = False,
) -> int:
    """Boot a host and give a scratch VM there the guest's CPU; compare."""
    where = host_typed(host, guest, order="lab verify HOST GUEST")
    wanted = guest_named(guest)
    text = pretty(guest_object(wanted)).encode()
    progress.begin(f"{where}: verifying")
    found = json.loads(_laboratory(mirror, keyring, qemu).verify(where, text, pack_verifier(), timeout))
    applied = Applied(
        tuple(Difference(*one) for one in found["differences"]),
        tuple(Difference(*one) for one in found["notes"]),
        found["read"],
        found["gic"],
    )
    return report(VerifyResult(wanted, applied, str(where)), as_json=as_json)


@app.command("hosts", cls=Verb)
def probe_hosts(
    hosts: _Many,
    directory: Annotated[
        str, typer.Option("-d", "--directory", metavar="DIR", help="Write the host profiles there.")
    ],
    force: Force = False,
    jobs: Annotated[
        int, typer.Option("-j", "--jobs", metavar="N", min=0, help="Hosts at a time; 0: one a core.")
    ] = 0,
    collector: _Collector = "",
    timeout: _Timeout = PATIENCE,
    mirror: _Mirror = "",
    keyring: _Keyring = "",
    qemu: _Qemu = "",
) -> int:
    """Boot and probe several hosts; write a directory of host profiles.

    A line that the mirror no longer has is said and skipped; exit 1 if another host failed.
    """
    lab = _laboratory(mirror, keyring, qemu)
    wanted = _available(lab, list(dict.fromkeys(map(host_typed, hosts))))
    Path(directory).mkdir(parents=True, exist_ok=True)
    progress.begin("probing hosts")
    lab.prepare(wanted[0])
    probe_files, failed, done = _collector(collector), 0, 0

    def ask(host: EmulatedHost) -> LabProbe:
        return lab.probe(host, probe_files, timeout)

    for host, answer in lab.fleet(wanted, ask, jobs or len(os.sched_getaffinity(0))):
        done += 1
        progress.step(done, len(wanted))
        counted = f"{done} of {len(wanted)}  {host}"
        if isinstance(answer, LabError):
            failed += 1
            tell(f"{counted}: {answer}")
            continue
        write_output(str(Path(directory, f"{host}.json")), answer.text, force=force)
        tell(f"{counted}  {answer.seconds:.1f} s")
        for remark in answer.remarks:
            tell(f"  {remark}")
    return 1 if failed else 0


def _available(lab: Laboratory, hosts: list[EmulatedHost]) -> list[EmulatedHost]:
    problems = {s.line: s for s in lab.kernels(list(dict.fromkeys(host.line for host in hosts))) if s.problem}
    for line, state in problems.items():
        tell(f"skipped, for line {line} is not to be had: {state.problem}")
    left = [host for host in hosts if host.line not in problems]
    if not left:
        raise UsageError("none of these hosts is to be had", hint="armlevel lab list shows the lines")
    return left


def _collector(path: str) -> Mapping[str, bytes]:
    return read_collector(Path(path)) if path else pack_collector()


def _laboratory(mirror: str, keyring: str, qemu: str, *, refresh: bool = False) -> Laboratory:
    return Laboratory(
        LabSettings.of(os.environ, mirror=mirror, keyring=keyring, qemu=qemu), tell, refresh, progress.watch
    )
