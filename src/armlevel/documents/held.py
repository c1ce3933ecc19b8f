"""What an importer read, held against the models of our own documents before anything is done with it."""

from __future__ import annotations

from typing import Any, TypeVar

from armlevel.documents.read import read_document
from armlevel.documents.write import canonical, guest_object, host_object
from armlevel.errors import BadDocument
from armlevel.profile import Guest, Host

__all__ = ["held"]

_T = TypeVar("_T", Host, Guest)


def held(document: _T, path: str) -> _T:
    """Return a host or guest that a document of ours can hold as it is.

    Raises:
        BadDocument: what would be written is no document that is read again; all faults are listed.

    """
    try:
        data = canonical(_object(document))
    except (UnicodeError, ValueError) as exc:
        raise BadDocument(path, ("a text in it has characters that no document holds",)) from exc
    read_document(data, path)
    return document


def _object(document: Host | Guest) -> dict[str, Any]:
    return host_object(document) if isinstance(document, Host) else guest_object(document)
