"""What was read of the VMs that run on a machine, as JSON: what the program on the host prints, for any other machine.

Standard library only. The texts in it are the machine's own; what they say is read where the question is asked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from typing import Any, get_type_hints

from armlevel.errors import BadDocument
from armlevel.probe.running import Running, RunningVm

__all__ = ["RUNNING_KIND", "running_object", "running_of"]

RUNNING_KIND = "running-guests/1"
_LONGEST = 1 << 24  # characters of one text
_MOST = 1 << 16  # VMs of one machine, words of one command line


def running_object(running: Running) -> dict[str, Any]:
    """Return the running-guests/1 object; what could not be read has no key."""
    body = {"kind": RUNNING_KIND} | _recorded(running)
    body["vms"] = [_recorded(vm) for vm in running.vms]
    return body


def _recorded(value: Running | RunningVm) -> dict[str, Any]:
    return {
        key: list(one) if isinstance(one, tuple) else one
        for key, one in asdict(value).items()
        if one is not None and one not in ("", ())
    }


def running_of(data: bytes, path: str) -> Running:
    """Read a running-guests/1 object; counts and flags have to be there, because left out they would be a yes.

    Raises:
        BadDocument: it is none; its first fault is told.

    >>> running_of(json.dumps(running_object(Running(unread=2))).encode(), "x").unread
    2
    """
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise BadDocument(path, (f"no JSON: {exc}",), hint=_HINT) from exc
    if not isinstance(found, dict) or found.pop("kind", None) != RUNNING_KIND:
        raise BadDocument(path, (f"kind: {RUNNING_KIND} was expected",), hint=_HINT)
    vms = found.pop("vms", None)
    if not isinstance(vms, list) or len(vms) > _MOST:
        raise BadDocument(path, ("vms: no list of VMs",), hint=_HINT)
    read = tuple(RunningVm(**_held(RunningVm, vm, f"vms[{number}].", path)) for number, vm in enumerate(vms))
    return Running(vms=read, **_held(Running, found, "", path))


_HINT = "armlevel-guests on the host prints one"


def _held(kind: type[Running | RunningVm], given: Any, place: str, path: str) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise BadDocument(path, (f"{place[:-1]}: no object",), hint=_HINT)
    types = get_type_hints(kind)
    # A count or a flag that is left out is none of 0 or no: nobody looked.
    needed = {one.name for one in fields(kind) if one.default is MISSING or isinstance(one.default, int)}
    held: dict[str, Any] = {}
    for key, value in given.items():
        wanted = str(types.get(key, ""))
        if key not in types or not _fits(value, wanted):
            raise BadDocument(path, (f"{place}{key[:40]!a}: is not what a reader writes there",), hint=_HINT)
        held[key] = tuple(value) if isinstance(value, list) else value
    if missing := sorted(needed - held.keys()):
        raise BadDocument(path, (f"{place}{missing[0]}: is missing",), hint=_HINT)
    return held


def _fits(value: Any, wanted: str) -> bool:
    if isinstance(value, bool):
        return "bool" in wanted
    if isinstance(value, int):
        return "int" in wanted and 0 <= value < 1 << 63
    if isinstance(value, str):
        return "str" in wanted and "tuple" not in wanted and len(value) < _LONGEST
    words = isinstance(value, list) and "tuple[str" in wanted and len(value) < _MOST
    return words and all(isinstance(one, str) and len(one) < _LONGEST for one in value)
