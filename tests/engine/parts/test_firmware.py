from __future__ import annotations

from dataclasses import replace

from armlevel.engine import Policy, check, level, passthrough
from armlevel.profile import Accepts
from tests.engine.kit import CATALOGUE, PSCI, STD, W1, W2, W3, about, field_of, plain, up_to

SSBS = "ID_AA64PFR1_EL1.SSBS"
VENDOR_2 = "KVM_REG_ARM_VENDOR_HYP_BMAP_2"


def test_the_lowest_psci_version_is_taken_and_every_newer_host_takes_it():
    hosts = [plain("old", firmware={PSCI: 0x10000}), plain("new", firmware={PSCI: 0x10003})]
    outcome = level(hosts, CATALOGUE)
    assert outcome.answer == "runs"
    assert outcome.guest is not None
    assert outcome.guest.firmware[PSCI] == 0x10000
    assert [check(outcome.guest, host, CATALOGUE).start for host in hosts] == ["runs", "runs"]


def test_bitmaps_keep_the_bits_that_all_hosts_serve():
    hosts = [
        plain("a", firmware={STD: 0b011}),
        plain("b", firmware={STD: 0b110}),
        plain("c", firmware={STD: 0b111}),
    ]
    outcome = level(hosts, CATALOGUE)
    assert outcome.guest is not None
    assert outcome.guest.firmware[STD] == 0b010


def test_a_bit_that_the_host_does_not_serve_is_refused():
    source = level([plain("a", firmware={STD: 0b11})], CATALOGUE)
    assert source.guest is not None
    assert check(source.guest, plain("b", firmware={STD: 0b01}), CATALOGUE).parts["firmware"] == (
        "refused",
        "refused",
    )


def test_with_mixed_levels_guests_are_born_where_they_are_lowest():
    weak, strong = plain("weak", firmware={W1: 0}), plain("strong", firmware={W1: 2})
    outcome = level([strong, weak], CATALOGUE)
    assert outcome.answer == "runs"
    assert outcome.guest is not None
    assert outcome.guest.starts_on == ("weak",)
    assert outcome.guest.firmware[W1] == 0
    here, there = (check(outcome.guest, host, CATALOGUE) for host in (weak, strong))
    assert (here.start, here.arrive) == ("runs", "runs")
    assert (there.start, there.arrive) == ("refused", "runs")


def test_where_no_host_has_the_lowest_level_of_each_nothing_can_be_born():
    hosts = [plain("a", firmware={W1: 0, W3: 2}), plain("b", firmware={W1: 2, W3: 0})]
    outcome = level(hosts, CATALOGUE)
    assert outcome.parts["firmware"] == "refused"


def test_a_stronger_level_than_the_host_has_is_refused_on_arrival():
    told = level([plain("strong", firmware={W1: 1})], CATALOGUE).guest
    assert told is not None
    weak = plain("weak", firmware={W1: 0})
    assert check(told, weak, CATALOGUE).parts["firmware"] == ("refused", "refused")
    accepted = check(told, weak, CATALOGUE, Policy(accept_weaker_mitigation=True))
    assert accepted.parts["firmware"] == ("refused", "runs")
    assert [finding.severity for finding in about(accepted.findings, W1)] == ["stops", "risk"]


def test_levels_of_one_rank_are_told_apart_by_nobody():
    # Workaround 2: "available", "available, enabled" and "not required" protect alike.
    told = level([plain("a", firmware={W2: 2})], CATALOGUE).guest
    assert told is not None
    for alike in (3, 18):
        assert check(told, plain("b", firmware={W2: alike}), CATALOGUE).parts["firmware"] == ("runs", "runs")


def test_a_level_that_no_row_names_is_unknown():
    told = level([plain("a", firmware={W1: 1})], CATALOGUE).guest
    assert told is not None
    assert check(told, plain("b", firmware={W1: 77}), CATALOGUE).parts["firmware"] == ("unknown", "unknown")


def test_firmware_registers_that_are_not_recorded_are_unknown():
    outcome = level([plain("a"), plain("b", firmware={})], CATALOGUE)
    assert outcome.parts["firmware"] == "unknown"
    assert about(outcome.findings, "firmware")[0].hosts == ("b",)


