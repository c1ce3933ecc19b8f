"""A QEMU command line and a guest profile: what is missing is added, what contradicts is said.

What QEMU is told decides the vCPU's shape, its vector lengths and its interrupt controller; everything else the library
writes. The library has the last word: it ends QEMU if a vCPU is not what the profile says, whatever was missed here
(``-readconfig``, a wrapper's own options). Source: QEMU system/vl.c, hw/core/machine.c, target/arm/cpu64.c.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from armlevel.preload.library import DEVICE
from armlevel.preload.words import CommandLine, Option, join, split

__all__ = ["Fitted", "fit"]

_TRUTH = {"on": "on", "yes": "on", "true": "on", "off": "off", "no": "off", "false": "off"}
_MODELS = ("host", "max")
_BOARD_OPT_INS = ("mte", "virtualization")
_ASKS = ("h", "help", "version")
_VERSIONED = re.compile(r"-\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A command line that goes with a profile, or the sentences that say why it does not.

    ``added``      what was put in, as words of a command line
    ``notes``      what may go wrong later
    ``incoming``   the guest comes from elsewhere; else it is born here
    ``guestless``  QEMU is only asked something: no machine is made
    """

    command: tuple[str, ...]
    added: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    incoming: bool = False
    guestless: bool = False


def fit(command: Sequence[str], board: Mapping[str, str], cpu: Mapping[str, str]) -> Fitted:
    """Fit a command line to the ``-machine`` and ``-cpu`` options that go with a profile.

    >>> words = "qemu-system-aarch64 -M virt-10.0,accel=kvm -cpu host,sve=off -m 1G".split()
    >>> fitted = fit(words, {"gic-version": "3"}, {"sve": "off", "pauth": "off"})
    >>> " ".join(fitted.command[1:])
    '-M virt-10.0,gic-version=3 -accel kvm,device=/dev/kvm-armlevel -cpu host,sve=off,pauth=off -m 1G'
    >>> fit([*words, "-cpu", "host,sve=on"], {}, {"sve": "off"}).faults
    ('-cpu host,sve=on contradicts the profile: it needs sve=off',)
    """
    line = CommandLine.of(command)
    if _guestless(line):
        return Fitted(command=tuple(command), guestless=True)
    notes = [f"{option} is not looked into" for option in line.all("readconfig")]
    machine, accel, model = _machine(line, board), _accelerator(line), _cpu(line, cpu)
    faults = [*machine.faults, *accel.faults, *model.faults, *_globals(line)]
    added = (*machine.added, *accel.added, *model.added)
    options = line.replaced(
        {("machine", "M"): machine.options, ("accel", "enable-kvm"): accel.options, ("cpu",): model.options}
    )
    return Fitted(
        command=tuple(options.words()),
        added=added,
        faults=tuple(faults),
        notes=(*notes, *machine.notes),
        incoming=bool(line.all("incoming", "loadvm")),
    )


@dataclass(frozen=True, slots=True)
class _Part:
    # The options that stand for all of one kind, and what became of them.
    options: tuple[Option, ...]
    added: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def _guestless(line: CommandLine) -> bool:
    machines = [split(option.value)[0] for option in line.all("machine", "M") if option.value]
    return (
        bool(line.all(*_ASKS))
        or any(option.value in {"help", "?"} for option in line.options)
        or any(name.removeprefix("type=") in {"none", "help", "?"} for name in machines)
    )


def _machine(line: CommandLine, board: Mapping[str, str]) -> _Part:
    given = line.all("machine", "M")
    if not given:
        return _Part((), faults=("-machine is missing: name a versioned one, as -machine virt-10.0",))
    parts = [part for option in given for part in split(option.value) if not part.startswith("accel=")]
    kinds = [part.removeprefix("type=") for part in parts if "=" not in part or part.startswith("type=")]
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
    last = given[-1].value if given else "kvm"
    device = _properties(split(last)).get("device")
    wanted = f"device={DEVICE}"
    if device == DEVICE:
        return _Part((Option("accel", last),), (), tuple(faults))
    if device is not None:
        faults.append(f"-accel kvm,device={device}: only the library may open the device; take device= out")
    return _Part((Option("accel", f"{last},{wanted}"),), (f"-accel kvm,{wanted}",), tuple(faults))


def _cpu(line: CommandLine, cpu: Mapping[str, str]) -> _Part:
    given = line.all("cpu")
    wanted = [f"{name}={value}" for name, value in cpu.items()]
    if not given:
        text = join(["host", *wanted])
        return _Part((Option("cpu", text),), (f"-cpu {text}",))
    model, *parts = split(given[-1].value)
    known = _properties(parts)
    faults = [f"-cpu {model}: KVM gives a profile to -cpu host only"] if model not in _MODELS else []
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
        if "arm-cpu" in (option.value or ""):
            yield f"{option} changes the CPU beside -cpu; take it out"


def _properties(parts: Sequence[str]) -> dict[str, str]:
    return {name: value for name, equals, value in (part.partition("=") for part in parts) if equals}


def _same(name: str, given: str, wanted: str) -> bool:
    # `max` and `host` are the host's best interrupt controller; whether that is the profile's is read back.
    if name == "gic-version" and wanted == "3" and given in {"max", "host"}:
        return True
    return _TRUTH.get(given, given) == _TRUTH.get(wanted, wanted)
