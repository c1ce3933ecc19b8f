"""What the library is told is the profile on this host, and nothing can be lost of it unnoticed."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from armlevel.arch import load
from armlevel.engine.moves.settings import settings_of
from armlevel.errors import UsageError
from armlevel.preload import DEVICE, config_of, observing
from armlevel.profile import Guest, Host
from tests.fidelity.hosts import read
from tests.preload.guests import levelled

N2, V1 = read(["neoverse-n2@7.x", "neoverse-v1@7.x"])


@pytest.fixture(scope="module")
def guest() -> Guest:
    return levelled(N2.name, V1.name)


def lines(guest: Guest, host: Host, **more: object) -> list[list[str]]:
    text = config_of(settings_of(guest, host, load()), guest, **more).decode()  # type: ignore[arg-type]
    return [line.split(" ") for line in text.splitlines()]


def of(kind: str, found: list[list[str]]) -> list[list[str]]:
    return [words[1:] for words in found if words[0] == kind]


def test_the_last_line_is_the_digest_of_all_before_it(guest: Guest):
    for config in (config_of(settings_of(guest, N2, load()), guest), observing()):
        body, _, last = config.rstrip(b"\n").rpartition(b"\n")
        assert last == b"sha256 " + hashlib.sha256(body + b"\n").hexdigest().encode()


def test_every_register_of_the_profile_is_written_or_looked_at(guest: Guest):
    found = lines(guest, V1)
    named = {words[2]: int(words[1], 16) for kind in ("write", "see", "level") for words in of(kind, found)}
    assert guest.implementation is not None
    paint = {"MIDR_EL1": guest.implementation.shown.midr}
    wanted = {**guest.registers, **guest.firmware, **paint}
    assert {name: named[name] for name in wanted} == wanted


def test_a_workaround_level_is_shown_and_never_written(guest: Guest):
    found = lines(guest, N2)
    assert {words[2][-12:] for words in of("level", found)} == {f"WORKAROUND_{n}" for n in (1, 2, 3)}
    assert not [words for words in of("write", found) if "WORKAROUND" in words[2]]


def test_what_is_carried_is_in_the_order_the_library_searches_it(guest: Guest):
    carried = [int(words[0], 16) for words in of("carry", lines(guest, N2))]
    assert carried == sorted(set(guest.register_list or ()))


def test_shape_vector_lengths_and_facts_are_told(guest: Guest):
    found = lines(guest, V1)
    assert of("features", found) == [["18"]]  # PMU_V3 and SVE: bits 3 and 4
    assert of("vectors", found) == [["1"]]  # 128 bits only
    assert of("capability", found) == [["239"]]
    assert of("cntfrq", found) == [["62500000"]]
    assert of("device", found) == [[DEVICE]]


def test_two_hosts_differ_in_the_host_and_in_nothing_the_guest_sees(guest: Guest):
    def shown(host: Host) -> dict[str, str]:
        found = lines(guest, host)
        return {words[2]: words[1] for kind in ("write", "see", "level") for words in of(kind, found)}

    assert shown(N2) == shown(V1)
    assert of("host", lines(guest, N2)) != of("host", lines(guest, V1))


def test_a_guest_that_may_only_arrive_says_so(guest: Guest):
    assert ["arrive-only"] not in lines(guest, N2)
    assert ["arrive-only"] in lines(guest, N2, born_here=False)


def test_a_name_with_line_ends_cannot_add_lines(guest: Guest):
    odd = replace(guest, name="a\ncarry 1\rb")
    assert len(lines(odd, N2)) == len(lines(guest, N2))


def test_a_profile_without_a_register_list_is_refused_with_what_to_do(guest: Guest):
    with pytest.raises(UsageError, match="level or probe it again"):
        lines(replace(guest, register_list=None), N2)
