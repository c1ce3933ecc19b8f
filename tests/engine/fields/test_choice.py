from __future__ import annotations

from armlevel.arch import FieldRule
from armlevel.engine import level
from armlevel.engine.fields import choice
from armlevel.engine.fields.closure import close
from armlevel.engine.fields.domains import Domain
from armlevel.profile import Accepts
from tests.engine.kit import CATALOGUE, about, field_of, plain, up_to


def both(name: str, one: int, two: int, **takes: Accepts):
    accepts = {name: Accepts.of(range(16))}
    return level([plain("a", {name: one}, takes=accepts), plain("b", {name: two}, takes=accepts)], CATALOGUE)


def test_a_signed_field_without_the_feature_is_less_than_one_with_it():
    assert field_of(both("ID_AA64PFR0_EL1.AdvSIMD", 0xF, 0), "ID_AA64PFR0_EL1.AdvSIMD") == 0xF
    assert field_of(both("ID_AA64MMFR0_EL1.TGRAN4", 0, 0xF), "ID_AA64MMFR0_EL1.TGRAN4") == 0xF


def test_stage_2_granules_are_levelled_by_their_list_and_not_by_number():
    # 0 says "as stage 1" and 1 says "none"; 2 and more say yes.
    assert field_of(both("ID_AA64MMFR0_EL1.TGRAN4_2", 2, 1), "ID_AA64MMFR0_EL1.TGRAN4_2") == 1
    assert field_of(both("ID_AA64MMFR0_EL1.TGRAN4_2", 2, 0), "ID_AA64MMFR0_EL1.TGRAN4_2") == 0
    assert field_of(both("ID_AA64MMFR0_EL1.TGRAN4_2", 0, 1), "ID_AA64MMFR0_EL1.TGRAN4_2") == 1


def test_fields_without_an_order_are_equal_or_a_conflict():
    name = "ID_AA64ISAR1_EL1.API"
    differ = level([plain("a", {name: 1}), plain("b", {name: 2})], CATALOGUE)
    (finding,) = about(differ.conflicts, name)
    assert (finding.severity, finding.sets) == ("stops", (("a", "b"),))
    assert field_of(level([plain("a", {name: 1}), plain("b", {name: 1})], CATALOGUE), name) == 1


def test_a_value_that_kvm_takes_above_its_limit_is_never_chosen():
    # Linux 6.18 takes PMUVer values above its limit.
    name = "ID_AA64DFR0_EL1.PMUVer"
    accepts = {name: Accepts.of(range(10))}
    hosts = [plain("a", {name: 6}, takes=accepts), plain("b", {name: 5}, takes=accepts)]
    field = CATALOGUE.field(name)
    assert choice.choose(field, Domain(frozenset(range(10)), frozenset(range(10)), frozenset({6, 5}))) == 5
    assert field_of(level(hosts, CATALOGUE), name) <= 5


def test_a_value_without_a_meaning_is_chosen_only_if_some_host_shows_it():
    field = CATALOGUE.field("ID_AA64ISAR0_EL1.AES")
    assert 3 not in field.values
    every = frozenset(range(16))
    assert choice.choose(field, Domain(every, every, frozenset({5, 4}))) == 4
    assert choice.choose(field, Domain(every - {4}, every - {4}, frozenset({5, 4}))) == 2
    # So a host that shows 3 opens it; that is why "adding a host never raises" speaks of architected limits.
    sure = every - {4}
    assert choice.choose(field, Domain(sure, sure, frozenset({5, 4, 3}))) == 3


def test_a_limit_that_is_the_only_value_of_one_host_binds_the_others_that_can_reach_it():
    name = "ID_AA64ISAR0_EL1.SHA2"
    hosts = [plain("old", {name: 1}), plain("new", {name: 2}, takes=up_to(name, most=2))]
    assert field_of(level(hosts, CATALOGUE), name) == 1


def test_what_is_not_recorded_is_unknown_and_not_refused():
    with_it, without = plain("a", {"ID_AA64ISAR0_EL1.SHA2": 1}), plain("b")
    outcome = level([with_it, without], CATALOGUE)
    assert outcome.parts["registers"] == "unknown"
    assert {finding.severity for finding in outcome.conflicts} == {"unknown"}


def test_a_host_without_a_record_does_not_hide_a_conflict_of_the_others():
    name = "ID_AA64ISAR1_EL1.API"
    outcome = level([plain("a", {name: 1}), plain("b", {name: 2}), plain("c")], CATALOGUE)
    assert outcome.parts["registers"] == "refused"
    assert about(outcome.conflicts, name)[0].sets == (("a", "b"),)


def test_a_rule_whose_premise_no_candidate_leaves_is_stuck():
    one, two = CATALOGUE.field("ID_AA64ISAR0_EL1.SHA3"), CATALOGUE.field("ID_AA64ISAR0_EL1.SHA2")
    rule = FieldRule(one.subject, 1, two.subject, 2, ("FEAT_SHA3", "FEAT_SHA512"))
    fields = {field.subject: field for field in (one, two)}
    result = close({one.subject: 1, two.subject: 1}, {one.subject: (1,), two.subject: (1, 0)}, [rule], fields)
    assert result.stuck == (rule,)
    assert not result.steps


def test_lowering_one_feature_lowers_those_that_need_it():
    sha3, sha2 = "ID_AA64ISAR0_EL1.SHA3", "ID_AA64ISAR0_EL1.SHA2"
    rule = next(r for r in CATALOGUE.field_rules if (r.field, r.then) == (sha3, sha2))
    takes = up_to(sha3, sha2, most=2)
    hosts = [
        plain("a", {sha3: 1, sha2: 2, "ID_AA64ISAR0_EL1.SHA1": 1}, takes=takes),
        plain("b", {sha3: 1, sha2: rule.then_at_least - 1, "ID_AA64ISAR0_EL1.SHA1": 1}, takes=takes),
        plain("c", {sha3: 1, sha2: rule.then_at_least, "ID_AA64ISAR0_EL1.SHA1": 1}, takes=takes),
    ]
    outcome = level(hosts, CATALOGUE)
    assert field_of(outcome, sha3) == 0
    assert any(
        (step.field, step.before, step.after, step.rule) == (sha3, 1, 0, rule) for step in outcome.steps
    )


def test_reserved_bits_that_a_host_sets_are_carried_as_they_are():
    odd = plain("a", {"ID_AA64ISAR0_EL1": 1})  # bits 3:0 are RES0
    outcome = level([odd], CATALOGUE)
    assert outcome.guest is not None
    assert outcome.guest.registers["ID_AA64ISAR0_EL1"] == 1
    assert level([odd, plain("b", {"ID_AA64ISAR0_EL1": 0})], CATALOGUE).parts["registers"] == "refused"


def test_a_register_that_no_row_knows_is_equal_or_a_conflict():
    same = level([plain("a", {"S3_0_C15_C2_0": 7}), plain("b", {"S3_0_C15_C2_0": 7})], CATALOGUE)
    assert same.guest is not None
    assert same.guest.registers["S3_0_C15_C2_0"] == 7
    other = level([plain("a", {"S3_0_C15_C2_0": 7}), plain("b", {"S3_0_C15_C2_0": 3})], CATALOGUE)
    assert other.parts["registers"] == "refused"
