"""Trying: write every value of every field of a scratch vCPU, each alone, and look at what is there afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from armlevel.probe.hypervisor import VcpuLike
from armlevel.probe.plan import Run, Tried, geometries, values_for
from armlevel.profile import Accepts

__all__ = ["Answered", "accepts_of", "answers_alike", "edges", "try_cache", "try_register"]

_EXACT = 1 << 53
_SAID_IN_FULL = 3  # of a larger field that takes every value, "any" is the shorter word


class Answered(NamedTuple):
    """What KVM did with one register at one limit.

    ``accepts``  per run of bits, where it takes more than its limit
    ``written``  register values at the edges of the answers; ``read_back`` what was there afterwards (None: refused)
    ``tried``    how many values were written in all
    """

    accepts: Mapping[str, Accepts]
    written: Sequence[int]
    read_back: Sequence[int | None]
    tried: int


def try_register(vcpu: VcpuLike, register: Tried, limit: int) -> Answered:
    """Try every value of each run of bits alone, the rest of the register at its limit; then put the limit back."""
    written: list[int] = []
    asked: list[tuple[Run, list[int], int]] = []
    for run in register.runs:
        values, lsb = values_for(run, limit), run.lsb
        rest = limit & ~(run.ones << lsb)
        asked.append((run, values, len(written)))
        written += [rest | value << lsb for value in values]
    # The limit goes last, so that the register is left as it was.
    read_back = vcpu.write_and_read_back(register.kvm_id, [*written, limit])
    accepts: dict[str, Accepts] = {}
    edge_written: list[int] = []
    edge_read_back: list[int | None] = []
    places: Sequence[int]
    for run, values, at in asked:
        results = read_back[at : at + len(values)]
        if results.count(None) == len(results):
            places = (0, len(results) - 1) if results else ()
        else:
            answers = {
                value: None if got is None else run.get(got)
                for value, got in zip(values, results, strict=True)
            }
            accepted = accepts_of(run, limit, answers)
            if accepted is not None:
                accepts[run.subject] = accepted
            places = [values.index(value) for value in edges(answers)]
        edge_written += [written[at + place] for place in places]
        edge_read_back += [results[place] for place in places]
    return Answered(accepts, [*edge_written, limit], [*edge_read_back, read_back[-1]], len(written) + 1)


def answers_alike(vcpu: VcpuLike, register: Tried, answered: Answered) -> bool:
    """Tell whether this vCPU, asked at the edges of another shape's answers with the same limit, gives them too.

    A thorough probe asks everything; that both give the same profile is tested on every emulated host.
    """
    return vcpu.write_and_read_back(register.kvm_id, answered.written) == answered.read_back


def edges(answers: Mapping[int, int | None]) -> list[int]:
    """Return the values at which what KVM does changes: the first and last of each run of like answers.

    >>> edges({0: 0, 1: 1, 3: None, 4: None, 5: None})
    [0, 1, 3, 5]
    """
    at_edges: list[int] = []
    before: object = object()
    last = 0
    for value, after in answers.items():
        kind = "same" if after == value else after
        if kind != before:
            if at_edges and at_edges[-1] != last:
                at_edges.append(last)
            at_edges.append(value)
        before, last = kind, value
    if at_edges and at_edges[-1] != last:
        at_edges.append(last)
    return at_edges


def accepts_of(run: Run, limit: int, answers: Mapping[int, int | None]) -> Accepts | None:
    """Return the answers of KVM as a profile records them; None where KVM takes the limit and nothing else.

    >>> accepts_of(Run("A.B", 0, 15), 1, {0: 0, 2: None, 3: 1}).outcome(3)
    'changed'
    """
    own = run.get(limit)
    same = {own, *(value for value, after in answers.items() if after == value)}
    changed = {value: after for value, after in answers.items() if after is not None and after != value}
    if len(same) == 1 and not changed:
        return None
    if len(same) == len(answers) + 1 and run.ones > _SAID_IN_FULL:
        return Accepts.of(None)
    whole = len(answers) == run.ones
    if whole and set(changed.values()) == {own} and len(changed) == run.ones:
        return Accepts.of(same, others="ignored")
    if whole:
        return Accepts.of(same, changed=changed)
    # Of a wide field only telling values were tried: of the rest nothing is known. Those beyond 2^53 no document holds.
    same = {value for value in same if value < _EXACT}
    changed = {asked: after for asked, after in changed.items() if max(asked, after) < _EXACT}
    return Accepts.of(same, changed=changed, others="unknown")


def try_cache(vcpu: VcpuLike, register_id: int, limit: int) -> bool:
    """Tell whether KVM lets CCSIDR_EL1 of one cache say another geometry; the limit is put back."""
    wanted = geometries(limit)
    read_back = vcpu.write_and_read_back(register_id, [*wanted, limit])
    return read_back[:-1] == list(wanted)
