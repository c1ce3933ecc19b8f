"""An emulator for libvirt whose guests show a guest profile: a wrapper around stock QEMU with armlevel's library.

It is what `docs/howto/libvirt.md` has `armlevel run` do. Emulated hosts have no armlevel, so the lab computes the
settings, and a small shell script in place of `armlevel run` hands them to the library.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from armlevel.arch import load
from armlevel.errors import LabError
from armlevel.kvm.ids import id_of
from armlevel.lab.levelled import levelled_slot
from armlevel.lab.libvirt_host import Domain, LibvirtHost
from armlevel.lab.migration import Slot
from armlevel.profile import Guest, Host

__all__ = ["levelled_domain", "unlike", "wrapper_text"]

_PLACE = "/usr/lib/armlevel"
_LIBRARY = f"{_PLACE}/libarmlevel.so"
EMULATOR = f"{_PLACE}/qemu-levelled"
# libvirt asks an emulator what it can do with a machine of none, which has no guest; a guest that arrives is started
# with -incoming. libvirt writes `-accel kvm` and `-cpu host`, and a domain cannot take them away.
_WRAPPER = """\
#!/bin/sh
case " $* " in *" -machine none,"* | *" -machine none "* | *" -M none,"* | *" -M none "*) exec {qemu} "$@" ;; esac
config=start
case " $* " in *" -incoming "*) config=arrive ;; esac
left=$#
while [ "$left" -gt 0 ]; do
    word=$1
    shift
    left=$((left - 1))
    case $before in
    -accel) word={accel} ;;
    -cpu) word={cpu} ;;
    esac
    before=$word
    set -- "$@" "$word"
done
export LD_PRELOAD={library} ARMLEVEL_CONFIG={place}/$config ARMLEVEL_LOG=/var/log/armlevel-library.log
exec {qemu} "$@"
"""


@dataclass(frozen=True, slots=True)
class _Told:
    config: str
    library: str
    slot: Slot


def levelled_domain(domain: Domain, host: LibvirtHost, guest: Guest, profile: Host) -> Domain:
    """Put the wrapper and what the library is told for ``guest`` into a host; return the domain with it as emulator.

    The guest may be started in the host, and may arrive there.
    """
    start, arrive = (
        _told(levelled_slot(Slot(session=host.session), guest, profile, arrives=arrives))
        for arrives in (False, True)
    )
    wrapper = wrapper_text(domain.emulator, start.slot.accel, start.slot.cpu)
    files = {
        _LIBRARY: start.library,
        f"{_PLACE}/start": start.config,
        f"{_PLACE}/arrive": arrive.config,
        EMULATOR: wrapper,
    }
    host.session.ask("files", files=files)
    host.run("chmod", "755", EMULATOR)
    return replace(domain, emulator=EMULATOR, pmu=None, cpu=())


def unlike(registers: Mapping[int, int | None], guest: Guest) -> list[str]:
    """Return the ID registers in which a guest that runs, with these by KVM's id, is not the profile it was given.

    Raises:
        LabError: none of the profile's registers was read.

    """
    ids = load().kvm_ids
    held = {name: registers.get(id_of(name, ids)) for name in guest.id_registers}
    read = {name: value for name, value in held.items() if value is not None}
    if not read:
        raise LabError(f"{guest.name}: not one of its ID registers was read from the guest that runs")
    return [name for name, value in read.items() if value != guest.id_registers[name]]


def wrapper_text(qemu: str, accel: str, cpu: str) -> str:
    """Return the wrapper around a QEMU, which is told of KVM and of its CPU so."""
    return _WRAPPER.format(qemu=qemu, accel=accel, cpu=cpu, library=_LIBRARY, place=_PLACE)


def _told(slot: Slot) -> _Told:
    config = slot.files[slot.environ["ARMLEVEL_CONFIG"]]
    return _Told(config, slot.files[slot.environ["LD_PRELOAD"]], slot)
