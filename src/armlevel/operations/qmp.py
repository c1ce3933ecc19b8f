"""A running QEMU, asked over its QMP socket which properties ``-cpu host`` has."""

from __future__ import annotations

import asyncio
import logging
import stat
from pathlib import Path
from typing import Any

from armlevel.errors import UsageError

__all__ = ["ask", "is_socket"]

_PATIENCE = 30.0  # seconds; a QEMU that answers takes far less than one
_QUESTIONS: dict[str, dict[str, Any]] = {
    "query-cpu-model-expansion": {"type": "full", "model": {"name": "host"}},
    "qom-list-properties": {"typename": "host-arm-cpu"},
}


def is_socket(path: str) -> bool:
    """Whether a path is that of a Unix socket."""
    try:
        return stat.S_ISSOCK(Path(path).stat().st_mode)
    except (OSError, ValueError):
        return False


def ask(path: str, model: str = "host") -> dict[str, Any]:
    """Return QEMU's answers by the names of the commands; what it refuses is left out.

    Raises:
        UsageError: the library is not installed, nobody answers, or no answer is of use.

    """
    try:
        from qemu.qmp import QMPError
    except ImportError as exc:
        raise UsageError(
            f"{path} is a socket, and asking a QEMU needs the library qemu.qmp",
            hint="pip install 'armlevel[qmp]'",
        ) from exc
    # The library logs what it raises as well; the sentence is enough.
    logging.getLogger("qemu.qmp").addHandler(logging.NullHandler())
    try:
        return asyncio.run(asyncio.wait_for(_ask(path, model), _PATIENCE))
    except (OSError, QMPError, TimeoutError) as exc:
        why = str(exc) or f"no answer in {_PATIENCE:.0f} seconds"
        raise UsageError(
            f"{path}: no QEMU answers there: {why}", hint="is another client connected to it?"
        ) from exc


async def _ask(path: str, model: str) -> dict[str, Any]:
    from qemu.qmp import ExecuteError, QMPClient

    client, answers, refused = QMPClient("armlevel"), dict[str, Any](), ""
    await client.connect(path)
    try:
        for command, arguments in _QUESTIONS.items():
            given = arguments | ({"model": {"name": model}} if "model" in arguments else {})
            try:
                answers[command] = {"return": await client.execute(command, given)}
            except ExecuteError as exc:
                refused = str(exc)
    finally:
        await client.disconnect()
    if "query-cpu-model-expansion" not in answers:
        raise UsageError(
            f"{path}: QEMU does not expand model {model}: {refused}", hint="start it with -accel kvm"
        )
    return answers
