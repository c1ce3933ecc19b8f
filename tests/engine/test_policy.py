from __future__ import annotations

import pytest

from armlevel.engine import Policy, level
from armlevel.errors import UnknownName, UsageError
from tests.engine.kit import CATALOGUE, about, field_of, host, offer, plain, shape, up_to

SHA2, SHA3, RNDR, AES = (f"ID_AA64ISAR0_EL1.{name}" for name in ("SHA2", "SHA3", "RNDR", "AES"))


def fleet(*values: int):
    return [plain(f"h{n}", {RNDR: value, AES: 2}, takes=up_to(RNDR, AES)) for n, value in enumerate(values)]


def test_a_hidden_feature_is_gone_although_every_host_has_it():
    assert field_of(level(fleet(1, 1), CATALOGUE), RNDR) == 1
    outcome = level(fleet(1, 1), CATALOGUE, Policy(hide=("FEAT_RNG",)))
    assert field_of(outcome, RNDR) == 0
    assert outcome.answer == "runs"


def test_hiding_the_larger_of_two_features_keeps_the_smaller():
    outcome = level(fleet(1, 1), CATALOGUE, Policy(hide=("FEAT_PMULL",)))
    assert field_of(outcome, AES) == 1


def test_a_feature_that_some_host_cannot_hide_is_an_answer_with_its_reason():
    stiff = [plain("stiff", {RNDR: 1, AES: 2}), *fleet(1)]
    outcome = level(stiff, CATALOGUE, Policy(hide=("FEAT_RNG",)))
    assert outcome.answer == "refused"
    assert outcome.guest is None
    (finding,) = about(outcome.findings, RNDR)
    assert (finding.part, finding.cause) == ("policy", "policy")


def test_a_required_feature_that_is_there_changes_nothing():
    outcome = level(fleet(1, 1), CATALOGUE, Policy(require=("FEAT_RNG",)))
    assert outcome.answer == "runs"


def test_a_required_feature_names_the_hosts_that_lack_it():
    outcome = level(fleet(1, 0), CATALOGUE, Policy(require=("FEAT_RNG",)))
    assert outcome.parts["policy"] == "refused"
    (finding,) = about(outcome.findings, "policy.require.FEAT_RNG")
    assert finding.hosts == ("h1",)
    assert finding.remedies[0].hosts == ("h1",)


def test_a_pinned_value_is_taken_if_every_host_keeps_it():
    assert field_of(level(fleet(1, 1), CATALOGUE, Policy(pins={AES: 1})), AES) == 1
    assert field_of(level(fleet(1, 1), CATALOGUE, Policy(pins={AES.lower(): 0})), AES) == 0


def test_a_pin_above_a_limit_is_refused_with_its_reason():
    outcome = level(fleet(0, 1), CATALOGUE, Policy(pins={RNDR: 1}))
    assert outcome.answer == "refused"
    assert about(outcome.findings, RNDR)[0].part == "policy"


def test_a_pin_on_a_register_that_no_host_shows_is_refused():
    outcome = level(fleet(1), CATALOGUE, Policy(pins={"ID_AA64MMFR0_EL1.PARANGE": 2}))
    assert outcome.parts["policy"] == "refused"


@pytest.mark.parametrize(
    ("policy", "error"),
    [
        (Policy(hide=("FEAT_NOT_THERE",)), UnknownName),
        (Policy(require=("FEAT_NOT_THERE",)), UnknownName),
        (Policy(pins={"ID_AA64ISAR0_EL1.NOPE": 1}), UnknownName),
        (Policy(pins={AES: 16}), UsageError),
        (Policy(pins={"CLIDR_EL1.LoC": 1}), UsageError),
    ],
)
def test_a_policy_about_what_does_not_exist_is_an_error(policy, error):
    with pytest.raises(error):
        level(fleet(1), CATALOGUE, policy)


def test_doing_without_a_shape_feature_takes_the_smaller_shape():
    hosts = [host(name, offer(of=shape("sve"), sve_vls=(128,)), offer()) for name in "ab"]
    assert level(hosts, CATALOGUE).shape == shape("sve")
    assert level(hosts, CATALOGUE, Policy(without=frozenset({"sve"}))).shape == shape()


def test_without_any_common_shape_nothing_is_known():
    outcome = level([host("a", offer(of=shape("mte"))), host("b", offer())], CATALOGUE)
    assert (outcome.shape, outcome.guest, outcome.answer) == (None, None, "unknown")


def test_zero_hosts_are_an_error_and_not_an_empty_success():
    with pytest.raises(UsageError):
        level([], CATALOGUE)
