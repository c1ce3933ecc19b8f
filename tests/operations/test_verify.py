"""What becomes of a profile that was tried: what it does not say is neither right nor wrong."""

from __future__ import annotations

from itertools import combinations
from typing import get_args

from armlevel.operations.verify import VerifyResult
from armlevel.probe.apply import Applied, Code, Difference
from armlevel.profile import Guest, Shape

CODES: tuple[Code, ...] = get_args(Code)


def of(*codes: Code) -> VerifyResult:
    found = tuple(Difference("CTR_EL0", code, "kvm", 1, None) for code in codes)
    return VerifyResult(Guest("g", Shape(), {}), Applied(found, (), {}, "none"))


def test_a_profile_that_leaves_something_unsaid_is_never_said_to_run_and_never_blamed_for_it():
    assert of().answer == "runs"
    assert of("not-recorded").answer == "unknown"
    tried = 0
    for codes in (some for size in range(1, len(CODES) + 1) for some in combinations(CODES, size)):
        if set(codes) - {"not-recorded"}:
            assert of(*codes).answer == "refused"
            tried += 1
    assert tried == 2 ** len(CODES) - 2
    assert len({of(*codes).status for codes in ((), ("not-recorded",), ("differs",))}) == 3


def test_the_document_has_numbers_and_codes_and_no_sentence():
    (found,) = of("refused").document()["findings"]
    assert found == {
        "subject": "CTR_EL0",
        "code": "refused",
        "seen": "kvm",
        "wanted": 1,
        "found": None,
        "errno": None,
    }
