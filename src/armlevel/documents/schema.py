"""The JSON Schema of each kind of document, made from the models that validate it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from armlevel.documents.models import FROZEN_KIND, MODELS, FrozenModel

__all__ = ["schema_of", "schemas"]


def schemas() -> dict[str, dict[str, Any]]:
    """Return kind -> JSON Schema (2020-12).

    >>> sorted(schemas())
    ['frozen-profile/1', 'guest-profile/1', 'host-profile/1', 'verdict/1']
    """
    models: dict[str, type[BaseModel]] = {**MODELS, FROZEN_KIND: FrozenModel}
    return {kind: schema_of(kind, model) for kind, model in models.items()}


def schema_of(kind: str, model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON Schema of one kind."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **model.model_json_schema(mode="validation"),
    }
    schema["title"] = kind
    schema["required"] = sorted({*schema.get("required", []), "kind"})
    return schema
