"""What a look at a machine finds, line by line: each thing, whether it is so, and the code and words of the finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as having
from typing import Any, Literal

__all__ = ["CheckUp", "State", "check_ups_object", "status_of_states"]

State = Literal["ok", "not", "unknown"]
_Words = Callable[[str, Mapping[str, str]], str]


@dataclass(frozen=True, slots=True)
class CheckUp:
    """One line: about what, whether it is so, and the code and words of the finding."""

    name: str
    state: State
    code: str
    words: Mapping[str, str] = having(default_factory=dict, hash=False)


def status_of_states(states: Iterable[State]) -> int:
    """Return the exit status: 1 if something is not so, 3 if something is not known.

    >>> status_of_states(["ok", "unknown"]), status_of_states(["unknown", "not"]), status_of_states([])
    (3, 1, 0)
    """
    met = set(states)
    return 1 if "not" in met else 3 if "unknown" in met else 0


def check_ups_object(
    checks: Iterable[CheckUp], found_text: _Words, remedy_of: _Words
) -> list[dict[str, Any]]:
    """Return the lines as they are recorded, with the text and the remedy of each."""
    return [
        {
            "name": check.name,
            "state": check.state,
            "code": check.code,
            "text": found_text(check.code, check.words),
            "do": remedy_of(check.code, check.words),
        }
        for check in checks
    ]
