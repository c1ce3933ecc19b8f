"""A seat whose QEMU shows a guest profile: stock QEMU with armlevel's library in its process.

It is what `armlevel run` does on a machine that has armlevel; emulated hosts have not, so the lab computes the
settings and sends them along with the library.
"""

from __future__ import annotations

from dataclasses import replace

from armlevel.arch import Catalogue
from armlevel.engine.settings import settings_of
from armlevel.errors import UsageError
from armlevel.lab.migration import Seat
from armlevel.preload import DEVICE, config_of, library, library_fault
from armlevel.profile import Guest, Host

__all__ = ["levelled_seat"]

_PLACE = "/tmp/armlevel"  # noqa: S108 - in an emulated host, where nobody else is
#: What QEMU takes as on or off, and the shape feature that it means.
_CHOICES = (("pmu", "pmu_v3"), ("sve", "sve"), ("pauth", "ptrauth"))


def levelled_seat(
    seat: Seat, guest: Guest, host: Host, catalogue: Catalogue, *, arrives: bool = False
) -> Seat:
    """Return the seat with QEMU told to show ``guest``; ``arrives``: it was born elsewhere.

    Raises:
        UsageError: the host has no offer of the profile's shape, or the library is not built.

    """
    place = library()
    if fault := library_fault(place):
        raise UsageError(f"QEMU is not started: {fault}")
    config = config_of(settings_of(guest, host, catalogue), guest, born_here=not arrives)
    environ = {
        "LD_PRELOAD": f"{_PLACE}/{place.name}",
        "ARMLEVEL_CONFIG": f"{_PLACE}/config",
        "ARMLEVEL_LOG": f"{_PLACE}/log",
    }
    files = {
        f"{_PLACE}/{place.name}": f"hex:{place.read_bytes().hex()}",
        f"{_PLACE}/config": config.decode(),
    }
    return replace(seat, accel=f"kvm,device={DEVICE}", cpu=_cpu(guest), environ=environ, files=files)


def _cpu(guest: Guest) -> str:
    words = ["host"]
    for option, feature in _CHOICES:
        words.append(f"{option}={'on' if feature in guest.shape.features else 'off'}")
    if "sve" in guest.shape.features:
        words += [f"sve{bits}=on" for bits in guest.sve_vls or ()]
    return ",".join(words)
