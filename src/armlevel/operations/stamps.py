"""Births written into libvirt's metadata, so that they travel with the guest: by `virsh`, into the running domain.

Into the running one alone (``--live``): libvirt carries that to wherever the guest goes, and drops it with the run that
it is true of. In the definition (``--config``) it would be there again when the guest is started anew, under another
kernel, and nobody could tell. Source: libvirt docs/manpages/virsh.rst (metadata), src/conf/domain_conf.c
(virDomainObjSetMetadata), src/qemu/qemu_migration.c (the destination gets the XML of the live domain).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from armlevel.arch import load
from armlevel.documents.packed import pack, unpack
from armlevel.documents.write import digest, guest_object
from armlevel.engine.births import reborn
from armlevel.onefile.metadata import GUEST_URI, KEY, GuestMark, guest_element
from armlevel.operations.guests import GuestsResult, RunningGuest
from armlevel.operations.virsh import Virsh
from armlevel.profile import Host

__all__ = ["Stamped", "event_in", "rebooted", "stamp", "virsh"]

StampOutcome = Literal["written", "same", "removed", "no-domain", "not-known", "not-ours", "refused"]

#: Words of a command -> its exit status, and what it said.
Run = Callable[[Sequence[str]], tuple[int, str]]

_URI = "qemu:///system"
_EVENT = re.compile(r".*?\bevent '([a-z-]{1,40})' for domain '?([^':]{1,255})'?(?::.*)?")


@dataclass(frozen=True, slots=True)
class Stamped:
    """What became of the stamp of one guest; ``said`` is libvirt's word where it refused."""

    name: str
    outcome: StampOutcome
    said: str = ""

    def document(self) -> dict[str, Any]:
        """Return it as an answer records it."""
        return {"name": self.name, "outcome": self.outcome, "said": self.said}


def virsh(words: Sequence[str]) -> tuple[int, str]:
    """Run virsh on this machine's libvirt.

    Raises:
        UsageError: there is no virsh.

    """
    status, _, said = Virsh(_URI).run(*words)
    return status, said.strip()


def stamp(found: GuestsResult, run: Run = virsh) -> tuple[Stamped, ...]:
    """Write the birth of each guest that has one into the metadata of its running domain.

    A stamp that says the same already stays; one that is of another guest is replaced, or removed where nothing better
    is known; one that another armlevel wrote in another way stays.
    """
    return tuple(_stamped(guest, run) for guest in found.guests)


def _stamped(guest: RunningGuest, run: Run) -> Stamped:
    if guest.vmm != "qemu" or not guest.uuid or not guest.managed:
        return Stamped(guest.name, "no-domain")
    if guest.stamp == "unreadable":
        return Stamped(guest.name, "not-ours")
    if guest.birth.guest is None:
        if guest.mark is None or "stamp-not-valid" not in guest.birth.remarks:
            return Stamped(guest.name, "not-known")
        return _asked(guest, ["--remove"], "removed", run)
    packed = pack(guest.birth.guest)
    # What comes out of the text is what its digest is of.
    wanted = GuestMark(packed=packed, digest=digest(guest_object(unpack(packed))), known=guest.birth.known)
    if guest.mark is not None:
        kept = guest.mark
        wanted = wanted._replace(pool=kept.pool, level=kept.level, unknown=kept.unknown)
    if wanted == guest.mark:
        return Stamped(guest.name, "same")
    return _asked(guest, ["--key", KEY, "--set", guest_element(wanted, named=False)], "written", run)


def _asked(guest: RunningGuest, words: Sequence[str], outcome: StampOutcome, run: Run) -> Stamped:
    status, said = run(["metadata", "--domain", guest.uuid, "--uri", GUEST_URI, *words, "--live"])
    return Stamped(guest.name, "refused", said[-400:]) if status else Stamped(guest.name, outcome)


def event_in(line: str) -> tuple[str, str] | None:
    r"""Return the kind of an event and the name of its domain, out of a line of ``virsh event --loop``.

    >>> event_in("2026-11-30 20:00:00.123+0000: event 'reboot' for domain 'web-1'\n")
    ('reboot', 'web-1')
    >>> event_in("event 'lifecycle' for domain 'web-1': Resumed Migrated"), event_in("events received: 1")
    (('lifecycle', 'web-1'), None)
    """
    match = _EVENT.fullmatch(line.strip())
    return None if match is None else (match[1], match[2])


def rebooted(found: GuestsResult, host: Host, names: Iterable[str]) -> GuestsResult:
    """Return the guests, those of these names as they are after they were rebooted on ``host``."""
    known = set(names)
    catalogue = load()
    guests = tuple(
        replace(one, birth=reborn(one.birth, host, catalogue)) if one.name in known else one
        for one in found.guests
    )
    return replace(found, guests=guests)
