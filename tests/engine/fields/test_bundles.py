from __future__ import annotations

from dataclasses import replace

from armlevel.engine import check, level, passthrough
from armlevel.profile import Accepts, Host, Implementation, Offer, Shape
from tests.engine.kit import CATALOGUE, N1, V1, V2, about, host, offer, plain, shape
from tests.fidelity.hosts import read

PAINT = {
    field.subject: Accepts.of(None)
    for name in ("MIDR_EL1", "REVIDR_EL1", "AIDR_EL1")
    for field in CATALOGUE.registers[name].fields
}
WRITABLE = shape(imp_id_writable=True)


def paintable(name: str, cpu: Implementation):
    return host(name, offer(cpu=cpu), Offer(WRITABLE, "tried", "limit-only", accepts=PAINT, like=0), cpu=cpu)


def test_writable_paint_becomes_the_lowest_of_all_three_numbers_together():
    low, high = Implementation(0x410FD4F1, 7, 0), Implementation(0x411FD401, 1, 0)
    outcome = level([paintable("a", high), paintable("b", low)], CATALOGUE)
    assert outcome.answer == "runs"
    assert outcome.shape == WRITABLE
    assert outcome.guest is not None
    assert outcome.guest.implementation is not None
    assert outcome.guest.implementation.shown == low
    assert outcome.guest.implementation.targets == (low, high)


def test_paint_is_never_mixed_of_two_cores():
    # Field by field the lowest would be a part of one core with the revision of another.
    one, two = Implementation(0x410FD4F1, 7, 0), Implementation(0x411FD401, 1, 0)
    outcome = level([paintable("a", one), paintable("b", two)], CATALOGUE)
    assert outcome.guest is not None
    assert outcome.guest.implementation is not None
    assert outcome.guest.implementation.shown in {one, two}


def test_paint_that_cannot_be_written_must_be_equal():
    outcome = level([plain("a", cpu=N1), plain("b", cpu=V2)], CATALOGUE)
    assert outcome.parts["registers"] == "refused"
    (finding,) = about(outcome.findings, "MIDR_EL1")
    assert finding.sets == (("a", "b"),)
    assert outcome.guest is None


def test_a_revision_alone_is_another_paint():
    outcome = level([plain("a", cpu=V1), plain("b", cpu=Implementation(V1.midr, 2, 0))], CATALOGUE)
    assert about(outcome.findings, "REVIDR_EL1")[0].severity == "stops"


def numberless(name: str) -> Host:
    blank = offer()
    limits = {name: value for name, value in blank.limits.items() if not name.endswith("IDR_EL1")}
    return host(name, Offer(Shape(), "tried", "limit-only", limits, {}, blank.register_list, blank.firmware))


def test_numbers_that_only_the_cpus_tell_are_what_a_guest_is_shown_to_every_judge():
    home, silent = plain("a"), numberless("b")
    assert check(passthrough(home, CATALOGUE), silent, CATALOGUE).parts["registers"] == ("runs", "runs")
    outcome = level([home, silent], CATALOGUE)
    assert outcome.parts["registers"] == "runs"
    assert outcome.guest is not None
    assert outcome.guest.implementation is not None
    assert outcome.guest.implementation.shown == N1
    assert level([plain("v2", cpu=V2), silent], CATALOGUE).parts["registers"] == "refused"


def test_paint_that_is_not_recorded_is_unknown_on_both_sides_of_the_question():
    implementation_refused = replace(numberless("b"), cpus=())
    outcome = level([plain("a"), implementation_refused], CATALOGUE)
    assert outcome.parts["registers"] == "unknown"
    assert outcome.guest is not None
    assert check(outcome.guest, plain("a"), CATALOGUE).parts["registers"] == ("unknown", "unknown")


def test_the_offer_and_not_the_shape_says_whether_paint_is_taken():
    guest = level([plain("a", cpu=N1)], CATALOGUE).guest
    assert guest is not None
    painted = host("b", offer(cpu=V2, takes=PAINT), cpu=V2)
    assert check(guest, painted, CATALOGUE).parts["registers"][1] == "runs"
    assert check(guest, plain("b", cpu=V2), CATALOGUE).parts["registers"][1] == "refused"


