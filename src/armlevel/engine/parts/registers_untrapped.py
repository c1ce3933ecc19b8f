"""What a guest reads from the hardware though KVM shows another value: said, and never a refusal."""

from __future__ import annotations

from armlevel.arch import evaluate
from armlevel.engine.case import Case
from armlevel.engine.findings import Finding
from armlevel.engine.names import register_of
from armlevel.engine.reasons import from_row
from armlevel.engine.subjects import about_field
from armlevel.engine.values import FieldValues, State, offered

__all__ = ["judge_leaks"]


def judge_leaks(case: Case) -> list[Finding]:
    """Return a ``note`` (harmless) or a ``risk`` for each field whose reads KVM of this host does not trap.

    What the hardware holds is in no view of KVM, so a finding says that it may differ, not that it does. A kernel of
    no measured line says nothing.
    """
    host, catalogue = case.host, case.catalogue
    line = catalogue.line(host.software.kernel)
    if line is None:
        return []
    found = []
    for row in catalogue.leaks:
        register = register_of(row.field)
        limit = case.offer.limits.get(register)
        if line.name not in row.lines or limit is None or case.guest.registers.get(register) != limit:
            continue
        if evaluate(row.when, case.own) is False or evaluate(row.usable, case.known) is False:
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
