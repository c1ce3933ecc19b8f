"""What a real migration would do: whether it completes, what the destination prints, how the guest fares."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from armlevel.arch import Catalogue, Vmm, release_numbers
from armlevel.engine.case import Case
from armlevel.engine.findings import PARTS, Finding, Part, Remedy
from armlevel.engine.moves.settings import settings_of
from armlevel.engine.moves.stages import stopped_by
from armlevel.engine.moves.vmm_limits import blocked, implementation_refused, judge_pages
from armlevel.engine.moves.vmm_restore import Lists, judge_hidden, judge_lists, judge_refusals, restorer_named
from armlevel.engine.names import Message, Name
from armlevel.engine.parts.machine import judge_machine
from armlevel.engine.parts.machine_given import given_on
from armlevel.engine.parts.register_list import hidden_ids
from armlevel.engine.parts.shape import missing_shape, passthrough_shape
from armlevel.engine.parts.shape_pmu import judge_events
from armlevel.engine.parts.shape_unknown import unknown_there
from armlevel.engine.passthrough import passthrough
from armlevel.engine.policy import Policy
from armlevel.engine.reasons import Reason
from armlevel.engine.subjects import about_fact, about_whole
from armlevel.engine.values import named, offered
from armlevel.engine.verdict import judge, parts_of
from armlevel.errors import UsageError
from armlevel.kvm import id_of
from armlevel.profile import Guest, GuestMachine, Host, Offer

__all__ = ["Outcome", "Prediction", "predict"]

Outcome = Literal["completes", "fails", "unknown"]
Harm = Literal[
    "clock", "zeroing", "tags", "vectors", "pointer authentication", "counters", "memory map", "registers"
]
# QEMU says this of the vCPU as a whole, after what it says of single registers.
_OF_ALL: Literal["Failed to put"] = "Failed to put"
_PAGES = about_fact("page_size")
#: What a migration that completes may have done to the guest, by the subject of the finding that says so.
_HARM: dict[str, Harm] = {
    "facts.cntfrq_hz": "clock",
    "facts.dczid": "zeroing",
    "facts.gmid": "tags",
    "sve_vls": "vectors",
    "shape.ptrauth": "pointer authentication",
    "pmu.counters": "counters",
    "machine.windows": "memory map",
}


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a migration from ``source`` to ``target`` under one set of VMM behaviour does.

    ``outcome``   ``completes``: the VMM reports success and goes on; ``fails``: the destination ends; ``unknown``
    ``alive``     whether the guest then runs; None where it is not known, and where nothing completes
    ``harm``      what is wrong with it though it may run: ``clock``, ``vectors`` ...
    ``blocking``  registers that KVM refuses or the VMM names, by name, in the order of their ids
    ``counts``    the registers that the VMM counts on each side; None where a list is not recorded
    ``messages``  lines that the destination prints
    """

    source: str
    target: str
    vmm: str
    outcome: Outcome
    alive: bool | None
    harm: tuple[Harm, ...] = ()
    blocking: tuple[str, ...] = ()
    counts: tuple[int, int] | None = None
    messages: tuple[Message, ...] = ()
    findings: tuple[Finding, ...] = ()
    parts: Mapping[Part, tuple[Finding, ...]] | None = None


def predict(  # noqa: PLR0913 - a question with options
    source: Host,
    target: Host,
    catalogue: Catalogue,
    policy: Policy | None = None,
    *,
    vmm: str = "kvm",
    guest: Guest | None = None,
    machine: GuestMachine | None = None,
    there: GuestMachine | None = None,
) -> Prediction:
    """Predict the migration of a guest between two hosts.

    With ``guest``, both hosts are made to show it (``settings_of``), and its state carries what its profile says.
    Without, the source's passthrough guest moves to a destination that passes its own CPU through. ``machine`` is what
    its VMM is asked for around the vCPUs where it starts, ``there`` at the destination (None: the same). Where the
    behaviour of the VMM is not known, the answer is one only if every set it may have agrees.

    Raises:
        UnknownName: no VMM is called so.
        UsageError: the source has no offer of the guest's shape.

    """
    restorer = restorer_named(vmm, catalogue)
    asked = (guest, machine, there)
    each = [_predict(source, target, catalogue, row, asked, policy) for row in restorer.sets]
    if restorer.machines is not None:
        each = [
            _with(one, "shape", _machine(row, restorer.machines, target))
            for one, row in zip(each, restorer.sets, strict=True)
        ]
    # The most tolerant set is told; where another would fail, it is not known what this VMM does.
    told = each[-1]
    if len({(one.outcome, one.alive) for one in each}) == 1:
        return told if restorer.known else replace(told, vmm=restorer.name)
    names = [row.name for row in restorer.sets]
    doubt = Finding(
        about_whole("vmm"),
        "list",
        "unknown",
        (named(restorer.name),),
        offered((target.name, named(*names))),
        "vmm",
        ("arrive",),
        (Reason("behaviour-not-known"),),
        (Remedy("say-vmm", tuple(map(Name, names))),),
    )
    told = replace(told, vmm=restorer.name, outcome="unknown", alive=None, messages=())
    return _with(told, "list", doubt)


