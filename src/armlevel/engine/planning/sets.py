"""May a set of hosts share a baseline: no where two of them certainly conflict, and levelled otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from armlevel.arch import Catalogue
from armlevel.engine.baseline import level
from armlevel.engine.findings import Answer
from armlevel.engine.parts.shape import common_shape
from armlevel.engine.planning.pairs import certain_conflicts
from armlevel.engine.policy import Policy
from armlevel.engine.screen.levels import Levels
from armlevel.profile import Host

__all__ = ["Sets"]


class Sets:
    """Hosts, by their places, and what was found out about sets of them.

    What holds in every shape and beside every other host is known for pairs. Other sets are levelled without reasons,
    from what was compiled of the hosts; in full where that does not tell.
    """

    def __init__(
        self,
        hosts: Sequence[Host],
        catalogue: Catalogue,
        policy: Policy,
        known: Mapping[frozenset[str], Answer] = MappingProxyType({}),
    ) -> None:
        """Find which pairs certainly conflict; ``known`` are answers that were found already, by names."""
        self._hosts = hosts
        self._catalogue = catalogue
        self._policy = policy
        self._apart = certain_conflicts(hosts, catalogue, policy)
        self._levels = Levels(hosts, catalogue, policy)
        places = {host.name: place for place, host in enumerate(hosts)}
        self._answers: dict[frozenset[int], Answer] = {
            frozenset(places[name] for name in names): answer
            for names, answer in known.items()
            if names <= places.keys()
        }

    def apart(self, places: Iterable[int]) -> bool:
        """Whether two of these hosts certainly have no baseline together."""
        every = list(places)
        mask = sum(1 << place for place in set(every))
        return any(self._apart[place] & mask for place in every)

    def answer(self, places: Iterable[int]) -> Answer:
        """Return what levelling these hosts answers."""
        key = frozenset(places)
        if key not in self._answers:
            self._answers[key] = self._levelled(sorted(key))
        return self._answers[key]

    def _levelled(self, places: Sequence[int]) -> Answer:
        hosts = [self._hosts[place] for place in places]
        if common_shape(hosts, self._policy.without) is not None and self.apart(places):
            return "refused"
        told = self._levels.answer(places)
        return level(hosts, self._catalogue, self._policy).answer if told is None else told
