from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from armlevel.fleet.events import ChainFault, Entry, Event, Head, chain_faults, follow, head_of, read_head

AT, ACTOR, REQUEST = "2026-11-30T20:00:00Z", "01ARYZ6S410000000000000000", "01ARYZ6S410000000000000001"


def chain(*actions: str) -> list[Event]:
    entries = [Entry(action=action, subject=f"host:{action}") for action in actions]
    return follow(Head(0, None), entries, at=AT, actor=ACTOR, request=REQUEST)


FIVE = chain("a", "b", "c", "d", "e")


def test_a_chain_proves_against_every_head_that_it_had():
    for length in range(len(FIVE) + 1):
        assert chain_faults(FIVE, head_of(FIVE[:length])) == (head_of(FIVE), ())


def test_what_follows_later_is_linked_to_what_was_there():
    more = follow(head_of(FIVE), [Entry(action="f", subject="x")], at=AT, actor=ACTOR, request=REQUEST)
    assert chain_faults([*FIVE, *more], head_of(FIVE)) == (Head(6, more[0].digest), ())


def changed(place: int, **values: object) -> Callable[[], list[Event]]:
    return lambda: [replace(e, **values) if i == place else e for i, e in enumerate(FIVE)]  # type: ignore[arg-type]


def entry_changed(place: int, **values: object) -> Callable[[], list[Event]]:
    return changed(place, entry=replace(FIVE[place].entry, **values))  # type: ignore[arg-type]


def swapped() -> list[Event]:
    # The contents of two events change places, and each keeps the number and the digests that stood there.
    two, four = FIVE[1], FIVE[3]
    return [FIVE[0], replace(two, entry=four.entry), FIVE[2], replace(four, entry=two.entry), FIVE[4]]


def reordered() -> list[Event]:
    two, three = FIVE[1], FIVE[2]
    return [FIVE[0], replace(three, seq=2), replace(two, seq=3), *FIVE[3:]]


def forged() -> list[Event]:
    # An event is changed and everything behind it is made anew: whole in itself.
    return chain("a", "b", "X", "d", "e")


TAMPERED = {
    "an action": entry_changed(2, action="x"),
    "an object": entry_changed(2, subject="x"),
    "before": entry_changed(0, before="x"),
    "after": entry_changed(4, after="x"),
    "a reason": entry_changed(2, reason=""),
    "a time": changed(2, at="2026-11-30T20:00:01Z"),
    "an actor": changed(2, actor="x"),
    "a request": changed(2, request="x"),
    "a digest": changed(2, digest="sha256:" + "0" * 64),
    "the last digest": changed(4, digest="sha256:" + "0" * 64),
    "the first link": changed(0, previous="sha256:" + "0" * 64),
    "a link": changed(3, previous=FIVE[0].digest),
    "a deletion": lambda: [*FIVE[:2], *FIVE[3:]],
    "a deletion, numbered anew": lambda: [*FIVE[:2], *(replace(e, seq=e.seq - 1) for e in FIVE[3:])],
    "the first gone": lambda: FIVE[1:],
    "a swap": swapped,
    "another order": reordered,
    "one twice": lambda: [*FIVE[:3], replace(FIVE[2], seq=4), *(replace(e, seq=e.seq + 1) for e in FIVE[3:])],
    "one put in": lambda: [*FIVE, replace(FIVE[4], seq=6, previous=FIVE[4].digest)],
}


@pytest.mark.parametrize("how", TAMPERED)
def test_what_was_done_to_a_chain_is_found_without_a_head(how: str):
    assert chain_faults(TAMPERED[how]())[1]


def test_what_a_chain_alone_cannot_show_a_kept_head_does():
    kept = head_of(FIVE)
    assert chain_faults(FIVE[:4]) == (head_of(FIVE[:4]), ())
    assert chain_faults(FIVE[:4], kept)[1] == (ChainFault("shortened", 5),)
    assert chain_faults([], kept)[1] == (ChainFault("shortened", 1),)
    assert chain_faults(forged())[1] == ()
    assert chain_faults(forged(), kept)[1] == (ChainFault("other-history", 5),)
    assert chain_faults(forged(), head_of(FIVE[:2]))[1] == ()  # what was kept is still so


def test_a_head_is_read_as_it_is_printed_and_nothing_else_is():
    for head in (Head(0, None), head_of(FIVE)):
        assert read_head(f"a note\n{head.text}\n") == head
    assert read_head(f"{Head(0, None).text}\n{head_of(FIVE).text}") == head_of(FIVE)
    for text in ("", "armlevel-fleet 3 -", f"armlevel-fleet 0 {FIVE[0].digest}", "armlevel-fleet x -"):
        assert read_head(text) is None
