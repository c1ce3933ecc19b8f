"""What KVM was measured to do: rows against the statements they stand for."""

import pytest

from armlevel.arch import evaluate, load

#: The lines that were measured first; tools/add_kernel.py adds others between them and after.
LINES = ("before-6.1", "6.1", "6.12", "6.18", "7.3")


def takes(subject, line, limit):
    rule = load().write_rule(subject, line)
    return (limit,) if rule is None else rule.values(limit)


def holds(when, known):
    assert not isinstance(when, str)
    return evaluate(when, known)


@pytest.mark.parametrize(
    ("release", "line"),
    [
        ("4.14.314-238.539.amzn2.aarch64", "before-6.1"),
        ("5.10.243-240.959.amzn2.aarch64", "before-6.1"),
        ("6.1.129-138.220.amzn2023.aarch64", "6.1"),
        ("5.15.0-130-generic", None),  # nothing was recorded of it, and KVM changed between 5.10 and 6.1
        ("6.0.9", None),
        ("5.14.0-570.12.1.el9_6.aarch64", None),  # these number their kernels by what they began with
        ("6.12.0-124.8.1.el10_1.aarch64", None),
        ("6.2", None),
        ("6.4", None),  # PMUVer and PerfMon could be written since 6.3
        ("6.5.0", None),
        ("6.8.0-31-generic", None),
        ("6.12.117+deb13-cloud-arm64", "6.12"),
        ("6.18.30", "6.18"),
        ("7.2.1", None),
        ("7.3.4+deb13-cloud-arm64", "7.3"),
        ("8.0", None),
        ("", None),
        ("amzn2023", None),
    ],
)
def test_a_release_is_of_a_measured_line_or_unknown(release, line):
    found = load().line(release)
    assert (found.name if found else None) == line


def test_the_measured_lines_stand_in_their_order_with_those_that_were_added():
    lines = load().lines
    assert tuple(line.name for line in lines if line.name in LINES) == LINES
    newest = [max(line.series) for line in lines]
    assert newest == sorted(newest)
    assert all(line.measured and line.see and line.default == "limit-only" for line in lines)
    writable = [line.imp_id_writable for line in lines]
    assert writable == sorted(writable)  # since 6.15


def test_279_fields_are_writable_on_the_newest_line():
    assert sum(any("7.3" in rule.lines for rule in rules) for rules in load().writable.values()) == 279


