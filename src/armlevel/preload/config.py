"""The preload library's configuration: lines of words, then the SHA-256 of them all (``preload/config.c`` reads it)."""

from __future__ import annotations

from collections.abc import Iterator

from armlevel.engine.policy import WEAKER_MITIGATION
from armlevel.errors import UsageError
from armlevel.kvm.numbers import CAPABILITIES
from armlevel.preload.launch import sealed
from armlevel.preload.library import DEVICE
from armlevel.profile import Guest, VcpuSettings
from armlevel.profile.shape import SHAPE_FEATURES

__all__ = ["VERSION", "config_of", "observing"]

VERSION = 1
_QUADWORD = 128
_BLANKS = str.maketrans(dict.fromkeys("\r\n\t\0", " "))


def config_of(
    settings: VcpuSettings, guest: Guest, *, digest: str = "", born_here: bool = True, weaker: bool = False
) -> bytes:
    """Return the configuration that makes a vCPU of the settings' host the guest's.

    ``digest`` is the profile's; ``born_here`` is false where the guest may arrive and not start: workaround levels
    of this host are then above those it was told at boot. ``weaker`` accepts levels below those.

    Raises:
        UsageError: the profile does not record which registers its state carries.

    """
    if guest.register_list is None:
        raise UsageError(
            f"{guest.name} does not say which registers its state carries", hint="level or probe it again"
        )
    return sealed(_lines(settings, guest, digest, born_here=born_here, weaker=weaker))


def observing() -> bytes:
    """Return the configuration that changes nothing: failing register writes are logged, and registers dumped."""
    return sealed([*_head("", ""), "observe"])


def _head(guest: str, host: str) -> list[str]:
    return [
        f"armlevel-preload {VERSION}",
        f"guest {guest.translate(_BLANKS)}",
        f"host {host.translate(_BLANKS)}",
        f"device {DEVICE}",
    ]


def _lines(
    settings: VcpuSettings, guest: Guest, digest: str, *, born_here: bool, weaker: bool
) -> Iterator[str]:
    yield from _head(guest.name, settings.host)
    yield f"profile {digest}"
    if not born_here:
        yield "arrive-only"
    if weaker or WEAKER_MITIGATION in guest.tolerates:
        yield "accept-weaker"
    yield f"features {_features(guest):x}"
    if guest.facts.cntfrq_hz is not None:
        yield f"cntfrq {guest.facts.cntfrq_hz}"
    if guest.facts.dczid is not None:
        yield f"dczid {guest.facts.dczid}"
    if "sve" in guest.shape.features and guest.sve_vls:
        yield f"vectors {sum(1 << (bits // _QUADWORD - 1) for bits in guest.sve_vls):x}"
    # QEMU itself enables what else a shape needs (memory tagging).
    yield from (f"capability {CAPABILITIES[name]}" for name in _capabilities(settings))
    shown = {one.name for one in settings.shows}
    for one in settings.writes:
        yield f"write {one.kvm_id:x} {one.value:x} {one.name}"
    written, carried = {one.name for one in settings.writes}, frozenset(settings.register_list)
    for one in settings.expects:
        if one.name not in written | shown and one.kvm_id in carried:
            yield f"see {one.kvm_id:x} {one.value:x} {one.name}"
    yield from (f"level {one.kvm_id:x} {one.value:x} {one.name}" for one in settings.shows)
    yield from (f"carry {kvm_id:x}" for kvm_id in sorted(carried))


def _capabilities(settings: VcpuSettings) -> Iterator[str]:
    return (
        name
        for full in settings.capabilities
        if (name := full.removeprefix("KVM_CAP_")) == "ARM_WRITABLE_IMP_ID_REGS"
    )


def _features(guest: Guest) -> int:
    return sum(1 << bit for name in guest.shape.features for bit in SHAPE_FEATURES[name][0])
