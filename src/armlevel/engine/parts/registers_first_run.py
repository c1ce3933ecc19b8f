"""What KVM takes when it is written and changes when the VM first runs: dependencies between fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from armlevel.arch import Catalogue, Coupling, evaluate, known_of
from armlevel.engine.case import Case
from armlevel.engine.fields.choice import above
from armlevel.engine.findings import Finding, Remedy, Severity
from armlevel.engine.names import FieldName, register_of
from armlevel.engine.reasons import Reason, from_row
from armlevel.engine.subjects import about_field
from armlevel.engine.values import FieldValues, State, offered

__all__ = ["broken_by", "judge_enforced"]


def judge_enforced(case: Case) -> list[Finding]:
    """Return what the first run makes of fields that KVM took: such a guest cannot start here, and arrives broken.

    The rows say what each kernel line enforces; on a kernel of no
    measured line it is not known. What the host's own limits break, this KVM does not enforce. What a probe saw
    counts where it saw exactly the guest's values. Fields that the profile lets differ may.
    """
    host, values, catalogue = case.host, case.known, case.catalogue
    found: dict[str, list[Finding]] = {}
    line = catalogue.line(host.software.kernel)
    for row in catalogue.couplings:
        if (line is not None and line.name not in row.lines) or broken_by(row, case.own, catalogue):
            continue
        for subject, most in broken_by(row, values, catalogue).items():
            if register_of(subject) not in case.gone:
                found.setdefault(
                    subject,
                    _findings(
                        subject, values[subject], most, host.name, from_row(row.why), known=line is not None
                    ),
                )
    for subject, (becomes, why) in _seen(case).items():
        # Where the rows know nothing of the kernel, what a probe saw of it does.
        if register_of(subject) not in case.gone and (line is None or subject not in found):
            found[subject] = _findings(subject, values[subject], becomes, host.name, why, known=True)
    return [finding for subject in found if subject not in case.tolerated for finding in found[subject]]


def broken_by(row: Coupling, values: Mapping[str, int], catalogue: Catalogue) -> dict[str, int]:
    """Return the fields that a row lowers in a VM with these ``REG.FIELD`` values, and to what.

    What the shape decides is in the limits of its offer.
    """
    if isinstance(row.when, str) or evaluate(row.when, values) is not True:
        return {}
    return {
        subject: most
        for subject, most in row.then.items()
        if subject in values and above(catalogue.fields[subject], values[subject], most)
    }


def _seen(case: Case) -> dict[str, tuple[int | None, Reason]]:
    # A probe let KVM finish a VM with every register at its limit, and VMs with one field lowered.
    found: dict[str, tuple[int | None, Reason]] = {}
    own, values, catalogue = case.own, case.known, case.catalogue
    after = known_of(catalogue, case.offer.changed_by_kvm)
    for subject, becomes in after.items():
        if becomes != own.get(subject) == values.get(subject) and not catalogue.fields[subject].derived:
            found[subject] = becomes, Reason("changed-before-run")
    for lowered, seen in case.offer.side_effects.items():
        subject, _, value = lowered.partition("=")
        if str(values.get(subject)) != value:
            continue
        for watched, kept in seen.items():
            # What is told of firmware registers has its own rows.
            if watched in values and kept != own.get(watched) == values[watched]:
                about = (FieldName(subject), int(value))
                found[watched] = kept, Reason("seen-not-to-run" if kept is None else "seen-to-change", about)
    return found


def _findings(  # noqa: PLR0913 - the parts of a finding
    subject: str, value: int, becomes: int | None, host: str, why: Reason, *, known: bool
) -> list[Finding]:
    offers = offered((host, State("refused") if becomes is None else FieldValues((becomes,))))
    remedies = () if becomes is None else (Remedy("pin", (FieldName(subject), becomes)),)
    needs = (FieldValues((value,)),)
    finding = Finding(
        about_field(subject), "registers", "stops", needs, offers, "kernel", because=(why,), remedies=remedies
    )
    if not known:
        return [replace(finding, severity="unknown", because=(why, Reason("enforced-not-known")))]
    arrive: Severity = "stops" if becomes is None else "breaks"
    return [replace(finding, applies=("start",)), replace(finding, severity=arrive, applies=("arrive",))]
