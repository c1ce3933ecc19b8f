"""Level the CPUs of an Arm fleet, so that a virtual machine can move between hosts that are not the same.

What the command line asks, a program asks here: :func:`baseline`, :func:`check`, :func:`migrate`, :func:`matrix`,
:func:`plan`, :func:`diff`, :func:`drift`, :func:`freeze`, :func:`export` and :func:`explain` take values and return
typed results, which :meth:`document` turns into the JSON that ``--json`` prints. :func:`load`, :func:`load_hosts` and
:func:`load_guest` read what is named; :func:`policy_of` reads choices. Everything that goes wrong is an
:class:`ArmlevelError`. Names are looked up when they are asked for, so that the import itself costs nothing.
"""

from __future__ import annotations

TYPE_CHECKING = (
    False  # as type checkers read it; importing `typing` takes a third of what Python itself takes to start
)

if TYPE_CHECKING:
    from armlevel.errors import ArmlevelError
    from armlevel.operations import Policy, Verdict
    from armlevel.operations.baseline import BaselineResult, baseline
    from armlevel.operations.check import CheckResult, check
    from armlevel.operations.diff import DiffResult, diff
    from armlevel.operations.drift import DriftResult, drift
    from armlevel.operations.explain import ExplainResult, explain
    from armlevel.operations.export import Exported, export
    from armlevel.operations.freeze import FreezeResult, freeze
    from armlevel.operations.matrix import MatrixResult, matrix
    from armlevel.operations.migrate import MovesResult, migrate
    from armlevel.operations.named import load, load_guest, load_hosts
    from armlevel.operations.plan import PlanResult, plan
    from armlevel.operations.policies import policy_of
    from armlevel.profile import Guest, Host

__all__ = [
    "ArmlevelError",
    "BaselineResult",
    "CheckResult",
    "DiffResult",
    "DriftResult",
    "ExplainResult",
    "Exported",
    "FreezeResult",
    "Guest",
    "Host",
    "MatrixResult",
    "MovesResult",
    "PlanResult",
    "Policy",
    "Verdict",
    "__version__",
    "baseline",
    "check",
    "diff",
    "drift",
    "explain",
    "export",
    "freeze",
    "load",
    "load_guest",
    "load_hosts",
    "matrix",
    "migrate",
    "plan",
    "policy_of",
]

__version__ = "0.1.0"

_HOME = {
    "ArmlevelError": "errors",
    "BaselineResult": "operations.baseline",
    "CheckResult": "operations.check",
    "DiffResult": "operations.diff",
    "DriftResult": "operations.drift",
    "ExplainResult": "operations.explain",
    "Exported": "operations.export",
    "FreezeResult": "operations.freeze",
    "Guest": "profile",
    "Host": "profile",
    "MatrixResult": "operations.matrix",
    "MovesResult": "operations.migrate",
    "PlanResult": "operations.plan",
    "Policy": "profile",
    "Verdict": "operations",
    "baseline": "operations.baseline",
    "check": "operations.check",
    "diff": "operations.diff",
    "drift": "operations.drift",
    "explain": "operations.explain",
    "export": "operations.export",
    "freeze": "operations.freeze",
    "load": "operations.named",
    "load_guest": "operations.named",
    "load_hosts": "operations.named",
    "matrix": "operations.matrix",
    "migrate": "operations.migrate",
    "plan": "operations.plan",
    "policy_of": "operations.policies",
}


def __getattr__(name: str) -> object:
    """Return a name of the library, whose module is read only now."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found: object = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
