"""Host and guest profiles read with the standard library alone, for programs that travel as one file.

The values are built by :mod:`armlevel.documents.values`, as everywhere. Only the structure is checked here, where
pydantic is not at hand; the tables below say what its models say (a test holds them against each other). Names of
registers and fields are taken as they are spelled: the catalogue stays at home.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from armlevel.documents.items import WrongError, hex_value, shown
from armlevel.documents.maps import Faults, ValuePool
from armlevel.documents.values import guest_of, host_of
from armlevel.documents.write import GUEST_KIND, HOST_KIND, digest_fault
from armlevel.errors import BadDocument
from armlevel.profile import Guest, Host
from armlevel.profile.machine import GIC_DEVICES, ICC_CTLR_FIELDS

__all__ = ["GUEST", "HOST", "NO_NAMES", "NumberOrText", "OneOf", "OrNull", "plain_guest", "plain_host"]


class OrNull:
    """A value that may be null."""

    def __init__(self, spec: Any) -> None:
        """Hold what it is where it is there."""
        self.spec = spec


class OneOf(frozenset[Any]):
    """One of some texts or numbers."""


class NumberOrText:
    """A number, or a text."""


class _NoNames:
    registers: Mapping[str, object] = {}
    fields: Mapping[str, Any] = {}


#: No register and no field is known by name.
NO_NAMES = _NoNames()

# A spec is: a type; `hex_value`; OneOf; a list of one spec; a map of names to one spec, {"": spec}; an object, {key:
# spec}, of which the keys in `_NEEDED` must be there; or ANY for the long maps, which are checked as they are decoded.
ANY = object

_IMPLEMENTATION = {"midr": hex_value, "revidr": hex_value, "aidr": hex_value}
_CPU = {**_IMPLEMENTATION, "count": int, "numbers": [int], "cntfrq_hz": int}
_POLICY = {
    **{key: [str] for key in ("without", "hide", "require", "tolerate")},
    "pins": {"": hex_value},
    "implementation": _IMPLEMENTATION,
    "also_targets": [_IMPLEMENTATION],
    "assume_same_impdef": bool,
    "accept_weaker_mitigation": bool,
}
_GIVEN = ("cntfrq_hz", "dczid", "gmid", "page_size", "kernel")
_MADE = {
    **dict.fromkeys(("tool", "catalogue", "at", "source"), str),
    "hosts": [{"name": str, "digest": str}],
    "policy": _POLICY,
    "given": [
        {
            "host": str,
            "fact": OneOf(("cntfrq_hz", "dczid", "gmid", "page_size", "kernel")),
            "value": NumberOrText,
        }
    ],
}
_SHAPE = {"features": [str], "imp_id_writable": bool}
_FACTS = {
    "cntfrq_hz": int,
    "dczid": int,
    "gmid": int,
    "page_size": OneOf((4096, 16384, 65536)),
    "sources": {"": str},
}
_SOFTWARE = {
    "kernel": str,
    "kvm_capabilities": {"": int},
    "vmms": {"": str},
    "firmware": str,
    "boot_options": [str],
    "vulnerabilities": {"": str},
}
_TRIED = {"shown": int, "taken": [int], "refused": [int]}
_MACHINE = {
    "gic": dict.fromkeys(GIC_DEVICES, str),
    "icc_ctlr": dict.fromkeys(ICC_CTLR_FIELDS, _TRIED),
    "ich_vtr": hex_value,
    "gicd_iidr": _TRIED,
    "gicd_typer2": hex_value,
    "ipa_bits": int,
    "ipa_min": int,
    "ipa_fixed": bool,
    "mode": OneOf(("vhe", "nvhe", "protected")),
    "counter_offset": bool,
    "steal_time": bool,
    "ptp": bool,
    "unknown": [str],
}
_OFFER = {
    "shape": _SHAPE,
    "how": OneOf(("tried", "masks", "predicted")),
    "default": OneOf(("limit-only", "unknown")),
    "limits": ANY,
    "accepts": ANY,
    "register_list": ANY,
    "register_list_without": ANY,
    "firmware": ANY,
    "state": ANY,
    "sve_vls": [int],
    "pmu": {"": int},
    "like": int,
    "changed_by_kvm": ANY,
    "side_effects": {"": {"": OrNull(int)}},
}
_ANY_PROFILE = {"name": str, "digest": str, "made": _MADE}
#: The structure of host-profile/1 and of guest-profile/1.
HOST = {
    "kind": OneOf((HOST_KIND,)),
    **_ANY_PROFILE,
    "software": _SOFTWARE,
    "cpus": [_CPU],
    "other_cpus": [_CPU],
    "hwcaps": [str],
    "facts": _FACTS,
    "machine": _MACHINE,
    "offers": [_OFFER],
}
GUEST = {
    "kind": OneOf((GUEST_KIND,)),
    **_ANY_PROFILE,
    "shape": _SHAPE,
    "registers": ANY,
    "register_list": ANY,
    "firmware": ANY,
    "sve_vls": [int],
    "pmu_counters": int,
    "facts": _FACTS,
    "implementation": {**_IMPLEMENTATION, "targets": [_IMPLEMENTATION]},
    "possible": {"": [hex_value]},
    "starts_on": [str],
    "tolerates": [str],
}
_NEEDED = {"kind", "shape", "how", "default", "offers", "registers", "shown"}
_CALLED = {str: "a text", int: "an integer of 0 or more", bool: "true or false"}


def plain_host(data: bytes, path: str) -> Host:
    """Read a host profile.

    Raises:
        BadDocument: it has faults, all of which are listed.

    """
    faults = Faults()
    document = _checked(data, path, HOST, faults)
    host = host_of(document, ValuePool(NO_NAMES), faults)
    _refuse(path, faults)
    return host


def plain_guest(data: bytes, path: str) -> Guest:
    """Read a guest profile; raises as :func:`plain_host` does."""
    faults = Faults()
    document = _checked(data, path, GUEST, faults)
    guest = guest_of(document, ValuePool(NO_NAMES), faults)
    _refuse(path, faults)
    return guest


def _checked(data: bytes, path: str, spec: Mapping[str, Any], faults: Faults) -> dict[str, Any]:
    try:
        document = json.loads(data.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except (WrongError, ValueError, RecursionError) as exc:
        raise BadDocument(path, (f"no JSON: {exc}",)) from exc
    _check(document, spec, "", faults)
    _refuse(path, faults)
    if (fault := digest_fault(document)) is not None:
        raise BadDocument(path, (fault,), hint="it was changed after it was made")
    return dict(document)


def _refuse(path: str, faults: Faults) -> None:
    if faults:
        raise BadDocument(path, tuple(faults))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise WrongError("a key stands twice in one object")
    return found


def _no_number(text: str) -> Any:
    raise WrongError(f"{text} is no number")


def _check(item: Any, spec: Any, place: str, faults: Faults) -> None:
    if isinstance(spec, OrNull):
        if item is not None:
            _check(item, spec.spec, place, faults)
    elif isinstance(spec, dict):
        _check_object(item, spec, place, faults)
    elif isinstance(spec, list):
        if not isinstance(item, list):
            faults.add(place, f"{shown(item)} is not a list")
            return
        for index, one in enumerate(item):
            _check(one, spec[0], f"{place}[{index}]", faults)
    else:
        _check_plain(item, spec, place, faults)


def _check_object(item: Any, spec: Mapping[str, Any], place: str, faults: Faults) -> None:
    if not isinstance(item, dict):
        faults.add(place or "the document", f"{shown(item)} is not an object")
        return
    before = f"{place}." if place else ""
    for key, value in item.items():
        if (of := spec.get(key, spec.get(""))) is None:
            faults.add(f"{before}{key}", "unknown key")
        else:
            _check(value, of, f"{before}{key}", faults)
    for key in spec:
        if key in _NEEDED and key not in item:
            faults.add(f"{before}{key}", "is missing")


def _check_plain(item: Any, spec: Any, place: str, faults: Faults) -> None:
    if spec is ANY:
        return
    if isinstance(spec, OneOf):
        if type(item) not in {str, int} or item not in spec:
            faults.add(place, f"{shown(item)} is not one of {', '.join(map(str, sorted(spec)))}")
    elif spec is NumberOrText:
        _check_plain(item, str if isinstance(item, str) else int, place, faults)
    elif spec is hex_value:
        try:
            hex_value(item)
        except WrongError as wrong:
            faults.add(place, str(wrong))
    elif type(item) is not spec or (spec is int and item < 0):
        faults.add(place, f"{shown(item)} is not {_CALLED[spec]}")
