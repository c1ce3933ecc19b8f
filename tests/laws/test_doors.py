"""Where less is recorded no door promises more: a document is changed or lacks a key, then one key more is left out.

The keys are found by walking the schema, so one that is new is met by itself; those whose absence says something are
named in :mod:`tests.laws.partial`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from armlevel.documents.schema import schemas
from armlevel.errors import NotRecorded
from armlevel.formats.cpu_request import CpuRequest
from armlevel.operations.import_ import guest_of
from tests.laws import doors
from tests.laws.doors import GUEST_DOORS, HOST_DOORS, promises
from tests.laws.partial import SAYS_SOMETHING, Path, changed, changes, keys, without

Pair = tuple[dict[str, Any], dict[str, Any]]
#: How many changes and gaps are tried in each run: the dearer a door, the fewer.
TRIED = {
    doors.by_diff: 60,
    doors.by_drift: 42,
    doors.by_migrate: 24,
    doors.by_migrate_of_qemu: 18,
    doors.by_baseline: 24,
    doors.by_plan: 18,
    doors.by_matrix: 18,
    doors.by_import: 60,
    doors.by_check: 120,
    doors.by_export: 18,
    doors.by_filter: 30,
    doors.by_freeze: 42,
    doors.by_run: 30,
    doors.by_diff_with_a_guest: 42,
    doors.by_migrate_of_a_guest: 18,
}


def pair_of(door: Callable[..., object]) -> Pair:
    there = doors.host_document()
    return (doors.guest_document() if door in GUEST_DOORS else there), there | {"name": "other"}


def steps(pair: Pair, chance: Random, most: int) -> Iterator[tuple[Pair, list[tuple[Pair, str]]]]:
    """Two documents of which one was changed, and the same with one key less: whose value it was, or any other."""
    for side in (0, 1):
        document = pair[side]
        others = [(path, changed(document, path, value)) for path, value in changes(document, chance)]
        partly = [(path, without(document, path)) for path in keys(document)]
        for path, other in [*_evenly(others, chance, most // 3), *_evenly(partly, chance, most // 6)]:
            after = _with(pair, side, other)
            yield (
                after,
                [
                    (
                        _with(after, which, without(after[which], way)),
                        f"{path} of {side}, then without {way} of {which}",
                    )
                    for which, way in _ways(after, side, path, chance)
                ],
            )


def _evenly(
    some: list[tuple[Path, dict[str, Any]]], chance: Random, most: int
) -> list[tuple[Path, dict[str, Any]]]:
    # Of each key of the schema as many, however many names stand below it.
    below: dict[tuple[str, ...], list[tuple[Path, dict[str, Any]]]] = {}
    for path, other in some:
        names = tuple(step for step in path if isinstance(step, str))
        below.setdefault(names[: 2 if names[0] in ("offers", "software") else 1], []).append((path, other))
    rounds = [chance.sample(each, len(each)) for each in below.values()]
    chance.shuffle(rounds)
    taken = [each[place] for place in range(most) for each in rounds if place < len(each)]
    return taken[:most]


def _ways(pair: Pair, side: int, path: Path, chance: Random) -> Iterator[tuple[int, Path]]:
    # The changed key and those above it, on either side, and one of all others.
    for which in (side, 1 - side):
        every = set(keys(pair[which]))
        yield from ((which, path[:n]) for n in range(1, len(path) + 1) if path[:n] in every)
    which = chance.randrange(2)
    yield which, chance.choice(keys(pair[which]))


def _with(pair: Pair, side: int, document: dict[str, Any]) -> Pair:
    return (document, pair[1]) if side == 0 else (pair[0], document)


def judged(door: Callable[..., Iterator[tuple[str, ...]]], most: int, seed: int = 1) -> int:
    """Hold one door to the law; return how many of the answers said no to something."""
    pair = pair_of(door)
    whole = promises(door, *pair)
    assert whole, "two documents that are alike and whole promise nothing: the law says nothing"
    noes = 0
    for full, less in steps(pair, Random(seed), most):
        before = promises(door, *full)
        if before is None or before == whole:
            continue  # no document; or nothing to be gained
        noes += 1
        for some, what in less:
            after = promises(door, *some)
            assert after is None or after <= before, what
    assert noes, "whatever is changed or left out, the answer is yes"
    return noes


@pytest.mark.parametrize("door", [*HOST_DOORS, *GUEST_DOORS], ids=lambda door: door.__name__)
def test_less_recorded_is_no_more_promised(door, tell):
    noes = judged(door, TRIED[door])
    tell(f"{door.__name__}: {noes} noes and doubts, none of them a yes with a key less")


def test_a_feature_of_no_recorded_shape_makes_no_guest():
    host = doors.host(doors.host_document())
    request = CpuRequest("a tool", automatic=frozenset({"pmu_v3", "sve", "ptrauth", "mte"}))
    known = replace(host, software=replace(host.software, kvm_capabilities={"VCPU_MTE": 1}))
    assert guest_of(request, known, "file").status == 0
    refused = ""
    try:
        guest_of(request, host, "file")
    except NotRecorded as exc:
        refused = str(exc)
    assert "mte where the host has it" in refused


def test_a_guest_of_which_not_all_is_recorded_is_imported_with_a_doubt():
    host = doors.host(doors.host_document())
    request = CpuRequest("a tool", automatic=frozenset({"pmu_v3", "sve", "ptrauth"}))
    assert guest_of(request, host, "file").status == 0
    found = guest_of(request, replace(host, facts=replace(host.facts, cntfrq_hz=None)), "file")
    assert (found.status, found.lacking) == (3, ("facts.cntfrq_hz",))


def test_every_key_of_a_host_and_a_guest_is_met():
    met = {
        step
        for document in (doors.host_document(), doors.guest_document())
        for path in keys(document)
        for step in path
        if isinstance(step, str)
    }
    for kind in ("host-profile/1", "guest-profile/1"):
        schema = schemas()[kind]
        own = {key for key in schema["properties"] if key not in schema["required"]}
        assert own - met <= SAYS_SOMETHING.keys() | UNMET, kind


#: Optional keys that the small documents of this law do not have.
UNMET = {"possible", "hwcaps"}
