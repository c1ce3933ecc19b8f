"""Who is known by which key; and a key that is given up by a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from armlevel.errors import UnknownName
from armlevel.operations.agents.values import Agent, current

__all__ = ["AgentsResult", "list_agents", "retired"]


@dataclass(frozen=True, slots=True)
class AgentsResult:
    """The keys by which hosts speak, by name; those that were given up stand behind."""

    kind: ClassVar[str] = "agents/1"

    agents: tuple[Agent, ...]

    def document(self) -> dict[str, Any]:
        """Return the agents/1 object."""
        agents = [
            {
                "name": one.name,
                "key": one.key.fingerprint,
                "how": one.how,
                "at": one.at,
                "standing": one.standing,
                "sequence": one.mark.sequence,
                "boot_id": one.mark.boot_id or None,
            }
            for one in self.agents
        ]
        return {"kind": self.kind, "agents": agents}


def list_agents(agents: Mapping[str, Agent]) -> AgentsResult:
    """Return all agents in order."""
    return AgentsResult(
        tuple(sorted(agents.values(), key=lambda one: (one.standing != "enrolled", one.name, one.at)))
    )


def retired(agents: Mapping[str, Agent], name: str) -> Agent:
    """Return the agent of a host as one that is known no longer.

    Raises:
        UnknownName: no host of this name is known.

    """
    found = current(agents.values(), name)
    if found is None:
        near = tuple(sorted({one.name for one in agents.values() if one.standing == "enrolled"}))[:3]
        raise UnknownName("host with an agent", name, near)
    return replace(found, standing="retired")
