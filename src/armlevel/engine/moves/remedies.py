"""Ways out of a move that does not work: each is tried on the same predictions before it is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from armlevel.arch import Catalogue, release_numbers
from armlevel.engine.baseline import level
from armlevel.engine.findings import Remedy, RemedyKind
from armlevel.engine.moves.predict import predict
from armlevel.engine.moves.vmm_restore import restorer_named
from armlevel.engine.names import Name, hosts_of
from armlevel.engine.policy import Policy
from armlevel.profile import Host, alike

__all__ = ["ways_out"]


def ways_out(
    source: Host, target: Host, catalogue: Catalogue, vmm: str = "kvm", policy: Policy | None = None
) -> tuple[Remedy, ...]:
    """Return what would let a guest go from ``source`` to ``target``, the least effort first.

    ``vmm``               another version on the destination, with the guest as it is
    ``level-and-run``     a guest levelled for both hosts, under the tolerances that the baseline needs
    ``level-and-export``  the same, as the CPU template of a VMM that takes one
    ``upgrade-kernel``    the newer kernel of the two on both, where they are the same CPU
    ``restart``           always possible: shut down, and start on the destination
    """
    return (
        *_another_vmm(source, target, catalogue, vmm),
        *_levelled(source, target, catalogue, vmm, policy or Policy()),
        *_same_kernel(source, target, catalogue, vmm),
        Remedy("restart", hosts=hosts_of([target.name])),
    )


def _another_vmm(source: Host, target: Host, catalogue: Catalogue, vmm: str) -> Iterator[Remedy]:
    restorer = restorer_named(vmm, catalogue)
    tried = {row.name for row in restorer.sets} if restorer.known else set()
    for row in catalogue.vmms.values():
        if row.family != restorer.family or row.name in tried or row.list != "tolerant":
            continue
        found = predict(source, target, catalogue, vmm=row.name)
        if found.outcome == "completes" and not found.harm:
            family, since, _ = row.suggests[0]
            yield Remedy("vmm", (Name(family), *since), hosts_of([target.name]))
            return


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
                yield Remedy(kind, tuple(map(Name, named)))
                return


def _same_kernel(source: Host, target: Host, catalogue: Catalogue, vmm: str) -> Iterator[Remedy]:
    older, newer = sorted((source, target), key=lambda host: release_numbers(host.software.kernel))
    same = alike(source.implementations, target.implementations)
    if same and release_numbers(older.software.kernel) < release_numbers(newer.software.kernel):
        line = catalogue.line(newer.software.kernel)
        moved = predict(newer, newer, catalogue, vmm=vmm)
        if moved.outcome == "completes" and not moved.harm:
            what = line.name if line is not None else newer.software.kernel
            yield Remedy("upgrade-kernel", (Name(what),), hosts_of([older.name]))
