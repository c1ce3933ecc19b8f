"""Laws of standing: no host that is silent, unknown or refused lets a level rise, and none lowers it.

Kinds are sets of features here, and levelling is their intersection.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from armlevel.engine.findings import Answer
from armlevel.fleet.standing import Standing, counting, standings
from armlevel.fleet.values import FleetHost, Level, PoolPolicy, Seen, time_text

NOW = datetime(2026, 11, 30, tzinfo=UTC)
KINDS = [f"{number:03b}" for number in range(8)]  # which of three features a kind has


def features(kind: str) -> frozenset[int]:
    return frozenset(place for place, bit in enumerate(kind) if bit == "1")


def levelled(kinds: list[str]) -> frozenset[int]:
    return frozenset.intersection(*map(features, kinds))


def seen(kind: str, event: int, days_ago: int) -> Seen:
    at = time_text(NOW - timedelta(days=days_ago))
    return Seen(str(event), kind, at, at, event)


def level(cpu: frozenset[int], event: int) -> Level:
    return Level(
        id="", pool="", version=1, digest="", cpu=repr(sorted(cpu)), inputs={}, policy=PoolPolicy(("*",)),
        catalogue="", engine="", event=event,
    )  # fmt: skip


def stand(
    hosts: list[FleetHost], cpu: frozenset[int] | None, event: int, unknown: frozenset[str]
) -> tuple[Standing, ...]:
    def answer(kind: str) -> Answer:
        if kind in unknown:
            return "unknown"
        return "runs" if cpu is None or cpu <= features(kind) else "refused"

    there = None if cpu is None else level(cpu, event)
    return standings(hosts, there, answer, now=NOW, silent_after=30)


def candidate(found: tuple[Standing, ...]) -> frozenset[int] | None:
    kinds = list(counting(found))
    return levelled(kinds) if kinds else None


histories = st.lists(st.lists(st.sampled_from(KINDS), min_size=1, max_size=3), min_size=1, max_size=4)


def fleet(kinds: list[list[str]], last_days: list[int]) -> list[FleetHost]:
    # The first of each is what it was when the level was accepted (event 100), the others came later.
    return [
        FleetHost(
            f"{place}",
            f"n{place}",
            seen=tuple(
                seen(kind, place + 1 if number == 0 else 200 + place * 10 + number, last_days[place])
                for number, kind in enumerate(some)
            ),
        )
        for place, some in enumerate(kinds)
    ]


@given(histories, st.data())
def test_silence_takes_no_limit_away_and_adds_no_host_that_lowers(
    kinds: list[list[str]], data: st.DataObject
):
    accepted = levelled([some[0] for some in kinds])
    silent = data.draw(st.sets(st.integers(0, len(kinds) - 1)))
    heard = fleet(kinds, [0] * len(kinds))
    quiet = fleet(kinds, [99 if place in silent else 0 for place in range(len(kinds))])
    before, after = (candidate(stand(hosts, accepted, 100, frozenset())) for hosts in (heard, quiet))
    assert before is not None
    assert after is not None
    assert after <= before  # nothing rises because somebody is not heard of
    assert accepted <= after  # and nothing falls below what is in force


@given(histories, st.sets(st.sampled_from(KINDS)))
def test_what_becomes_unknown_lets_nothing_rise_and_nothing_fall(kinds: list[list[str]], blurred: set[str]):
    accepted = levelled([some[0] for some in kinds])
    hosts = fleet(kinds, [0] * len(kinds))
    # A kind that counted for the level was known then, and is.
    unknown = frozenset(blurred - {some[0] for some in kinds})
    found = candidate(stand(hosts, accepted, 100, unknown))
    assert found is not None
    assert accepted <= found
    sure = [some[-1] for some in kinds if some[-1] not in unknown and accepted <= features(some[-1])]
    limits = [some[0] for some in kinds if some[-1] in unknown or not accepted <= features(some[-1])]
    assert found <= levelled([*sure, *limits])


@given(histories, st.sampled_from(KINDS))
def test_a_host_that_joins_and_does_not_run_the_level_changes_nothing(kinds: list[list[str]], new: str):
    accepted = levelled([some[0] for some in kinds])
    hosts = fleet(kinds, [0] * len(kinds))
    joined = FleetHost("new", "new", seen=(seen(new, 500, 0),))
    before = candidate(stand(hosts, accepted, 100, frozenset()))
    after = candidate(stand([*hosts, joined], accepted, 100, frozenset()))
    if not accepted <= features(new):
        assert after == before
    else:
        assert before is not None
        assert after == before & features(new)


@given(histories, st.data())
def test_before_there_is_a_level_a_silent_host_counts_as_all_it_ever_was(kinds, data: st.DataObject):
    silent = data.draw(st.sets(st.integers(0, len(kinds) - 1)))
    quiet = fleet(kinds, [99 if place in silent else 0 for place in range(len(kinds))])
    counted = [kind for place, some in enumerate(kinds) for kind in (some if place in silent else some[-1:])]
    assert candidate(stand(quiet, None, 0, frozenset())) == levelled(counted)


def test_the_law_catches_whoever_counts_the_last_known_kind_of_a_silent_host():
    # The mutant: a silent host counts as what it was last seen as.
    kinds = [["011", "111"], ["111"]]
    accepted = levelled(["011", "111"])
    quiet = stand(fleet(kinds, [99, 0]), accepted, 100, frozenset())
    mutant = levelled([one.host.last.kind for one in quiet])
    assert not mutant <= accepted, "the mutant lets the level rise"
    assert candidate(quiet) == accepted
