"""The words for what is wrong with a document, and verdicts: what pydantic does here, imported when it is needed.

A host or guest profile without a fault never gets here: the standard library reads it (``structure``, ``values``).
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from armlevel.documents.build_verdict import verdict_of
from armlevel.documents.maps import Faults
from armlevel.documents.model_base import Model
from armlevel.documents.models import MODELS, FrozenModel, VerdictModel
from armlevel.documents.specs import Record
from armlevel.documents.structure import FROZEN_KIND
from armlevel.documents.words import sentence
from armlevel.engine.findings import Verdict
from armlevel.errors import BadDocument

__all__ = ["faults_of", "json_at_large", "verdict_in"]

_OF_KIND: dict[str, type[Model]] = {**MODELS, FROZEN_KIND: FrozenModel}


def json_at_large(data: bytes) -> Any:
    """Return what a JSON text holds.

    Raises:
        ValueError: it is none, or has NaN or Infinity.

    """
    return from_json(data, cache_strings="all", allow_inf_nan=False)


def faults_of(kind: str, document: dict[str, Any], structure: Record) -> tuple[str, ...]:
    """Return what is wrong with a document that its ``structure`` does not fit."""
    try:
        _OF_KIND[kind].model_validate(document)
    except ValidationError as exc:
        return _sentences(exc)
    faults = Faults()  # the two never differ, as tests hold; if they ever do, nothing is taken for right
    structure.blame(document, "", faults)
    return tuple(faults)


def verdict_in(document: dict[str, Any], path: str, faults: Faults) -> Verdict:
    """Build a verdict from its document, or note what is wrong with it as a whole.

    Raises:
        BadDocument: its structure has faults, all of which are listed.

    """
    try:
        model = VerdictModel.model_validate(document)
    except ValidationError as exc:
        raise BadDocument(path, _sentences(exc)) from exc
    return verdict_of(model, faults)


def _sentences(exc: ValidationError) -> tuple[str, ...]:
    return tuple(sentence(error) for error in exc.errors(include_url=False, include_context=True))
