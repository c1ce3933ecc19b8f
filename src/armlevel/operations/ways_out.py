"""What lets a guest go where it is refused, as an answer tells it; how it is found stands in ``means``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from armlevel.documents import remedy_object
from armlevel.engine.findings import Remedy
from armlevel.engine.subjects import Subject

if TYPE_CHECKING:
    from armlevel.engine import MeansName

__all__ = ["WaysOut", "vmm_family"]


@dataclass(frozen=True, slots=True)
class WaysOut:
    """What was tried and lets a guest go where it is refused: the cheapest means, and every remedy.

    ``means`` is None if none does, or not that which was asked for (``asked``); ``remains`` is what no switch takes out
    of the way.
    """

    remedies: tuple[Remedy, ...] = ()
    means: MeansName | None = None
    remains: tuple[Subject, ...] = ()
    asked: MeansName | None = None

    def document(self) -> dict[str, Any]:
        """Return it as an answer records it."""
        return {
            "means": self.means,
            "no_switch": [subject.key for subject in self.remains],
            "remedies": [remedy_object(one) for one in self.remedies],
        }


def vmm_family(vmm: str) -> str:
    """Return what kind of VMM a name and version is: its passthrough guest has a shape of its own.

    Raises:
        UnknownName: no VMM is called so.

    >>> vmm_family("qemu-11.1"), vmm_family("kvm")
    ('qemu', 'kvm')
    """
    if vmm == "kvm":
        return vmm
    from armlevel.arch import load
    from armlevel.engine.moves.vmm_restore import restorer_named

    return restorer_named(vmm, load()).family
