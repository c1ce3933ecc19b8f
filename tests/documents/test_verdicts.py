"""A verdict's document keeps every offer, every set of hosts and every kind of value, as data and as a sentence."""

from __future__ import annotations

from typing import get_args

import pytest

from armlevel.documents import canonical, findings_object, read_document, remedy_object, verdict_object
from armlevel.engine.findings import Finding, Remedy, Verdict
from armlevel.engine.names import FieldName, HostName, Name, RegisterName, hosts_of
from armlevel.engine.reasons import Reason
from armlevel.engine.subjects import about_register
from armlevel.engine.values import (
    ANY,
    NOT_RECORDED,
    Bound,
    Cores,
    Count,
    Events,
    FieldValues,
    Frequency,
    Implementations,
    Lowered,
    Lowering,
    NamedValues,
    RegisterValue,
    Value,
    VectorLengths,
    named,
    offered,
)
from armlevel.profile import Implementation

X = about_register("MIDR_EL1")
SVE = FieldName("ID_AA64PFR0_EL1.SVE")
VALUES: list[Value] = [
    NOT_RECORDED,
    ANY,
    FieldValues(()),
    FieldValues((0, 1), open=True),
    FieldValues((2**53 - 1, 2**53, 2**64 - 1)),
    RegisterValue(2**64 - 1),
    NamedValues(((RegisterName("MIDR_EL1"), 0x410FD0C1), (SVE, 2**63)), "unknown"),
    Bound(SVE, "at-least", 1),
    Lowered((Lowering(SVE, 2, 1),)),
    Frequency(62_500_000),
    VectorLengths((128, 256)),
    Count(6),
    Events((0x11, 0x4004)),
    Implementations((Implementation(0x410FD0C1, 1, 2), Implementation(0x411FD401))),
    Cores(((0x41, 0xD0C), (0x41, 0xD40))),
    named("FEAT_SVE", "a name with blanks"),
]


def read_back(finding: Finding) -> Finding:
    verdict = Verdict("g", "h", {"registers": ("runs", "runs")}, (finding,))
    read = read_document(canonical(verdict_object(verdict)), "written")
    assert isinstance(read, Verdict)
    return read.findings[0]


def test_the_samples_are_of_every_kind_of_value():
    assert {type(value) for value in VALUES} == set(get_args(Value))


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_every_kind_of_value_survives_writing_and_reading(value):
    finding = Finding(X, "registers", "stops", (value,), offered(("a", value)))
    assert read_back(finding) == finding


def test_two_entries_of_one_host_survive():
    finding = Finding(X, "list", "note", offers=offered(("a", Count(1)), ("b", ANY), ("a", Count(2))))
    assert read_back(finding).offers == finding.offers
    (document,) = findings_object([finding])
    assert [one["host"] for one in document["offers"]] == ["a", "b", "a"]
    assert document["hosts"] == ["a", "b"]


def test_the_sets_of_a_conflict_survive():
    sets = (hosts_of(["a", "b"]), hosts_of(["b", "c", "d"]))
    assert read_back(Finding(X, "registers", "stops", sets=sets)).sets == sets


def test_a_reason_and_a_remedy_are_written_as_data_and_as_a_sentence():
    finding = Finding(
        X,
        "registers",
        "stops",
        because=(Reason("seen-to-change", (SVE, 1)), Reason("counters-of-not-recorded", (HostName("n1"),))),
        remedies=(Remedy("vmm", (Name("qemu"), 11, 1), hosts_of(["n2"])),),
    )
    (document,) = findings_object([finding])
    assert document["because"][0] == {
        "code": "seen-to-change",
        "args": [SVE, 1],
        "text": f"with {SVE}=1 KVM was seen to change it",
    }
    assert document["remedies"] == [
        {"kind": "vmm", "args": ["qemu", 11, 1], "hosts": ["n2"], "text": "QEMU 11.1 or later on n2"}
    ]
    assert document["remedies"] == [remedy_object(finding.remedies[0])]
    assert read_back(finding) == finding


def test_other_words_for_the_same_data_are_read_as_the_same():
    finding = Finding(X, "registers", "note", because=(Reason("cpus-differ"),))
    document = verdict_object(Verdict("g", "h", {"registers": ("runs", "runs")}, (finding,)))
    document["findings"][0]["because"][0]["text"] = "an older armlevel said it like this"
    read = read_document(canonical(document), "written")
    assert isinstance(read, Verdict)
    assert read.findings == (finding,)
