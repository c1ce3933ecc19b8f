"""The JSON Schema of each kind of document, made from the models that validate it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from armlevel.documents.model_report import MODELS as AGENT_MODELS
from armlevel.documents.models import MODELS, FrozenModel
from armlevel.documents.structure import FROZEN_KIND

__all__ = ["schema_of", "schemas"]


def _without_null(part: Any) -> Any:
    """Return a part of a schema in which a key that may be absent has no other way of saying nothing."""
    if isinstance(part, list):
        return [_without_null(item) for item in part]
    if not isinstance(part, dict):
        return part
    some = part.get("anyOf")
    if isinstance(some, list) and "default" in part and part["default"] is None:
        kept = [item for item in some if item != {"type": "null"}]
        rest = {key: value for key, value in part.items() if key not in ("anyOf", "default")}
        part = {**kept[0], **rest} if len(kept) == 1 else {**rest, "anyOf": kept}
    default = part.get("default")
    if isinstance(default, dict):
        part = {**part, "default": {key: value for key, value in default.items() if value is not None}}
    return {key: _without_null(value) for key, value in part.items()}


def schemas() -> dict[str, dict[str, Any]]:
    """Return kind -> JSON Schema (2020-12).

    >>> sorted(schemas())
    ['enrolment/1', 'frozen-profile/1', 'guest-profile/1', 'host-profile/1', 'report/1', 'verdict/1']
    """
    models: dict[str, type[BaseModel]] = {**MODELS, FROZEN_KIND: FrozenModel, **AGENT_MODELS}
    return {kind: schema_of(kind, model) for kind, model in models.items()}


def schema_of(kind: str, model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON Schema of one kind."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **model.model_json_schema(mode="validation"),
    }
    schema = dict(_without_null(schema))
    schema["title"] = kind
    schema["required"] = sorted({*schema.get("required", []), "kind"})
    return schema
