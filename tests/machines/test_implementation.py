"""What the recorded Graviton hosts would have a painted guest miss: real cores, real register values, known errata."""

from __future__ import annotations

from dataclasses import replace

import pytest

from armlevel.arch import load
from armlevel.documents import load_hosts
from armlevel.engine import Baseline, Finding, Policy, level
from armlevel.engine.names import FieldName
from armlevel.engine.values import Lowered, Lowering, Names, Value, named, offered
from armlevel.machines import folder, names
from armlevel.profile import Host, Implementation

CATALOGUE = load()
with folder() as _shipped:
    HOSTS = {host.name: host for host in load_hosts([str(_shipped / f"{name}.json") for name in names()])}
N1, V1, V2 = (
    Implementation(0x413FD0C1, 0xFF, 0),
    Implementation(0x411FD401, 1, 0),
    Implementation(0x410FD4F1, 0x17, 0),
)


def clocked(name: str) -> Host:
    """Return a recorded host as if its counter ran as fast as every other's, so that the rest can be judged."""
    host = HOSTS[name]
    return replace(host, facts=replace(host.facts, cntfrq_hz=1_000_000_000))


def levelled(*hosts: str, **policy: object) -> Baseline:
    found = level([clocked(name) for name in hosts], CATALOGUE, Policy(**policy))  # type: ignore[arg-type]
    assert found.answer == "runs", found.conflicts
    return found


def told(found: Baseline, subject: str, severity: str = "risk") -> list[Finding]:
    return [f for f in found.findings if (f.subject.key, f.severity) == (subject, severity)]


N1_AND_V1 = {"tolerate": ("el2-only", "id-trap")}


def names_in(value: Value) -> set[str]:
    assert isinstance(value, Names)
    return set(value.names)


def test_graviton2_under_graviton3s_paint_misses_two_errata_of_n1_r3p1():
    found = levelled("graviton2@6.18", "graviton3@6.18", **N1_AND_V1)
    assert found.guest is not None
    assert found.guest.implementation is not None
    assert (found.guest.implementation.shown, found.guest.implementation.targets) == (V1, (V1, N1))
    (missed,) = told(found, "errata.missed")
    # 1542419: modified code with CTR_EL0.DIC = 1; 1418040 (1188873): AArch32 programs that read the counter.
    assert missed.offers == offered(("graviton2@6.18", named("1188873", "1418040", "1542419")))


@pytest.mark.parametrize("policy", [{"implementation": N1}, {"pins": {"CTR_EL0.DIC": 0}}])
def test_the_paint_of_graviton2_or_caches_shown_as_not_coherent_leave_1542419_to_nobody(policy):
    found = levelled("graviton2@6.18", "graviton3@6.18", **N1_AND_V1, **policy)
    assert not any(
        "1542419" in names_in(value) for f in told(found, "errata.missed") for _, value in f.offers
    )


def test_graviton4_under_graviton3s_paint_clears_too_little_branch_history():
    found = levelled("graviton3@6.18", "graviton4@6.18", implementation=V1)
    (missed,) = told(found, "errata.missed")
    assert missed.offers == offered(("graviton4@6.18", named("bhb-loop")))
    assert not told(
        levelled("graviton3@6.18", "graviton4@6.18"), "errata.missed"
    )  # as Neoverse V2, the default


def test_what_graviton3_and_4_do_not_share_still_runs_where_it_is():
    found = levelled("graviton3@6.18", "graviton4@6.18")
    (hidden,) = told(found, "instructions.hidden")
    offers = {str(host): names_in(value) for host, value in hidden.offers}
    assert {"FEAT_SM3", "FEAT_SM4"} <= offers["graviton3@6.18"]
    assert {"FEAT_FlagM2", "FEAT_FRINTTS", "FEAT_SB"} <= offers["graviton4@6.18"]
    (dropped,) = told(found, "mitigations")
    lowered = Lowered((Lowering(FieldName("ID_AA64MMFR1_EL1.ECBHB"), 1, 0),))
    assert dropped.offers == offered(("graviton4@6.18", lowered))


def test_one_machine_misses_nothing_of_itself():
    for host in HOSTS.values():
        found = level([host], CATALOGUE)
        assert not [f.subject.key for f in found.findings if f.severity == "risk"]
