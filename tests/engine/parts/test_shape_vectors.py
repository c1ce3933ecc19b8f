from __future__ import annotations

from dataclasses import replace

from armlevel.engine import Policy, check, level
from armlevel.engine.reasons import Reason
from armlevel.profile import Cpu, Implementation
from tests.engine.kit import CATALOGUE, N1, V1, V2, about, field_of, host, offer, shape
from tests.fidelity.hosts import read

SVE, AUTH = shape("sve"), shape("ptrauth")
API = "ID_AA64ISAR1_EL1.API"
APA = "ID_AA64ISAR1_EL1.APA"


def with_lengths(name: str, *lengths: int):
    return host(name, offer(of=SVE, sve_vls=lengths or None))


def levelled(*sets: tuple[int, ...]) -> tuple[int, ...] | None:
    outcome = level([with_lengths(f"h{n}", *lengths) for n, lengths in enumerate(sets)], CATALOGUE)
    assert outcome.guest is not None
    return outcome.guest.sve_vls


def test_neoverse_v1_and_n2_share_128_bits():
    assert levelled((128, 256), (128,)) == (128,)


def test_a_length_cannot_be_left_out_in_the_middle():
    assert levelled((128, 512), (128, 256, 512)) == (128,)


def test_equal_sets_stay_whole():
    assert levelled((128, 256, 512), (128, 256, 512)) == (128, 256, 512)


def test_the_largest_common_maximum_with_equal_sets_below_it_is_taken():
    assert levelled((128, 256, 512), (128, 256, 1024)) == (128, 256)


def test_lengths_that_are_not_recorded_are_unknown():
    outcome = level([with_lengths("a", 128), with_lengths("b")], CATALOGUE)
    assert outcome.parts["shape"] == "unknown"


def test_a_guest_arrives_only_where_its_lengths_are_exactly_those_up_to_its_maximum():
    guest = level([with_lengths("a", 128, 256)], CATALOGUE).guest
    assert guest is not None
    answers = {
        lengths: check(guest, with_lengths("b", *lengths), CATALOGUE).parts["shape"][1]
        for lengths in ((128, 256), (128, 256, 512), (128,), (256,), (128, 512), ())
    }
    assert answers == {
        (128, 256): "runs",
        (128, 256, 512): "runs",
        (128,): "refused",
        (256,): "refused",
        (128, 512): "refused",
        (): "unknown",
    }


def signing(name: str, fields: dict[str, int], cpu: Implementation, *, also_without: bool = True):
    offers = [offer(fields, of=AUTH, cpu=cpu)]
    if also_without:
        offers.append(offer(dict.fromkeys(fields, 0), cpu=cpu))
    return host(name, *offers, cpu=cpu)


def test_an_architected_algorithm_is_shared_between_different_cores():
    # Both cores in one paint, so that only the algorithm is in question.
    hosts = [signing(name, {APA: 3}, N1) for name in "ab"]
    outcome = level(hosts, CATALOGUE)
    assert outcome.shape == AUTH
    assert outcome.answer == "runs"
    assert field_of(outcome, APA) == 3


def test_pointer_authentication_that_only_one_core_knows_is_dropped_from_the_shape():
    hosts = [signing("v1", {API: 3}, V1), signing("v2", {API: 3}, V2)]
    outcome = level(hosts, CATALOGUE)
    assert outcome.shape == shape()
    (finding,) = about(outcome.findings, "shape.ptrauth")
    assert finding.severity == "note"
    assert Reason("ptrauth-dropped") in finding.because


def test_the_same_core_may_share_its_own_algorithm():
    assert level([signing("a", {API: 3}, V1), signing("b", {API: 3}, V1)], CATALOGUE).shape == AUTH


def test_another_algorithm_is_refused_and_cannot_be_assumed_away():
    guest = level([signing("a", {API: 3}, V1, also_without=False)], CATALOGUE).guest
    assert guest is not None
    qarma5 = signing("b", {API: 0, APA: 3}, V1, also_without=False)
    assert check(guest, qarma5, CATALOGUE, Policy(assume_same_impdef=True)).parts["registers"][1] == "refused"


