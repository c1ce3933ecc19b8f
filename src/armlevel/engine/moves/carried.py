"""What a guest carries on from a host that it came to: its own CPU, and what the VMM there saves of it.

A VMM that passes the host's CPU through saves the registers that KVM lists on the host that the guest is on, not on the
one that it was started on (QEMU target/arm/kvm.c, kvm_arm_init_cpreg_list). So a guest that came to a newer kernel
carries more on than it had, and an older one may refuse it.
"""

from __future__ import annotations

from dataclasses import replace

from armlevel.arch import Catalogue
from armlevel.engine.passthrough import guest_of_offer
from armlevel.kvm import name_of
from armlevel.profile import Guest, Host

__all__ = ["carried"]


def carried(guest: Guest, host: Host, catalogue: Catalogue) -> Guest | None:
    """Return what a guest that came to ``host`` carries on; None where the host was not probed in its shape.

    A guest that says no list has none here either: what is not known of it is not known after a move.
    """
    offer = host.offer(guest.shape)
    if offer is None:
        return None
    if guest.register_list is None or offer.register_list is None:
        return replace(guest, register_list=None)
    here = guest_of_offer(host, offer, catalogue)
    listed = set(map(name_of, guest.register_list))
    registers = {name: value for name, value in here.registers.items() if name not in listed}
    firmware = {name: value for name, value in here.firmware.items() if name not in listed}
    return replace(
        guest,
        registers={**registers, **guest.registers},
        firmware={**firmware, **guest.firmware} if guest.firmware else guest.firmware,
        register_list=offer.register_list,
    )
