"""How one host is made to show a guest profile: what a VMM enables, writes, carries and answers, in a safe order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from armlevel.arch import Catalogue, Field
from armlevel.engine.fields.domains import accepts_of, fields_of
from armlevel.engine.fields.tolerance import tolerated_of
from armlevel.errors import UsageError
from armlevel.kvm import id_of
from armlevel.profile import IMPLEMENTATION_REGISTERS, Guest, Host, Offer, RegisterWrite, VcpuSettings

__all__ = ["PSCI_VERSION", "settings_of"]

PSCI_VERSION = "KVM_REG_ARM_PSCI_VERSION"
# KVM checks CLIDR_EL1 and CCSIDR_EL1 against CTR_EL0 (Linux arch/arm64/kvm/sys_regs.c, set_clidr, set_ccsidr).
_FIRST = ("CTR_EL0", "CLIDR_EL1")


def settings_of(guest: Guest, host: Host, catalogue: Catalogue) -> VcpuSettings:
    """Return how ``host`` is made to show ``guest``.

    Fields that the profile lets differ, and values that this host accepts and does not keep, are written as this
    host has them. Whether the host takes the rest is for :func:`armlevel.engine.check` to say beforehand.

    Raises:
        UsageError: the host has no offer of the guest's shape.

    """
    offer = host.offer(guest.shape)
    if offer is None:
        raise UsageError(
            f"{host.name} has no offer for shape {guest.shape.label}, which {guest.name} needs",
            hint="probe the host again, or level a guest that does without",
        )
    free = tolerated_of(guest.tolerates, catalogue, guest.shape)
    expects = tuple(
        RegisterWrite(name, id_of(name), _value(name, want, offer, free, catalogue))
        for name, want in _in_order(guest.id_registers)
    )
    writes = tuple(one for one in expects if _worth_writing(one, offer, catalogue))
    rows = {name: catalogue.firmware.get(name) for name in guest.firmware}
    has = {name: value for name, value in sorted(guest.firmware.items()) if _lists(offer, id_of(name))}
    settable = tuple(
        RegisterWrite(name, id_of(name), value)
        for name, value in has.items()
        if (row := rows[name]) is None or row.settable
    )
    shows = tuple(
        RegisterWrite(name, id_of(name), value)
        for name, value in has.items()
        if (row := rows[name]) is not None and not row.settable
    )
    carries = guest.register_list if guest.register_list is not None else offer.register_list
    return VcpuSettings(
        guest=guest.name,
        host=host.name,
        capabilities=tuple(_capabilities(guest)),
        features=tuple(sorted(guest.shape.features)),
        sve_vls=guest.sve_vls if "sve" in guest.shape.features else None,
        writes=(*writes, *settable),
        expects=expects,
        register_list=carries or (),
        shows=shows,
        psci=guest.firmware.get(PSCI_VERSION),
    )


def _capabilities(guest: Guest) -> Iterator[str]:
    if guest.shape.imp_id_writable:
        yield "KVM_CAP_ARM_WRITABLE_IMP_ID_REGS"
    if "mte" in guest.shape.features:
        yield "KVM_CAP_ARM_MTE"


def _in_order(wanted: Mapping[str, int]) -> list[tuple[str, int]]:
    order = (*IMPLEMENTATION_REGISTERS, *_FIRST)
    return sorted(
        wanted.items(),
        key=lambda pair: (
            order.index(pair[0]) if pair[0] in order else len(order) + (not pair[0].startswith("CCSIDR")),
            id_of(pair[0]),
        ),
    )


def _lists(offer: Offer, register_id: int) -> bool:
    return offer.register_list is None or register_id in offer.register_list


def _value(name: str, want: int, offer: Offer, free: frozenset[str], catalogue: Catalogue) -> int:
    limit = offer.limits.get(name)
    if limit is None:
        return want
    value = want
    for field in fields_of(catalogue, name, (want, limit)):
        if field.get(want) != field.get(limit):
            value = field.put(value, _field_value(field, want, limit, offer, tolerated=field.subject in free))
    return value


def _field_value(field: Field, want: int, limit: int, offer: Offer, *, tolerated: bool) -> int:
    accepts = accepts_of(offer, field, field.get(limit))
    asked = field.get(want)
    outcome = accepts.outcome(asked)
    if outcome == "changed":
        kept = accepts.kept(asked)
        return field.get(limit) if kept is None else kept
    return field.get(limit) if tolerated and outcome != "same" else asked


def _worth_writing(one: RegisterWrite, offer: Offer, catalogue: Catalogue) -> bool:
    limit = offer.limits.get(one.name)
    if limit is None:
        # Without a record, only what the host is known not to list is left alone.
        return _lists(offer, one.kvm_id)
    if one.value != limit:
        return True
    if one.name in IMPLEMENTATION_REGISTERS:
        return offer.shape.imp_id_writable
    return any(
        (given := offer.accepts.get(field.subject)) is not None
        and (given.values is None or bool(given.values - {field.get(limit)}))
        for field in fields_of(catalogue, one.name, (limit,))
    )
