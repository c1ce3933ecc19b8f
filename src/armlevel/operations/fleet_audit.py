"""Whether the history of a fleet is whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from armlevel.documents import read_file
from armlevel.errors import BadDocument
from armlevel.fleet.audit import ContentFault, audit
from armlevel.fleet.events import ChainFault, Head, read_head
from armlevel.operations.fleet_store import store_named

__all__ = ["FleetAuditResult", "fleet_audit"]


@dataclass(frozen=True, slots=True)
class FleetAuditResult:
    """The head of the chain, the one that was kept if one was given, and what is wrong."""

    kind: ClassVar[str] = "fleet-audit/1"

    head: Head
    kept: Head | None
    chain: tuple[ChainFault, ...]
    contents: tuple[ContentFault, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.chain and not self.contents

    @property
    def status(self) -> int:
        """The exit status: 1 if something is wrong."""
        return 0 if self.whole else 1

    def document(self) -> dict[str, Any]:
        """Return the fleet-audit/1 object."""
        return {
            "kind": self.kind,
            "whole": self.whole,
            "head": _head_object(self.head),
            "kept": None if self.kept is None else _head_object(self.kept),
            "chain": [{"fault": one.kind, "seq": one.seq} for one in self.chain],
            "contents": [{"fault": one.kind, "table": one.table, "row": one.row} for one in self.contents],
        }


def _head_object(head: Head) -> dict[str, Any]:
    return {"length": head.length, "digest": head.digest}


def fleet_audit(fleet: str = "", *, kept: str = "") -> FleetAuditResult:
    """Prove the history; ``kept`` is a file with heads, of which the last one counts.

    Raises:
        InputError: the file cannot be read, or holds no head.
        StoreError: there is no store, or it cannot be read.

    """
    before = None
    if kept:
        before = read_head(read_file(kept).decode("utf-8", "replace"))
        if before is None:
            hint = "armlevel fleet audit prints one: armlevel-fleet LENGTH DIGEST"
            raise BadDocument(kept, ("no line of it is the head of a fleet's history",), hint=hint)
    with store_named(fleet).reading() as connection:
        head, chain, contents = audit(connection, before)
    return FleetAuditResult(head, before, chain, contents)
