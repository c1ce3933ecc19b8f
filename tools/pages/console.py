"""The commands of a page: what is in its ``console`` blocks, what they print, and what the page says they print.

A block's second word says where its commands can run: none, anywhere; ``checkout``, in a fresh copy of this
repository; ``lab``, where emulated hosts boot; ``real``, on an Arm host or with a program that is not here.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from typer.main import get_command

from armlevel.cli.app import _app

__all__ = ["WHERE", "Block", "Command", "Ran", "blocks_of", "mentions", "objection", "run", "says"]

WHERE = ("", "checkout", "lab", "real")

_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = "\x1e"
_ELIDED = "..."


@dataclass(frozen=True, slots=True)
class Command:
    """A command line and the lines that follow it; ``...`` alone on a line stands for any lines."""

    line: str
    prints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Commands that a person types one after the other."""

    where: str
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command did: what a terminal would have shown, and its exit status."""

    command: Command
    printed: str
    code: int

    def __str__(self) -> str:
        """As a person would see it."""
        return f"$ {self.command.line}\n{self.printed}[exit status {self.code}]"


def blocks_of(text: str) -> list[Block]:
    """Return the console blocks of a page's text."""
    blocks = []
    for words, body in _FENCE.findall(text):
        language, _, where = words.partition(" ")
        if language != "console":
            continue
        commands: list[Command] = []
        for line in body.splitlines():
            if line.startswith("$ "):
                commands.append(Command(line[2:], ()))
            elif commands[-1].line.endswith("\\"):
                commands[-1] = Command(f"{commands[-1].line}\n{line}", ())
            else:
                commands[-1] = Command(commands[-1].line, (*commands[-1].prints, line))
        blocks.append(Block(where.strip(), tuple(commands)))
    return blocks


def mentions(text: str) -> list[str]:
    """Return the command lines of ours that a page holds outside of its console blocks.

    >>> mentions("ask `armlevel facts FEAT_SVE`")
    ['armlevel facts FEAT_SVE']
    """
    found = []
    for words, body in _FENCE.findall(text):
        if not words.startswith("console"):
            lines = body.replace("\\\n", " ").splitlines()
            found += [
                match[1] for line in lines if (match := re.search(r"(?:^|exec |/)(armlevel [a-z].*)", line))
            ]
    spans = re.findall(r"`(armlevel [^`]+)`", _FENCE.sub("", text))
    return [*found, *(" ".join(span.split()) for span in spans)]


def objection(line: str) -> str:
    """Say what armlevel's own parser has against a command line; empty if nothing.

    >>> objection("armlevel matrix hosts --svg picture.svg | head -3")
    ''
    >>> objection("armlevel matrix hosts --png picture.png")
    'No such option: --png'
    """
    words = shlex.split(re.split(r" (?:\||[0-9]?>|&&|;)", line.replace("\\\n", " "))[0])
    command, name, context = get_command(_app), words[0], None
    rest = words[1:]
    while True:
        try:
            context = command.make_context(name, rest, parent=context)
            if not hasattr(command, "resolve_command"):
                return ""
            left = [*getattr(context, "_protected_args", ()), *context.args]
            if not left:
                return "Missing command"
            found, command, rest = command.resolve_command(context, left)
            name = str(found)
        except Exception as exc:
            if hasattr(exc, "format_message"):
                return str(exc)
            raise


def run(commands: Iterable[Command], folder: Path, environment: Mapping[str, str], seconds: int) -> list[Ran]:
    """Run commands one after the other in one shell; return what each did.

    Raises:
        subprocess.TimeoutExpired: they took longer than ``seconds`` altogether.
    """
    listed = list(commands)
    # After each command $? is what it was, so that `echo $?` says what a person would see.
    end = f"code=$?; printf '{_MARK}%s\\n' $code; (exit $code)"
    script = "".join(f"printf '{_MARK}'; (exit $code)\n{one.line}\n{end}\n" for one in listed)
    done = subprocess.run(
        ["bash", "-c", f"code=0\n{script}"],
        stdin=subprocess.DEVNULL,
        cwd=folder,
        env={**environment, "NO_COLOR": "1", "COLUMNS": "80", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    found = re.findall(f"{_MARK}(.*?){_MARK}(\\d+)\n", done.stdout, re.DOTALL)
    if len(found) != len(listed):
        raise RuntimeError(f"{len(found)} of {len(listed)} commands ended: {done.stdout[-2000:]}")
    return [Ran(one, printed, int(code)) for one, (printed, code) in zip(listed, found, strict=True)]


def says(ran: Ran) -> bool:
    r"""Whether a command printed what its page shows.

    >>> says(Ran(Command("seq 3", ("1", "...", "3")), "1\n2\n3\n", 0))
    True
    """
    parts = [".*" if line == _ELIDED else re.escape(line) + r"\n" for line in ran.command.prints]
    printed = re.sub(r" +$", "", ran.printed, flags=re.MULTILINE)
    printed = f"{printed}\n" if printed and not printed.endswith("\n") else printed
    return re.fullmatch("".join(parts), printed, re.DOTALL) is not None
