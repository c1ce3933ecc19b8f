"""Options of a VMM that leave something out of a passthrough guest: as they are written, and a host under them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from armlevel.arch import Catalogue, Switch
from armlevel.engine.moves.vmm_restore import restorer_named
from armlevel.engine.parts.firmware_tried import tried
from armlevel.engine.parts.shape import passthrough_shape
from armlevel.errors import UnknownName, UsageError
from armlevel.profile import Host, HostMachine, Offer, Shape
from armlevel.profile.host import nothing

__all__ = ["Switches", "available", "common_length", "switches_named", "under", "version_text"]


@dataclass(frozen=True, slots=True)
class Switches:
    """Options that the VMM takes at a guest's start; a guest that moves has the same on both ends.

    ``words``  the options as QEMU's ``-cpu`` takes them;  ``without``, ``gives``  features of the shape
    ``unused``  capabilities of KVM;  ``firmware``  register -> version
    ``shorter``  vectors of this length and longer are left out
    """

    words: tuple[str, ...] = ()
    without: frozenset[str] = frozenset()
    gives: frozenset[str] = frozenset()
    unused: frozenset[str] = frozenset()
    firmware: Mapping[str, int] = field(default_factory=nothing, hash=False)
    shorter: int | None = None

    @property
    def text(self) -> str:
        """The options, as they stand behind ``-cpu host,``."""
        return ",".join(self.words)

    def __bool__(self) -> bool:
        """Whether anything is switched."""
        return bool(self.words)

    def of(self, row: Switch, value: str = "") -> Switches:
        """Return these and one more; ``value`` stands in the option where a version or a length does."""
        more = replace(self, words=(*self.words, row.written(value)))
        if row.feature:
            return replace(more, without=self.without | {row.feature})
        if row.gives:
            return replace(more, gives=self.gives | {row.gives})
        if row.capability:
            return replace(more, unused=self.unused | {row.capability})
        if row.lengths:
            longest = int(value) if self.shorter is None else min(int(value), self.shorter)
            return replace(more, shorter=longest)
        major, _, minor = value.partition(".")
        return replace(more, firmware={**self.firmware, row.firmware: int(major) << 16 | int(minor)})


def version_text(version: int) -> str:
    """Return a PSCI version as its option spells it.

    >>> version_text(0x10001)
    '1.1'
    """
    return f"{version >> 16}.{version & 0xFFFF}"


def available(vmm: str, catalogue: Catalogue) -> tuple[Switch, ...]:
    """Return the options that every set of behaviour has which a VMM, as it was named, may have."""
    sets = [row.name for row in restorer_named(vmm, catalogue).sets]
    return tuple(row for row in catalogue.switches if all(name in row.vmms for name in sets))


def switches_named(text: str, vmm: str, catalogue: Catalogue) -> Switches:
    """Read ``pmu=off,kvm-psci-version=1.1``, also with ``host`` before it.

    Raises:
        UnknownName: there is no such option.
        UsageError: the VMM has it not, or not with that value.

    >>> from armlevel.arch import load
    >>> switches_named("host,pmu=off,sve256=off", "qemu-11.1", load()).shorter
    256
    """
    found = Switches()
    there = available(vmm, catalogue)
    for word in dict.fromkeys(part.strip() for part in text.split(",")):
        if word in ("host", ""):
            continue
        known = [(row, value) for row in catalogue.switches if (value := row.value_in(word)) is not None]
        if not known:
            raise UnknownName("switch", word, tuple(row.option for row in catalogue.switches))
        row, value = known[0]
        if row not in there:
            raise UsageError(
                f"--switches {word}: {vmm} has no such option", hint="--vmm qemu-11.1 has them all"
            )
        if not _is_value(row, value):
            raise UsageError(f"--switches {word}: {value!r} is no {'length' if row.lengths else 'version'}")
        found = found.of(row, value)
    return found


def _is_value(row: Switch, value: str) -> bool:
    if row.lengths:
        return value.isascii() and value.isdigit() and len(value) < 5 and int(value) % 128 == 0 < int(value)
    if row.firmware:
        parts = value.split(".")
        return len(parts) == 2 and all(part.isascii() and part.isdigit() and len(part) < 4 for part in parts)
    return True


def under(host: Host, switches: Switches, family: str, catalogue: Catalogue) -> Host | None:
    """Return a host as a VMM of a family shows it under switches: one offer, that of the passthrough guest.

    None if the host cannot do what they ask for, or was not recorded so.
    """
    offer = _offer(host, switches, family)
    if offer is None:
        return None
    firmware = dict(offer.firmware)
    for name, version in switches.firmware.items():
        if not _takes(offer, name, version, catalogue):
            return None
        firmware[name] = version
    lengths = offer.sve_vls
    if switches.shorter is not None and lengths is not None:
        lengths = tuple(length for length in lengths if length < switches.shorter)
        if not lengths:
            return None
    shown = replace(offer, firmware=firmware, sve_vls=lengths, like=None, register_list_without=())
    used = {**host.software.kvm_capabilities, **dict.fromkeys(switches.unused, 0)}
    software = replace(host.software, kvm_capabilities=used)
    return replace(host, offers=(shown,), software=software, machine=_machine(host, switches))


def _machine(host: Host, switches: Switches) -> HostMachine | None:
    # What a guest is not given is not there for it.
    if host.machine is None or "STEAL_TIME" not in switches.unused:
        return host.machine
    return replace(host.machine, steal_time=False)


def _offer(host: Host, switches: Switches, family: str) -> Offer | None:
    usual = passthrough_shape(host, family)
    if usual is None:
        return None
    wanted = Shape(usual.features - switches.without | switches.gives, usual.imp_id_writable)
    return host.offer(wanted)


def _takes(offer: Offer, name: str, version: int, catalogue: Catalogue) -> bool:
    own, row = offer.firmware.get(name), catalogue.firmware.get(name)
    if own is None or row is None:
        return False
    outcome = tried(offer, name, version)
    if outcome != "unknown":
        return outcome == "same"
    return version <= own and version in row.versions


def common_length(lengths: Sequence[tuple[int, ...]]) -> int | None:
    """Return the shortest vector length to leave out so that these sets are the same; None if nothing does that.

    >>> common_length([(128, 256), (128,)]), common_length([(128,), (128,)]), common_length([(256,), (128,)])
    (256, None, None)
    """
    every = sorted({length for some in lengths for length in some})
    for first in reversed(every[1:]):
        cut = {tuple(length for length in some if length < first) for some in lengths}
        if len(cut) == 1 and () not in cut:
            return first
    return None
