"""Whether the history of a fleet is whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from armlevel.documents import read_file
from armlevel.errors import BadDocument
from armlevel.fleet.audit import Audit, audit
from armlevel.fleet.events import Head, read_head
from armlevel.operations.fleet_store import store_named

__all__ = ["FleetAuditResult", "faults_object", "fleet_audit", "kept_head"]


@dataclass(frozen=True, slots=True)
class FleetAuditResult:
    """What holding a store against its history gives, and the head that was kept, if one was given."""

    kind: ClassVar[str] = "fleet-audit/1"

    found: Audit
    kept: Head | None

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return self.found.whole

    @property
    def head(self) -> Head:
        """The head of the chain."""
        return self.found.head

    @property
    def status(self) -> int:
        """The exit status: 1 if something is wrong."""
        return 0 if self.whole else 1

    def document(self) -> dict[str, Any]:
        """Return the fleet-audit/1 object."""
        return {
            "kind": self.kind,
            "whole": self.whole,
            "head": self.head.document(),
            "kept": None if self.kept is None else self.kept.document(),
            **faults_object(self.found),
            "forgotten": [{"object": name, "event": seq} for name, seq in self.found.forgotten.items()],
        }


def faults_object(found: Audit) -> dict[str, Any]:
    """Return what is wrong with a history, as JSON objects have it: of the chain, and of contents."""
    return {
        "chain": [{"fault": one.kind, "seq": one.seq} for one in found.chain],
        "contents": [{"fault": one.kind, "table": one.table, "row": one.row} for one in found.contents],
    }


def kept_head(file: str) -> Head:
    """Return the last head that a file holds.

    Raises:
        InputError: the file cannot be read, or holds none.

    """
    found = read_head(read_file(file).decode("utf-8", "replace"))
    if found is None:
        hint = "armlevel fleet audit prints one: armlevel-fleet LENGTH DIGEST"
        raise BadDocument(file, ("no line of it is the head of a fleet's history",), hint=hint)
    return found


def fleet_audit(fleet: str = "", *, kept: str = "") -> FleetAuditResult:
    """Prove the history; ``kept`` is a file with heads, of which the last one counts.

    Raises:
        InputError: the file cannot be read, or holds no head.
        StoreError: there is no store, or it cannot be read.

    """
    before = kept_head(kept) if kept else None
    with store_named(fleet).reading() as connection:
        return FleetAuditResult(audit(connection, before), before)