@pytest.mark.parametrize(
    ("subject", "line", "limit", "values"),
    [
        ("ID_AA64ISAR0_EL1.AES", "7.3", 2, (0, 1, 2)),
        ("ID_AA64ISAR0_EL1.AES", "before-6.1", 2, (2,)),
        ("ID_AA64PFR0_EL1.CSV2", "6.1", 1, (0, 1)),
        ("ID_AA64PFR0_EL1.CSV2", "6.1", 2, (0, 1, 2)),
        ("ID_AA64PFR0_EL1.CSV3", "6.1", 0, (0,)),
        ("ID_AA64PFR0_EL1.SVE", "7.3", 1, (1,)),
        ("ID_AA64PFR0_EL1.RAS", "6.12", 1, (1,)),
        ("ID_AA64PFR0_EL1.RAS", "6.18", 1, (0, 1)),
        ("ID_AA64PFR0_EL1.EL0", "6.12", 2, (0, 1, 2)),
        ("ID_AA64PFR0_EL1.EL0", "7.3", 2, (1, 2)),
        ("ID_AA64PFR0_EL1.RME", "7.3", 0, (0,)),  # in the mask, in no feature table
        ("ID_AA64DFR0_EL1.DebugVer", "7.3", 9, (6, 7, 8, 9)),
        ("ID_DFR0_EL1.CopDbg", "6.12", 8, (6, 7, 8)),
        ("ID_AA64DFR0_EL1.PMUVer", "7.3", 6, (0, 1, 2, 3, 4, 5, 6)),
        ("ID_AA64DFR0_EL1.PMUVer", "6.18", 6, (*range(7), *range(8, 15))),  # as signed: 8 to 14 are less
        ("ID_DFR0_EL1.PerfMon", "7.3", 6, (0, 3, 4, 5, 6)),
        ("ID_AA64DFR0_EL1.DoubleLock", "7.3", 0, (0, 8, 9, 10, 11, 12, 13, 14, 15)),
        ("ID_AA64DFR0_EL1.DoubleLock", "7.3", 15, (8, 9, 10, 11, 12, 13, 14, 15)),
        ("ID_AA64MMFR0_EL1.TGRAN4_2", "6.12", 2, (2,)),
        ("ID_AA64MMFR0_EL1.TGRAN4_2", "6.18", 2, (1, 2)),
        ("ID_AA64MMFR1_EL1.SpecSEI", "7.3", 0, tuple(range(16))),
        ("ID_AA64MMFR1_EL1.SpecSEI", "7.3", 15, (15,)),
        ("ID_AA64MMFR2_EL1.FWB", "7.3", 1, (1,)),
        ("CTR_EL0.DIC", "7.3", 1, (0, 1)),
        ("CTR_EL0.DIC", "7.3", 0, (0,)),
        ("CTR_EL0.L1Ip", "6.12", 3, (3,)),
        ("CTR_EL0.L1Ip", "7.3", 3, (2, 3)),
        ("CTR_EL0.L1Ip", "7.3", 2, (2,)),
        ("CTR_EL0.CWG", "7.3", 4, (4,)),
        ("ID_AA64FPFR0_EL1.F8CVT", "7.3", 1, (0, 1)),
        ("CLIDR_EL1.LoC", "6.12", 2, None),
        ("MIDR_EL1.PartNum", "7.3", 0xD40, None),
    ],
)
def test_kvm_takes_what_was_measured(subject, line, limit, values):
    assert takes(subject, line, limit) == values


def test_every_rule_takes_the_limit_unless_it_is_a_value_kvm_changes():
    for subject, rules in load().writable.items():
        field = load().fields[subject]
        for rule in rules:
            for limit in range(1 << min(field.width, 4)):
                assert rule.takes(limit, limit) or limit in rule.changed or limit in rule.refused, subject


def test_implementation_ids_need_their_capability():
    for subject, rules in load().writable.items():
        paint = subject.partition(".")[0] in load().bundles["implementation"].registers
        assert all(rule.needs_imp_id is paint for rule in rules)


def test_an_implementation_defined_pmu_is_accepted_and_becomes_none():
    rule = load().write_rule("ID_AA64DFR0_EL1.PMUVer", "7.3")
    assert rule is not None
    assert not rule.takes(15, 6)
    assert dict(rule.changed) == {15: 0}


def test_values_that_are_accepted_and_not_kept_are_harmless_and_newer_than_6_12():
    rows = {row.field: row for row in load().ignored}
    for subject in ("ID_AA64MMFR2_EL1.NV", "ID_AA64PFR0_EL1.MPAM", "ID_AA64PFR1_EL1.MPAM_frac"):
        row = rows[subject]
        assert (row.accepts, row.keeps, row.lines[-1]) == ("hardware value", 0, "7.3")
        assert {"6.18", "7.3"} <= set(row.lines)
        assert not {"6.1", "6.12"} & set(row.lines)
    assert all(row.harmless for row in rows.values())


@pytest.mark.parametrize(
    ("level", "matters"), [(0x1111, False), (0x1112, True), (0x1121, True), (0x2111, True)]
)
def test_aarch32_views_mean_nothing_where_no_level_has_aarch32(level, matters):
    catalogue = load()
    (row,) = catalogue.no_meaning
    known = {field.subject: field.get(level) for field in catalogue.registers["ID_AA64PFR0_EL1"].fields}
    assert evaluate(row.unless, known) is matters
    assert set(row.registers) == {name for name, one in catalogue.registers.items() if one.view == "aarch32"}
    assert {"ID_DFR0_EL1", "MVFR2_EL1", "ID_PFR2_EL1"} <= set(row.registers)


