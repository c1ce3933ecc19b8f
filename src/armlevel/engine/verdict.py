"""May this guest start here, may it arrive here: each part judged by itself."""

from __future__ import annotations

from armlevel.arch import Catalogue
from armlevel.engine.case import Case
from armlevel.engine.findings import (
    PARTS,
    Answer,
    Finding,
    Part,
    Verdict,
    answer_of,
)
from armlevel.engine.parts.facts import judge_facts
from armlevel.engine.parts.firmware import judge_firmware
from armlevel.engine.parts.machine import judge_machine
from armlevel.engine.parts.register_list import judge_list
from armlevel.engine.parts.registers_certain import judge_certain
from armlevel.engine.parts.registers_first_run import judge_enforced
from armlevel.engine.parts.registers_judged import judge_registers
from armlevel.engine.parts.registers_untrapped import judge_leaks
from armlevel.engine.parts.shape import missing_shape
from armlevel.engine.parts.shape_pmu import judge_counters
from armlevel.engine.parts.shape_unknown import judge_unknown
from armlevel.engine.parts.shape_vectors import judge_pauth, judge_vls
from armlevel.engine.policy import Policy
from armlevel.engine.risks.risks import risks_here
from armlevel.profile import Guest, Host

__all__ = ["check", "judge", "parts_of"]


def check(guest: Guest, host: Host, catalogue: Catalogue, policy: Policy | None = None) -> Verdict:
    """Judge one guest on one host: shape, registers, list, firmware, facts, and the machine if it records that.

    Pure: the same answer on a laptop and on the host. Where the host has no offer for the guest's shape, the
    shape is refused if a probe tried it in vain, and every part that depends on it is unknown. What ``policy``
    and the profile itself weaken is weakened.
    """
    offer = host.offer(guest.shape)
    if offer is None:
        shape = missing_shape(guest.shape, host)
        facts = judge_facts(guest, host)
        machine = judge_machine(guest, host, catalogue)
        asked = parts_of(guest)
        answers: dict[Part, tuple[Answer, Answer]] = dict.fromkeys(asked, ("unknown", "unknown"))
        answers |= {"shape": _answers(shape), "facts": _answers(facts)}
        answers |= {"machine": _answers(machine)} if "machine" in asked else {}
        return Verdict(guest.name, host.name, answers, (*shape, *facts, *machine))
    case = Case.of(guest, host, offer, catalogue, policy)
    found = judge(case)
    parts = {part: _answers(found[part]) for part in parts_of(guest)}
    findings = tuple(f for part in PARTS for f in found[part])
    if not any("refused" in answers[1:] for answers in parts.values()):
        findings += risks_here(case)
    return Verdict(guest.name, host.name, parts, findings)


def judge(case: Case) -> dict[Part, list[Finding]]:
    """Return the findings of each part."""
    return {
        "shape": [*judge_vls(case), *judge_counters(case), *judge_pauth(case), *judge_unknown(case)],
        "registers": [
            *judge_registers(case),
            *judge_certain(case),
            *judge_enforced(case),
            *judge_leaks(case),
        ],
        "list": judge_list(case),
        "firmware": judge_firmware(case),
        "facts": judge_facts(case.guest, case.host),
        "machine": judge_machine(case.guest, case.host, case.catalogue),
    }


def parts_of(guest: Guest) -> tuple[Part, ...]:
    """Return the parts that are asked about for a guest: its machine only where it records what it was given.

    >>> from armlevel.profile import Shape
    >>> "machine" in parts_of(Guest("g", Shape(), {}))
    False
    """
    return tuple(part for part in PARTS if part != "machine" or guest.machine is not None)


def _answers(findings: list[Finding]) -> tuple[Answer, Answer]:
    return answer_of(findings, "start"), answer_of(findings, "arrive")
