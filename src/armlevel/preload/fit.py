"""A QEMU command line and a guest profile: what is missing is added, what contradicts is said.

What QEMU is told decides the vCPU's shape, its vector lengths and its interrupt controller; everything else the
library writes, and it ends QEMU if a vCPU is not what the profile says. What the library cannot see is a guest without
KVM: so a command line has to be read whole, has one accelerator, and ``-cpu host``, which TCG refuses. Source: QEMU
system/vl.c, hw/core/machine.c, hw/core/null-machine.c, hw/core/qdev.c, target/arm/cpu64.c.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from armlevel.arch import load
from armlevel.preload.launch import Starts
from armlevel.preload.library import DEVICE
from armlevel.preload.words import PROGRAM, CommandLine, Option, join, split

__all__ = ["Fitted", "fit"]

_TRUTH = {"on": "on", "yes": "on", "true": "on", "off": "off", "no": "off", "false": "off"}
_BOARD_OPT_INS = ("mte", "virtualization")
_HELP = frozenset({"help", "?"})
# Programs that become the one they are told to start: the process stays the same.
_BECOMES = frozenset("chrt env ionice nice nohup numactl prlimit setarch setpriv stdbuf taskset".split())  # noqa: SIM905
# Classes that a -cpu is one of, and the accelerator: -global reaches what is made of them.
_CPU_CLASSES = re.compile(r"(?:(?:.+-)?arm-cpu|cpu|device|(?:.+-)?accel)")
_VERSIONED = re.compile(r"-\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A command line that goes with a profile, or the sentences that say why it does not.

    ``added``      what was put in, as words of a command line
    ``notes``      what may go wrong later
    ``incoming``   the guest comes from elsewhere; else it is born here
    ``guestless``  why there will be no guest: QEMU is only asked something, or has no machine; else empty
    """

    command: tuple[str, ...]
    starts: Starts
    added: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    incoming: bool = False
    guestless: str = ""


def fit(command: Sequence[str], board: Mapping[str, str], cpu: Mapping[str, str]) -> Fitted:
    """Fit a command line to the ``-machine`` and ``-cpu`` options that go with a profile.

    >>> words = "qemu-system-aarch64 -M virt-10.0,accel=kvm -cpu host,sve=off -m 1G".split()
    >>> fitted = fit(words, {"gic-version": "3"}, {"sve": "off", "pauth": "off"})
    >>> " ".join(fitted.command[1:])
    '-M virt-10.0,gic-version=3 -accel kvm,device=/dev/kvm-armlevel -cpu host,sve=off,pauth=off -m 1G -no-user-config'
    >>> fit([*words, "-cpu", "host,sve=on"], {}, {"sve": "off"}).faults
    ('-cpu host,sve=on contradicts the profile: it needs sve=off',)
    """
    line = CommandLine.of(command)
    incoming = bool(line.all("incoming", "loadvm"))
    starts = Starts(
        program=line.before[-1],
        direct=_is_direct(line.before),
        detaches=bool(line.all("daemonize")),
        waits=bool(line.all("S", "incoming", "preconfig")),
    )
    refused = [*line.faults, *_refused(line)]
    if not refused and (guestless := _guestless(line)):
        left, why = guestless
        fault = f"{why}: start QEMU itself, {line.before[0]} may do anything with that"
        return Fitted(
            command=tuple(left.words()),
            starts=starts,
            guestless=why,
            faults=() if starts.direct else (fault,),
        )
    machine, accel, model = _machine(line, board), _accelerator(line), _cpu(line, cpu)
    faults = refused
    if not line.faults:
        faults += [*machine.faults, *accel.faults, *model.faults, *_globals(line)]
    # Else QEMU reads qemu.conf, another file of options.
    alone = () if line.all("no-user-config") else (Option("no-user-config"),)
    options = line.replaced(
        {("machine", "M"): machine.options, ("accel", "enable-kvm"): accel.options, ("cpu",): model.options}
    )
    return Fitted(
        command=tuple(replace(options, options=(*options.options, *alone)).words()),
        starts=starts,
        added=(*map(str, alone), *machine.added, *accel.added, *model.added),
        faults=tuple(faults),
        notes=machine.notes,
        incoming=incoming,
    )


@dataclass(frozen=True, slots=True)
class _Part:
    # The options that stand for all of one kind, and what became of them.
    options: tuple[Option, ...]
    added: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def _is_direct(before: Sequence[str]) -> bool:
    # Each word that may be a program has to be known to become the next one.
    programs = [word for word in before[:-1] if shutil.which(word)]
    known = {word.rpartition("/")[2] for word in programs} <= _BECOMES
    return bool(PROGRAM.fullmatch(before[-1])) and known and before[0] in (*programs, before[-1])


def _guestless(line: CommandLine) -> tuple[CommandLine, str] | None:
    # Of a question nothing else is left, so that nothing else can come of it; a machine without a CPU stays as it is.
    rows = load().qemu_options
    for option in line.options:
        row = rows.get(option.name)
        last = line.all(option.name)[-1] is option
        if row and (row.exits or (option.value in _HELP and (row.asks == "any" or (row.asks and last)))):
            alone = CommandLine(line.before, (option,))
            return alone, f"{option} only asks QEMU something, and the rest of the command line is left away"
    if _kinds(line)[-1:] == ["none"] and not line.all("cpu", "kernel", "loadvm", "incoming"):
        loads = any("loader" in (option.value or "") for option in line.all("device"))
        return None if loads else (line, "-machine none has no CPU")
    return None


