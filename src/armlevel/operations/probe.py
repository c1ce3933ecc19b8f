"""This machine's /dev/kvm as a host profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from armlevel.arch import load
from armlevel.documents.write import HOST_KIND, host_object
from armlevel.onefile.collector import collect
from armlevel.probe import plan_of
from armlevel.profile import Host

__all__ = ["ProbeResult", "probe"]


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The host that this machine is; ``remarks`` are what was noticed while it was probed."""

    kind: ClassVar[str] = HOST_KIND

    host: Host
    remarks: tuple[str, ...] = ()

    @property
    def status(self) -> int:
        """The exit status: 0."""
        return 0

    def document(self) -> dict[str, Any]:
        """Return the host-profile/1 document."""
        return host_object(self.host)


def probe(name: str = "", *, thorough: bool = False, vmms: bool = True) -> ProbeResult:
    """Probe this machine in scratch VMs; ``thorough`` asks every shape every question, ``vmms`` the VMMs' versions.

    Raises:
        KvmError: there is no KVM for Arm guests here, or none for this user.

    """
    found = collect(plan_of(load()), name=name, thorough=thorough, vmms=vmms)
    return ProbeResult(found.host, tuple(found.remarks))