def test_registers_may_be_left_behind_only_under_their_condition():
    drops = {drop.register: drop for drop in load().drops}
    tcr2 = drops["TCR2_EL1"]
    assert tcr2.kvm_ids == (0x603000000013C103,)
    assert holds(tcr2.when, {"ID_AA64MMFR3_EL1.TCRX": 0}) is True
    assert holds(tcr2.when, {"ID_AA64MMFR3_EL1.TCRX": 1}) is False
    assert holds(tcr2.when, {}) is None
    assert drops["PIRE0_EL1"].kvm_ids == (0x603000000013C512,)
    assert drops["PIR_EL1"].kvm_ids == (0x603000000013C513,)
    assert drops["PMMIR_EL1"].kvm_ids == (0x603000000013C4F6,)
    assert drops["KVM_REG_ARM_VENDOR_HYP_BMAP_2"].when == drops["PMMIR_EL1"].when == "value == 0"
    assert drops["CCSIDR_EL1[*]"].kvm_ids == tuple(0x6020000000110000 + i for i in range(14))
    assert [name for name, drop in drops.items() if drop.loses] == [
        "CNTP_CTL_EL0",
        "CNTP_CVAL_EL0",
        "CNTPCT_EL0",
    ]


def test_what_the_first_run_clears_depends_on_other_fields():
    couplings = {row.name: row for row in load().couplings}
    s1poe = couplings["s1poe"]
    needed = {"ID_AA64MMFR3_EL1.TCRX": 1, "ID_AA64ISAR2_EL1.ATS1A": 1, "ID_AA64MMFR1_EL1.HPDS": 1}
    assert holds(s1poe.when, needed) is False
    assert holds(s1poe.when, needed | {"ID_AA64MMFR1_EL1.HPDS": 0}) is True
    assert (dict(s1poe.then), s1poe.lines[-1]) == ({"ID_AA64MMFR3_EL1.S1POE": 0}, "7.3")
    assert "6.18" not in s1poe.lines
    assert couplings["sve"].when == "without sve"
    zfr0 = {field.subject for field in load().registers["ID_AA64ZFR0_EL1"].fields}
    assert set(couplings["sve"].then) == zfr0 | {"ID_AA64PFR0_EL1.SVE"}


def test_firmware_levels_rank_as_kvm_compares_them():
    firmware = load().firmware
    one, two = (firmware[f"KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_{n}"] for n in (1, 2))
    assert [one.rank(value) for value in (0, 1, 2)] == [0, 1, 2]
    assert [two.rank(value) for value in (0, 1, 2, 3, 18)] == [0, 0, 1, 1, 1]
    assert two.rank(9) is None
    assert not one.settable
    assert firmware["KVM_REG_ARM_PSCI_VERSION"].name_of(0x10003) == "1.3"
    assert firmware["KVM_REG_ARM_VENDOR_HYP_BMAP"].name_of(3) == "feature discovery, PTP clock"
    assert [row.kind for row in firmware.values()] == ["version", *["level"] * 3, *["bitmap"] * 4]
    assert firmware["KVM_REG_ARM_VENDOR_HYP_BMAP_2"].absent == 0


def test_registers_that_describe_one_thing_are_chosen_together():
    bundles = {name: row.registers for name, row in load().bundles.items()}
    assert bundles == {
        "cache": ("CLIDR_EL1", "CCSIDR_EL1[*]"),
        "implementation": ("MIDR_EL1", "REVIDR_EL1", "AIDR_EL1"),
    }


def test_what_changed_between_lines_goes_forward_and_has_a_reason():
    order = [line.name for line in load().lines]
    for row in load().line_changes:
        assert order.index(row.until) + 1 == order.index(row.since), row.subjects
        assert row.why
        assert row.see
    assert len(load().line_changes) == 11


def test_a_leak_is_of_a_register_that_userspace_sees():
    for row in load().leaks:
        assert load().fields[row.field].register == "CTR_EL0"
        assert holds(row.when, {"CTR_EL0.IDC": 0, "ID_AA64MMFR2_EL1.EVT": 0}) is (
            "TminLine" in row.field and "6.1" in row.lines
        )
