from __future__ import annotations

from armlevel.engine import check, level
from tests.engine.kit import CATALOGUE, PSCI, STD, W1, W2, W3, about, plain


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
    assert outcome.guest.born_on == ("weak",)
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
    accepted = check(told, weak, CATALOGUE, accept_weaker_mitigation=True)
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