def test_a_host_without_a_record_does_not_hide_that_nothing_can_be_born():
    hosts = [
        plain("a", firmware={W1: 0, W3: 2}),
        plain("b", firmware={W1: 2, W3: 0}),
        plain("c", firmware={}),
    ]
    assert level(hosts, CATALOGUE).parts["firmware"] == "refused"


def test_a_guest_without_ssbs_is_told_another_workaround_2_where_the_host_has_ssbs():
    """Measured on 6.12 and 7.3: a VM whose SSBS is 0 reads level 3 on the host that tells others 0."""
    has = plain("has", {SSBS: 2}, firmware={W2: 0}, takes=up_to(SSBS, most=2))
    lacks = plain("lacks", {SSBS: 0}, firmware={W2: 0})
    outcome = level([has, lacks], CATALOGUE)
    assert outcome.answer == "runs"
    assert outcome.guest is not None
    assert (field_of(outcome, SSBS), outcome.guest.firmware[W2]) == (0, 0)
    assert outcome.guest.starts_on == ("lacks",)
    assert check(outcome.guest, has, CATALOGUE).parts["firmware"] == ("refused", "runs")
    hidden = level([has], CATALOGUE, Policy(pins={SSBS: 0}))
    assert hidden.guest is not None
    assert hidden.guest.firmware[W2] == 3
    assert check(hidden.guest, lacks, CATALOGUE).parts["firmware"] == ("refused", "refused")
    both = level([has, plain("twin", {SSBS: 2}, firmware={W2: 0})], CATALOGUE)
    assert both.guest is not None
    assert both.guest.firmware[W2] == 0


def test_where_no_host_tells_the_lowest_of_each_only_an_explicit_choice_helps():
    hosts = [plain("a", firmware={W1: 0, W3: 1}), plain("b", firmware={W1: 1, W3: 0})]
    assert level(hosts, CATALOGUE).answer == "refused"
    outcome = level(hosts, CATALOGUE, Policy(accept_weaker_mitigation=True))
    assert outcome.answer == "runs"
    assert [f.severity for f in outcome.findings if f.part == "firmware"] == ["risk"]
    assert outcome.guest is not None
    assert outcome.guest.tolerates == ("accept-weaker-mitigation",)
    assert outcome.guest.starts_on == ("a",)
    verdict = check(outcome.guest, hosts[1], CATALOGUE)
    assert (verdict.start, verdict.arrive) == ("refused", "runs")


def test_a_version_that_a_host_was_seen_to_refuse_is_refused_although_it_is_lower():
    told = level([plain("source", firmware={PSCI: 0x10000})], CATALOGUE).guest
    assert told is not None
    seen = {f"{PSCI}.63:0": Accepts.of([0x10002, 0x10003])}
    picky = plain("picky", firmware={PSCI: 0x10003}, takes=seen)
    assert check(told, picky, CATALOGUE).parts["firmware"] == ("refused", "refused")


def test_of_versions_that_were_not_tried_kvm_takes_those_there_are():
    """Linux takes PSCI 0.2 and 1.0 to 1.3 for a vCPU with PSCI 0.2; tried on 6.1, 6.12, 6.18 and 7.3."""
    host = plain("host", firmware={PSCI: 0x10003})
    answers = {}
    for version in (0x0, 0x1, 0x2, 0x3, 0xFFFF, 0x10000, 0x10002, 0x10004, 0x20000):
        guest = replace(passthrough(host, CATALOGUE), firmware={PSCI: version})
        answers[version] = check(guest, host, CATALOGUE).arrive
    assert {version for version, answer in answers.items() if answer == "runs"} == {0x2, 0x10000, 0x10002}
    assert set(answers.values()) == {"runs", "refused"}


def test_a_version_that_is_newer_than_the_rows_is_the_hosts_own_or_not_known():
    newer = plain("newer", firmware={PSCI: 0x10005})
    for version, answer in ((0x10005, "runs"), (0x10004, "unknown"), (0x10006, "refused")):
        guest = replace(passthrough(newer, CATALOGUE), firmware={PSCI: version})
        assert check(guest, newer, CATALOGUE).arrive == answer
    outcome = level([newer, plain("new", firmware={PSCI: 0x10004})], CATALOGUE)
    assert outcome.answer == "runs"
    assert outcome.guest is not None
    assert outcome.guest.firmware[PSCI] == 0x10003


