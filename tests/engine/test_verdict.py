from __future__ import annotations

from dataclasses import replace
from random import Random

from armlevel.engine import Verdict, check, level, migrate, passthrough
from armlevel.engine.values import FieldValues, Implementations, offered
from armlevel.profile import IMPLEMENTATION_REGISTERS, Accepts, Cpu, Guest, Host, Implementation, Software
from tests.engine.kit import CATALOGUE, N1, V1, about, field_of, host, offer, plain, shape, up_to
from tests.fidelity.hosts import HOSTS, read

RNDR, NV, DIC = "ID_AA64ISAR0_EL1.RNDR", "ID_AA64MMFR2_EL1.NV", "CTR_EL0.DIC"
HPDS = "ID_AA64MMFR1_EL1.HPDS"


def guest_with(fields: dict[str, int]) -> Guest:
    guest = level([plain("source", fields)], CATALOGUE).guest
    assert guest is not None
    return guest


def verdict(fields: dict[str, int], limits: dict[str, int], **target) -> Verdict:
    return check(guest_with(fields), plain("target", limits, **target), CATALOGUE)


def registers(fields: dict[str, int], limits: dict[str, int], **target) -> tuple[str, str]:
    return verdict(fields, limits, **target).parts["registers"]


def test_the_same_value_starts_and_arrives():
    assert registers({RNDR: 1}, {RNDR: 1}) == ("runs", "runs")


def test_a_lower_value_runs_where_kvm_takes_it_and_only_there():
    assert registers({RNDR: 0}, {RNDR: 1}, takes=up_to(RNDR, most=1)) == ("runs", "runs")
    assert registers({RNDR: 0}, {RNDR: 1}) == ("refused", "refused")


def test_a_missing_feature_is_refused_and_the_remedy_is_to_pin_it_lower():
    result = verdict({RNDR: 1}, {RNDR: 0})
    (finding,) = about(result.findings, RNDR)
    assert (finding.severity, finding.needs) == ("stops", (FieldValues((1,)),))
    assert finding.offers == offered(("target", FieldValues((0,))))
    assert finding.remedies[0].kind == "pin"
    assert (result.start, result.arrive) == ("refused", "refused")


def test_coherent_caches_may_be_hidden_and_never_invented():
    hidden = {DIC: Accepts.of((0, 1))}
    assert registers({DIC: 0}, {DIC: 1}, takes=hidden) == ("runs", "runs")
    assert registers({DIC: 1}, {DIC: 0}) == ("refused", "refused")


def test_a_changed_value_does_not_start_and_arrives_where_the_difference_is_harmless():
    # Only an EL2 could use NV, and the guest has none.
    takes = {NV: Accepts.of((0,), changed={2: 0})}
    result = verdict({NV: 2}, {NV: 0}, takes=takes)
    assert result.parts["registers"] == ("refused", "runs")
    assert [(f.severity, f.applies) for f in about(result.findings, NV)] == [
        ("stops", ("start",)),
        ("note", ("arrive",)),
    ]


def test_a_changed_value_that_the_guest_can_use_breaks_it():
    takes = {RNDR: Accepts.of((0,), changed={1: 0})}
    result = verdict({RNDR: 1}, {RNDR: 0}, takes=takes)
    assert result.parts["registers"] == ("refused", "refused")
    assert "breaks" in {finding.severity for finding in about(result.findings, RNDR)}


def test_a_value_that_depends_on_hardware_nobody_saw_does_not_start_and_may_arrive():
    takes = {NV: Accepts.of((0,), unsure=(2,))}
    assert registers({NV: 2}, {NV: 0}, takes=takes) == ("refused", "unknown")


def test_where_no_rule_was_measured_the_answer_is_unknown():
    assert registers({HPDS: 0}, {HPDS: 1}, default="unknown") == ("unknown", "unknown")
    assert registers({HPDS: 1}, {HPDS: 1}, default="unknown") == ("runs", "runs")
    takes = {HPDS: Accepts.of((1,), others="unknown")}
    assert registers({HPDS: 0}, {HPDS: 1}, takes=takes) == ("unknown", "unknown")


def test_a_register_that_the_host_does_not_record_is_unknown():
    assert registers({RNDR: 0}, {}, lists=None) == ("unknown", "unknown")


