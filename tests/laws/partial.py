"""Documents with something changed or left out, found by walking their schema: a key that is new is met by itself."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from functools import cache
from random import Random
from typing import Any

from armlevel.documents.schema import schemas

# In an offer that is like another one, the absence of these says that they are as there.
_AS_THERE = {"limits", "accepts", "register_list", "firmware", "state", "sve_vls", "pmu"}

# Maps that are closed lists: what is not in them is not there.
_CLOSED = {"windows"}

__all__ = ["SAYS_SOMETHING", "Path", "changed", "changes", "keys", "without"]

#: The way to a value in a document: names of keys, and numbers of items.
Path = tuple[str | int, ...]

#: Keys whose absence says something, and is not "not recorded".
SAYS_SOMETHING = {
    "name": "what a person calls it",
    "digest": "what the rest says once more",
    "made": "who wrote it, out of what",
    "features": "the shape without any",
    "imp_id_writable": "the shape in which they are not",
    "register_list_without": "a list: it lacks nothing of the one that it is like",
    "other_cpus": "a list: there are no others",
    "cpus": "a list: its CPUs are what its offers show",
    "starts_on": "a list: it starts wherever KVM lets it",
    "tolerates": "a list: it tolerates nothing",
    "accelerator": "it is a host with KVM",
}


def keys(document: Mapping[str, Any]) -> list[Path]:
    """The ways to every key of a document that may be left out and then means "not recorded"."""
    schema = _schemas()[document["kind"]]
    return [path for path, _ in _walk(schema, schema, document, ()) if path]


@cache
def _schemas() -> dict[str, dict[str, Any]]:
    return schemas()


def changes(document: Mapping[str, Any], chance: Random) -> list[tuple[Path, Any]]:
    """A change of every value that a document records: the way to it, and what stands there then."""
    found: list[tuple[Path, Any]] = []
    for path in keys(document):
        value = _at(document, path)
        found += [(path, other) for other in _others(value, chance)]
        if isinstance(value, list):
            for place, item in enumerate(value):
                if isinstance(item, dict):
                    continue  # its keys are met by themselves
                found.append((path, value[:place] + value[place + 1 :]))
    return found


def without(document: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The document without one key."""
    less = copy.deepcopy(dict(document))
    at: Any = less
    for step in path[:-1]:
        at = at[step]
    del at[path[-1]]
    return less


def changed(document: Mapping[str, Any], path: Path, value: object) -> dict[str, Any]:
    """The document with another value."""
    other = copy.deepcopy(dict(document))
    at: Any = other
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return other


def _at(document: Mapping[str, Any], path: Path) -> Any:
    at: Any = document
    for step in path:
        at = at[step]
    return at


def _others(value: object, chance: Random) -> Iterator[object]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield {4096: 16384, 16384: 4096}.get(value, value + 1 if value % 2 == 0 else value - 1)
    elif isinstance(value, str) and value.startswith("0x"):
        for width in (16, 64):
            bit = chance.randrange(0, min(width, 4 * (len(value) - 2)), 4)
            yield f"0x{int(value, 16) ^ 1 << bit:0{len(value) - 2}x}"


def _walk(
    root: Mapping[str, Any], schema: Mapping[str, Any], value: object, path: Path
) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    schema = _resolved(root, schema, value)
    if isinstance(value, dict):
        needed = schema.get("required", ())
        for key, item in value.items():
            below = _below(schema, key)
            if key in schema.get("properties", {}) and (
                key in SAYS_SOMETHING or ("like" in value and key in _AS_THERE)
            ):
                continue
            if key not in needed and not _CLOSED & {*path[-1:]}:
                yield (*path, key), below
            yield from _walk(root, below, item, (*path, key))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _walk(root, schema.get("items", {}), item, (*path, place))


def _below(schema: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    if key in schema.get("properties", {}):
        return dict(schema["properties"][key])
    for some in schema.get("patternProperties", {}).values():
        return dict(some)
    more = schema.get("additionalProperties")
    return dict(more) if isinstance(more, Mapping) else {}


def _resolved(root: Mapping[str, Any], schema: Mapping[str, Any], value: object) -> Mapping[str, Any]:
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        wanted = {dict: "object", list: "array", int: "integer", str: "string"}.get(type(value), "null")
        some = [_resolved(root, one, value) for one in schema["anyOf"]]
        schema = next((one for one in some if one.get("type") == wanted), {})
    return schema
