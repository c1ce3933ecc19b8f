"""What differs between two hosts or guests, and which measured changes of KVM explain it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from armlevel import engine
from armlevel.arch import LineChange, load
from armlevel.engine import Change, known_between, not_compared
from armlevel.errors import UsageError
from armlevel.profile import Guest, Host
from armlevel.words.changes import change_text

__all__ = ["DiffResult", "change_object", "changes_between", "diff"]


@dataclass(frozen=True, slots=True)
class DiffResult:
    """The changes from one document to another; ``kernels`` are changes of KVM with the subjects they explain.

    ``not_compared``  what is not recorded on both sides: whether it differs is not known
    """

    kind: ClassVar[str] = "diff/1"

    before: str
    after: str
    changes: tuple[Change, ...]
    kernels: tuple[tuple[LineChange, tuple[str, ...]], ...] = ()
    not_compared: tuple[str, ...] = ()

    @property
    def status(self) -> int:
        """The exit status: 1 if a guest's CPU differs, 3 if something was not compared."""
        if any(change.identity for change in self.changes):
            return 1
        return 3 if self.not_compared else 0

    def document(self) -> dict[str, Any]:
        """Return the diff/1 object."""
        return {
            "kind": self.kind,
            "from": self.before,
            "to": self.after,
            "changes": [change_object(change) for change in self.changes],
            "not_compared": list(self.not_compared),
            "kernels": [
                {"until": row.until, "since": row.since, "why": row.why, "subjects": list(subjects)}
                for row, subjects in self.kernels
            ],
        }


def diff(documents: Sequence[object]) -> DiffResult:
    """Compare two hosts or guests, field by field; a host is compared by its passthrough guest.

    Raises:
        UsageError: there are not two, or one is neither host nor guest.

    """
    items = [one for one in documents if isinstance(one, Host | Guest)]
    if len(documents) != 2 or len(items) != 2:
        raise UsageError("two hosts or guests are compared", hint="name two profiles")
    one, two = items
    changes = engine.diff(one, two, load())
    left_open = not_compared(one, two, load())
    if isinstance(one, Host) and isinstance(two, Host):
        kernels = known_between(one, two, changes, load())
        return DiffResult(one.name, two.name, changes, kernels, left_open)
    return DiffResult(one.name, two.name, changes, not_compared=left_open)


def changes_between(one: Host | Guest, two: Host | Guest) -> tuple[Change, ...]:
    """Return what differs between two hosts or guests."""
    return engine.diff(one, two, load())


def change_object(change: Change) -> dict[str, Any]:
    """Return one change as a JSON object."""
    return {
        "subject": change.subject,
        "part": change.part,
        "from": change_text(change.before, change.subject),
        "to": change_text(change.after, change.subject),
        "direction": change.direction,
        "features": list(change.features),
    }
