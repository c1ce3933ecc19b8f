"""An agent as it is known: its key, its name, how it came to be known, and the newest that it said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from armlevel.documents.sshsig import SshKey, key_of_line

__all__ = ["HOWS", "Agent", "How", "Mark", "Standing", "agent_object", "agent_of", "current"]

How = Literal["ssh session", "host key", "host certificate", "token", "by hand"]
HOWS: tuple[How, ...] = ("ssh session", "host key", "host certificate", "token", "by hand")
Standing = Literal["enrolled", "superseded", "retired"]

#: Boots that a key has left are remembered, the newest of them.
_MOST_BOOTS = 256


@dataclass(frozen=True, slots=True)
class Mark:
    """The newest that a key said: nothing before it is taken again.

    ``left``     boots that came before this one;  ``content`` digest of the report;  ``event`` its last event's number
    """

    sequence: int = 0
    boot_id: str = ""
    left: tuple[str, ...] = ()
    content: str = ""
    event: int = 0

    def after(self, sequence: int, boot_id: str, content: str, event: int) -> Mark:
        """Return the mark once a newer report was taken."""
        gone = (self.boot_id,) if self.boot_id and self.boot_id != boot_id else ()
        left = (*self.left, *gone)[-_MOST_BOOTS:]
        return Mark(sequence, boot_id, left, content, event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Who is known by a key."""

    key: SshKey
    name: str
    how: How
    at: str
    standing: Standing = "enrolled"
    mark: Mark = Mark()


def current(agents: Iterable[Agent], name: str) -> Agent | None:
    """Return the agent that speaks for a host now."""
    return next((one for one in agents if one.name == name and one.standing == "enrolled"), None)


def agent_object(agent: Agent) -> dict[str, Any]:
    """Return an agent as the store keeps it."""
    mark = agent.mark
    return {
        "kind": "agent/1",
        "name": agent.name,
        "key": agent.key.line,
        "fingerprint": agent.key.fingerprint,
        "how": agent.how,
        "at": agent.at,
        "standing": agent.standing,
        "sequence": mark.sequence,
        "boot_id": mark.boot_id,
        "left": list(mark.left),
        "content": mark.content,
        "event": mark.event,
    }


def agent_of(document: Mapping[str, Any]) -> Agent:
    """Return what :func:`agent_object` wrote.

    Raises:
        KeyError, TypeError, AttributeError, NotSigned: it did not.

    """
    mark = Mark(
        document["sequence"],
        document["boot_id"],
        tuple(document["left"]),
        document["content"],
        document["event"],
    )
    return Agent(
        key=key_of_line(document["key"]),
        name=document["name"],
        how=document["how"],
        at=document["at"],
        standing=document["standing"],
        mark=mark,
    )
