"""What the structures of all documents are made of."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from armlevel.documents.items import shown
from armlevel.documents.structure import VALUE_PATTERN

__all__ = ["Count", "HexText", "Model", "Number", "Text"]

Count = Annotated[int, Field(ge=0, lt=2**53)]
Text = Annotated[str, Field(max_length=4096)]
HexText = Annotated[str, Field(pattern=VALUE_PATTERN)]
#: JSON numbers stop being exact at 2**53: larger ones are texts.
Number = Count | HexText


class Model(BaseModel):
    """The structure of one object of a document: every key is known, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _has_no_null(cls, given: Any) -> Any:
        # What is not recorded is left out: a key has a value.
        if isinstance(given, dict) and None in given.values():
            empty = ", ".join(shown(key) for key, value in given.items() if value is None)
            words = "null says nothing: leave {empty} out where it is not recorded"
            raise PydanticCustomError("null", words, {"empty": empty})
        return given
