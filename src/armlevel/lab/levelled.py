"""A slot whose QEMU shows a guest profile: stock QEMU with armlevel's library in its process.

It is what `armlevel run` does on a machine that has armlevel; emulated hosts have not, so the lab computes the
settings and sends them along with the library.
"""

from __future__ import annotations

from dataclasses import replace

from armlevel.arch import load
from armlevel.engine.moves.settings import settings_of
from armlevel.errors import UsageError
from armlevel.formats.qemu_write import options_of
from armlevel.lab.migration import Slot
from armlevel.preload import DEVICE, config_of, library, library_fault, observing
from armlevel.profile import Guest, Host

__all__ = ["levelled_slot", "observed_slot"]

_PLACE = "/tmp/armlevel"  # noqa: S108 - in an emulated host, where nobody else is


def levelled_slot(slot: Slot, guest: Guest, host: Host, *, arrives: bool = False) -> Slot:
    """Return the slot with QEMU told to show ``guest``; ``arrives``: the guest was started on another host.

    Raises:
        UsageError: the host has no offer of the profile's shape, or the library is not built.

    """
    catalogue = load()
    config = config_of(settings_of(guest, host, catalogue), guest, born_here=not arrives)
    cpu = ",".join(["host", *(f"{name}={value}" for name, value in options_of(guest, catalogue).cpu.items())])
    return replace(_with_library(slot, config), accel=f"kvm,device={DEVICE}", cpu=cpu)


def observed_slot(slot: Slot) -> Slot:
    """Return the slot with stock QEMU left as it is, and each register write that KVM refuses in `armlevel/log`."""
    return _with_library(slot, observing())


def _with_library(slot: Slot, config: bytes) -> Slot:
    place = library()
    if fault := library_fault(place):
        raise UsageError(f"QEMU is not started: {fault}")
    environ = {
        "LD_PRELOAD": f"{_PLACE}/{place.name}",
        "ARMLEVEL_CONFIG": f"{_PLACE}/config",
        "ARMLEVEL_LOG": f"{_PLACE}/log",
    }
    files = {
        f"{_PLACE}/{place.name}": f"hex:{place.read_bytes().hex()}",
        f"{_PLACE}/config": config.decode(),
    }
    return replace(slot, environ=environ, files=files)
