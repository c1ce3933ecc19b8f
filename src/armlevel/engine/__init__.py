"""What follows: domains, choice, closure, baseline, verdict. Pure functions over frozen values.

Names are looked up when they are asked for, so that a verb reads only what it needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from armlevel.engine.passthrough import passthrough  # here, for the name of its module would hide it

if TYPE_CHECKING:
    from armlevel.engine.baseline import Baseline, level
    from armlevel.engine.compare.diff import Change, diff
    from armlevel.engine.compare.drift import Drift, Moved, drift
    from armlevel.engine.compare.kernel_changes import known_between
    from armlevel.engine.compare.not_compared import not_compared
    from armlevel.engine.fields.tolerance import tolerance_named
    from armlevel.engine.findings import (
        PARTS,
        Answer,
        Finding,
        Part,
        Remedy,
        Severity,
        Verdict,
        answer_of,
        worst,
    )
    from armlevel.engine.moves.means import MEANS, MeansName, means_of
    from armlevel.engine.moves.moves import Move, migrate
    from armlevel.engine.moves.predict import Prediction, predict
    from armlevel.engine.moves.remedies import stack_of
    from armlevel.engine.moves.settings import settings_of
    from armlevel.engine.moves.switches import Switches, switches_named
    from armlevel.engine.planning.groups import Group, Grouping, groups_of
    from armlevel.engine.planning.matrix import Cell, matrix
    from armlevel.engine.policy import Policy
    from armlevel.engine.risks.risks import RISKS, risks_of_profile
    from armlevel.engine.screen.checks import checks
    from armlevel.engine.verdict import check

__all__ = [
    "MEANS",
    "PARTS",
    "RISKS",
    "Answer",
    "Baseline",
    "Cell",
    "Change",
    "Drift",
    "Finding",
    "Group",
    "Grouping",
    "MeansName",
    "Move",
    "Moved",
    "Part",
    "Policy",
    "Prediction",
    "Remedy",
    "Severity",
    "Switches",
    "Verdict",
    "answer_of",
    "check",
    "checks",
    "diff",
    "drift",
    "groups_of",
    "known_between",
    "level",
    "matrix",
    "means_of",
    "migrate",
    "not_compared",
    "passthrough",
    "predict",
    "risks_of_profile",
    "settings_of",
    "stack_of",
    "switches_named",
    "tolerance_named",
    "worst",
]

_NAMES = {
    "baseline": (
        "Baseline",
        "level",
    ),
    "compare.diff": (
        "Change",
        "diff",
    ),
    "compare.drift": (
        "Drift",
        "Moved",
        "drift",
    ),
    "compare.kernel_changes": ("known_between",),
    "compare.not_compared": ("not_compared",),
    "fields.tolerance": ("tolerance_named",),
    "findings": (
        "PARTS",
        "Answer",
        "Finding",
        "Part",
        "Remedy",
        "Severity",
        "Verdict",
        "answer_of",
        "worst",
    ),
    "moves.means": (
        "MEANS",
        "MeansName",
        "means_of",
    ),
    "moves.moves": (
        "Move",
        "migrate",
    ),
    "moves.predict": (
        "Prediction",
        "predict",
    ),
    "moves.remedies": ("stack_of",),
    "moves.settings": ("settings_of",),
    "moves.switches": (
        "Switches",
        "switches_named",
    ),
    "planning.groups": (
        "Group",
        "Grouping",
        "groups_of",
    ),
    "planning.matrix": (
        "Cell",
        "matrix",
    ),
    "policy": ("Policy",),
    "risks.risks": (
        "RISKS",
        "risks_of_profile",
    ),
    "screen.checks": ("checks",),
    "verdict": ("check",),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> object:
    """Return a name whose module is read only now."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    return found
