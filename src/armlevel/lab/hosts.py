"""How an emulated host is called: CPU model, kernel line, and what differs from the plain machine.

::

    neoverse-n2@6.12                          a model on the newest kernel of a line
    neoverse-v1,sve=off@6.18                  options of the CPU stand behind its model, as QEMU spells them
    max@7.x,mte=on                            options of the machine stand behind the line
    max@7.x,boot=kvm-arm.mode=nested          ... so do words for the kernel's command line, one ``boot=`` each
    neoverse-n2@7.x,gic=2                     ... the version of its interrupt controller, where it is not 3
    neoverse-n2@7.x,pages=16k                 ... and the size of its kernel's pages, where it is not 4k

The same host has one spelling: CPU options are sorted, options at their default are left out.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace

from armlevel.errors import UnknownName, UsageError
from armlevel.lab.lines import FLAVOURS, is_line

__all__ = ["MODELS", "EmulatedHost", "Model", "parse_host"]

_WORD = re.compile(r"[a-z0-9][a-z0-9.-]*")
_BOOT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=:-]*")
_MEMORY = 512  # MiB: the kernel counts its first root twice while it unpacks it
_GIC = 3
_PAGES = "4k"


@dataclass(frozen=True, slots=True)
class Model:
    """A CPU model of QEMU, and the option sets that make hosts worth having beside the plain one."""

    name: str
    variants: tuple[str, ...] = ()


MODELS = (
    Model("cortex-a53"),
    Model("cortex-a57"),
    Model("cortex-a72"),
    Model("cortex-a76"),
    Model("cortex-a710", ("sve=off",)),
    Model("neoverse-n1", ("cntfrq=100000000",)),
    Model("neoverse-n2", ("sve=off",)),
    Model("neoverse-v1", ("sve=off",)),
    Model("a64fx", ("sve=off",)),
    Model(
        "max",
        ("sve=off", "pauth-qarma5=on", "pauth-qarma3=on", "pauth-impdef=on", "cntfrq=62500000"),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatedHost:
    """One emulated host; ``str`` gives its one spelling.

    >>> host = parse_host("neoverse-v1,sve=off@6.18")
    >>> host.cpu, host.cpu_options, host.line
    ('neoverse-v1', (('sve', 'off'),), '6.18')
    """

    cpu: str
    line: str
    cpu_options: tuple[tuple[str, str], ...] = ()
    smp: int = 1
    memory: int = _MEMORY
    mte: bool = False
    gic: int = _GIC
    pages: str = _PAGES
    boot: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the spelling :func:`parse_host` takes."""
        return f"{self.qemu_cpu}@{','.join([self.line, *self._machine()])}"

    @property
    def qemu_cpu(self) -> str:
        """Return the CPU as QEMU's ``-cpu`` wants it."""
        return ",".join([self.cpu, *(f"{name}={value}" for name, value in self.cpu_options)])

    def _machine(self) -> list[str]:
        words = [f"smp={self.smp}"] if self.smp != 1 else []
        words += [f"memory={self.memory}"] if self.memory != _MEMORY else []
        words += ["mte=on"] if self.mte else []
        words += [f"gic={self.gic}"] if self.gic != _GIC else []
        words += [f"pages={self.pages}"] if self.pages != _PAGES else []
        return words + [f"boot={word}" for word in self.boot]


def parse_host(text: str) -> EmulatedHost:
    """Return the host that ``text`` names.

    Raises :class:`UnknownName` for a model no row has, :class:`UsageError` for everything else that is wrong.

    >>> str(parse_host("max,sve=off,cntfrq=62500000@7.x,mte=on,smp=1"))
    'max,cntfrq=62500000,sve=off@7.x,mte=on'
    """
    silicon, at, software = text.partition("@")
    if not at:
        raise UsageError(
            f"{text!r} names no kernel line", hint=f"write CPU@LINE, for example {_example(text)}@6.12"
        )
    cpu, *cpu_options = silicon.split(",")
    line, *machine = software.split(",")
    names = [model.name for model in MODELS]
    if cpu not in names:
        raise UnknownName("CPU model of the lab", cpu, tuple(difflib.get_close_matches(cpu, names, 2)))
    if not is_line(line):
        raise UsageError(f"{line!r} in {text!r} is no kernel line", hint="lines look like 6.1, 6.12 or 7.x")
    return _with_machine(
        text, EmulatedHost(cpu=cpu, line=line, cpu_options=_cpu_options(text, cpu_options)), machine
    )


def _example(text: str) -> str:
    cpu = text.partition(",")[0]
    return text if any(model.name == cpu for model in MODELS) else "neoverse-n1"


def _cpu_options(text: str, words: list[str]) -> tuple[tuple[str, str], ...]:
    options: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (equals and _WORD.fullmatch(name) and _WORD.fullmatch(value)):
            raise UsageError(
                f"{word!r} in {text!r} is no CPU option", hint="write name=value, for example sve=off"
            )
        if options.setdefault(name, value) != value:
            raise UsageError(f"{text!r} sets {name} twice")
    return tuple(sorted(options.items()))


def _with_machine(text: str, host: EmulatedHost, words: list[str]) -> EmulatedHost:
    smp, memory, mte, boot = host.smp, host.memory, host.mte, list(host.boot)
    gic, pages = host.gic, host.pages
    for word in words:
        name, _, value = word.partition("=")
        if name == "smp" and value.isdecimal() and 1 <= int(value) <= 8:
            smp = int(value)
        elif name == "memory" and value.isdecimal() and 256 <= int(value) <= 16384:
            memory = int(value)
        elif name == "mte" and value in {"on", "off"}:
            mte = value == "on"
        elif name == "gic" and value in {"2", "3"}:
            gic = int(value)
        elif name == "pages" and value in FLAVOURS:
            pages = value
        elif name == "boot" and _BOOT.fullmatch(value):
            boot.append(value)
        else:
            raise UsageError(
                f"{word!r} in {text!r} is no machine option",
                hint="there are smp=1..8, memory=256..16384 (MiB), mte=on, gic=2, pages=16k and boot=WORD",
            )
    return replace(host, smp=smp, memory=memory, mte=mte, gic=gic, pages=pages, boot=tuple(boot))
