"""What the recorded machines must show: who can share a CPU, and what changed between recordings of one machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from armlevel.arch import load
from armlevel.documents import load_hosts
from armlevel.engine import Change, check, diff, groups_of, level, matrix, passthrough
from armlevel.engine.values import Frequency, offered
from armlevel.machines import folder, names
from armlevel.words.changes import change_text

CATALOGUE = load()
with folder() as _shipped:
    SHIPPED = {host.name: host for host in load_hosts([str(_shipped / f"{name}.json") for name in names()])}
HISTORY = {host.name: host for host in load_hosts([str(Path(__file__).parent / "hosts")])}


def sides(change: Change) -> tuple[str | None, str | None]:
    """Both sides of a difference as they are shown."""
    return change_text(change.before, change.subject), change_text(change.after, change.subject)


# Field changes between kernels on one machine: (from, to) -> REG.FIELD -> (from, to).
_PMU_5_10 = {"ID_AA64DFR0_EL1.PMUVer": (4, 0), "ID_AA64DFR0_EL1.DebugVer": (9, 6)}
_CACHE_6_18 = {"CLIDR_EL1.ICB": (2, 0), "CLIDR_EL1.LoC": (2, 3), "CLIDR_EL1.Ctype3": (0, 4)}
_V_6_18 = {
    "ID_AA64PFR0_EL1.MPAM": (1, 0),
    "ID_AA64MMFR2_EL1.NV": (2, 0),
    "ID_AA64DFR0_EL1.DebugVer": (6, 9),
    **_CACHE_6_18,
}
KERNEL_CHANGES = {
    ("graviton2@5.10", "graviton2@6.1"): {
        "ID_AA64DFR0_EL1.DebugVer": (8, 6),
        "ID_AA64DFR0_EL1.PMUVer": (4, 0),
        "ID_AA64DFR0_EL1.PMSVer": (1, 0),
        "ID_DFR0_EL1.PerfMon": (4, 0),
    },
    ("graviton2@6.1", "graviton2@6.18"): {"ID_AA64DFR0_EL1.DebugVer": (6, 8), **_CACHE_6_18},
    ("graviton3@5.10", "graviton3@6.1"): {
        **_PMU_5_10,
        "ID_AA64DFR0_EL1.PMSVer": (2, 0),
        "ID_DFR0_EL1.PerfMon": (4, 0),
        "ID_AA64PFR0_EL1.GIC": (3, 1),
        "ID_AA64MMFR2_EL1.CCIDX": (1, 0),
        "ID_MMFR4_EL1.CCIDX": (1, 0),
    },
    ("graviton3@6.1", "graviton3@6.18"): _V_6_18,
    ("graviton4@5.10", "graviton4@6.1"): {
        **_PMU_5_10,
        "ID_AA64DFR0_EL1.PMSVer": (2, 0),
        "ID_AA64PFR0_EL1.GIC": (3, 1),
        "ID_AA64MMFR1_EL1.ECBHB": (0, 1),
        "ID_AA64MMFR2_EL1.CCIDX": (1, 0),
    },
    ("graviton4@6.1", "graviton4@6.18"): _V_6_18,
}


@pytest.mark.parametrize(("before", "after"), KERNEL_CHANGES)
def test_a_kernel_changes_exactly_these_fields(before: str, after: str) -> None:
    changes = diff(SHIPPED[before], SHIPPED[after], CATALOGUE)
    fields = {
        c.subject: tuple(int(text or "", 0) for text in sides(c))
        for c in changes
        if c.part == "registers" and not c.subject.startswith("CCSIDR")
    }
    assert fields == KERNEL_CHANGES[before, after]


@pytest.mark.parametrize("machine", ["graviton2", "graviton3", "graviton4"])
def test_the_register_list_and_the_firmware_change_with_the_register_as_subject(machine: str) -> None:
    older, newer, newest = (SHIPPED[f"{machine}@{kernel}"] for kernel in ("5.10", "6.1", "6.18"))
    first = diff(older, newer, CATALOGUE)
    gone = [c.subject for c in first if c.part == "list" and c.after is None]
    assert len(gone) == 74
    assert "PMCR_EL0" in gone
    bitmaps = [f"KVM_REG_ARM_{kind}_BMAP" for kind in ("STD", "STD_HYP", "VENDOR_HYP")]
    assert [c.subject for c in first if c.part == "list" and c.before is None] == ["OSLSR_EL1", *bitmaps]
    assert [(c.subject, *sides(c)) for c in first if c.part == "firmware"] == [
        ("KVM_REG_ARM_PSCI_VERSION", "0x10000", "0x10001")
    ]
    second = diff(newer, newest, CATALOGUE)
    come = [c.subject for c in second if c.part == "list"]
    assert come == [*(f"CCSIDR_EL1[{n}]" for n in range(3, 14)), "KVM_REG_ARM_VENDOR_HYP_BMAP_2"]
    assert [c.subject for c in second if c.subject.startswith("CCSIDR") and c.part == "registers"] == [
        f"CCSIDR_EL1[{n}]" for n in range(3)
    ]
    assert [(c.subject, *sides(c)) for c in second if c.part == "firmware"] == [
        ("KVM_REG_ARM_PSCI_VERSION", "0x10001", "0x10003")
    ]


@pytest.mark.parametrize("machine", ["graviton2", "graviton3", "graviton4"])
def test_what_a_guest_changes_by_running_is_state_and_not_identity(machine: str) -> None:
    changes = diff(SHIPPED[f"{machine}@6.1"], SHIPPED[f"{machine}@6.18"], CATALOGUE)
    state = [c for c in changes if c.part == "state"]
    assert {c.subject: sides(c) for c in state} == {
        "CNTP_CTL_EL0": ("0x4", "0x0"),
        "CNTV_CTL_EL0": ("0x4", "0x0"),
    }
    assert not any(c.identity for c in state)


def test_the_stable_kernel_6_1_66_hid_ccidx_on_graviton3() -> None:
    changes = diff(HISTORY["graviton3@6.1.59"], HISTORY["graviton3@6.1.66"], CATALOGUE)
    assert {c.subject: sides(c) for c in changes if c.identity} == {
        "ID_AA64MMFR2_EL1.CCIDX": ("1", "0"),
        "ID_MMFR4_EL1.CCIDX": ("1", "0"),
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [("graviton2@6.1.84", "graviton2@6.1.129"), ("graviton2@5.10.214", "graviton2@5.10.234")],
)
def test_the_physical_timer_joined_the_register_list_within_a_stable_line(before: str, after: str) -> None:
    changes = diff(HISTORY[before], HISTORY[after], CATALOGUE)
    assert [(c.part, c.subject, c.before) for c in changes if c.identity] == [
        ("list", "CNTP_CTL_EL0", None),
        ("list", "CNTP_CVAL_EL0", None),
    ]


def test_a_core_register_that_differs_is_state() -> None:
    """Recordings of 2024-03 and later hold another address of the device tree in X0."""
    older, newer = HISTORY["graviton3@5.10.214"], SHIPPED["graviton3@5.10"]
    assert "X0" in (older.offers[0].state.keys() & newer.offers[0].state.keys())
    assert "X0" not in older.offers[0].limits
    assert all(
        c.part == "state" for c in diff(older, newer, CATALOGUE) if c.subject in {"X0", "PC", "PSTATE"}
    )


def test_graviton2_has_one_cpu_over_6_1_and_6_18() -> None:
    hosts = [SHIPPED["graviton2@6.1"], SHIPPED["graviton2@6.18"]]
    outcome = level(hosts, CATALOGUE)
    assert outcome.answer == "runs"
    assert outcome.guest is not None
    assert outcome.guest.starts_on == ("graviton2@6.1", "graviton2@6.18")
    noted = {}
    for host in hosts:
        verdict = check(outcome.guest, host, CATALOGUE)
        assert (verdict.start, verdict.arrive) == ("runs", "runs")
        noted[host.name] = [(finding.severity, finding.subject.key) for finding in verdict.findings]
    # 6.1 does not trap CTR_EL0, and its CLIDR_EL1 says that the IDC it shows may be Linux's own conclusion.
    assert noted == {"graviton2@6.1": [("note", "CTR_EL0.IDC")], "graviton2@6.18": []}


def test_graviton3_and_graviton4_share_registers_but_not_a_clock() -> None:
    outcome = level([SHIPPED["graviton3@6.18"], SHIPPED["graviton4@6.18"]], CATALOGUE)
    assert outcome.guest is not None
    assert {part: answer for part, answer in outcome.parts.items() if answer != "runs"} == {
        "facts": "refused"
    }
    (clock,) = outcome.conflicts
    assert clock.subject.key == "facts.cntfrq_hz"
    assert clock.offers == offered(
        ("graviton3@6.18", Frequency(1_050_000_000)), ("graviton4@6.18", Frequency(1_000_000_000))
    )
    aarch32 = {name for name, register in CATALOGUE.registers.items() if register.view == "aarch32"}
    assert aarch32
    assert not aarch32 & set(outcome.guest.registers)


def test_graviton2_and_graviton3_are_kept_apart_by_fwb_ids_and_evt() -> None:
    outcome = level([SHIPPED["graviton2@6.18"], SHIPPED["graviton3@6.18"]], CATALOGUE)
    assert outcome.guest is None
    assert {f.subject.key for f in outcome.conflicts if f.part == "registers"} == {
        f"ID_AA64MMFR2_EL1.{field}" for field in ("FWB", "IDS", "EVT")
    }
    assert {f.cause for f in outcome.conflicts} == {"silicon"}


def test_over_6_1_and_6_18_graviton3_and_4_are_kept_apart_by_what_6_1_shows_by_mistake() -> None:
    for machine in ("graviton3", "graviton4"):
        outcome = level([SHIPPED[f"{machine}@6.1"], SHIPPED[f"{machine}@6.18"]], CATALOGUE)
        assert {f.subject.key for f in outcome.conflicts} == {"ID_AA64PFR0_EL1.MPAM", "ID_AA64MMFR2_EL1.NV"}
        assert {f.cause for f in outcome.conflicts} == {"kernel"}


def test_an_old_guest_may_move_to_a_newer_kernel_but_not_back() -> None:
    old, new = SHIPPED["graviton2@6.1"], SHIPPED["graviton2@6.18"]
    assert check(passthrough(old, CATALOGUE), new, CATALOGUE).arrive == "runs"
    back = check(passthrough(new, CATALOGUE), old, CATALOGUE)
    assert back.arrive == "refused"
    subjects = {f.subject.key for f in back.findings}
    assert {
        "KVM_REG_ARM_PSCI_VERSION",
        "KVM_REG_ARM_VENDOR_HYP_BMAP_2",
        "ID_AA64DFR0_EL1.DebugVer",
    } <= subjects


def test_nobody_says_yes_to_what_the_recording_cannot_show() -> None:
    """6.18 takes NV and MPAM if the hardware has them, which no recording of 6.18 shows."""
    verdict = check(passthrough(SHIPPED["graviton3@6.1"], CATALOGUE), SHIPPED["graviton3@6.18"], CATALOGUE)
    assert (verdict.start, verdict.arrive) == ("refused", "unknown")


def test_the_matrix_of_the_nine_has_one_pair_that_a_baseline_opens() -> None:
    cells = matrix(list(SHIPPED.values()), CATALOGUE)
    assert len(cells) == 72
    assert {(c.source, c.target) for c in cells if c.passthrough == "runs"} == {
        ("graviton2@6.1", "graviton2@6.18")
    }
    assert {frozenset((c.source, c.target)) for c in cells if c.levelled == "runs"} == {
        frozenset(("graviton2@6.1", "graviton2@6.18"))
    }


def test_the_groups_of_the_nine_are_maximal() -> None:
    grouping = groups_of(list(SHIPPED.values()), CATALOGUE)
    assert grouping.complete
    groups = {group.hosts for group in grouping.groups}
    assert ("graviton2@6.1", "graviton2@6.18") in groups
    assert len(groups) == 8
