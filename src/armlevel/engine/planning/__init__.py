"""Planning a fleet: the fewest groups of hosts that share a baseline, what they cost, and what would change them."""

from __future__ import annotations

from armlevel.engine.planning.advice import Holdout, Joining, Merge, holdouts, joining, merges, one_way
from armlevel.engine.planning.cover import Cover, cover
from armlevel.engine.planning.pairs import certain_conflicts
from armlevel.engine.planning.plan import Plan, Planner, Pool, plan, planned

__all__ = [
    "Cover",
    "Holdout",
    "Joining",
    "Merge",
    "Plan",
    "Planner",
    "Pool",
    "certain_conflicts",
    "cover",
    "holdouts",
    "joining",
    "merges",
    "one_way",
    "plan",
    "planned",
]
