"""What follows: domains, choice, closure, baseline, verdict. Pure functions over frozen values."""

from __future__ import annotations

from armlevel.engine.baseline import Baseline, level
from armlevel.engine.compare.diff import Change, diff
from armlevel.engine.compare.drift import Drift, Moved, drift
from armlevel.engine.compare.kernel_changes import known_between
from armlevel.engine.compare.not_compared import not_compared
from armlevel.engine.fields.tolerance import tolerance_named
from armlevel.engine.findings import PARTS, Answer, Finding, Part, Remedy, Severity, Verdict, answer_of, worst
from armlevel.engine.moves.means import MEANS, MeansName, means_of
from armlevel.engine.moves.moves import Move, migrate
from armlevel.engine.moves.predict import Prediction, predict
from armlevel.engine.moves.remedies import stack_of
from armlevel.engine.moves.settings import settings_of
from armlevel.engine.moves.switches import Switches, switches_named
from armlevel.engine.passthrough import passthrough
from armlevel.engine.planning.groups import Group, Grouping, groups_of
from armlevel.engine.planning.matrix import Cell, matrix
from armlevel.engine.policy import Policy
from armlevel.engine.risks.risks import RISKS, risks_of_profile
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