def test_a_bit_that_a_host_was_seen_to_take_is_taken():
    told = level([plain("source", firmware={STD: 0b11})], CATALOGUE).guest
    assert told is not None
    generous = plain("generous", firmware={STD: 0b01}, takes={f"{STD}.63:0": Accepts.of([0, 1, 2, 3])})
    assert check(told, generous, CATALOGUE).parts["firmware"] == ("runs", "runs")


def test_the_common_version_is_one_that_every_host_was_seen_to_take():
    gap = plain(
        "gap", firmware={PSCI: 0x10003}, takes={f"{PSCI}.63:0": Accepts.of([2, 0x10000, 0x10002, 0x10003])}
    )
    outcome = level([gap, plain("old", firmware={PSCI: 0x10001})], CATALOGUE)
    assert outcome.guest is not None
    assert outcome.guest.firmware[PSCI] == 0x10000
    assert outcome.parts["firmware"] == "runs"


def test_without_a_version_that_all_were_seen_to_take_there_is_no_baseline():
    new = plain("new", firmware={PSCI: 0x10003}, takes={f"{PSCI}.63:0": Accepts.of([0x10003])})
    outcome = level([new, plain("old", firmware={PSCI: 0x10001})], CATALOGUE)
    assert outcome.parts["firmware"] == "refused"


def test_a_level_that_kvm_takes_without_keeping_it_breaks_the_guest_silently():
    told = level([plain("strong", firmware={W1: 2})], CATALOGUE).guest
    assert told is not None
    lax = plain("lax", firmware={W1: 0}, takes={f"{W1}.63:0": Accepts.of([0], changed={1: 0, 2: 0})})
    found = check(told, lax, CATALOGUE)
    assert found.parts["firmware"] == ("refused", "refused")
    assert "breaks" in {finding.severity for finding in found.findings}


def test_a_guest_born_unaffected_is_refused_where_mitigated_and_one_born_there_arrives_on_both():
    unaffected, mitigated = plain("unaffected", firmware={W3: 2}), plain("mitigated", firmware={W3: 1})
    assert check(passthrough(unaffected, CATALOGUE), mitigated, CATALOGUE).arrive == "refused"
    guest = level([unaffected, mitigated], CATALOGUE).guest
    assert guest is not None
    assert guest.starts_on == ("mitigated",)
    assert check(guest, mitigated, CATALOGUE).start == "runs"
    assert check(guest, unaffected, CATALOGUE).start == "refused"
    assert [check(guest, host, CATALOGUE).arrive for host in (unaffected, mitigated)] == ["runs", "runs"]


def _without_the_value_of(name, host):
    """The host, its list unchanged, as recorded by someone who did not read this register."""
    kept = {one: value for one, value in host.offers[0].firmware.items() if one != name}
    return replace(host, offers=(replace(host.offers[0], firmware=kept),))


def test_a_register_that_the_host_lists_without_a_recorded_value_is_unknown():
    both = {PSCI: 0x10001, W1: 1}
    source = plain("source", firmware=both)
    unread = _without_the_value_of(W1, plain("unread", firmware=both))
    guest = passthrough(source, CATALOGUE)
    assert check(guest, unread, CATALOGUE).parts["firmware"] == ("unknown", "unknown")
    assert level([source, unread], CATALOGUE).parts["firmware"] == "unknown"
    assert check(guest, plain("older", firmware={PSCI: 0x10001}), CATALOGUE).parts == {
        **check(guest, source, CATALOGUE).parts,
        "list": ("refused", "refused"),
    }


def test_a_register_that_the_guest_carries_without_a_recorded_value_is_unknown():
    host = plain("host", firmware={PSCI: 0x10001, STD: 1, W1: 1})
    guest = replace(passthrough(host, CATALOGUE), firmware={STD: 1})
    verdict = check(guest, host, CATALOGUE)
    assert verdict.parts["firmware"] == ("unknown", "unknown")
    assert {f.subject.key for f in verdict.findings if f.part == "firmware"} == {PSCI, W1}
    assert verdict.parts["list"] == ("runs", "runs")


def test_a_register_that_is_no_part_of_the_guest_needs_no_value():
    old, new = plain("old", firmware={PSCI: 0x10001}), plain("new", firmware={PSCI: 0x10001, VENDOR_2: 0})
    guest = level([old, new], CATALOGUE).guest
    assert guest is not None
    assert VENDOR_2 not in guest.firmware
    for host in (old, new):
        assert check(guest, host, CATALOGUE).parts["firmware"] == ("runs", "runs")
