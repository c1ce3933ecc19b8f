"""Drift: what changed on a host, when, and why; the history of real machines is in ``tests/machines``."""

from __future__ import annotations

import json
import lzma
from dataclasses import replace
from functools import cache
from itertools import groupby, pairwise
from pathlib import Path

import pytest

from armlevel.arch import load
from armlevel.documents import load_hosts, read_host
from armlevel.engine import drift, passthrough
from armlevel.machines import folder
from armlevel.profile import Facts, Host, Offer
from armlevel.profile.implementation import Implementation
from armlevel.words.changes import change_text

CATALOGUE = load()
ARCHIVE = Path(__file__).parents[2] / "machines" / "history.json.xz"
WORKAROUND = "KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1"
_TIMER = {("CNTP_CTL_EL0", None, "listed"), ("CNTP_CVAL_EL0", None, "listed")}

#: Every change that any of the 61 recordings shows against the one before it. Between them, nothing else changed.
KNOWN = {
    "graviton3@6.1 2024-01-17": {("ID_AA64MMFR2_EL1.CCIDX", "1", "0"), ("ID_MMFR4_EL1.CCIDX", "1", "0")},
    "graviton2@5.10 2025-03-11": _TIMER,
    "graviton2@6.1 2025-03-11": _TIMER,
    "graviton3@5.10 2026-08-21": _TIMER,
    "graviton3@6.1 2026-08-21": _TIMER,
}
#: Recordings that leave out a register which every KVM lists.
FAULTS = {"graviton3@4.14 2023-09-21": {"X1"}, "graviton3@4.14 2023-11-07": {"X1"}}


@cache
def history() -> dict[str, Host]:
    documents = json.loads(lzma.decompress(ARCHIVE.read_bytes()))
    return {name: read_host(json.dumps(document).encode(), name) for name, document in documents.items()}


def steps() -> list[tuple[str, str]]:
    """Each recording and the one before it, of one machine under one kernel line."""
    lines = groupby(sorted(history()), key=lambda name: name.split()[0])
    return [pair for _, names in lines for pair in pairwise(names)]


def test_each_known_change_is_found_at_its_date_and_none_elsewhere(tell) -> None:
    found, faults = {}, {}
    for older, newer in steps():
        before, now = history()[older], history()[newer]
        one = drift(now, passthrough(before, CATALOGUE), CATALOGUE, before)
        changed = [moved.change for moved in one.changes if moved.real]
        real = {
            (c.subject, change_text(c.before, c.subject), change_text(c.after, c.subject)) for c in changed
        }
        assert all(m.cause == "kernel" for m in one.changes if m.real)
        assert all(m.known is not None for m in one.changes if m.real)
        if real:
            found[newer] = real
        if wrong := {m.change.subject for m in one.changes if not m.real}:
            faults[newer] = wrong
    assert found == KNOWN
    assert faults == FAULTS
    tell(
        f"drift: {len(steps())} steps of {len(history())} recordings, {len(found)} changed a guest's CPU, all known"
    )


def test_a_guest_that_was_booted_before_a_field_was_hidden_is_refused_after() -> None:
    facts = Facts(1_050_000_000, 4, page_size=4096)
    before, now = (
        replace(history()[f"graviton3@6.1 {day}"], facts=facts) for day in ("2023-11-07", "2024-01-17")
    )
    guest = passthrough(before, CATALOGUE)
    assert drift(before, guest, CATALOGUE, before).answer == "runs"
    assert drift(now, guest, CATALOGUE, before).answer == "refused"
    # A longer register list lets old guests in; it was a change, and no harm.
    before, now = (
        replace(history()[f"graviton2@6.1 {day}"], facts=facts) for day in ("2024-04-23", "2025-03-11")
    )
    one = drift(now, passthrough(before, CATALOGUE), CATALOGUE, before)
    assert (one.answer, len(one.changes)) == ("runs", 2)


@cache
def machine(name: str) -> Host:
    with folder() as shipped:
        return load_hosts([str(shipped / f"{name}.json")])[0]


def lowered(host: Host, register: str, value: int) -> Host:
    offers = tuple(
        replace(offer, limits={**offer.limits, register: value}) if offer.like is None else offer
        for offer in host.offers
    )
    return replace(host, offers=offers)


def _with(offer: Offer, name: str, value: int) -> Offer:
    return replace(offer, firmware={**offer.firmware, name: value}) if offer.like is None else offer


def test_the_cause_is_what_else_changed() -> None:
    host = machine("graviton3-6.18")
    less = lowered(host, "ID_AA64ISAR0_EL1", host.offers[0].limits["ID_AA64ISAR0_EL1"] & ~(0xF << 60))
    guest = passthrough(host, CATALOGUE)

    def causes(now: Host) -> set[str]:
        return {moved.cause for moved in drift(now, guest, CATALOGUE, host).changes}

    assert causes(less) == {"boot option"}
    assert causes(replace(less, software=replace(less.software, kernel="6.18.99"))) == {"kernel"}
    assert causes(replace(less, software=replace(less.software, firmware="BIOS 2"))) == {"firmware"}
    # Of one side alone it says nothing: it may be the same.
    assert causes(replace(less, software=replace(less.software, firmware=None))) == {"not known"}
    assert causes(replace(less, software=replace(less.software, kernel=None))) == {"not known"}
    assert causes(replace(host, facts=replace(host.facts, cntfrq_hz=1))) == {"firmware"}
    cpu = host.cpus[0]
    other = replace(cpu, implementation=Implementation(0x411FD401, 7, 0))
    assert causes(replace(less, cpus=(other,))) == {"firmware"}
    assert causes(replace(less, cpus=(replace(cpu, implementation=Implementation(0x410FD4F1, 0, 0)),))) == {
        "silicon"
    }
    told = replace(host, offers=tuple(_with(one, WORKAROUND, 1) for one in host.offers))
    assert causes(told) == {"firmware"}
    assert causes(host) == set()


def test_a_host_where_the_guest_is_not_born_need_not_start_it() -> None:
    host = machine("graviton2-6.18")
    weaker = replace(host, name="weaker", offers=tuple(_with(one, WORKAROUND, 1) for one in host.offers))
    guest = passthrough(weaker, CATALOGUE)
    assert guest.starts_on == ("weaker",)
    there = drift(host, guest, CATALOGUE)
    assert there.verdict.start == "refused"
    assert (there.born_here, there.answer) == (False, "runs")
    everywhere = drift(host, replace(guest, starts_on=()), CATALOGUE)
    assert (everywhere.born_here, everywhere.answer) == (True, "refused")


@pytest.mark.parametrize(
    ("older", "newer", "recognised"),
    [
        ("6.1.59-84", "6.1.66-93", True),
        ("6.1.66", "6.1.84", False),
        ("6.1.10", "6.1.172", True),
        ("6.1.59", "6.6.66", False),
    ],
)
def test_a_stable_update_is_recognised_only_where_it_lies_between(
    older: str, newer: str, recognised: bool
) -> None:
    row = next(row for row in CATALOGUE.stable if row.subject == "ID_AA64MMFR2_EL1.CCIDX")
    assert row.between(older, newer) is recognised


def test_an_update_whose_release_string_did_not_move_is_recognised_on_both_sides_of_it() -> None:
    row = next(row for row in CATALOGUE.stable if row.had == row.has)
    assert row.between("5.10.234", "5.10.234")
    assert row.between("5.10.214", "5.10.255")
    assert not row.between("5.10.235", "5.10.255")
    assert not row.between("5.10.214", "5.10.220")