def test_the_same_implementation_defined_algorithm_on_another_core_breaks_unless_it_is_assumed():
    guest = level([signing("a", {API: 3}, V1, also_without=False)], CATALOGUE).guest
    assert guest is not None
    other = signing("b", {API: 3}, V2, also_without=False)
    assert check(guest, other, CATALOGUE).parts["shape"] == ("refused", "refused")
    assert check(guest, other, CATALOGUE, Policy(assume_same_impdef=True)).parts["shape"] == ("runs", "runs")


def test_an_algorithm_of_ones_own_is_not_shared_with_a_core_that_is_not_recorded():
    impdef = {"ID_AA64ISAR1_EL1.API": 1}
    known = replace(host("known", offer(impdef, of=shape("ptrauth"))), cpus=(Cpu(N1),))
    nameless = offer(impdef, of=shape("ptrauth"))
    limits = {name: value for name, value in nameless.limits.items() if "IDR_EL1" not in name}
    unknown = replace(host("unknown", replace(nameless, limits=limits)), cpus=())
    outcome = level([known, unknown], CATALOGUE)
    assert [f.severity for f in outcome.findings if f.subject.key == "shape.ptrauth"] == ["unknown"]


def test_the_paint_does_not_say_which_algorithm_signed_the_pointers():
    # Neoverse N2 and Cortex-A710 sign each in its own way; where the IDs can be written, each can look like the other.
    n2, a710 = read(["neoverse-n2@7.x", "cortex-a710@7.x"])
    (other,) = {cpu.implementation for cpu in a710.cpus}
    found = level([n2], CATALOGUE, Policy(implementation=other))
    assert found.guest is not None
    assert "ptrauth" in found.guest.shape.features
    assert found.guest.implementation is not None
    assert found.guest.implementation.shown == other
    assert check(found.guest, n2, CATALOGUE).parts["shape"] == ("runs", "runs")
    assert check(found.guest, a710, CATALOGUE).parts["shape"][1] == "refused"


def test_a_core_to_come_is_not_known_to_share_the_algorithm():
    n2, a710 = read(["neoverse-n2@7.x", "cortex-a710@7.x"])
    (other,) = {cpu.implementation for cpu in a710.cpus}
    found = level([n2], CATALOGUE, Policy(also_targets=(other,)))
    assert found.guest is not None
    assert check(found.guest, a710, CATALOGUE).parts["shape"][1] == "unknown"


def test_where_only_the_own_core_can_be_shown_a_core_to_come_leaves_no_doubt():
    n2, a710 = read(["neoverse-n2@6.12", "cortex-a710@6.12"])
    (other,) = {cpu.implementation for cpu in a710.cpus}
    found = level([n2], CATALOGUE, Policy(also_targets=(other,)))
    assert found.guest is not None
    assert found.guest.shape.features >= {"ptrauth"}
    assert not found.guest.shape.imp_id_writable
    assert check(found.guest, n2, CATALOGUE).parts["shape"] == ("runs", "runs")
    assert check(found.guest, a710, CATALOGUE).parts["shape"][1] == "refused"


def test_a_baseline_of_a_host_whose_cpus_differ_is_not_known_unless_they_can_be_painted():
    old, new, n1 = read(["neoverse-n2@6.12", "neoverse-n2@7.x", "neoverse-n1@7.x"])
    mixed = [replace(there, cpus=(*there.cpus, *n1.cpus)) for there in (old, new)]
    found = [level([there], CATALOGUE, Policy(without=frozenset({"ptrauth"}))) for there in mixed]
    assert [one.parts["registers"] for one in found] == ["unknown", "runs"]
    for there, one in zip(mixed, found, strict=True):
        assert one.guest is not None
        assert check(one.guest, there, CATALOGUE).parts["registers"][1] == one.parts["registers"]
