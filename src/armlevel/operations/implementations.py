"""The options --implementation and --also-target: implementations as a person writes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from armlevel.errors import UsageError
from armlevel.profile import Host, Implementation

__all__ = ["implementation_named", "target"]

_REGISTERS = {"MIDR": "midr", "REVIDR": "revidr", "AIDR": "aidr"}


def implementation_named(text: str, hosts: Sequence[Host]) -> Implementation | None:
    """Read ``--implementation``: ``lowest`` (None), a host's name, or ``MIDR=0x413fd0c1[,REVIDR=...][,AIDR=...]``.

    Raises:
        UsageError: it is none of these, or the host has several kinds of CPU.

    """
    if text in ("", "lowest"):
        return None
    if "=" in text:
        return _written(text)
    host = next((one for one in hosts if one.name == text), None)
    if host is None:
        names = ", ".join(one.name for one in hosts[:6])
        raise UsageError(
            f"--implementation {text}: no host of these is called so", hint=f"one of {names}, or MIDR=0x..."
        )
    kinds = sorted({cpu.implementation for cpu in host.cpus} or _shown(host))
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
    Implementation(midr=1091556593, revidr=23, aidr=0)
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
    return Implementation(numbers["MIDR"], numbers.get("REVIDR", 0), numbers.get("AIDR", 0))


def _shown(host: Host) -> Iterable[Implementation]:
    limits = [offer.limits for offer in host.offers if "MIDR_EL1" in offer.limits]
    return {
        Implementation(one["MIDR_EL1"], one.get("REVIDR_EL1", 0), one.get("AIDR_EL1", 0)) for one in limits
    }
