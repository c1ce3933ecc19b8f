"""May a set of hosts share a baseline: no where two of them certainly conflict, and levelled in full otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from armlevel.arch import Catalogue
from armlevel.engine.baseline import level
from armlevel.engine.findings import Answer
from armlevel.engine.parts.shape import common_shape
from armlevel.engine.planning.pairs import certain_conflicts
from armlevel.engine.policy import Policy
from armlevel.profile import Host

__all__ = ["Sets"]


class Sets:
    """Hosts, by their places, and what was found out about sets of them.

    Levelling is no question for vectors: an empty slot refuses only outside registers that may mean nothing, and not
    before smaller shapes were tried. What holds in every shape and beside every other host is known for pairs.
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
            hosts = [self._hosts[place] for place in sorted(key)]
            shared = common_shape(hosts, self._policy.without) is not None
            refused = shared and self.apart(key)
            self._answers[key] = "refused" if refused else level(hosts, self._catalogue, self._policy).answer
        return self._answers[key]
