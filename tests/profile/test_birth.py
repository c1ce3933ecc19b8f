"""A birth says how it is known, and knows nothing of a guest that it does not have."""

from __future__ import annotations

import pytest

from armlevel.profile import Birth, Guest, Shape
from armlevel.profile.birth import BIRTH_PARTS, KNOWN_BY

GUEST = Guest("web-1", Shape(), {"CTR_EL0": 0x84448004})


def test_of_a_guest_that_may_be_any_nothing_is_known():
    assert Birth(None, "any", "b").not_known == BIRTH_PARTS


@pytest.mark.parametrize("known", [one for one in KNOWN_BY if one != "any"])
def test_what_is_not_among_the_parts_is_not_known(known):
    birth = Birth(GUEST, known, parts={"shape": "command-line", "registers": known})
    assert birth.not_known == ("list", "firmware", "facts", "machine")
    with pytest.raises(ValueError, match="has no guest"):
        Birth(None, known)


def test_any_guest_has_no_cpu_of_its_own():
    with pytest.raises(ValueError, match="has a guest"):
        Birth(GUEST, "any")
    with pytest.raises(ValueError, match="has no guest"):
        Birth(None, "any", parts={"shape": "command-line"})