def _kinds(line: CommandLine) -> list[str]:
    # The machine's type, as often as it is said: the last one is made.
    parts = [split(option.value) for option in line.all("machine", "M")]
    return [
        part.removeprefix("type=")
        for said in parts
        for place, part in enumerate(said)
        if part.startswith("type=") or (place == 0 and "=" not in part)
    ]


def _refused(line: CommandLine) -> Iterator[str]:
    rows = load().qemu_options
    for option in line.options:
        row = rows.get(option.name)
        if row and row.refused:
            yield f"-{option.name}: {row.refused}"
        elif row and row.only and not (option.value or "").startswith(row.only):
            yield f"{option} may change the accelerator or the CPU; write the option itself"


def _machine(line: CommandLine, board: Mapping[str, str]) -> _Part:
    given = line.all("machine", "M")
    if not given:
        return _Part((), faults=("-machine is missing: name a versioned one, as -machine virt-10.0",))
    parts = [part for option in given for part in split(option.value) if not part.startswith("accel=")]
    kinds = _kinds(line)
    if kinds[-1:] == ["none"]:
        return _Part(
            (), faults=("-machine none with a CPU is a guest without a machine; name a versioned one",)
        )
    if not kinds:
        return _Part((), faults=("-machine names no type: name a versioned one, as -machine virt-10.0",))
    known = _properties(parts)
    faults = [
        f"-machine {name}={known[name]} contradicts the profile: it needs {name}={value}"
        for name, value in board.items()
        if name in known and not _same(name, known[name], value)
    ]
    faults += [
        f"-machine {name}=on contradicts the profile: it needs {name}=off"
        for name in _BOARD_OPT_INS
        if name not in board and _TRUTH.get(known.get(name, ""), "off") == "on"
    ]
    missing = [f"{name}={value}" for name, value in board.items() if name not in known]
    notes = [
        f"-machine {kind} is another machine in each version of QEMU; a guest that moves needs one that both ends "
        f"have, as {kind}-10.0"
        for kind in kinds[-1:]
        if not _VERSIONED.search(kind)
    ]
    kept = [
        Option(one.name, join([part for part in split(one.value) if not part.startswith("accel=")]))
        for one in given
    ]
    kept = [one for one in kept if one.value]
    if missing and kept:
        kept[-1] = Option(kept[-1].name, join([kept[-1].value or "", *missing]))
    added = (f"-machine {','.join(missing)}",) if missing else ()
    return _Part(tuple(kept), added, tuple(faults), tuple(notes))


def _accelerator(line: CommandLine) -> _Part:
    named = [
        part.removeprefix("accel=")
        for option in line.all("machine", "M")
        for part in split(option.value)
        if part.startswith("accel=")
    ]
    given = line.all("accel")
    kinds = [kind for text in named for kind in text.split(":")] + [split(one.value)[0] for one in given]
    kinds = [kind.removeprefix("accel=") for kind in kinds]
    faults = [
        f"-accel {kind}: a guest profile needs KVM, and no accelerator to fall back on; take it out"
        for kind in dict.fromkeys(kinds)
        if kind != "kvm"
    ]
    if len(given) > 1:
        faults.append("-accel stands there twice, and QEMU takes the first that works; leave one")
    said = given[0].value or "" if given else "kvm"
    devices = [part.removeprefix("device=") for part in split(said) if part.startswith("device=")]
    wanted = f"device={DEVICE}"
    if devices == [DEVICE]:
        return _Part((Option("accel", said),), (), tuple(faults))
    faults += [
        f"-accel kvm,device={device}: only the library may open the device; take device= out"
        for device in devices
    ]
    return _Part((Option("accel", f"{said},{wanted}"),), (f"-accel kvm,{wanted}",), tuple(faults))


def _cpu(line: CommandLine, cpu: Mapping[str, str]) -> _Part:
    given = line.all("cpu")
    wanted = [f"{name}={value}" for name, value in cpu.items()]
    if not given:
        text = join(["host", *wanted])
        return _Part((Option("cpu", text),), (f"-cpu {text}",))
    model, *parts = split(given[-1].value)
    known = _properties(parts)
    faults = [f"-cpu {model}: KVM gives a profile to -cpu host only"] if model != "host" else []
    faults += [
        f"-cpu {model},{name}={known[name]} contradicts the profile: it needs {name}={value}"
        for name, value in cpu.items()
        if name in known and not _same(name, known[name], value)
    ]
    faults += [
        f"-cpu {model},{name}={value} contradicts the profile: it needs {name}=off"
        for name, value in known.items()
        if re.fullmatch(r"sve\d+|aarch64", name)
        and name not in cpu
        and _TRUTH.get(value) == ("off" if name == "aarch64" else "on")
    ]
    missing = [f"{name}={value}" for name, value in cpu.items() if name not in known]
    added = (f"-cpu {','.join([model, *missing])}",) if missing else ()
    return _Part((Option("cpu", join([model, *parts, *missing])),), added, tuple(faults))


def _globals(line: CommandLine) -> Iterator[str]:
    for option in line.all("global"):
        parts = split(option.value)
        driver = next((part[7:] for part in parts if part.startswith("driver=")), parts[0].partition(".")[0])
        if _CPU_CLASSES.fullmatch(driver):
            yield f"{option} changes the CPU beside -cpu; take it out"


def _properties(parts: Sequence[str]) -> dict[str, str]:
    return {name: value for name, equals, value in (part.partition("=") for part in parts) if equals}


def _same(name: str, given: str, wanted: str) -> bool:
    # `max` and `host` are the host's best interrupt controller; whether that is the profile's is read back.
    if name == "gic-version" and wanted == "3" and given in {"max", "host"}:
        return True
    return _TRUTH.get(given, given) == _TRUTH.get(wanted, wanted)
