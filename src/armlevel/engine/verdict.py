"""May this guest start here, may it arrive here: each part judged by itself."""

from __future__ import annotations

from armlevel.arch import Catalogue, known_of
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
from armlevel.engine.parts.register_list import judge_list
from armlevel.engine.parts.registers_first_run import judge_enforced
from armlevel.engine.parts.registers_judged import judge_registers
from armlevel.engine.parts.registers_untrapped import judge_leaks
from armlevel.engine.parts.shape import missing_shape
from armlevel.engine.parts.shape_pmu import judge_counters
from armlevel.engine.parts.shape_vectors import judge_pauth, judge_vls
from armlevel.engine.policy import SAME_IMPDEF, WEAKER_MITIGATION, Policy
from armlevel.engine.risks.risks import risks_here
from armlevel.profile import Guest, Host, Offer

__all__ = ["check", "judge"]


def check(guest: Guest, host: Host, catalogue: Catalogue, policy: Policy | None = None) -> Verdict:
    """Judge one guest on one host: shape, registers, list, firmware and facts.

    Pure: the same answer on a laptop and on the host. Where the host has no offer for the guest's shape, the
    shape is refused if a probe tried it in vain, and every part that depends on it is unknown. What ``policy``
    and the profile itself weaken is weakened.
    """
    offer = host.offer(guest.shape)
    if offer is None:
        shape = missing_shape(guest.shape, host)
        facts = judge_facts(guest, host)
        answers: dict[Part, tuple[Answer, Answer]] = dict.fromkeys(PARTS, ("unknown", "unknown"))
        answers |= {"shape": _answers(shape), "facts": _answers(facts)}
        return Verdict(guest.name, host.name, answers, (*shape, *facts))
    found = judge(guest, host, offer, catalogue, policy)
    parts = {part: _answers(found[part]) for part in PARTS}
    findings = tuple(f for part in PARTS for f in found[part])
    if not any("refused" in answers[1:] for answers in parts.values()):
        findings += risks_here(guest, host, offer, known_of(catalogue, guest.registers), catalogue)
    return Verdict(guest.name, host.name, parts, findings)


def judge(
    guest: Guest, host: Host, offer: Offer, catalogue: Catalogue, policy: Policy | None = None
) -> dict[Part, list[Finding]]:
    """Return the findings of each part for one guest and one offer of a host, whatever shape that offer has."""
    values = known_of(catalogue, guest.registers)
    policy = policy or Policy()
    weaker = policy.accept_weaker_mitigation or WEAKER_MITIGATION in guest.tolerates
    assume_same = policy.assume_same_impdef or SAME_IMPDEF in guest.tolerates
    return {
        "shape": [
            *judge_vls(guest, host.name, offer),
            *judge_counters(guest, host.name, offer),
            *judge_pauth(guest, host, values, assume_same=assume_same),
        ],
        "registers": [
            *judge_registers(guest, host, offer, catalogue),
            *judge_enforced(guest, host, offer, values, catalogue),
            *judge_leaks(guest, host, offer, values, catalogue),
        ],
        "list": judge_list(guest, host, offer, values, catalogue),
        "firmware": judge_firmware(guest, host.name, offer, catalogue, weaker=weaker),
        "facts": judge_facts(guest, host),
    }


def _answers(findings: list[Finding]) -> tuple[Answer, Answer]:
    return answer_of(findings, "start"), answer_of(findings, "arrive")
