"""Ways out of a move that does not work: each is tried on the same predictions before it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from armlevel.arch import Catalogue
from armlevel.engine.baseline import level
from armlevel.engine.findings import Finding, Remedy, RemedyKind
from armlevel.engine.moves.means import Tried, switches_for
from armlevel.engine.moves.predict import predict
from armlevel.engine.moves.switches import Switches
from armlevel.engine.moves.vmm_restore import restorer_named
from armlevel.engine.names import Name, hosts_of
from armlevel.engine.policy import Policy
from armlevel.engine.remedies import nothing_changes
from armlevel.engine.subjects import Subject
from armlevel.engine.twins import is_newer_twin
from armlevel.profile import Host

__all__ = ["JudgeUnder", "Ways", "stack_of", "stacks_of", "stock_ways", "ways_out"]


@dataclass(frozen=True, slots=True)
class Ways:
    """What would let a guest go where it may not, and what no switch takes out of the way."""

    remedies: tuple[Remedy, ...] = ()
    remains: tuple[Subject, ...] = ()


#: Gives what stands against a passthrough guest's move between two hosts, under a VMM.
JudgeUnder = Callable[[Host, Host, str], Sequence[Finding]]


def ways_out(  # noqa: PLR0913, PLR0917 - a question with options
    source: Host,
    target: Host,
    catalogue: Catalogue,
    vmm: str,
    policy: Policy,
    judge: JudgeUnder,
    *,
    switchable: bool = True,
) -> Ways:
    """Return what would let a guest go from ``source`` to ``target``, the least effort first.

    ``switches``          options that the VMM takes, if ``switchable``: a guest whose CPU is not given exactly
    ``vmm``               another version on the destination, with the guest as it is
    ``level-and-run``     a guest levelled for both hosts, under the tolerances that the baseline needs
    ``level-and-export``  the same, as the CPU template of a VMM that takes one
    ``upgrade-kernel``    the newer kernel of the two on both, where they are the same CPU
    ``nothing``           what nothing changes: such hosts stay in separate pools
    ``restart``           always possible: shut down, and start on the destination
    """
    stock, remains = stock_ways(
        source, target, catalogue, [vmm, *_newer(vmm, catalogue)], judge, switchable=switchable
    )
    remedies = (
        *stock,
        *_levelled(source, target, catalogue, vmm, policy),
        *_same_kernel(source, target, catalogue, vmm),
        *nothing_changes(judge(source, target, vmm)),
        Remedy("restart", hosts=hosts_of([target.name])),
    )
    return Ways(remedies, remains)


def stacks_of(vmm: str, catalogue: Catalogue) -> list[str]:
    """Return the VMMs that stand for one as it was asked about: of KVM alone, also the newest that was measured."""
    family = restorer_named(vmm, catalogue).family
    return [vmm, *(_newer(vmm, catalogue) if family == "kvm" else [])]


def stock_ways(  # noqa: PLR0913 - a question with options
    source: Host,
    target: Host,
    catalogue: Catalogue,
    stacks: Sequence[str],
    judge: JudgeUnder,
    *,
    switchable: bool = True,
) -> tuple[tuple[Remedy, ...], tuple[Subject, ...]]:
    """Return how VMMs as they are let a passthrough guest go, and what no switch of the last one takes away.

    The first of ``stacks`` is the one that was asked about.
    """
    ways: list[Remedy] = []
    last = Tried()
    for name in stacks if switchable else ():
        last = _switched(source, target, catalogue, name, judge)
        ways += _told(last, name, stacks[0])
        if last.fixed:
            break
    return tuple(_cheapest(ways, source, target)), () if ways else last.remains


def _newer(vmm: str, catalogue: Catalogue) -> list[str]:
    # The newest released stack, where another one was asked about: what it does is what a person could do.
    restorer = restorer_named(vmm, catalogue)
    asked = {row.name for row in restorer.sets} if restorer.known else set()
    if restorer.family not in ("kvm", "qemu"):
        return []
    return [
        f"{family}-{'.'.join(map(str, since))}"
        for row in catalogue.vmms.values()
        if row.list == "tolerant" and row.name not in asked
        for family, since, _ in row.suggests
    ][:1]


def stack_of(way: Remedy) -> str:
    """Return the VMM that a way out names, as ``--vmm`` takes it; empty if it names none.

    >>> stack_of(Remedy("switches", (Name("pmu=off"), Name("qemu"), 11, 1)))
    'qemu-11.1'
    """
    family, *version = (way.args[1:] if way.kind == "switches" else way.args) or ("",)
    return f"{family}-{'.'.join(map(str, version))}" if version else ""


def _switched(source: Host, target: Host, catalogue: Catalogue, vmm: str, judge: JudgeUnder) -> Tried:
    def under(here: Host, there: Host) -> Sequence[Finding]:
        return judge(here, there, vmm)

    found = under(source, target)
    if not found:
        return Tried(Switches())
    return switches_for(source, target, catalogue, vmm=vmm, found=found, judge=under)


def _told(tried: Tried, stack: str, asked: str) -> Iterator[Remedy]:
    if tried.switches is None:
        return
    which: tuple[Name | int, ...] = ()
    if stack != asked:
        family, _, version = stack.partition("-")
        which = (Name(family), *map(int, version.split(".")))
    if tried.switches:
        yield Remedy("switches", (Name(tried.switches.text), *which))
    elif which:
        yield Remedy("vmm", which)


def _cheapest(ways: Sequence[Remedy], source: Host, target: Host) -> Iterator[Remedy]:
    # Of the same switches under two stacks, those of the one that was asked about.
    told: set[Name | int | str] = set()
    for way in ways:
        key = way.args[0] if way.kind == "switches" else way.kind
        if key not in told:
            told.add(key)
            hosts = [target.name] if way.kind == "vmm" else [source.name, target.name]
            yield replace(way, hosts=hosts_of(hosts))


def _levelled(source: Host, target: Host, catalogue: Catalogue, vmm: str, policy: Policy) -> Iterator[Remedy]:
    for classes in ((), tuple(catalogue.tolerances)):
        tolerate = tuple(dict.fromkeys((*policy.tolerate, *classes)))
        found = level([source, target], catalogue, replace(policy, tolerate=tolerate))
        if found.answer == "runs" and found.guest is not None:
            moves = [
                predict(source, target, catalogue, vmm=vmm, guest=found.guest),
                predict(target, source, catalogue, vmm=vmm, guest=found.guest),
            ]
            if all(one.outcome == "completes" and not one.harm for one in moves):
                named = [name for name in found.guest.tolerates if name in tolerate]
                template = restorer_named(vmm, catalogue).family == "firecracker"
                kind: RemedyKind = "level-and-export" if template else "level-and-run"
                yield Remedy(kind, tuple(map(Name, named)), hosts_of(sorted([source.name, target.name])))
                return


def _same_kernel(source: Host, target: Host, catalogue: Catalogue, vmm: str) -> Iterator[Remedy]:
    for older, newer in ((source, target), (target, source)):
        kernel = newer.software.kernel
        if kernel is not None and is_newer_twin(older, newer):
            line = catalogue.line(kernel)
            moved = predict(newer, newer, catalogue, vmm=vmm)
            if moved.outcome == "completes" and not moved.harm:
                what = line.name if line is not None else kernel
                yield Remedy("upgrade-kernel", (Name(what),), hosts_of([older.name]))
