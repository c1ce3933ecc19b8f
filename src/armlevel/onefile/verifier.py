"""What `armlevel lab verify` runs inside an emulated host: apply a guest profile there, and say what is different.

Standard library only. The profile was checked before it was sent; `armlevel verify` is the same on a machine that has
armlevel installed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from armlevel.kvm.device import Kvm
from armlevel.probe.apply import apply_guest
from armlevel.probe.machine import read_machine
from armlevel.probe.plan import ProbePlan
from armlevel.profile import Facts, Guest, Implementation, Shape, ShownImplementation

__all__ = ["catalogue_of", "guest_of", "main"]


def catalogue_of(plan: ProbePlan) -> Any:
    """Return as much of the catalogue as applying a guest asks for, out of the probe's plan."""
    registers = {}
    for row in plan.identity:
        bits = row.kvm_id
        registers[row.name] = SimpleNamespace(
            encoding=(bits >> 14 & 3, bits >> 11 & 7, bits >> 7 & 15, bits >> 3 & 15, bits & 7),
            fields=[run for run in row.runs if not run.reserved],
            reserved_mask=sum(run.ones << run.lsb for run in row.runs if run.reserved),
        )
    return SimpleNamespace(registers=registers)


def guest_of(document: dict[str, Any]) -> Guest:
    """Return the guest of a guest-profile/1 document that is known to be whole."""

    def values(part: dict[str, str]) -> dict[str, int]:
        return {name: int(text, 16) for name, text in part.items()}

    shown, shape, facts, vls = (document.get(key) for key in ("implementation", "shape", "facts", "sve_vls"))
    known = {name: value for name, value in (facts or {}).items() if name != "sources"}
    numbers = values({name: text for name, text in (shown or {}).items() if name != "targets"})
    return Guest(
        document.get("name", ""),
        Shape(frozenset(shape["features"]), shape["imp_id_writable"]) if shape else Shape(),
        values(document["registers"]),
        firmware=values(document.get("firmware", {})),
        sve_vls=tuple(vls) if vls is not None else None,
        facts=Facts(**known),
        implementation=ShownImplementation(Implementation(**numbers)) if shown else None,
    )


def main() -> int:
    """Apply the profile in the file that is named first; write what was found to the one named second."""
    from armlevel.probe.compiled import PLAN  # type: ignore[import-not-found,unused-ignore]  # only where it is sent

    profile, target = map(Path, sys.argv[1:3])
    guest = guest_of(json.loads(profile.read_text(encoding="ascii")))
    with Kvm() as kvm:
        applied = apply_guest(kvm, guest, catalogue_of(PLAN), pmu=read_machine().pmu)
    found = {
        "differences": [list(one) for one in applied.differences],
        "notes": [list(one) for one in applied.notes],
        "read": dict(applied.read),
        "gic": applied.gic,
    }
    target.write_text(json.dumps(found), encoding="ascii")
    return 0
