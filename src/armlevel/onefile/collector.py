"""The one-file probe: `python3 armlevel-probe.pyz -o host.json`, on a bare host with Python 3.10 or newer.

Standard library only. It does what `armlevel probe` does and imports nothing that it does not need.
"""

from __future__ import annotations

import getopt
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from armlevel import __version__
from armlevel.documents.names import named, visible
from armlevel.documents.outputs import STDOUT, write_output
from armlevel.documents.write import host_object, pretty
from armlevel.errors import ArmlevelError
from armlevel.kvm.device import Kvm
from armlevel.probe import Machine, Probed, ProbePlan, probe_host, read_machine
from armlevel.profile import Made

__all__ = ["collect", "compiled_plan", "main", "written"]

_HELP = """\
usage: armlevel-probe [-o FILE [--force]] [-n NAME] [--no-vmms] [--thorough] [--time]

Reads this machine and its /dev/kvm, in scratch VMs only, and writes a host profile.

  -o, --output FILE  where to write it, whole or not at all (otherwise, and with -: standard output)
      --force        replace FILE also where it holds something else than a host profile
  -n, --name NAME    what to call the host (otherwise: its host name)
      --no-vmms      do not run the VMMs that are installed (qemu-system-aarch64 --version and so on)
      --thorough     ask every shape every question, also those that another shape answered
      --time         say on standard error what it cost
"""
BAD_USAGE = 2
INTERRUPTED = 130


def collect(
    plan: ProbePlan,
    *,
    name: str = "",
    thorough: bool = False,
    device: str = "/dev/kvm",
    vmms: bool = True,
) -> Probed:
    """Probe this machine; ``vmms`` runs the VMM programs that are installed, to ask their versions.

    Raises:
        KvmError: there is no KVM for Arm guests here, or none for this user; in a sentence.

    """
    machine = read_machine() if vmms else read_machine(vmms=False)
    _stay_on_one_kind(machine)
    name = name or visible(machine.name) or "host"
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    made = Made(f"armlevel {__version__}", plan.version, at, f"{device} of {name}")
    with Kvm(device) as kvm:
        return probe_host(kvm, replace(machine, name=name), plan, made=made, thorough=thorough)


def _stay_on_one_kind(machine: Machine) -> None:
    # Of CPUs that are not alike, KVM shows the one that a vCPU was made on: always one of the first kind, so that two
    # probes say the same. What is there already (a cpuset, taskset) is not widened.
    if len(machine.where) > 1 and (here := os.sched_getaffinity(0) & set(machine.where[0])):
        os.sched_setaffinity(0, here)


def written(probed: Probed) -> str:
    """Return the host-profile/1 document as text."""
    return pretty(host_object(probed.host))


def main(arguments: Sequence[str] | None = None) -> int:
    """Probe, write, and say in one sentence what went wrong if anything did; 0, or 2."""
    try:
        options, rest = getopt.gnu_getopt(
            list(sys.argv[1:] if arguments is None else arguments),
            "o:n:h",
            ["output=", "force", "name=", "no-vmms", "thorough", "time", "help", "version"],
        )
        given = dict(options)
        if rest:
            print(f"armlevel-probe: {rest[0]}: it reads no file", file=sys.stderr)
            return BAD_USAGE
        if "-h" in given or "--help" in given:
            print(_HELP, end="")
        elif "--version" in given:
            print(f"armlevel {__version__}")
        else:
            _probe(given)
    except (ArmlevelError, getopt.GetoptError) as exc:
        print(f"armlevel-probe: {exc}", file=sys.stderr)
        return BAD_USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _probe(given: Mapping[str, str]) -> None:
    start = time.perf_counter()
    name = named("--name", given.get("-n", given.get("--name", "")))
    probed = collect(
        compiled_plan(), name=name, thorough="--thorough" in given, vmms="--no-vmms" not in given
    )
    output = given.get("-o", given.get("--output", ""))
    _write(output, written(probed), force="--force" in given)
    for remark in probed.remarks:
        print(f"note: {remark}", file=sys.stderr)
    if "--time" in given:
        effort, seconds = probed.effort, time.perf_counter() - start
        print(
            f"{len(probed.host.offers)} shapes in {seconds:.2f} s, of which trying {effort.seconds:.2f} s "
            f"({effort.values} values in full)",
            file=sys.stderr,
        )


def compiled_plan() -> ProbePlan:
    """Return what a probe tries: compiled in the one-file program, else made of the rows."""
    try:
        from armlevel.probe.compiled import PLAN  # type: ignore[import-not-found,unused-ignore]  # only in the one-file probe
    except ImportError:
        from armlevel.arch import load
        from armlevel.probe import plan_of

        return plan_of(load())
    plan: ProbePlan = PLAN
    return plan


def _write(output: str, text: str, *, force: bool) -> None:
    if output not in ("", STDOUT):
        write_output(output, text, force=force)
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has seen enough; the interpreter shall not complain about it when it flushes again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
