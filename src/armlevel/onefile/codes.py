"""The codes of what trying a guest CPU found, and what its findings come to.

They are for type checkers and for what holds them against sentences: the hook does without `typing`.
"""

from __future__ import annotations

from typing import Literal, get_args

__all__ = ["CODES", "Answer", "Code", "Severity"]

Answer = Literal["runs", "refused", "unknown"]
#: ``stops``: KVM or the VMM refuses it; ``breaks``: it is taken, and harms the guest; ``note`` changes no answer.
Severity = Literal["stops", "breaks", "unknown", "note"]
Code = Literal[
    "around",
    "changed",
    "changed-at-first-run",
    "clock-differs",
    "core-not-known",
    "counters-fewer",
    "cpus-differ",
    "fact-differs",
    "feature-missing",
    "kvm-failed",
    "kvm-newer",
    "level-weaker",
    "list-lacks",
    "list-let",
    "lengths-differ",
    "no-such-guest",
    "not-recorded",
    "other-core",
    "refused",
    "refused-together",
    "tolerated",
    "unknown-packing",
    "will-not-run",
]
#: Every code.
CODES: tuple[Code, ...] = get_args(Code)
