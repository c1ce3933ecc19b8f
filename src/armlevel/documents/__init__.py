"""What we write down: host profiles, guest profiles and verdicts as versioned JSON.

``write`` is stdlib-only; ``read`` checks everything and tells all faults at once; ``files`` opens what users name.
Names are looked up when they are asked for, so that a bare host can write without what reading needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from armlevel.documents.outputs import write_frozen, write_output
from armlevel.documents.replace import replace_file
from armlevel.documents.write import (
    canonical,
    digest,
    guest_object,
    host_object,
    pretty,
)

if TYPE_CHECKING:
    from armlevel.documents.envelope import Published, read_published, write_published
    from armlevel.documents.files import LARGEST, Loaded, load, load_guest, load_hosts, load_many, read_file
    from armlevel.documents.frozen import Frozen, Lineage, freeze
    from armlevel.documents.read import (
        Document,
        new_pool,
        read_document,
        read_guest,
        read_host,
        verify_digest,
    )
    from armlevel.documents.schema import schemas
    from armlevel.documents.verdicts import document_object, findings_object, remedy_object, verdict_object

__all__ = [
    "LARGEST",
    "Document",
    "Frozen",
    "Lineage",
    "Loaded",
    "Published",
    "canonical",
    "digest",
    "document_object",
    "findings_object",
    "freeze",
    "guest_object",
    "host_object",
    "load",
    "load_guest",
    "load_hosts",
    "load_many",
    "new_pool",
    "pretty",
    "read_document",
    "read_file",
    "read_guest",
    "read_host",
    "read_published",
    "remedy_object",
    "replace_file",
    "schemas",
    "verdict_object",
    "verify_digest",
    "write_frozen",
    "write_output",
    "write_published",
]

_IN_READ = ("Document", "new_pool", "read_document", "read_guest", "read_host", "verify_digest")
_IN_FILES = ("LARGEST", "Loaded", "load", "load_guest", "load_hosts", "load_many", "read_file")
_IN_FROZEN = ("Frozen", "Lineage", "freeze")
_IN_ENVELOPE = ("Published", "read_published", "write_published")
_IN_VERDICTS = ("document_object", "findings_object", "remedy_object", "verdict_object")
_HOME = {
    **dict.fromkeys(_IN_READ, "read"),
    **dict.fromkeys(_IN_FILES, "files"),
    **dict.fromkeys(_IN_FROZEN, "frozen"),
    **dict.fromkeys(_IN_ENVELOPE, "envelope"),
    **dict.fromkeys(_IN_VERDICTS, "verdicts"),
    "schemas": "schema",
}


def __getattr__(name: str) -> Any:
    """Return a name whose file is read only now."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
