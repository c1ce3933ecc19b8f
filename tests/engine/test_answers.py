"""What surrounds the verdict: differences, passthrough shapes, causes, groups, moves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from armlevel.engine import diff, groups_of, matrix, migrate, passthrough
from armlevel.engine.causes import cause_between, newer_line
from armlevel.engine.parts.shape import passthrough_shape
from armlevel.engine.values import FieldValues
from armlevel.errors import UsageError
from armlevel.kvm import id_of
from armlevel.profile import Host, Software
from tests.engine.kit import CATALOGUE, FACTS, N1, PSCI, V1, host, offer, plain, shape, up_to
from tests.fidelity.hosts import read

API, RNDR = "ID_AA64ISAR1_EL1.API", "ID_AA64ISAR0_EL1.RNDR"


# ---- differences


@pytest.mark.parametrize(
    ("field", "before", "after", "direction"),
    [
        (RNDR, 1, 0, "less"),
        (RNDR, 0, 1, "more"),
        ("ID_AA64PFR0_EL1.AdvSIMD", 0, 0xF, "less"),
        ("ID_AA64MMFR0_EL1.TGRAN4_2", 1, 0, "more"),
        ("CTR_EL0.CWG", 4, 5, "less"),  # of sizes that are stated the larger is the safe one
        (API, 1, 2, "other"),
    ],
)
def test_a_difference_has_the_direction_of_its_order(field, before, after, direction):
    (change,) = diff(plain("a", {field: before}), plain("b", {field: after}), CATALOGUE)
    assert (change.subject, change.before, change.after, change.direction) == (
        CATALOGUE.field(field).subject,
        FieldValues((before,)),
        FieldValues((after,)),
        direction,
    )
    (back,) = diff(plain("b", {field: after}), plain("a", {field: before}), CATALOGUE)
    assert back.direction == {"less": "more", "more": "less", "other": "other"}[direction]


def test_a_difference_names_the_features_that_come_and_go():
    (change,) = diff(plain("a", {RNDR: 0}), plain("b", {RNDR: 1}), CATALOGUE)
    assert change.features == ("+FEAT_RNG",)
    (change,) = diff(plain("a", {RNDR: 1}), plain("b", {RNDR: 0}), CATALOGUE)
    assert change.features == ("-FEAT_RNG",)


def test_lists_firmware_facts_and_kernels_differ_under_their_own_names():
    one = plain("a", lists=[id_of("CNTP_CTL_EL0")], firmware={PSCI: 0x10001})
    two = replace(
        plain("b", lists=[id_of("TCR2_EL1")], firmware={PSCI: 0x10003}),
        facts=replace(FACTS, cntfrq_hz=25_000_000),
        software=Software("6.18.1"),
    )
    found = {change.subject: (change.part, change.direction) for change in diff(one, two, CATALOGUE)}
    assert found == {
        "CNTP_CTL_EL0": ("list", "less"),
        "TCR2_EL1": ("list", "more"),
        PSCI: ("firmware", "more"),
        "facts.cntfrq_hz": ("facts", "other"),
        "software.kernel": ("software", "other"),
    }


def test_what_a_guest_changes_is_state_and_not_identity():
    one, two = plain("a", state={"SCTLR_EL1": 1}), plain("b", state={"SCTLR_EL1": 2})
    (change,) = diff(one, two, CATALOGUE)
    assert (change.part, change.identity) == ("state", False)


def test_a_host_does_not_differ_from_itself():
    one = plain("a", {RNDR: 1, API: 2}, state={"SCTLR_EL1": 1})
    assert diff(one, replace(one, name="b"), CATALOGUE) == ()


# ---- passthrough shapes


def shapes(*features: tuple[str, ...]) -> Host:
    return host("h", *(offer(of=shape(*some)) for some in features))


def test_qemu_opts_into_what_the_host_has_and_firecracker_into_nothing():
    everything = shapes((), ("pmu_v3",), ("pmu_v3", "sve"), ("pmu_v3", "ptrauth", "sve"))
    assert passthrough_shape(everything, "qemu") == shape("pmu_v3", "ptrauth", "sve")
    assert passthrough_shape(everything, "firecracker") == shape()


def test_nobody_opts_into_tagging_or_nesting_by_itself():
    assert passthrough_shape(shapes((), ("mte",), ("has_el2", "sve"), ("sve",)), "qemu") == shape("sve")


def test_implementation_ids_stay_as_they_are_unless_somebody_asks():
    both = host("h", offer(of=shape(imp_id_writable=True)), offer())
    assert passthrough_shape(both, "kvm") == shape()


def test_a_recording_of_one_odd_shape_keeps_it():
    assert passthrough_shape(shapes(("mte",)), "firecracker") == shape("mte")


def test_a_host_without_any_offer_has_no_natural_profile():
    with pytest.raises(UsageError):
        passthrough(Host("empty"), CATALOGUE)


# ---- causes


def test_what_differs_is_blamed_on_silicon_then_kernel_then_boot_options():
    def of(name, cpu, kernel):
        return host(name, offer(cpu=cpu), cpu=cpu, kernel=kernel)

    assert cause_between([of("a", N1, "6.1"), of("b", V1, "6.18")]) == "silicon"
    assert cause_between([of("a", N1, "6.1"), of("b", N1, "6.18")]) == "kernel"
    assert cause_between([of("a", N1, "6.18"), of("b", N1, "6.18")]) == "boot option"
    assert cause_between([of("a", N1, None), of("b", N1, "6.18")]) == "not known"
    assert cause_between([Host("a"), of("b", N1, "6.18")]) == "not known"


def test_a_kernel_upgrade_is_named_where_a_measured_line_opens_the_field():
    remedy = newer_line(RNDR, {"old": "5.10.214", "new": "7.3.4"}, CATALOGUE)
    assert remedy is not None
    assert (remedy.kind, remedy.hosts) == ("upgrade-kernel", ("old",))
    assert newer_line(RNDR, {"new": "7.3.4"}, CATALOGUE) is None
    assert newer_line(RNDR, {"odd": "6.7.1"}, CATALOGUE) is None
    assert newer_line("MPIDR_EL1.Aff0", {"old": "5.10.214"}, CATALOGUE) is None


# ---- groups and moves


def test_hosts_that_share_a_baseline_are_one_group():
    grouping = groups_of([plain("a"), plain("b")], CATALOGUE)
    assert [group.hosts for group in grouping.groups] == [("a", "b")]
    assert grouping.left_open == ()
    assert grouping.complete


def test_groups_are_maximal_and_may_overlap():
    # a and c have only their own value; b reaches both.
    name = "ID_AA64ISAR0_EL1.AES"
    hosts = [plain("a", {name: 1}), plain("b", {name: 2}, takes=up_to(name, most=2)), plain("c", {name: 2})]
    grouping = groups_of(hosts, CATALOGUE)
    assert {group.hosts for group in grouping.groups} == {("a", "b"), ("b", "c")}


def test_both_directions_of_a_move_are_judged_each_by_its_own_guest():
    more, less = plain("more", {RNDR: 1}, takes=up_to(RNDR, most=1)), plain("less", {RNDR: 0})
    there, back = migrate(more, less, CATALOGUE)
    assert (there.source, there.target, there.answer) == ("more", "less", "refused")
    assert (back.source, back.target, back.answer) == ("less", "more", "runs")


def test_a_matrix_has_every_ordered_pair_and_one_levelled_answer_both_ways():
    hosts = [plain("a", {RNDR: 1}, takes=up_to(RNDR, most=1)), plain("b", {RNDR: 0}), plain("c", {RNDR: 1})]
    cells = {
        (cell.source, cell.target): (cell.passthrough, cell.levelled) for cell in matrix(hosts, CATALOGUE)
    }
    assert cells == {
        ("a", "b"): ("refused", "runs"),
        ("b", "a"): ("runs", "runs"),
        ("a", "c"): ("runs", "runs"),
        ("c", "a"): ("runs", "runs"),
        ("b", "c"): ("refused", "refused"),
        ("c", "b"): ("refused", "refused"),
    }
    with pytest.raises(UsageError):
        matrix(hosts[:1], CATALOGUE)


def test_hosts_that_are_alike_are_asked_once_and_answer_as_each_alone():
    recorded = read(["neoverse-n2@7.x", "neoverse-n2@6.12", "neoverse-n1@7.x"])
    hosts = [replace(host, name=f"{host.name} {index}") for index in range(2) for host in recorded]
    odd = replace(recorded[0], name="no clock", facts=replace(recorded[0].facts, cntfrq_hz=None))
    hosts.append(odd)
    by_name = {host.name: host for host in hosts}
    cells = matrix(hosts, CATALOGUE)
    assert len(cells) == 7 * 6
    for cell in cells:
        pair = [by_name[cell.source], by_name[cell.target]]
        alone = next(one for one in matrix(pair, CATALOGUE) if one.source == cell.source)
        for part in ("passthrough", "levelled", "passthrough_parts", "levelled_parts"):
            assert getattr(cell, part) == getattr(alone, part), (cell.source, cell.target)
        for part in ("findings", "conflicts"):
            ours, theirs = (
                [(f.subject.key, f.severity) for f in getattr(one, part)] for one in (cell, alone)
            )
            assert ours == theirs, (cell.source, cell.target)
    assert {cell.passthrough for cell in cells if "no clock" in (cell.source, cell.target)} >= {"unknown"}
