from __future__ import annotations

import pytest

import demo
from tests.cli.hosts import Command


def test_the_demo_fits_a_page_and_shows_what_it_must(capsys: pytest.CaptureFixture[str], tell):
    assert demo.main() == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    tell(f"the demo: {len(lines)} lines")
    assert said.err == ""
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 80
    for text in ("judged:", "FEAT_", "FWB", "IDS", "EVT", "1050 MHz", "1000 MHz", "graviton4@5.10"):
        assert text in said.out
    assert "Their registers have one" in said.out


def test_graviton2_moves_between_6_1_and_6_18(armlevel: Command):
    assert armlevel("migrate", "@graviton2-6.1", "@graviton2-6.18").code == 0
    assert armlevel("baseline", "@graviton2-6.1", "@graviton2-6.18", "--json").code == 0


def test_graviton2_and_3_have_no_baseline_because_of_fwb_ids_and_evt(armlevel: Command):
    said = armlevel("baseline", "@graviton2-6.18", "@graviton3-6.18", "--json")
    assert said.code == 1
    assert {one["subject"] for one in said.json["conflicts"] if one["part"] == "registers"} == {
        f"ID_AA64MMFR2_EL1.{name}" for name in ("FWB", "IDS", "EVT")
    }


def test_graviton3_and_4_have_one_that_the_counter_forbids(armlevel: Command):
    said = armlevel("baseline", "@graviton3-6.18", "@graviton4-6.18", "--json")
    assert said.code == 1
    assert [one["subject"] for one in said.json["conflicts"]] == ["facts.cntfrq_hz"]
    assert said.json["candidate"]["registers"]
