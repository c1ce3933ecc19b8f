"""What the structures of all documents are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["VALUE_PATTERN", "Count", "HexText", "Model", "Number", "Text"]

VALUE_PATTERN = "^0x[0-9a-f]{16}$"

Count = Annotated[int, Field(ge=0, lt=2**53)]
Text = Annotated[str, Field(max_length=4096)]
HexText = Annotated[str, Field(pattern=VALUE_PATTERN)]
#: JSON numbers stop being exact at 2**53: larger ones are texts.
Number = Count | HexText


class Model(BaseModel):
    """The structure of one object of a document: every key is known, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)
