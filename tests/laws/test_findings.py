"""Findings are data: what is written of them is read back, and what is not recorded is no set of values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from hypothesis import given, settings

from armlevel.documents import canonical, read_document, verdict_object
from armlevel.engine import PARTS, Finding, Verdict, check, level, passthrough, predict
from armlevel.engine.values import NOT_RECORDED, FieldValues
from armlevel.profile import Host
from armlevel.words.answers import unknown_text
from tests.laws.fleet import catalogue
from tests.laws.strategies import QUICK, fleets


def findings_of(fleet: Sequence[Host]) -> Iterator[Finding]:
    """All findings of levelling hosts, of checking each for the common guest, of moving from one to the next."""
    outcome = level(fleet, catalogue())
    yield from outcome.findings
    guest = outcome.guest or passthrough(fleet[0], catalogue())
    for host in fleet:
        yield from check(guest, host, catalogue()).findings
    for one, two in pairwise(fleet):
        yield from predict(one, two, catalogue(), vmm="qemu-10.0").findings


def verdict(findings: Sequence[Finding]) -> Verdict:
    return Verdict("g", "h", dict.fromkeys(PARTS, ("runs", "runs")), tuple(findings))


@settings(phases=QUICK, max_examples=25)
@given(fleets())
def test_what_is_written_of_findings_is_read_back(fleet):
    said = verdict(tuple(dict.fromkeys(findings_of(fleet))))
    assert read_document(canonical(verdict_object(said)), "written") == said


@settings(phases=QUICK, max_examples=25)
@given(fleets())
def test_no_finding_holds_an_empty_set_of_values(fleet):
    for finding in findings_of(fleet):
        for value in (*finding.needs, *(offer for _, offer in finding.offers)):
            assert not isinstance(value, FieldValues) or value.values, finding


@settings(phases=QUICK, max_examples=25)
@given(fleets())
def test_a_finding_that_lacks_a_record_says_so_in_words(fleet):
    for finding in findings_of(fleet):
        missing = NOT_RECORDED in (*finding.needs, *(offer for _, offer in finding.offers))
        if finding.severity == "unknown":
            assert unknown_text([finding]).endswith("not recorded" if missing else "not known")
