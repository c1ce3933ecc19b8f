"""What differs between two hosts or guests around the vCPU, and what of it is not recorded on both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from armlevel.arch import Catalogue
from armlevel.engine.names import Name
from armlevel.engine.values import Count, FieldValues, Names, RegisterValue, State, Value, named
from armlevel.profile import GuestMachine, Host, HostMachine, TriedField
from armlevel.profile.machine import YES

__all__ = ["around_of", "not_compared_around", "not_compared_machines"]

# What is recorded of every host whose machine is, and what is where there is a vGICv3.
_ALWAYS = ("gic", "ipa_bits", "ipa_fixed", "counter_offset", "steal_time", "ptp", "unknown")
_OF_V3 = ("icc_ctlr", "gicd_iidr", "gicd_typer2")
# What a guest with EL2 alone depends on.
_OF_NESTED = ("ich_vtr",)
# What every guest has around it, and those with a GICv3, with EL2, or under a VMM whose memory map is known.
_OF_GUEST = ("vmm", "gic", "memory", "virtualization", "steal_time")
_OF_GUEST_V3 = ("its", "icc_ctlr", "gicd_iidr")
_OF_BOARD = ("windows",)
_REGISTERS = ("ich_vtr", "gicd_typer2")


def around_of(one: Host, two: Host) -> Iterator[tuple[Name, Value, Value]]:
    """Yield each difference that both hosts record: the key under which documents have it, and both sides."""
    if one.machine is None or two.machine is None:
        return
    ours, theirs = _flat(one.machine), _flat(two.machine)
    unused = _unused(one, two)
    for name in ours:
        if name in theirs and ours[name] != theirs[name] and name not in unused:
            yield Name(f"machine.{name}"), ours[name], theirs[name]


def not_compared_around(one: Host, two: Host) -> tuple[str, ...]:
    """Return what a guest may depend on and one of the hosts does not record."""
    if one.machine is None or two.machine is None:
        return ("machine",)
    both = (one.machine, two.machine)
    wanted = (*_ALWAYS, *(_OF_V3 if all(machine.has_gic("v3") for machine in both) else ()), *_OF_NESTED)
    neither = [name for name in wanted if all(getattr(machine, name) is None for machine in both)]
    ours, theirs = map(_flat, both)
    only_one = [name for name in {**ours, **theirs} if (name in ours) != (name in theirs)]
    unused = _unused(one, two)
    return tuple(f"machine.{name}" for name in (*neither, *only_one) if name not in unused)


def not_compared_machines(
    one: GuestMachine | None, two: GuestMachine | None, catalogue: Catalogue
) -> tuple[str, ...]:
    """Return what two guests may see of their machines and one of them at least does not record."""
    if one is None or two is None:
        return ("machine",)  # a guest that says nothing of its machine has one all the same
    both = (one, two)
    rows = [catalogue.around.get(machine.vmm or "") for machine in both]
    wanted = [*_OF_GUEST]
    wanted += _OF_GUEST_V3 if all(machine.gic == 3 for machine in both) else ()
    wanted += _OF_NESTED if all(machine.virtualization for machine in both) else ()
    wanted += _OF_BOARD if all(row is not None and row.board for row in rows) else ()
    recorded = [{*machine.recorded} for machine in both]
    lacking = [name for name in wanted if not all(name in some for some in recorded)]
    only_one = sorted(recorded[0] ^ recorded[1])
    names = dict.fromkeys([*lacking, *only_one])
    return tuple(f"machine.{name}" for name in names if not name.endswith("_asked"))


def _unused(one: Host, two: Host) -> tuple[str, ...]:
    # What no guest that both could have depends on.
    nested = (
        any(name.startswith("has_el2") for name in set().union(*(s.features for s in host.shapes)))
        for host in (one, two)
    )
    return () if all(nested) else _OF_NESTED


def _flat(machine: HostMachine) -> dict[str, Value]:
    # How KVM runs is evidence: what comes of it is recorded for itself.
    found: dict[str, Value] = {}
    for name in machine.content():
        if name != "mode":
            found |= _values(name, getattr(machine, name))
    return found


def _values(name: str, recorded: object) -> dict[str, Value]:
    if isinstance(recorded, Mapping):
        return {
            key: value
            for field in recorded
            for key, value in _values(f"{name}.{field}", recorded[field]).items()
        }
    return {name: _value(name, recorded)}


def _value(name: str, recorded: object) -> Value:
    if isinstance(recorded, TriedField):
        return FieldValues(tuple(sorted(recorded.taken)))
    if isinstance(recorded, bool):
        return State("yes" if recorded else "no")
    if isinstance(recorded, int):
        return RegisterValue(recorded) if name in _REGISTERS else Count(recorded)
    if isinstance(recorded, tuple):
        return Names(tuple(map(Name, recorded)))
    return State("yes") if recorded == YES else named(str(recorded))
