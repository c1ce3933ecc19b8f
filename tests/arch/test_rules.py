"""Arm's rules as rows: all of them, and what is derived from them."""

import itertools

import pytest

from armlevel.arch import KINDS, check_rules, evaluate, features_of, load, mentioned

ARMS_TOTAL = 1361  # AARCHMRS 2025-03: 1358 constraints of the parameters, 3 of the whole


def test_every_constraint_of_arms_is_kept_or_set_aside_with_its_reason(tell):
    catalogue = load()
    tell(f"Arm's {ARMS_TOTAL} constraints: {len(catalogue.rules)} kept, {len(catalogue.set_aside)} set aside")
    assert catalogue.rules_total == ARMS_TOTAL
    assert len(catalogue.rules) + len(catalogue.set_aside) == ARMS_TOTAL
    assert all(row.reason and row.text and "->" in row.text for row in catalogue.set_aside)
    assert {rule.kind for rule in catalogue.rules} == set(KINDS)


def test_at_least_266_features_are_announced_by_our_fields_and_the_others_say_why_not(tell):
    catalogue = load()
    visible = [name for name, feature in catalogue.features.items() if feature.announced]
    tell(f"{len(visible)} features announced by our fields, {len(catalogue.not_visible)} not visible here")
    assert len(visible) >= 266
    assert set(visible).isdisjoint(catalogue.not_visible)
    assert set(visible) | set(catalogue.not_visible) == set(catalogue.features)
    assert all(catalogue.not_visible.values())


def test_only_rules_that_silicon_contradicts_are_set_aside_though_their_fields_are_known():
    fields = load().fields
    local = [row for row in load().set_aside if all(name in fields for name in _subjects(row.text))]
    assert [row.text for row in local] == [
        "FEAT_AA32EL0 & FEAT_AA64EL1 -> (FEAT_EVT <-> ID_MMFR4_EL1.EVT >= 1)"
    ]
    assert "silicon" in local[0].reason


def _subjects(text):
    return [word for word in _words(text) if "." in word]


def _words(text):
    return text.replace("(", " ").replace(")", " ").split()


@pytest.mark.parametrize(
    ("rule", "because"),
    [
        ("ID_AA64ISAR0_EL1.SHA3 >= 1 -> ID_AA64ISAR0_EL1.SHA2 >= 1", ("FEAT_SHA3", "FEAT_SHA256")),
        ("ID_AA64ZFR0_EL1.SVEver >= 1 -> ID_AA64PFR0_EL1.SVE >= 1", ("FEAT_SVE2", "FEAT_SVE")),
        ("ID_AA64PFR0_EL1.SVE >= 1 -> ID_AA64PFR0_EL1.FP >= 1", ("FEAT_SVE", "FEAT_FP16")),
        ("ID_AA64ISAR1_EL1.FCMA >= 1 -> ID_AA64PFR0_EL1.FP >= 0", ("FEAT_FCMA", "FEAT_FP")),
        ("ID_AA64DFR0_EL1.HPMN0 >= 1 -> ID_AA64DFR0_EL1.PMUVer >= 1", ("FEAT_HPMN0", "FEAT_PMUv3")),
        ("ID_AA64MMFR3_EL1.S1POE >= 1 -> ID_AA64MMFR1_EL1.HPDS >= 1", ("FEAT_S1POE", "FEAT_HPDS")),
        ("ID_AA64ZFR0_EL1.BF16 >= 1 -> ID_AA64ISAR1_EL1.BF16 >= 1", ("FEAT_BF16", "FEAT_BF16")),
    ],
)
def test_rules_between_fields_follow_from_rules_between_features(rule, because):
    assert {str(one): one.because for one in load().field_rules}[rule] == because


def test_a_field_rule_never_speaks_of_one_field_mixes_views_or_goes_through_a_version():
    catalogue = load()
    for rule in catalogue.field_rules:
        one, other = catalogue.fields[rule.field], catalogue.fields[rule.then]
        assert one is not other
        assert catalogue.registers[one.register].view == catalogue.registers[other.register].view
        assert all(name.startswith("FEAT_") for name in rule.because)
        assert rank(one, rule.at_least) is not None
        assert rank(other, rule.then_at_least) is not None


def test_registers_that_are_all_zero_but_for_their_levels_meet_every_field_rule():
    """Nothing is announced there, so no rule may ask for anything: guards such as FEAT_SVE are respected."""
    catalogue = load()
    values = dict.fromkeys(catalogue.fields, 0)
    values |= {f"ID_AA64PFR0_EL1.EL{level}": 1 for level in range(4)}
    values |= {f"ID_AA64PFR0_EL1.{name}": 15 for name in ("FP", "AdvSIMD")}
    for rule in catalogue.field_rules:
        one, other = catalogue.fields[rule.field], catalogue.fields[rule.then]
        if rank(one, values[rule.field]) >= rank(one, rule.at_least):
            assert rank(other, values[rule.then]) >= rank(other, rule.then_at_least), str(rule)


