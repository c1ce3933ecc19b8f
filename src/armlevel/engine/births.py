"""What a running guest holds, out of what there is to see of it; and where a guest of which some is known may go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from armlevel.arch import Catalogue
from armlevel.engine.fields.domains import accepts_of, fields_of
from armlevel.engine.findings import Answer, Finding, Part, worst
from armlevel.engine.parts.facts import facts_needed
from armlevel.engine.policy import Policy
from armlevel.engine.screen.any_guest import any_guest, is_usual
from armlevel.engine.verdict import check, parts_of
from armlevel.kvm import name_of
from armlevel.profile import (
    IMPLEMENTATION_REGISTERS,
    KNOWN,
    Accepts,
    Birth,
    Facts,
    Guest,
    Host,
    Implementation,
    Offer,
    Shape,
    ShownImplementation,
)
from armlevel.profile.host import nothing

__all__ = ["Arrival", "Traces", "arrival", "birth_of", "reborn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """What there is to see of one running guest.

    ``asked``     the guest that its VMM's command line gives on its host now; None: that cannot be told
    ``comes``     how its state came from elsewhere: ``incoming``, ``loadvm``; empty: it was started there
    ``levelled``  whether something between the VMM and KVM may change its CPU; None: not known
    ``shown``     its ID registers, as the kernel shows them; None: it does not
    ``stamp``     the guest that the metadata of its domain describe
    ``remarks``   codes of what is to be said of it besides
    """

    asked: Guest | None = None
    comes: str = ""
    levelled: bool | None = None
    shown: Mapping[str, int] | None = None
    stamp: Guest | None = None
    boot_id: str | None = None
    remarks: tuple[str, ...] = ()


def birth_of(traces: Traces, host: Host, catalogue: Catalogue) -> Birth:
    """Return what is known of a guest that runs on ``host``, which is recorded as it is in this boot.

    What its command line asked for is what it holds where it was started there. Of one that came from elsewhere the
    command line tells the shape, which no move changes, and the register list, which is that of the host it is on;
    its registers are those that the kernel shows, or takes no other value of; the rest stands in a stamp, or is not
    known.
    """
    asked, remarks = traces.asked, list(traces.remarks)
    offer = None if asked is None else host.offer(asked.shape)
    if asked is None or offer is None:
        return _any(traces, remarks)
    held = replace(asked, registers={**asked.registers, **_after_first_run(asked, offer)})
    agrees = traces.shown is None or _agree(held, traces.shown) or _agree(asked, traces.shown)
    if not traces.comes and traces.levelled is False and agrees:
        by: KNOWN = "command-line" if traces.shown is None else "idregs"
        guest = replace(held, registers={**held.registers, **_shown(held, traces.shown)})
        remarks += [] if traces.stamp is None or _fits(traces.stamp, guest, guest) else ["stamp-not-valid"]
        return Birth(
            guest, by, traces.boot_id, _known_parts(guest, asked, by, "command-line"), tuple(remarks)
        )
    if not agrees and not traces.comes:
        remarks.append("differs-from-command-line")
    return _from_elsewhere(traces, asked, offer, host, catalogue, remarks)


def _any(traces: Traces, remarks: list[str]) -> Birth:
    return Birth(None, "any", traces.boot_id, remarks=tuple(remarks))


def _known_parts(guest: Guest, asked: Guest, registers: KNOWN, others: KNOWN) -> dict[str, KNOWN]:
    return {part: registers if part == "registers" else others for part in _whole_parts(guest, asked)}


def _after_first_run(asked: Guest, offer: Offer) -> Mapping[str, int]:
    return {name: value for name, value in offer.changed_by_kvm.items() if name in asked.registers}


def _agree(guest: Guest, shown: Mapping[str, int]) -> bool:
    known = guest.id_registers
    return all(known[name] == value for name, value in shown.items() if name in known)


def _shown(guest: Guest, shown: Mapping[str, int] | None) -> Mapping[str, int]:
    return {name: value for name, value in (shown or {}).items() if name in guest.registers}


def _from_elsewhere(  # noqa: PLR0913, PLR0917 (what is known of one guest)
    traces: Traces, asked: Guest, offer: Offer, host: Host, catalogue: Catalogue, remarks: list[str]
) -> Birth:
    numbers = _numbers(traces, asked, offer, host)
    own = {name: asked.registers[name] for name in asked.registers if _has_one_value(name, offer, catalogue)}
    values = {**own, **_shown(asked, traces.shown)}
    if traces.stamp is not None and traces.comes != "loadvm":
        if _fits(traces.stamp, asked, replace(asked, registers=values, implementation=numbers)):
            return _stamped(traces, asked, values, remarks)
        remarks.append("stamp-not-valid")
    # Whether its implementation IDs were made writable is part of its shape.
    if numbers is None or not values:
        return _any(traces, remarks)
    guest = Guest(
        asked.name,
        asked.shape,
        values,
        asked.register_list,
        implementation=numbers,
        unknown=asked.unknown,
    )
    by: KNOWN = "own-values" if traces.shown is None else "idregs"
    return Birth(guest, by, traces.boot_id, _known_parts(guest, asked, by, "command-line"), tuple(remarks))


def _numbers(traces: Traces, asked: Guest, offer: Offer, host: Host) -> ShownImplementation | None:
    # The numbers of its host, where no other can be there.
    if asked.implementation is None:
        return None
    shown = Implementation.from_registers(traces.shown or {})
    if shown is not None:
        return asked.implementation if asked.implementation.shown.same_as(shown) else None
    fixed = not host.software.kvm_capabilities.get("ARM_WRITABLE_IMP_ID_REGS")
    fixed = fixed and "ARM_WRITABLE_IMP_ID_REGS" in host.software.kvm_capabilities
    written = any(
        _takes_others(accepts)
        for subject, accepts in offer.accepts.items()
        if subject.partition(".")[0] in IMPLEMENTATION_REGISTERS
    )
    return asked.implementation if (traces.levelled is False or fixed) and not written else None


def _takes_others(accepts: Accepts) -> bool:
    return accepts.values is None or len(accepts.values) > 1 or accepts.others == "unknown"


def _has_one_value(name: str, offer: Offer, catalogue: Catalogue) -> bool:
    # Whether a guest there can hold nothing else than the limit.
    limit = offer.limits.get(name)
    if limit is None or name in offer.changed_by_kvm:
        return False
    for one in fields_of(catalogue, name, [limit]):
        accepts, top = accepts_of(offer, one, one.get(limit)), one.get(limit)
        kept = {value for _, value in accepts.changed}
        if _takes_others(accepts) or accepts.unsure or kept - {top}:
            return False
    return True


def _fits(stamp: Guest, asked: Guest, known: Guest) -> bool:
    # Whether a stamp can be that of a guest of which this much is known.
    same = stamp.shape.features == asked.shape.features and stamp.sve_vls in (None, asked.sve_vls)
    values = stamp.id_registers
    return same and all(values.get(name, value) == value for name, value in known.id_registers.items())


def _stamped(traces: Traces, asked: Guest, values: Mapping[str, int], remarks: list[str]) -> Birth:
    assert traces.stamp is not None
    stamp = traces.stamp
    # What QEMU carries on from here is the list of this host; one that is started with a library keeps its own.
    carried = asked.register_list if traces.levelled is False else stamp.register_list
    # What did not travel with it is as this host has it: a register that its last host did not list.
    listed = set(map(name_of, stamp.register_list or ()))
    registers, firmware = (
        {
            name: value
            for name, value in some.items()
            if stamp.register_list is not None and name not in listed
        }
        for some in (asked.registers, asked.firmware)
    )
    guest = replace(
        stamp,
        name=asked.name,
        registers={**registers, **stamp.registers, **values},
        firmware={**firmware, **stamp.firmware} if stamp.firmware else stamp.firmware,
        register_list=carried,
        starts_on=(),
    )
    by: KNOWN = "stamp" if traces.shown is None else "idregs"
    return Birth(guest, by, traces.boot_id, _known_parts(guest, asked, by, "stamp"), tuple(remarks))


def _whole_parts(guest: Guest, asked: Guest) -> tuple[Part, ...]:
    # The parts of which a guest records all that one of its shape has.
    shape = ("sve" not in guest.shape.features or guest.sve_vls is not None) and (
        "pmu_v3" not in guest.shape.features or guest.pmu_counters is not None
    )
    recorded: dict[Part, bool] = {
        "shape": shape,
        "registers": guest.registers.keys() >= asked.registers.keys() and not guest.unrecorded_implementation,
        "list": guest.register_list is not None,
        "firmware": bool(guest.firmware) and guest.firmware.keys() >= asked.firmware.keys(),
        "facts": all(getattr(guest.facts, name) is not None for name in facts_needed(guest.shape)),
        "machine": guest.machine is not None,
    }
    return tuple(part for part, whole in recorded.items() if whole)


def reborn(birth: Birth, host: Host, catalogue: Catalogue) -> Birth:
    """Return a birth after the guest was rebooted on ``host``: it learnt anew what no VMM restores.

    Its ID registers, PSCI version and bitmaps stay those of its VM; the levels of workarounds, the counter's frequency
    and block sizes are the host's, which KVM tells whoever asks (Linux arch/arm64/kvm/hypercalls.c).
    """
    guest = birth.guest
    offer = None if guest is None else host.offer(guest.shape)
    if guest is None or offer is None:
        return birth
    levels = {
        name: offer.firmware[name]
        for name, row in catalogue.firmware.items()
        if row.levels and name in offer.firmware
    }
    facts = replace(host.facts, sources=Facts().sources)
    firmware = {**guest.firmware, **levels} if guest.firmware else guest.firmware
    parts = {**birth.parts, "facts": birth.known} if birth.parts else birth.parts
    return replace(birth, guest=replace(guest, firmware=firmware, facts=facts), parts=parts)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Whether a running guest may arrive on a host.

    ``any_guest``  the parts that run because any guest that is where this one is may go, as far as it is known
    """

    host: str
    parts: Mapping[Part, Answer]
    findings: tuple[Finding, ...] = ()
    any_guest: tuple[Part, ...] = ()
    not_judged: tuple[Part, ...] = field(default=())

    @property
    def answer(self) -> Answer:
        """The worst of the parts."""
        return worst(self.parts.values())


