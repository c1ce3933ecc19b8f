"""The options --implementation and --also-target: implementations as a person writes them."""

from __future__ import annotations

from collections.abc import Sequence

from armlevel.errors import UnknownName, UsageError
from armlevel.operations.given import names_meant
from armlevel.profile import IMPLEMENTATION_REGISTERS, Host, Implementation

__all__ = ["implementation_named", "target"]

_REGISTERS = tuple(register.removesuffix("_EL1") for register in IMPLEMENTATION_REGISTERS)


def implementation_named(text: str, hosts: Sequence[Host]) -> Implementation | None:
    """Read ``--implementation``: ``lowest`` (None), a host's name, or ``MIDR=0x413fd0c1[,REVIDR=...][,AIDR=...]``.

    A number that is left out is that of the hosts which agree with the others; where none has it, it is not recorded.

    Raises:
        UsageError: it is none of these, or the host has several kinds of CPU.

    """
    if text in ("", "lowest"):
        return None
    if "=" in text:
        return _completed(_written(text), hosts)
    try:
        meant = names_meant(text, [one.name for one in hosts])
    except UnknownName as exc:
        names = ", ".join(one.name for one in hosts[:6])
        raise UsageError(
            f"--implementation {text}: no host of these is called so", hint=f"one of {names}, or MIDR=0x..."
        ) from exc
    if len(meant) > 1:
        raise UsageError(
            f"--implementation {text}: {len(meant)} hosts are called so",
            hint=f"one of {', '.join(meant[:6])}",
        )
    (host,) = (one for one in hosts if one.name == meant[0])
    kinds = sorted(host.implementations)
    if len(kinds) != 1:
        what = "several kinds of CPU" if kinds else "no recorded CPU"
        raise UsageError(
            f"--implementation {text}: this host has {what}", hint="write MIDR=0x...,REVIDR=0x..."
        )
    return kinds[0]


def target(text: str) -> Implementation:
    """Read ``--also-target MIDR[:REVIDR[:AIDR]]``.

    Raises:
        UsageError: a part is no number, or does not fit its register.

    >>> target("0x410fd4f1:0x17")
    Implementation(midr=1091556593, revidr=23, aidr=None)
    """
    parts = text.split(":")
    if len(parts) > len(_REGISTERS):
        raise UsageError(f"--also-target {text}: more than MIDR:REVIDR:AIDR", hint="as 0x410fd4f1:0x17")
    numbers = dict(zip(_REGISTERS, (_number(part, "--also-target", text) for part in parts), strict=False))
    return _made(numbers, "--also-target", text)


def _written(text: str) -> Implementation:
    numbers: dict[str, int] = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        key = name.strip().upper().removesuffix("_EL1")
        if key not in _REGISTERS:
            raise UsageError(f"--implementation {text}: {name.strip() or part!r} is no register of the implementation",
                             hint="MIDR, REVIDR and AIDR are")  # fmt: skip
        numbers[key] = _number(value, "--implementation", text)
    if "MIDR" not in numbers:
        raise UsageError(f"--implementation {text}: MIDR is missing", hint="as MIDR=0x413fd0c1,REVIDR=0xff")
    return _made(numbers, "--implementation", text)


def _number(text: str, option: str, whole: str) -> int:
    try:
        return int(text.strip(), 0)
    except ValueError as exc:
        raise UsageError(f"{option} {whole}: {text.strip()!r} is no number", hint="as 0x413fd0c1") from exc


def _made(numbers: dict[str, int], option: str, text: str) -> Implementation:
    for name, value in numbers.items():
        bits = 32 if name == "MIDR" else 64
        if not 0 <= value < 1 << bits:
            raise UsageError(f"{option} {text}: {name}_EL1 has {bits} bits", hint="as 0x413fd0c1")
    return Implementation(numbers["MIDR"], numbers.get("REVIDR"), numbers.get("AIDR"))


def _completed(asked: Implementation, hosts: Sequence[Host]) -> Implementation:
    shown = [one for host in hosts for one in host.implementations if asked.same_as(one) is not False]
    registers = asked.registers()
    for register in asked.unrecorded:
        values = {value for one in shown if (value := one.registers().get(register)) is not None}
        if len(values) == 1:
            registers[register] = values.pop()
    return Implementation.from_registers(registers) or asked
