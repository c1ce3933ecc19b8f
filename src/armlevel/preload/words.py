"""A QEMU command line taken apart: the program, whatever starts it, and options with their values.

QEMU takes an option with one dash or two. Which options take the next word as their value is in the rows of
``arch/data/qemu_options.toml``; a command line with an option of no row cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from armlevel.arch import load

__all__ = ["PROGRAM", "CommandLine", "Option", "join", "split"]

#: What a program that is QEMU is called.
PROGRAM = re.compile(r"(?:[^=]*/)?(?:qemu-system-aarch64|qemu-kvm)[^/]*")


@dataclass(frozen=True, slots=True)
class Option:
    """One option; ``value`` is None for those that take none."""

    name: str
    value: str | None = None

    def __str__(self) -> str:
        """Return the option as a command line has it."""
        return f"-{self.name}" if self.value is None else f"-{self.name} {self.value}"


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A command line: what comes before QEMU's options, QEMU included, the options, and why it cannot be read.

    >>> line = CommandLine.of(
    ...     ["nice", "-n", "5", "qemu-system-aarch64", "--cpu", "host", "-S", "-append", "-cpu x"]
    ... )
    >>> line.before, [str(option) for option in line.options]
    (('nice', '-n', '5', 'qemu-system-aarch64'), ['-cpu host', '-S', '-append -cpu x'])
    """

    before: tuple[str, ...]
    options: tuple[Option, ...]
    faults: tuple[str, ...] = ()

    @classmethod
    def of(cls, command: Sequence[str]) -> CommandLine:
        """Take a command line apart; the program is the first word that is called like QEMU, else the first."""
        start = next((i for i, word in enumerate(command) if PROGRAM.fullmatch(word)), 0)
        words, rows = iter(command[start + 1 :]), load().qemu_options
        options, faults = [], []
        for word in words:
            if not word.startswith("-"):
                options.append(Option("", word))
                continue
            name = word.removeprefix("-").removeprefix("-")
            if name not in rows:
                faults.append(f"{word} is no option of QEMU 10 or 11, so it is not known what follows it")
                break
            value = next(words, None) if rows[name].value else None
            if rows[name].value and value is None:
                faults.append(f"{word} lacks its value")
            options.append(Option(name, value))
        return cls(tuple(command[: start + 1]), tuple(options), tuple(faults))

    def all(self, *names: str) -> list[Option]:
        """Return every option that is called one of ``names``."""
        return [option for option in self.options if option.name in names]

    def replaced(self, others: Mapping[tuple[str, ...], Sequence[Option]]) -> CommandLine:
        """Put ``others`` where the first option of their names stands, or at the end, and take the rest of them out."""
        found: list[Option] = []
        waiting = dict(others)
        by_name = {name: names for names in others for name in names}
        for option in self.options:
            names = by_name.get(option.name)
            if names is None:
                found.append(option)
            elif names in waiting:
                found += waiting.pop(names)
        # The accelerator goes behind the machine that named it.
        for options in waiting.values():
            place = next(
                (i + 1 for i, one in reversed([*enumerate(found)]) if one.name in {"machine", "M"}), 0
            )
            found[place:place] = options
        return CommandLine(self.before, tuple(found), self.faults)

    def words(self) -> Iterator[str]:
        """Yield the words of the command line."""
        yield from self.before
        for option in self.options:
            if option.name:
                yield f"-{option.name}"
            if option.value is not None:
                yield option.value


def split(text: str | None) -> list[str]:
    """Return the parts of an option's value; a doubled comma is no comma between them.

    >>> split("virt,a=b,,c,d=e")
    ['virt', 'a=b,,c', 'd=e']
    >>> split("a=b,,,accel=tcg")
    ['a=b,,', 'accel=tcg']
    """
    # QEMU reads from the left: of three commas the first two are one in the value.
    return re.findall(r"(?:[^,]|,,)+", text or "") or [""]


def join(parts: Sequence[str]) -> str:
    """Join the parts of an option's value."""
    return ",".join(part for part in parts if part)
