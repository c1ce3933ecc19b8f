"""The documents: a page for each kind out of its JSON Schema."""

from __future__ import annotations

import json
from typing import Any

from armlevel.documents.schema import schemas
from pages.keys import ANY, MEANINGS
from pages.markdown import page, table, toctree

__all__ = ["document_pages"]

_ABOUT = """armlevel writes and reads JSON. Registers are text, `"0x%016x"`; other integers are below 2^53. The
digest of a document is the SHA-256 of its canonical bytes (RFC 8785) without the keys `digest` and `made`. Unknown
kinds and unknown keys are refused by name."""


def document_pages() -> dict[str, str]:
    """Return path -> text of the pages about documents."""
    pages = {}
    for kind, schema in schemas().items():
        link = f"The JSON Schema: [{_file(kind)}.json](/schemas/{_file(kind)}.json)."
        parts = [schema.get("description", ""), link, _properties(kind, schema)]
        for name, one in sorted(schema.get("$defs", {}).items()):
            title = _name(name)
            if title == "Guest":
                parts += [f"## {title}", "The keys of [guest-profile/1](guest-profile-1.md)."]
                continue
            parts += [f"## {title}", one.get("description", ""), _properties(title, one)]
        pages[f"reference/documents/{_file(kind)}.md"] = page(kind, *parts)
    listed = [f"documents/{_file(kind)}" for kind in schemas()]
    pages["reference/documents.md"] = page("Documents", _ABOUT, toctree(listed))
    return pages


def _file(kind: str) -> str:
    return kind.replace("/", "-")


def _name(definition: str) -> str:
    return definition.removesuffix("Model")


def _properties(title: str, schema: dict[str, Any]) -> str:
    rows = [
        (
            f"`{name}`",
            _type(one),
            "yes" if name in schema.get("required", ()) else "",
            MEANINGS[title].get(name) or ANY[name],
        )
        for name, one in schema.get("properties", {}).items()
    ]
    return table(("key", "value", "required", "meaning"), rows) if rows else ""


def _type(one: dict[str, Any]) -> str:
    if "anyOf" in one:
        return " or ".join(dict.fromkeys(_type(some) for some in one["anyOf"]))
    if one.get("type") == "array":
        return f"list of {_type(one['items'])}" if "items" in one else "list"
    if one.get("type") == "object" and isinstance(one.get("additionalProperties"), dict):
        return f"text to {_type(one['additionalProperties'])}"
    return _simple(one)


def _simple(one: dict[str, Any]) -> str:
    if "$ref" in one:
        return _name(str(one["$ref"]).rpartition("/")[2])
    if "const" in one:
        return f"`{json.dumps(one['const'])}`"
    if "enum" in one:
        return ", ".join(f"`{value}`" for value in one["enum"])
    kind = str(one.get("type", "any"))
    return {"string": "text", "null": "nothing"}.get(kind, kind)