def test_where_a_field_rule_is_broken_one_of_arms_rules_is():
    """Sound: no rule between fields asks for more than Arm does, on registers that have what guards ask for."""
    catalogue = load()
    base = {name: 0 for name, register in catalogue.registers.items() if register.view == "aarch64"}
    base |= {"ID_AA64PFR0_EL1": 0x1_0011_1111, "ID_AA64PFR1_EL1": 0x200_0200}  # SVE, SME2, MTE2
    tried = 0
    for rule in catalogue.field_rules:
        one, other = catalogue.fields[rule.field], catalogue.fields[rule.then]
        below = [value for value in other.values if rank(other, value) < rank(other, rule.then_at_least)]
        feature = catalogue.features[rule.because[0]]
        is_guard = rule.because[1] in str(feature.guard)  # then the register of `one` reads zero
        alone = len({pair for pair in feature.announced if pair[0] == feature.announced[0][0]}) == 1
        if catalogue.registers[one.register].view == "aarch64" and below and not is_guard and alone:
            kept = broken_by(base, (one, rule.at_least), (other, rule.then_at_least))
            worse = broken_by(base, (one, rule.at_least), (other, best(other, below)))
            assert worse - kept or any(set(rule.because) <= set(_words(text)) for text in worse), str(rule)
            tried += 1
    assert tried > 100


def rank(field, value):
    return field.rank(value)


def best(field, values):
    return max(values, key=field.rank)


def broken_by(base, *planted):
    registers = dict(base)
    for field, value in planted:
        registers[field.register] = field.put(registers[field.register], value)
    return {rule.text for rule in check_rules(load(), registers).broken}


def test_versions_are_never_derived_and_contain_each_other():
    catalogue = load()
    assert not set(catalogue.versions) & set(features_of(catalogue, {"ID_AA64PFR0_EL1": 0x1111}))
    assert len(catalogue.versions) == 17
    assert catalogue.versions["v8Ap2"].includes == ("v8Ap1",)
    assert "FEAT_LSE" in catalogue.versions["v8Ap1"].mandates
    assert "FEAT_FP -> FEAT_JSCVT" in catalogue.versions["v8Ap3"].mandates_if


def test_conditions_read_signed_fields_as_signed_numbers():
    (condition,) = load().features["FEAT_FP"].conditions
    assert [evaluate(condition, {"ID_AA64PFR0_EL1.FP": value}) for value in (15, 0, 1)] == [False, True, True]


def test_a_stage_two_granule_follows_stage_one_where_it_says_so():
    catalogue = load()
    field = catalogue.fields["ID_AA64MMFR0_EL1.TGRAN4_2"]
    for stage_two, stage_one in itertools.product((0, 1, 2, 3), (0, 15)):
        mmfr0 = catalogue.fields["ID_AA64MMFR0_EL1.TGRAN4"].put(field.put(0, stage_two), stage_one)
        features = features_of(catalogue, {"ID_AA64PFR0_EL1": 0x1111, "ID_AA64MMFR0_EL1": mmfr0})
        assert features["FEAT_S2TGran4K"] is (stage_two >= 2 or (stage_two == 0 and stage_one == 0))


def test_every_hwcap_names_fields_we_have_and_the_word_of_proc_cpuinfo():
    catalogue = load()
    assert len(catalogue.hwcaps) == 124
    flags = {cap.flag: name for name, cap in catalogue.hwcaps.items()}
    assert len(flags) == 124
    assert {"asimd", "paca", "sve2", "smei16i64", "sveebf16", "ilrcpc", "flagm2"} <= set(flags)
    assert [name for name, cap in catalogue.hwcaps.items() if cap.condition is None] == [
        "HWCAP_EVTSTRM",
        "HWCAP_CPUID",
    ]
    condition = catalogue.hwcaps["HWCAP2_SVE2"].condition
    assert condition is not None
    assert mentioned(condition) == {
        "ID_AA64PFR0_EL1.SVE",
        "ID_AA64ZFR0_EL1.SVEver",
    }


def test_231_parts_have_one_name_each():
    catalogue = load()
    assert len(catalogue.parts) == 231
    assert catalogue.parts[0x41, 0xD40].name == "Neoverse V1"
    assert catalogue.implementers[0x41] == "Arm"
    assert {who for who, _part in catalogue.parts} - set(catalogue.implementers) == {0x3F}
