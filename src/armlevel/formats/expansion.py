"""QEMU's answer to ``query-cpu-model-expansion``: which properties ``-cpu host`` has on a host, and their values.

It is no register dump. A field is in it if this QEMU has a property for it, which no release has so far, and if this
kernel lets userspace write it; so a register is taken as known only where every one of its fields is there. Source:
QEMU ``qapi/machine-target.json``, ``target/arm/arm-qmp-cmds.c``.
"""

from __future__ import annotations

import re
from typing import Any

from armlevel.arch import Catalogue, Register
from armlevel.errors import BadDocument
from armlevel.formats.qemu_write import CHOICES, sysregs
from armlevel.profile import Host, Made, Offer, Shape

__all__ = ["looks", "properties", "read"]

_LENGTH = re.compile(r"sve(\d{3,4})")
_HINT = "the answer to query-cpu-model-expansion of type full for model host was expected"


def looks(document: dict[str, Any]) -> bool:
    """Whether this is meant to be such an answer, with or without QMP's ``return`` around it."""
    if document.get("kind"):
        return False
    inner = document.get("return", document)
    return _is_refusal(document) or (isinstance(inner, dict) and isinstance(inner.get("model"), dict))


def _is_refusal(document: dict[str, Any]) -> bool:
    error = document.get("error")
    return isinstance(error, dict) and error.keys() >= {"class", "desc"}


def properties(document: dict[str, Any], path: str) -> tuple[str, ...]:
    """Return the names of the properties that a QEMU says it has.

    The answer may be that of ``query-cpu-model-expansion``, or that of ``qom-list-properties`` (a list), or an object
    with the answers under the commands' names.

    Raises:
        BadDocument: it is neither.

    """
    faults: list[str] = []
    names: set[str] = set()
    several = document.keys() & {"query-cpu-model-expansion", "qom-list-properties"}
    for answer in [document[key] for key in sorted(several)] or [document]:
        if isinstance(answer, dict) and _is_refusal(answer):
            faults.append(f"QEMU refused: {ascii(answer['error']['desc'])[:200]}")
            continue
        inner = answer.get("return", answer) if isinstance(answer, dict) else answer
        if isinstance(inner, list):
            names |= {str(one["name"]) for one in inner if isinstance(one, dict) and "name" in one}
        elif isinstance(inner, dict) and looks(inner):
            names |= _props(inner, faults).keys()
        else:
            faults.append("neither the answer to query-cpu-model-expansion nor to qom-list-properties")
    if faults:
        raise BadDocument(path, tuple(faults), hint=_HINT)
    return tuple(sorted(names))


def read(document: dict[str, Any], path: str, name: str, catalogue: Catalogue) -> Host:
    """Read the properties as a host; whatever they do not say stays unknown.

    Raises:
        BadDocument: it has faults, all of which are listed.

    """
    if _is_refusal(document):
        raise BadDocument(path, (f"QEMU refused: {ascii(document['error']['desc'])[:200]}",), hint=_HINT)
    faults: list[str] = []
    props = _props(document.get("return", document), faults)
    features = {feature for key, feature in CHOICES.items() if props.get(key) is True}
    lengths = [int(m[1]) for key in props if (m := _LENGTH.fullmatch(key)) and props[key] is True]
    fields = sysregs(props, catalogue)
    values: dict[str, int] = {}
    for key, one in fields.items():
        value = props[key]
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << one.width:
            faults.append(f"props.{key}: {ascii(value)[:40]} is no number of {one.width} bits")
        elif values.setdefault(one.subject, value) != value:
            faults.append(f"props.{key}: {one.subject} stands twice, with two values")
    if faults:
        raise BadDocument(path, tuple(faults), hint=_HINT)
    limits = {
        register.name: value
        for register in catalogue.registers.values()
        if (value := _whole(register, values)) is not None
    }
    offer = Offer(
        Shape(frozenset(features)),
        limits=limits,
        sve_vls=tuple(sorted(lengths)) if "sve" in features else None,
    )
    others = sorted(props.keys() - fields.keys())
    source = (
        f"QEMU's query-cpu-model-expansion: {len(fields)} fields it can set; properties {' '.join(others)}"
    )
    return Host(name, (offer,), made=Made(source=source[:4096]))


def _props(answer: Any, faults: list[str]) -> dict[str, Any]:
    model = answer.get("model") if isinstance(answer, dict) else None
    if not isinstance(model, dict) or not isinstance(model.get("props"), dict):
        faults.append("return.model.props: is not an object")
        return {}
    if model.get("name") not in ("host", "max"):
        faults.append(f"return.model.name: is {ascii(model.get('name'))[:40]}, and host is needed")
    return dict(model["props"])


def _whole(register: Register, values: dict[str, int]) -> int | None:
    if not register.fields or register.derived:
        return None
    value = 0
    for one in register.fields:
        if one.subject not in values:
            return None
        value = one.put(value, values[one.subject])
    return value | sum(run.mask for run in register.reserved if run.value)
