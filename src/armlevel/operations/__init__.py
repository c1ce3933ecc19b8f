"""Answers without words: one file an operation, as the terminal, the library and a service ask for it.

An operation takes values and returns a frozen, typed result, whose ``kind`` names the JSON Schema of its document.
Nothing is printed here and nothing is put into words. Names are looked up when they are asked for, so that a verb
reads only what it needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from armlevel.engine import (
        RISKS,
        Answer,
        Baseline,
        Cell,
        Change,
        Drift,
        Finding,
        Grouping,
        Move,
        Moved,
        Part,
        Policy,
        Prediction,
        Remedy,
        Severity,
        Verdict,
        worst,
    )
    from armlevel.engine.findings import RemedyKind
    from armlevel.engine.names import HostName
    from armlevel.engine.planning.advice import Holdout, Joining, Merge
    from armlevel.engine.planning.plan import Plan, PlanGroup
    from armlevel.engine.reasons import Reason
    from armlevel.engine.subjects import Subject, about_whole
    from armlevel.engine.values import State, Value
    from armlevel.formats.export_result import Gap

__all__ = [
    "RISKS",
    "Answer",
    "Baseline",
    "Cell",
    "Change",
    "Drift",
    "Finding",
    "Gap",
    "Grouping",
    "Holdout",
    "HostName",
    "Joining",
    "Merge",
    "Move",
    "Moved",
    "Part",
    "Plan",
    "PlanGroup",
    "Policy",
    "Prediction",
    "Reason",
    "Remedy",
    "RemedyKind",
    "Severity",
    "State",
    "Subject",
    "Value",
    "Verdict",
    "about_whole",
    "worst",
]

_HOME = {
    "HostName": "armlevel.engine.names",
    "RemedyKind": "armlevel.engine.findings",
    "Reason": "armlevel.engine.reasons",
    "Subject": "armlevel.engine.subjects",
    "about_whole": "armlevel.engine.subjects",
    "State": "armlevel.engine.values",
    "Value": "armlevel.engine.values",
    "Gap": "armlevel.formats.export_result",
    "Holdout": "armlevel.engine.planning.advice",
    "Joining": "armlevel.engine.planning.advice",
    "Merge": "armlevel.engine.planning.advice",
    "Plan": "armlevel.engine.planning.plan",
    "PlanGroup": "armlevel.engine.planning.plan",
}


def __getattr__(name: str) -> Any:
    """Return a type of a result, read only now."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME.get(name, "armlevel.engine")), name)
