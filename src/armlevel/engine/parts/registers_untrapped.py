"""What a guest reads from the hardware though KVM shows another value: said, and never a refusal."""

from __future__ import annotations

from collections.abc import Mapping

from armlevel.arch import Catalogue, evaluate, known_of, mentioned
from armlevel.engine.findings import Finding
from armlevel.engine.names import register_of
from armlevel.engine.reasons import from_row
from armlevel.engine.subjects import about_field
from armlevel.engine.values import FieldValues, State, offered
from armlevel.profile import Guest, Host, Offer

__all__ = ["judge_leaks"]


def judge_leaks(
    guest: Guest, host: Host, offer: Offer, values: Mapping[str, int], catalogue: Catalogue
) -> list[Finding]:
    """Return a ``note`` (harmless) or a ``risk`` for each field whose reads KVM of this host does not trap.

    ``values`` are the guest's, by ``REG.FIELD``. What the hardware holds is in no view of KVM, so a finding says that
    it may differ, not that it does. A kernel of no measured line says nothing.
    """
    line = catalogue.line(host.software.kernel)
    if line is None:
        return []
    found = []
    for row in catalogue.leaks:
        register = register_of(row.field)
        limit = offer.limits.get(register)
        if line.name not in row.lines or limit is None or guest.registers.get(register) != limit:
            continue
        asked = {register_of(subject) for subject in mentioned(row.when)}
        shown = known_of(catalogue, {name: offer.limits[name] for name in asked & offer.limits.keys()})
        if evaluate(row.when, shown) is False or evaluate(row.usable, values) is False:
            continue
        field = catalogue.fields[row.field]
        found.append(
            Finding(
                about_field(row.field),
                "registers",
                "note" if row.harmless else "risk",
                (FieldValues((field.get(limit),)),),
                offered((host.name, State("of-hardware"))),
                "kernel",
                because=(from_row(row.why),),
            )
        )
    return found