def test_another_implementation_is_refused_where_its_ids_cannot_be_written():
    result = check(guest_with({}), plain("target", cpu=V1), CATALOGUE)
    assert result.parts["registers"] == ("refused", "refused")
    assert [finding.subject.key for finding in result.findings] == ["MIDR_EL1", "REVIDR_EL1"]


def test_a_shape_that_was_not_probed_is_unknown_and_facts_are_judged_all_the_same():
    guest = replace(guest_with({}), shape=shape("sve"), sve_vls=(128,))
    result = check(guest, host("target", offer()), CATALOGUE)
    assert (result.start, result.arrive) == ("unknown", "unknown")
    assert result.judged == ("facts",)


def test_the_worst_part_answers_for_all_and_a_no_is_worse_than_a_cannot_say():
    result = verdict({RNDR: 1}, {RNDR: 0}, lists=None)
    assert (result.parts["list"][1], result.arrive) == ("unknown", "refused")


def test_values_without_meaning_do_not_stop_a_levelled_guest():
    blank, full = ({"ID_MMFR0_EL1": value} for value in (0, 0x1020_1105))
    assert registers(blank, full) == ("runs", "runs")


def test_a_natural_profile_is_the_host_at_its_limits_and_goes_home():
    here = host("here", offer({RNDR: 1}), cpu=N1)
    guest = passthrough(here, CATALOGUE)
    assert guest.starts_on == ("here",)
    assert guest.implementation is not None
    assert guest.implementation.shown == N1
    result = check(guest, here, CATALOGUE)
    assert (result.start, result.arrive) == ("runs", "runs")


def test_a_baseline_of_two_starts_on_both_where_neither_natural_profile_could():
    aes = "ID_AA64ISAR0_EL1.AES"
    one = plain("one", {RNDR: 1, aes: 0}, takes=up_to(RNDR, most=1))
    two = plain("two", {RNDR: 0, aes: 1}, takes=up_to(aes, most=1))
    assert check(passthrough(one, CATALOGUE), two, CATALOGUE).arrive == "refused"
    outcome = level([one, two], CATALOGUE)
    assert (field_of(outcome, RNDR), field_of(outcome, aes)) == (0, 0)
    assert outcome.guest is not None
    assert {check(outcome.guest, target, CATALOGUE).start for target in (one, two)} == {"runs"}


def test_a_shape_that_a_probe_tried_in_vain_is_refused_and_not_unknown():
    wants = replace(passthrough(plain("source"), CATALOGUE), shape=shape("sve"))
    probed = {"VCPU_SVE": 1, "VCPU_PMU_V3": 2}
    tried = replace(plain("tried"), software=Software("7.3.4", kvm_capabilities=probed))
    verdict = check(wants, tried, CATALOGUE)
    assert verdict.parts["shape"] == ("refused", "refused")
    assert [(f.subject.key, f.cause) for f in verdict.findings] == [("shape.sve", "silicon")]
    assert check(wants, plain("recorded"), CATALOGUE).parts["shape"] == ("unknown", "unknown")
    old = replace(tried, software=Software("6.1", kvm_capabilities={"VCPU_SVE": 0}))
    assert check(wants, old, CATALOGUE).findings[0].cause == "kernel"
    painted = replace(wants, shape=shape(imp_id_writable=True))
    assert check(painted, tried, CATALOGUE).parts["shape"] == ("refused", "refused")
    assert check(painted, plain("recorded"), CATALOGUE).parts["shape"] == ("unknown", "unknown")


def test_a_host_whose_cpus_are_not_alike_shows_an_unknown_one_unless_it_can_be_painted():
    told = level([plain("a")], CATALOGUE).guest
    assert told is not None
    mixed = replace(plain("mixed"), cpus=(Cpu(N1, 4), Cpu(Implementation(0x411FD401, 0, 0), 4)))
    found = check(told, mixed, CATALOGUE)
    assert found.parts["registers"] == ("unknown", "unknown")
    (one,) = about(found.findings, "MIDR_EL1")
    assert one.offers == offered(("mixed", Implementations((Implementation(0x411FD401, 0, 0), N1))))


