"""Arm's rules hold on real silicon, and a planted fault does not go unseen."""

import json
import random
from pathlib import Path

import pytest

from armlevel.arch import check_rules, features_of, load

CPUS = sorted((Path(__file__).parent.parent / "machines/cpus").glob("*.json"))
LEAST = {"EL1": 700, "EL2": 500}  # rules that must have an answer, by where the registers were read


def registers_of(record):
    return {name: int(value, 16) for name, value in record["registers"].items()}


@pytest.fixture(params=CPUS, ids=lambda path: path.stem)
def record(request):
    return json.loads(request.param.read_text(encoding="utf-8"))


def test_there_are_sixteen_records_with_their_provenance():
    assert len(CPUS) == 16
    for path in CPUS:
        record = json.loads(path.read_text(encoding="utf-8"))
        assert all(
            record[key] for key in ("name", "soc", "seen_at", "seen_by", "software", "source", "licence")
        )


def test_silicon_breaks_none_of_arms_rules(record, tell):
    report = check_rules(load(), registers_of(record))
    tell(
        f"{record['name']}, {record['soc']}, read at {record['seen_at']}: {report.evaluated} rules evaluated, "
        f"{report.premise_true} with a true premise, {len(report.broken)} broken"
    )
    assert [rule.text for rule in report.broken] == []
    assert report.evaluated >= LEAST[record["seen_at"]]
    assert 0 < report.premise_true <= report.evaluated


def test_one_planted_violation_is_found(record, tell):
    catalogue, registers = load(), registers_of(record)
    plantable = [
        rule
        for rule in catalogue.field_rules
        if {catalogue.fields[rule.field].register, catalogue.fields[rule.then].register} <= registers.keys()
        and catalogue.fields[rule.then].compare(0, rule.then_at_least) == "less"
        and catalogue.registers[catalogue.fields[rule.field].register].view == "aarch64"
        and all(
            str(guard) == "FEAT_AA64EL1" for guard, _ in catalogue.features[rule.because[0]].announced[:1]
        )
    ]
    rule = random.Random(record["name"] + record["soc"]).choice(plantable)
    for subject, value in ((rule.field, rule.at_least), (rule.then, 0)):
        field = catalogue.fields[subject]
        registers[field.register] = field.put(registers[field.register], value)
    broken = check_rules(catalogue, registers).broken
    tell(
        f"{record['name']}, {record['soc']}: planted {rule.field} = {rule.at_least} with {rule.then} = 0: found"
    )
    assert any(set(rule.because) & set(_words(one.text)) for one in broken), rule


def _words(text):
    return text.replace("(", " ").replace(")", " ").split()


def test_nothing_is_derived_from_a_version_or_for_an_absent_register(record):
    catalogue, registers = load(), registers_of(record)
    features = features_of(catalogue, registers)
    for name, truth in features.items():
        feature = catalogue.features[name]
        if truth is not None:
            assert feature.announced, f"{name} has no condition"
            assert set(feature.registers) & set(registers), f"{name} is told from registers nobody read"
    assert all(features_of(catalogue, {})[name] is None for name in catalogue.features)


@pytest.mark.parametrize(
    ("stem", "has", "has_not"),
    [
        ("neoverse-v1-aws-graviton3-el1", ("FEAT_SVE", "FEAT_BF16", "FEAT_RNG"), ("FEAT_SVE2", "FEAT_MTE")),
        (
            "neoverse-n1-ampere-altra-el1",
            ("FEAT_LSE", "FEAT_AA32EL0", "FEAT_DotProd"),
            ("FEAT_SVE", "FEAT_AA32EL1"),
        ),
        (
            "apple-m1-firestorm-el1",
            ("FEAT_PACIMP", "FEAT_EPAC", "FEAT_SHA512"),
            ("FEAT_PACQARMA5", "FEAT_AA32EL0"),
        ),
        (
            "cortex-a72-raspberry-pi-4b-el1",
            ("FEAT_CRC32", "FEAT_AA32EL3"),
            ("FEAT_AES", "FEAT_LSE", "FEAT_VHE"),
        ),
    ],
)
def test_known_cores_announce_what_they_are_known_for(stem, has, has_not):
    (path,) = (path for path in CPUS if path.stem == stem)
    features = features_of(load(), registers_of(json.loads(path.read_text(encoding="utf-8"))))
    assert {name: features[name] for name in has + has_not} == dict.fromkeys(has, True) | dict.fromkeys(
        has_not, False
    )
