"""Laws of tolerances: they never cost anything where nothing needs them, and every host still keeps the rest."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from armlevel.arch import load
from armlevel.engine import Policy, check, level, settings_of
from armlevel.engine.fields.tolerance import ids_of, tolerated_of
from armlevel.profile import Host
from tests.fidelity.hosts import read

CATALOGUE = load()
HOSTS = read()
EVERY = tuple(CATALOGUE.tolerances)

SETS = st.lists(st.sampled_from(HOSTS), min_size=2, max_size=4, unique_by=lambda host: host.name)
CLASSES = st.lists(st.sampled_from(EVERY), unique=True).map(tuple)
_RANK = {"runs": 0, "unknown": 1, "refused": 2}


def values(guest) -> tuple[dict[str, int], tuple[int, ...] | None, frozenset[str]]:
    return dict(guest.registers), guest.register_list, frozenset(guest.tolerates)


@settings(max_examples=40, deadline=None)
@given(SETS, CLASSES)
def test_a_tolerance_never_makes_an_answer_worse_and_changes_none_that_is_yes(hosts: list[Host], classes):
    strict, loose = level(hosts, CATALOGUE), level(hosts, CATALOGUE, Policy(tolerate=classes))
    assert _RANK[loose.answer] <= _RANK[strict.answer]
    if strict.answer == "runs":
        assert loose.guest == strict.guest


@settings(max_examples=40, deadline=None)
@given(SETS, st.randoms())
def test_the_order_of_hosts_and_classes_changes_nothing(hosts: list[Host], chance):
    one = level(hosts, CATALOGUE, Policy(tolerate=EVERY))
    shuffled, classes = list(hosts), list(EVERY)
    chance.shuffle(shuffled)
    chance.shuffle(classes)
    other = level(shuffled, CATALOGUE, Policy(tolerate=tuple(classes)))
    assert one.answer == other.answer
    if one.guest is not None and other.guest is not None:
        assert values(one.guest) == values(other.guest)


@settings(max_examples=40, deadline=None)
@given(SETS, CLASSES)
def test_every_host_takes_the_profile_and_is_written_all_but_what_may_differ(hosts: list[Host], classes):
    outcome = level(hosts, CATALOGUE, Policy(tolerate=classes))
    if outcome.answer != "runs" or outcome.guest is None:
        return
    free = tolerated_of(outcome.guest.tolerates, CATALOGUE, outcome.guest.shape)
    for host in hosts:
        verdict = check(outcome.guest, host, CATALOGUE)
        assert verdict.arrive == "runs"
        assert verdict.start == "runs" or host.name not in outcome.guest.starts_on
        for one in settings_of(outcome.guest, host, CATALOGUE).expects:
            row = CATALOGUE.registers.get(one.name)
            differ = {
                field.subject
                for field in (row.fields if row else ())
                if field.get(one.value) != field.get(outcome.guest.registers.get(one.name, one.value))
            }
            assert differ <= free
    needed = {s for s in free if any(f.subject.key == s for f in outcome.findings)}
    assert not ids_of(needed, CATALOGUE) & set(outcome.guest.register_list or ())