def test_a_register_that_the_profile_does_not_say_is_not_known():
    (n2,) = read(["neoverse-n2@7.x"])
    whole = passthrough(n2, CATALOGUE)
    assert check(whole, n2, CATALOGUE).arrive == "runs"
    for name in ("ID_AA64ISAR0_EL1", "ID_AA64PFR0_EL1", "CTR_EL0"):
        holed = replace(whole, registers={k: v for k, v in whole.registers.items() if k != name})
        result = check(holed, n2, CATALOGUE)
        assert result.parts["registers"] == ("unknown", "unknown")
        assert [finding.severity for finding in about(result.findings, name)] == ["unknown"]


def test_a_baseline_starts_where_it_is_born_and_arrives_on_every_host_of_its():
    random, recorded, levelled = Random(1), read(HOSTS), 0
    for first in recorded:
        kin = [
            h for h in recorded if h is not first and h.name.partition("@")[0] == first.name.partition("@")[0]
        ]
        for other in (*random.sample(kin, min(1, len(kin))), random.choice(recorded)):
            hosts = [first, other]
            found = level(hosts, CATALOGUE)
            if found.answer != "runs" or found.guest is None:
                continue
            levelled += 1
            assert found.guest.starts_on, hosts
            for one in hosts:
                result = check(found.guest, one, CATALOGUE)
                assert result.arrive == "runs", (first.name, other.name, result.findings)
                assert one.name not in found.guest.starts_on or result.start == "runs", (
                    first.name,
                    other.name,
                )
            assert {move.answer for move in migrate(first, other, CATALOGUE, guest=found.guest)} == {"runs"}
    assert levelled > 15


def test_a_revision_number_that_the_host_does_not_record_is_not_zero():
    guest = guest_with({})
    whole = plain("target")
    for cpus in ((), whole.cpus):  # which may stand for numbers that nobody read
        for name in ("REVIDR_EL1", "AIDR_EL1"):
            silent = replace(without(whole, name), cpus=cpus)
            found = check(guest, silent, CATALOGUE)
            assert found.parts["registers"] == ("unknown", "unknown")
            (said,) = about(found.findings, name)
            assert (said.severity, [remedy.kind for remedy in said.remedies]) == ("unknown", ["probe"])
            shown = passthrough(silent, CATALOGUE).implementation
            assert shown is not None
            assert shown.shown.unrecorded == (name,)
            twins = [silent, replace(silent, name="twin")]
            assert level(twins, CATALOGUE).parts["registers"] == "unknown"
    assert check(guest, whole, CATALOGUE).parts["registers"] == ("runs", "runs")


def without(host: Host, register: str) -> Host:
    offers = (
        replace(one, limits={name: value for name, value in one.limits.items() if name != register})
        for one in host.offers
    )
    return replace(host, offers=tuple(offers))


def test_every_natural_guest_of_a_recorded_host_runs_at_home():
    asked = 0
    for home in read(HOSTS):
        for one in home.offers:
            found = check(passthrough(home, CATALOGUE, shape=one.shape), home, CATALOGUE)
            assert (found.start, found.arrive) == ("runs", "runs"), (home.name, one.shape, found.findings)
            asked += 1
    assert asked > 600


def test_a_register_that_no_table_knows_leaves_the_start_open_where_only_the_host_shows_it():
    guest = passthrough(plain("a"), CATALOGUE)
    there = plain("b", {"S3_0_C15_C2_0": 3})
    found = check(guest, there, CATALOGUE)
    assert (found.start, found.arrive) == ("unknown", "unknown")
    assert [one.subject.key for one in found.findings] == ["S3_0_C15_C2_0"]
    assert level([plain("a"), there], CATALOGUE).answer == "unknown"


def test_levelling_takes_numbers_that_an_offer_does_not_record_from_the_cpus_as_check_does():
    numbers = set(IMPLEMENTATION_REGISTERS)

    def unnumbered(name: str, cpu: Implementation) -> Host:
        there = plain(name, cpu=cpu)
        kept = {key: value for key, value in there.offers[0].limits.items() if key not in numbers}
        return replace(there, offers=(replace(there.offers[0], limits=kept),))

    one, two, other = unnumbered("a", N1), unnumbered("b", N1), unnumbered("c", V1)
    assert (
        level([one, two], CATALOGUE).answer,
        check(passthrough(one, CATALOGUE), two, CATALOGUE).start,
    ) == (
        "runs",
        "runs",
    )
    assert level([one, other], CATALOGUE).answer == "refused"
