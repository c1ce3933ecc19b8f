"""What would change an answer: each remedy is followed by the engine before it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from armlevel.arch import Catalogue, release_numbers
from armlevel.engine.baseline import Baseline, level
from armlevel.engine.fields.tolerance import ids_of, tolerated_of
from armlevel.engine.findings import Answer, Finding, Remedy, Verdict
from armlevel.engine.names import Name, hosts_of
from armlevel.engine.policy import Policy
from armlevel.engine.twins import is_newer_twin, may_be_newer_twin
from armlevel.engine.verdict import check
from armlevel.profile import Guest, Host, kind_digest
from armlevel.profile.guest_machine import GicAsked

__all__ = ["FIXED_FACTS", "nothing_changes", "remedies_of_baseline", "remedies_of_guest", "tolerating"]

#: What no kernel, VMM or choice changes.
FIXED_FACTS = ("facts.cntfrq_hz", "facts.dczid", "facts.gmid")

# Of kernels that are not recorded: how many hosts' are put in the place of others'.
_TRIED = 4


def tolerating(guest: Guest, names: Iterable[str], catalogue: Catalogue) -> Guest:
    """Return a guest whose profile lets these classes of fields differ, too: it carries none of their registers."""
    named = tuple(names)
    free = ids_of(tolerated_of(named, catalogue, guest.shape), catalogue)
    carries = guest.register_list
    return replace(
        guest,
        tolerates=tuple(dict.fromkeys((*guest.tolerates, *named))),
        register_list=None if carries is None else tuple(one for one in carries if one not in free),
    )


def remedies_of_guest(
    guest: Guest, host: Host, verdict: Verdict, catalogue: Catalogue, policy: Policy
) -> tuple[Remedy, ...]:
    """Return what would let a guest arrive on a host that refuses it, or start elsewhere where it only arrives.

    ``tolerate``  classes of fields that its profile would have to let differ;  ``start-on``  the hosts it starts on
    ``nothing``   what nothing changes;  ``restart``  always possible: with a CPU of the host's own
    """
    if verdict.arrive != "refused":
        born = [name for name in guest.starts_on if name != host.name]
        only = verdict.arrive == "runs" and verdict.start == "refused"
        return (Remedy("start-on", hosts=hosts_of(born)),) if only else ()

    def answer(names: Sequence[str]) -> Answer:
        return check(tolerating(guest, names, catalogue), host, catalogue, policy).arrive

    return (
        *_given_otherwise(guest, host, catalogue, policy),
        *_tolerated([name for name in catalogue.tolerances if name not in guest.tolerates], answer),
        *nothing_changes(verdict.findings),
        Remedy("restart", hosts=hosts_of([host.name])),
    )


def _given_otherwise(guest: Guest, host: Host, catalogue: Catalogue, policy: Policy) -> Iterator[Remedy]:
    # What its VMM is asked for in place of what hangs on the host: of a guest that is started so, and then moves.
    machine = guest.machine
    if machine is None or machine.gic not in (2, 3):
        return
    pinned: GicAsked = "3" if machine.gic == 3 else "2"
    ways = (
        (Remedy("board", (Name(f"gic-version={pinned}"),)), replace(machine, gic_asked=pinned)),
        (
            Remedy("switches", (Name("kvm-steal-time=off"),)),
            replace(machine, steal_time_asked="off", steal_time=False),
        ),
    )
    for remedy, changed in ways:
        other = replace(guest, machine=changed)
        if changed != machine and check(other, host, catalogue, policy).arrive == "runs":
            yield replace(remedy, hosts=hosts_of([*guest.starts_on, host.name]))


def remedies_of_baseline(
    hosts: Sequence[Host], outcome: Baseline, catalogue: Catalogue, policy: Policy
) -> tuple[Remedy, ...]:
    """Return what would give hosts a baseline that have none.

    ``tolerate``  classes of fields that may differ;  ``require-not``  a feature that some host lacks
    ``kernel-as`` the kernel of another of the hosts, on those of the same CPU;  ``nothing``  what nothing changes
    ``fact``      kernels that are not recorded, where a newer one of the hosts may be a way out
    """
    if outcome.answer != "refused":
        return ()

    def answer(names: Sequence[str]) -> Answer:
        wider = replace(policy, tolerate=tuple(dict.fromkeys((*policy.tolerate, *names))))
        return level(hosts, catalogue, wider).answer

    def unasked(feature: str) -> bool:
        asked = tuple(name for name in policy.require if name != feature)
        return level(hosts, catalogue, replace(policy, require=asked)).answer != "refused"

    found: tuple[Remedy, ...] = (
        *(Remedy("require-not", (Name(feature),)) for feature in policy.require if unasked(feature)),
        *_tolerated([name for name in catalogue.tolerances if name not in policy.tolerate], answer),
        *_kernels(hosts, catalogue, policy),
        *_kernels_to_tell(hosts, catalogue, policy),
        *nothing_changes(outcome.conflicts),
    )
    return found or (Remedy("nothing"),)


def _tolerated(classes: Sequence[str], answer: Callable[[Sequence[str]], Answer]) -> Iterator[Remedy]:
    # The fewest classes that still change the answer as all of them do.
    best = answer(classes) if classes else "refused"
    if best == "refused":
        return
    needed = list(classes)
    for name in classes:
        fewer = [one for one in needed if one != name]
        if fewer and answer(fewer) == best:
            needed = fewer
    yield Remedy("tolerate", tuple(map(Name, needed)))


def _kernels(hosts: Sequence[Host], catalogue: Catalogue, policy: Policy) -> Iterator[Remedy]:
    # What a host would offer under another kernel is not guessed: a host of the same CPU shows it.
    changed = {host.name: twin for host in hosts if (twin := _newest(host, hosts)) is not None}
    if not changed:
        return

    def works(some: dict[str, Host]) -> bool:
        moved = [replace(some[h.name], name=h.name) if h.name in some else h for h in hosts]
        return level(moved, catalogue, policy).answer != "refused"

    if not works(changed):
        return
    for name in list(changed):
        fewer = {one: twin for one, twin in changed.items() if one != name}
        if fewer and works(fewer):
            changed = fewer
    for kernel, twin in {twin.software.kernel: twin for twin in changed.values()}.items():
        who = [name for name, other in changed.items() if other.software.kernel == kernel]
        yield Remedy("kernel-as", (Name(str(kernel)), Name(twin.name)), hosts_of(who))


def _newest(host: Host, hosts: Sequence[Host]) -> Host | None:
    twins = [one for one in hosts if is_newer_twin(host, one)]
    return max(twins, key=lambda one: release_numbers(one.software.kernel), default=None)


def _kernels_to_tell(hosts: Sequence[Host], catalogue: Catalogue, policy: Policy) -> Iterator[Remedy]:
    # Hosts whose kernels, if they were recorded, might make another host's one a way out. A few are tried.
    tried = 0
    for target in {kind_digest(host): host for host in hosts}.values():
        changed = {one.name for one in hosts if one is not target and may_be_newer_twin(one, target)}
        silent = [h.name for h in hosts if h.software.kernel is None and h.name in {target.name, *changed}]
        if not changed or not silent or tried == _TRIED:
            continue
        tried += 1
        moved = [replace(target, name=h.name) if h.name in changed else h for h in hosts]
        if level(moved, catalogue, policy).answer != "refused":
            yield Remedy("fact", (Name("kernel"),), hosts_of(silent))
            return


def nothing_changes(findings: Iterable[Finding]) -> Iterator[Remedy]:
    """Give the facts among findings that nothing changes: no kernel, no VMM, no choice."""
    grave = [
        one for one in findings if one.severity in ("stops", "breaks") and one.subject.key in FIXED_FACTS
    ]
    names = dict.fromkeys(name for one in grave for name in one.subject.names)
    if names:
        hosts = dict.fromkeys(name for one in grave for name, _ in one.offers)
        yield Remedy("nothing", tuple(Name(name) for name in names), tuple(hosts))
