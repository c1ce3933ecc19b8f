"""What a set of VMM behaviour adds to the question, or asks otherwise: lists, pages, features that it cannot move."""

from __future__ import annotations

from collections.abc import Hashable

from armlevel.arch import Catalogue, Vmm
from armlevel.engine.fields.vectors import REFUSED, RUNS, UNKNOWN, Marks
from armlevel.engine.moves.vmm_limits import STEAL_TIME, blocked, judge_pages
from armlevel.engine.moves.vmm_restore import Lists, is_let
from armlevel.engine.parts.register_list import hidden_ids, judge_list
from armlevel.engine.parts.shape_unknown import unknown_there, unknown_to_rows
from armlevel.engine.screen.tables import TABLES, Table, host_list, marks_of
from armlevel.engine.screen.views import GuestView, HostView, case_of
from armlevel.kvm import name_of

__all__ = ["tables_of"]


def tables_of(vmm: Vmm | None, catalogue: Catalogue) -> tuple[Table, ...]:
    """Return the tables of passthrough guests that a VMM moves; of KVM alone, those of any guest."""
    if vmm is None:
        return TABLES
    asked = _Asked(vmm, catalogue)
    others = tuple(one for one in TABLES if one.part != "list")
    return (
        *others,
        Table("vmm-list", "list", asked.guest_list, host_list, asked.judge_list),
        Table("vmm-hidden", "registers", asked.guest_list, host_list, asked.judge_hidden),
        Table("vmm-pages", "facts", asked.guest_pages, _host_pages, asked.judge_pages),
        Table("vmm-unknown", "shape", asked.guest_unknown, _host_unknown, asked.judge_unknown),
        Table("vmm-blocks", "shape", asked.guest_blocks, asked.host_blocks, asked.judge_blocks),
    )


def _host_pages(host: HostView) -> Hashable:
    return (host.host.facts.page_size,)


def _host_unknown(host: HostView) -> Hashable:
    return unknown_to_rows(host.host) or None


def _arriving(mark: int) -> Marks:
    return Marks(RUNS, mark)


class _Asked:
    # The questions of one set of behaviour.

    def __init__(self, vmm: Vmm, catalogue: Catalogue) -> None:
        self._vmm = vmm
        self._catalogue = catalogue
        self._named = tuple(sorted({row.register for row in catalogue.lets if vmm.name in row.vmms}))
        self._capabilities = tuple(row.capability for row in catalogue.blocks if vmm.name in row.vmms)

    def _values(self, guest: GuestView) -> dict[str, int]:
        # What the source sends of the registers that the VMM may forgive.
        assert guest.source is not None
        offer = guest.source.offer
        sent = {**offer.state, **offer.limits, **offer.firmware}
        return {name: sent[name] for name in self._named if name in sent}

    def guest_list(self, guest: GuestView) -> Hashable:
        assert guest.source is not None
        own = host_list(guest.source)
        return own, guest.drops, tuple(self._values(guest).items())

    def _ends(self, guest: GuestView, host: HostView) -> tuple[list[int] | None, dict[int, bool]]:
        # What is sent, and what the destination hides once the guest's values are in.
        assert guest.source is not None
        here, catalogue = guest.source, self._catalogue
        hidden = hidden_ids(host.offer, host.host.software.kernel, guest.known, catalogue)
        if here.offer.register_list is None:
            return None, hidden
        own = hidden_ids(here.offer, here.host.software.kernel, guest.known, catalogue)
        return [one for one in here.offer.register_list if not own.get(one)], hidden

    def judge_list(self, guest: GuestView, host: HostView) -> Marks:
        ours, hidden = self._ends(guest, host)
        listed = host.offer.register_list
        if ours is None or listed is None:
            return _arriving(marks_of(judge_list(case_of(guest, host))).arrive)
        # The list of a fresh vCPU shows all that the destination has.
        gone = set() if self._vmm.own_shape else {one for one, sure in hidden.items() if sure}
        lists = Lists.of(ours, set(listed) - gone, self._vmm)
        values = self._values(guest)
        let = all(
            is_let(name_of(one), "source", self._vmm, values, self._catalogue) for one in lists.only_source
        )
        return _arriving(RUNS if let else REFUSED)

    def judge_hidden(self, guest: GuestView, host: HostView) -> Marks:
        ours, hidden = self._ends(guest, host)
        late = [
            sure for one, sure in hidden.items() if one in (ours or ()) and (self._vmm.own_shape or not sure)
        ]
        return _arriving(max((REFUSED if sure else UNKNOWN for sure in late), default=RUNS))

    def guest_pages(self, guest: GuestView) -> Hashable:
        assert guest.source is not None
        host = guest.source.host
        told = guest.guest.firmware.get(STEAL_TIME, 1) & 1
        has = host.software.kvm_capabilities.get("STEAL_TIME")
        return host.facts.page_size, told, has, guest.guest.machine is None

    def judge_pages(self, guest: GuestView, host: HostView) -> Marks:
        assert guest.source is not None
        found = judge_pages(guest.guest, guest.source.host, host.host, self._vmm.family)
        return marks_of(found)

    def guest_unknown(self, guest: GuestView) -> Hashable:
        # A destination that passes its own CPU through may give the guest what no row knows.
        assert guest.source is not None
        return True if self._vmm.own_shape else None

    @staticmethod
    def judge_unknown(guest: GuestView, host: HostView) -> Marks:
        assert guest.source is not None
        return marks_of(unknown_there(host.host))

    def guest_blocks(self, guest: GuestView) -> Hashable:
        assert guest.source is not None
        has = guest.source.host.software.kvm_capabilities
        return guest.guest.shape.features, tuple(map(has.get, self._capabilities))

    def host_blocks(self, host: HostView) -> Hashable:
        return tuple(map(host.host.software.kvm_capabilities.get, self._capabilities))

    def judge_blocks(self, guest: GuestView, host: HostView) -> Marks:
        assert guest.source is not None
        return marks_of(blocked(guest.guest, guest.source.host, host.host, self._vmm, self._catalogue))