def cache(clidr: int, sizes: dict[int, int], **takes: Accepts):
    return {"CLIDR_EL1": clidr, **{f"CCSIDR_EL1[{number}]": size for number, size in sizes.items()}}


TWO, THREE = 0x0A20_0023, 0x0C30_0123


def test_a_cache_system_is_taken_whole_from_one_host():
    free = {field.subject: Accepts.of(None) for field in CATALOGUE.registers["CLIDR_EL1"].fields}
    free |= {f"CCSIDR_EL1[{n}].63:0": Accepts.of(None) for n in range(3)}
    small = plain("small", cache(TWO, {0: 0x700F_E03A, 1: 0x200F_E01A}), takes=free)
    large = plain("large", cache(THREE, {0: 0x100F_E03A, 1: 0x700F_E01A, 2: 0x200F_E03A}), takes=free)
    outcome = level([large, small], CATALOGUE)
    assert outcome.guest is not None
    seen = {name: value for name, value in outcome.guest.registers.items() if name.startswith("C")}
    assert seen == {"CLIDR_EL1": TWO, "CCSIDR_EL1[0]": 0x700F_E03A, "CCSIDR_EL1[1]": 0x200F_E01A}


def test_a_cache_system_that_cannot_be_written_must_be_equal():
    outcome = level([plain("a", cache(TWO, {0: 1})), plain("b", cache(TWO, {0: 2}))], CATALOGUE)
    assert outcome.parts["registers"] == "refused"
    assert about(outcome.findings, "CCSIDR_EL1[0]")[0].sets == (("a", "b"),)


def test_paint_that_one_host_does_not_record_hides_no_conflict_of_the_others():
    implementation_refused = replace(numberless("c"), cpus=())
    outcome = level([plain("a", cpu=N1), plain("b", cpu=V2), implementation_refused], CATALOGUE)
    assert outcome.parts["registers"] == "refused"
    assert {(f.severity, f.hosts) for f in about(outcome.findings, "MIDR_EL1")} == {
        ("unknown", ("c",)),
        ("stops", ("a", "b")),
    }


def test_a_cache_line_is_no_shorter_than_any_hosts_whatever_their_order():
    # Hosts whose KVM takes any CCSIDR_EL1, but for lines shorter than its own CTR_EL0 says.
    (usual,) = read(["neoverse-n1@7.x"])

    def long_lines(one: Offer) -> Offer:
        ctr = one.limits["CTR_EL0"] & ~(0xF << 16 | 0xF) | 5 << 16 | 5
        sizes = {name: value & ~7 | 3 for name, value in one.limits.items() if name.startswith("CCSIDR")}
        lines = {f"CTR_EL0.{name}": Accepts.of(range(6)) for name in ("DminLine", "IminLine")}
        return replace(one, limits={**one.limits, **sizes, "CTR_EL0": ctr}, accepts={**one.accepts, **lines})

    whole = [usual.offer(one.shape) for one in usual.offers]
    large = replace(usual, name="large", offers=tuple(long_lines(one) for one in whole if one is not None))
    found = [level(hosts, CATALOGUE) for hosts in ([usual, large], [large, usual])]
    for outcome in found:
        assert outcome.answer == "runs"
        assert outcome.guest is not None
        assert outcome.guest.registers["CCSIDR_EL1[0]"] & 7 == 3
        assert check(outcome.guest, large, CATALOGUE).arrive == "runs"
    assert found[0].guest is not None
    assert found[1].guest is not None
    assert found[0].guest.registers == found[1].guest.registers


def test_a_cache_that_a_host_lists_and_did_not_record_is_not_known():
    (whole,) = read(["neoverse-n1@7.x"])
    first = whole.offers[0]
    limits = {name: value for name, value in first.limits.items() if name != "CCSIDR_EL1[9]"}
    less = replace(whole, name="less", offers=(replace(first, limits=limits), *whole.offers[1:]))
    outcome = level([whole, less], CATALOGUE)
    assert outcome.parts["registers"] == "unknown"
    assert about(outcome.findings, "CCSIDR_EL1[9]")[0].hosts == ("less",)
