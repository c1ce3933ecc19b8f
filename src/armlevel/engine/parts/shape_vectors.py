"""What belongs to a shape and not to a field: SVE vector lengths, and whose pointer authentication it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from armlevel.engine.case import Case
from armlevel.engine.findings import Finding, Remedy, Severity
from armlevel.engine.names import Name, hosts_of
from armlevel.engine.reasons import Reason
from armlevel.engine.subjects import about_shape, about_whole
from armlevel.engine.values import NOT_RECORDED, Cores, Offers, Value, VectorLengths, offered
from armlevel.profile import Guest, Host, Implementation, Offer, Shape

__all__ = [
    "cores_of_guest",
    "impdef_pauth",
    "judge_pauth",
    "judge_vls",
    "level_pauth",
    "level_vls",
    "parts_of",
]

# Fields that say "an IMPLEMENTATION DEFINED algorithm" (DDI 0487, ID_AA64ISAR1_EL1.API and .GPI).
_IMPDEF = ("ID_AA64ISAR1_EL1.API", "ID_AA64ISAR1_EL1.GPI")

_WITHOUT_SVE = Remedy("without", (Name("sve"),))


def _capped(vls: Sequence[int], most: int) -> frozenset[int]:
    return frozenset(vl for vl in vls if vl <= most)


def level_vls(
    offers: Sequence[tuple[str, Offer]], shape: Shape
) -> tuple[tuple[int, ...] | None, list[Finding]]:
    """Return the vector lengths (bits) up to the largest maximum at which all hosts have the identical set.

    KVM takes exactly the host's own set up to a chosen maximum and cannot leave one out in the middle
    (Linux arch/arm64/kvm/guest.c, set_sve_vls).
    """
    if "sve" not in shape.features:
        return None, []
    known = [(name, offer.sve_vls) for name, offer in offers if offer.sve_vls]
    if len(known) < len(offers):
        missing = [name for name, offer in offers if not offer.sve_vls]
        silent = offered(*((name, NOT_RECORDED) for name in missing))
        return None, [_vls_finding("unknown", (), silent, (Remedy("probe", hosts=hosts_of(missing)),))]
    for most in sorted(set.intersection(*(set(vls) for _, vls in known)), reverse=True):
        if len({_capped(vls, most) for _, vls in known}) == 1:
            return tuple(sorted(_capped(known[0][1], most))), []
    shown = offered(*((name, VectorLengths(tuple(vls))) for name, vls in known))
    return None, [_vls_finding("stops", (), shown, (_WITHOUT_SVE,))]


def _vls_finding(
    severity: Severity, needs: tuple[Value, ...], offers: Offers, remedies: tuple[Remedy, ...]
) -> Finding:
    return Finding(about_whole("sve_vls"), "shape", severity, needs, offers, "silicon", remedies=remedies)


def judge_vls(case: Case) -> list[Finding]:
    """Compare the guest's vector lengths with what the host has up to the same maximum."""
    guest, host, offer = case.guest, case.host.name, case.offer
    if "sve" not in guest.shape.features:
        return []
    if not guest.sve_vls or not offer.sve_vls:
        probe = Remedy("probe", hosts=hosts_of([host]))
        return [_vls_finding("unknown", (), offered((host, NOT_RECORDED)), (probe,))]
    if _capped(offer.sve_vls, max(guest.sve_vls)) == frozenset(guest.sve_vls):
        return []
    needs = (VectorLengths(guest.sve_vls),)
    return [_vls_finding("stops", needs, offered((host, VectorLengths(offer.sve_vls))), (_WITHOUT_SVE,))]


def impdef_pauth(values: Mapping[str, int], shape: Shape) -> bool:
    """Whether this guest signs pointers with an algorithm that only its own core knows."""
    return "ptrauth" in shape.features and any(values.get(name) for name in _IMPDEF)


def level_pauth(
    hosts: Sequence[Host],
    values: Mapping[str, int],
    shape: Shape,
    *,
    assume_same: bool,
    implementation_known: bool = True,
) -> list[Finding]:
    """Return a finding if hosts of different cores would share an IMPLEMENTATION DEFINED algorithm.

    A profile that without ``implementation_known`` does not say on which core its pointers were signed.
    """
    if not impdef_pauth(values, shape):
        return []
    cores = {host.name: parts_of(host.implementations) for host in hosts}
    known = {parts for parts in cores.values() if parts}
    shown = offered(*((name, _shown(parts)) for name, parts in cores.items()))
    if any(one.isdisjoint(other) for one, other in combinations(known, 2)):
        return [_pauth_finding("note" if assume_same else "breaks", shown)]
    # On a host with CPUs of several kinds it is not known which signed, nor that they differ.
    if len(known) > 1 or any(len(parts) > 1 for parts in known):
        return [_pauth_finding("note" if assume_same else "unknown", shown)]
    return [] if all(cores.values()) and implementation_known else [_pauth_finding("unknown", shown)]


def judge_pauth(case: Case) -> list[Finding]:
    """The same question for one guest and one host; unknown where the guest's core is not recorded.

    What signed its pointers are the cores that it was levelled for, whatever it is shown.
    """
    if not impdef_pauth(case.known, case.guest.shape):
        return []
    here = parts_of(case.host.implementations)
    shown = offered((case.host.name, _shown(here)))
    cores = cores_of_guest(case.guest)
    if here and here == cores:
        return []
    if not here or not cores or here & cores:
        return [_pauth_finding("note" if case.same_impdef else "unknown", shown)]
    return [_pauth_finding("note" if case.same_impdef else "breaks", shown)]


def cores_of_guest(guest: Guest) -> frozenset[tuple[int, int]]:
    """Return the cores that a guest may have run on; hosts to come (--also-target) cannot be told from them.

    Where none can be shown but the host's own, the one shown is the one that signed.
    """
    if guest.implementation is None:
        return frozenset()
    signed = guest.implementation.targets if guest.shape.imp_id_writable else (guest.implementation.shown,)
    return parts_of(signed)


def parts_of(implementations: Iterable[Implementation]) -> frozenset[tuple[int, int]]:
    """Return which cores these are; none where one of them is not recorded, for then it is not known."""
    parts = [one.part for one in implementations]
    return frozenset() if None in parts else frozenset(part for part in parts if part is not None)


def _shown(cores: frozenset[tuple[int, int]]) -> Value:
    return Cores(tuple(sorted(cores))) if cores else NOT_RECORDED


def _pauth_finding(severity: Severity, shown: Offers) -> Finding:
    return Finding(
        about_shape("ptrauth"),
        "shape",
        severity,
        offers=shown,
        cause="silicon",
        because=(Reason("impdef-algorithm"),),
        remedies=(Remedy("without", (Name("ptrauth"),)),),
    )