def arrival(  # noqa: PLR0913, PLR0917 (a guest, where it is, where it would go, and how that is judged)
    birth: Birth,
    shape: Shape | None,
    source: Host,
    target: Host,
    catalogue: Catalogue,
    policy: Policy | None = None,
) -> Arrival:
    """Say whether a guest that runs on ``source`` may arrive on ``target``.

    What is not known of it may be anything that ``source`` keeps. ``shape`` is that of a guest of which nothing else is
    known: where that is not known either, nobody says that it may go.
    """
    if birth.guest is None:
        return _any_arrival(shape, source, target, catalogue, policy)
    guest = birth.guest
    verdict = check(guest, target, catalogue, policy)
    parts = {part: arrive for part, (_, arrive) in verdict.parts.items()}
    left = [part for part, answer in parts.items() if answer == "unknown"]
    saved: list[Part] = []
    if left and birth.not_known and is_usual(guest.shape):
        found = any_guest(_narrowed(source, guest, catalogue), target, catalogue, policy, shape=guest.shape)
        may = dict(found.parts) if found is not None else {}
        saved = [part for part in left if may.get(part) == "runs"]
    parts.update(dict.fromkeys(saved, "runs"))
    findings = tuple(
        one
        for one in verdict.findings
        if "arrive" in one.applies and not (one.part in saved and one.severity == "unknown")
    )
    judged = parts_of(guest)
    return Arrival(
        target.name, parts, findings, tuple(saved), ("machine",) if "machine" not in judged else ()
    )