def _with(told: Prediction, part: Part, finding: Finding) -> Prediction:
    parts = dict(told.parts or {})
    parts[part] = (*parts.get(part, ()), finding)
    return replace(told, findings=(*told.findings, finding), parts=parts)


def _machine(vmm: Vmm, machines: tuple[str, str], target: Host) -> Finding:
    # Whoever pins the machine type on both sides never sees it, so it is no message of the prediction.
    texts = dict(zip(("from", "to"), machines, strict=True))
    return Finding(
        about_whole("machine-type"),
        "shape",
        "note",
        (named(machines[0]),),
        offered((target.name, named(machines[1]))),
        "vmm",
        ("arrive",),
        (Reason("same-machine-type", (Name(min(machines, key=_release)),)),),
        messages=tuple(Message(text.format(**texts)) for text in vmm.messages.get("machine", ())),
    )


def _release(machine: str) -> tuple[int, ...]:
    return release_numbers(machine.partition("-")[2])


def _predict(  # noqa: PLR0913, PLR0917
    source: Host,
    target: Host,
    catalogue: Catalogue,
    vmm: Vmm,
    asked: tuple[Guest | None, GuestMachine | None, GuestMachine | None],
    policy: Policy | None,
) -> Prediction:
    guest, machine, asked_there = asked
    moving = guest if guest is not None else passthrough(source, catalogue, vmm=vmm.family, machine=machine)
    if guest is not None:
        moving = _running(guest, machine, source, catalogue)
    here = source.offer(moving.shape)
    if here is None:
        raise UsageError(
            f"{source.name} has no offer for shape {moving.shape.label}", hint="probe the host again"
        )
    shape = passthrough_shape(target, vmm.family) if guest is None and vmm.own_shape else moving.shape
    there = target.offer(shape) if shape is not None else None
    if there is None:
        missing: dict[Part, list[Finding]] = {part: [] for part in PARTS}
        missing["shape"] = missing_shape(moving.shape, target)
        missing["machine"] = _arriving(judge_machine(moving, target, catalogue, asked_there))
        return _told(source, target, vmm, _asked(missing, moving), (), None)
    case = Case.of(moving, target, there, catalogue, policy)
    found = judge(case)
    found = {part: _arriving(found[part]) for part in parts_of(moving)}
    if asked_there is not None and moving.machine is not None:
        found["machine"] = _arriving(judge_machine(moving, target, catalogue, asked_there))
    if vmm.family == "qemu":
        found["shape"] = [_silent(finding) for finding in found["shape"]]
    found["shape"] += judge_events(here.pmu, there.pmu, (source.name, target.name))
    if guest is None and vmm.own_shape:
        found["shape"] += unknown_there(target)
    found["facts"] += judge_pages(moving, source, target, vmm.family)
    found["shape"] += blocked(moving, source, target, vmm, catalogue)
    if guest is not None:
        found["registers"] += implementation_refused(guest, (source.name, here), (target.name, there), vmm)
    sent = _sent(moving, source, here, catalogue, levelled=guest is not None)
    fresh = guest is None and vmm.own_shape
    hidden = hidden_ids(there, target.software.kernel, case.known, catalogue)
    ours = _carries(guest, source, here, case.known, vmm, catalogue)
    # QEMU compares with the list of a fresh vCPU, which shows all that the destination has.
    gone = {one for one, sure in hidden.items() if sure and not fresh}
    lists = _lists(ours, there, gone, vmm, levelled=guest is not None)
    if lists is not None:
        found["list"] = judge_lists(lists, vmm, (source.name, target.name), {**here.state, **sent}, catalogue)
    ids = {name: id_of(name) for name in sent}
    own = {**there.limits, **there.firmware}
    refused: list[tuple[int | None, Finding]] = []
    for part in ("registers", "firmware"):
        told = judge_refusals(found[part], vmm, sent, own, ids)
        found[part] = [finding for _, finding in told]
        refused += [(kvm_id, finding) for kvm_id, finding in told if finding.severity == "stops"]
    late = judge_hidden({k: v for k, v in hidden.items() if k not in gone}, ours or (), target.name, vmm)
    found["registers"] += [finding for _, finding in late]
    refused += [(kvm_id, finding) for kvm_id, finding in late if finding.severity == "stops"]
    return _told(source, target, vmm, found, tuple(sorted(refused, key=_by_id)), lists)


def _running(guest: Guest, machine: GuestMachine | None, source: Host, catalogue: Catalogue) -> Guest:
    # What is around it there, and the pages of that host, to which its memory for stolen time is rounded: what arrives
    # was there before, wherever it was started.
    around = guest.machine if machine is None else given_on(machine, source, catalogue)
    return replace(guest, machine=around, facts=replace(guest.facts, page_size=source.facts.page_size))


def _arriving(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if "arrive" in finding.applies]


