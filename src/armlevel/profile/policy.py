"""What a person asks of a baseline beyond what the hosts can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from armlevel.profile.implementation import Implementation

__all__ = ["SAME_IMPDEF", "WEAKER_MITIGATION", "Policy"]

#: What a guest profile records under ``tolerates`` besides classes of fields.
SAME_IMPDEF = "assume-same-impdef"
WEAKER_MITIGATION = "accept-weaker-mitigation"


@dataclass(frozen=True, slots=True)
class Policy:
    """Choices of a person; all of them are recorded in the result.

    ``without``  shape features to do without;  ``hide`` / ``require``  FEAT_ names
    ``pins``     ``REG.FIELD`` -> the value it must have
    ``implementation``                   the implementation to show; None for the lowest among the hosts
    ``also_targets``               implementations of hosts to come: the guest's list of targets is fixed at boot
    ``assume_same_impdef``         take IMPLEMENTATION DEFINED pointer authentication of different cores for the same
    ``accept_weaker_mitigation``   let a guest arrive where a workaround level is lower than it was told at boot
    ``tolerate``                   classes of fields, and ``REG.FIELD`` names, that may differ between the hosts
    """

    without: frozenset[str] = frozenset()
    hide: tuple[str, ...] = ()
    require: tuple[str, ...] = ()
    pins: Mapping[str, int] = field(default_factory=dict)
    implementation: Implementation | None = None
    also_targets: tuple[Implementation, ...] = ()
    assume_same_impdef: bool = False
    accept_weaker_mitigation: bool = False
    tolerate: tuple[str, ...] = ()

    @property
    def recorded(self) -> tuple[str, ...]:
        """What weakens a profile made under this policy, needed or not; tolerances are recorded where needed."""
        return tuple(
            name
            for name, given in (
                (WEAKER_MITIGATION, self.accept_weaker_mitigation),
                (SAME_IMPDEF, self.assume_same_impdef),
            )
            if given
        )