def _any_arrival(
    shape: Shape | None, source: Host, target: Host, catalogue: Catalogue, policy: Policy | None
) -> Arrival:
    if shape is not None and not is_usual(shape):
        return Arrival(
            target.name, {"shape": "unknown"}, not_judged=("registers", "list", "firmware", "machine")
        )
    found = any_guest(source, target, catalogue, policy, shape=shape)
    if found is None or not found.shapes:
        return Arrival(
            target.name, {"shape": "unknown"}, not_judged=("registers", "list", "firmware", "machine")
        )
    # That some guest there may not go says nothing of this one.
    parts: dict[Part, Answer] = {
        part: "runs" if answer == "runs" else "unknown" for part, answer in found.parts
    }
    if shape is None:
        parts["shape"] = "unknown"
    return Arrival(
        target.name,
        parts,
        (),
        tuple(part for part, answer in parts.items() if answer == "runs"),
        found.not_judged,
    )


def _narrowed(host: Host, guest: Guest, catalogue: Catalogue) -> Host:
    # A host on which nothing else can be than guests that hold what is known of this one.
    offer = host.offer(guest.shape)
    assert offer is not None  # its list is that of the offer
    known = {name: value for name, value in guest.id_registers.items() if name in offer.limits}
    own = {
        one.subject: Accepts.of([one.get(value)])
        for name, value in known.items()
        for one in fields_of(catalogue, name, [value])
    }
    others = {
        subject: accepts
        for subject, accepts in offer.accepts.items()
        if subject.partition(".")[0] not in known
    }
    narrow = replace(
        offer,
        limits={**offer.limits, **known},
        accepts={**others, **own},
        changed_by_kvm={name: one for name, one in offer.changed_by_kvm.items() if name not in known},
        side_effects=nothing(),
        like=None,
        register_list_without=(),
    )
    return replace(host, offers=(narrow,))