def _asked(found: Mapping[Part, Sequence[Finding]], guest: Guest) -> dict[Part, Sequence[Finding]]:
    return {part: found[part] for part in parts_of(guest)}


def _silent(finding: Finding) -> Finding:
    # QEMU puts a guest's vector registers into a vCPU of whatever lengths the destination was started with.
    if finding.subject != about_whole("sve_vls") or finding.severity != "stops":
        return finding
    return replace(finding, severity="breaks", because=(Reason("lengths-not-compared"),))


def _sent(
    guest: Guest, source: Host, offer: Offer, catalogue: Catalogue, *, levelled: bool
) -> dict[str, int]:
    if levelled:
        return {one.name: one.value for one in settings_of(guest, source, catalogue).expects} | dict(
            guest.firmware
        )
    return {**offer.limits, **offer.firmware}


def _carries(  # noqa: PLR0913, PLR0917
    guest: Guest | None,
    source: Host,
    here: Offer,
    values: Mapping[str, int],
    vmm: Vmm,
    catalogue: Catalogue,
) -> Collection[int] | None:
    if guest is not None and vmm.carries != "host":
        return guest.register_list
    if here.register_list is None:
        return None
    hidden = hidden_ids(here, source.software.kernel, values, catalogue)
    return [one for one in here.register_list if not hidden.get(one)]


def _lists(
    ours: Collection[int] | None, there: Offer, gone: Collection[int], vmm: Vmm, *, levelled: bool
) -> Lists | None:
    if ours is None or there.register_list is None:
        return None
    theirs = set(there.register_list).difference(gone)
    # A levelled guest's list is the profile's on both sides, as far as each KVM has it, where the VMM can do that.
    return Lists.of(ours, theirs & set(ours) if levelled and vmm.carries != "host" else theirs, vmm)


def _told(  # noqa: PLR0913, PLR0917
    source: Host,
    target: Host,
    vmm: Vmm,
    found: Mapping[Part, Sequence[Finding]],
    refused: Sequence[tuple[int | None, Finding]],
    lists: Lists | None,
) -> Prediction:
    findings = tuple(finding for some in found.values() for finding in some)
    # Of the facts a destination looks at the pages alone: the others harm the guest that has arrived.
    severities = {one.severity for one in findings if one.part != "facts" or one.subject == _PAGES}
    outcome: Outcome = (
        "fails" if "stops" in severities else "unknown" if "unknown" in severities else "completes"
    )
    harm: tuple[Harm, ...] = tuple(
        dict.fromkeys(
            _HARM.get(finding.subject.key, "registers")
            for finding in findings
            if finding.severity == "breaks"
        )
    )
    alive: bool | None = None
    if outcome == "completes":
        unsure = any(finding.severity == "unknown" for finding in findings)
        # What other vector lengths do depends on who uses vectors: a program dies, or the kernel stands still.
        alive = None if unsure or set(harm) - {"clock"} else True
    unlisted = [finding for finding in found["list"] if finding.severity == "stops"]
    found_by = stopped_by(found.get("machine", ()), listed=not unlisted)
    heard = {"shape": found["shape"], **(found_by or {})}
    if found_by is None:
        heard = {part: some for part, some in found.items() if part != "machine" or not unlisted}
    # What ends in the machine never comes to the registers, and what ends before the list not to that.
    reached = _reached(refused, vmm, lists, stopped=bool(unlisted)) if found_by is None else []
    named = [*unlisted] if vmm.list != "length" and "list" in heard else []
    ordered = sorted([*((id_of(one.subject.key), one) for one in named), *reached], key=_by_id)
    speaking = [one for part, some in heard.items() for one in some if part not in ("registers", "firmware")]
    messages = [text for finding in speaking for text in finding.messages]
    messages += [text for _, finding in reached for text in finding.messages]
    return Prediction(
        source.name,
        target.name,
        vmm.name,
        outcome,
        alive,
        harm if outcome == "completes" else (),
        tuple(dict.fromkeys(finding.subject.register for _, finding in ordered)),
        (lists.sent, lists.listed) if lists is not None else None,
        tuple(sorted(dict.fromkeys(messages), key=lambda text: text.startswith(_OF_ALL))),
        findings,
        {part: tuple(some) for part, some in found.items()},
    )


def _reached(
    refused: Sequence[tuple[int | None, Finding]], vmm: Vmm, lists: Lists | None, *, stopped: bool
) -> list[tuple[int | None, Finding]]:
    # By the rule "length" nothing is read of a list that is too long, and nothing after the first unknown register.
    if vmm.list != "length" or lists is None or not stopped:
        return list(refused)
    if lists.too_long(vmm):
        return []
    return [pair for pair in refused if pair[0] is None or pair[0] < lists.only_source[0]]


def _by_id(pair: tuple[int | None, Finding]) -> tuple[bool, int]:
    # What the source does not send comes first: no place in the list is before it.
    return (False, 0) if pair[0] is None else (True, pair[0])
