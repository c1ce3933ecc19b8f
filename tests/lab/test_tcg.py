"""What TCG guests read: the program that reads, what is made of it, and that no verb takes it for a host."""

from __future__ import annotations

import json
import struct

import pytest

from armlevel.documents import read_host
from armlevel.documents.write import host_object, pretty
from armlevel.errors import LabError
from armlevel.lab import Laboratory
from armlevel.lab.tcg import read_lines, tcg_host, tcg_hosts
from armlevel.lab.tcg_guest import CACHES, guest_code
from tests.emulated import fetched
from tests.machines.tcg import read

MIDR, PFR0, CLIDR = 0x414FD0B1, 0x11112222, 0x82000023
NAMED = {
    "MIDR_EL1": MIDR,
    "ID_AA64PFR0_EL1": PFR0,
    "CLIDR_EL1": CLIDR,
    "ID_AA64DFR0_EL1": 0x10305408,
    "CNTFRQ_EL0": 62_500_000,
    "DCZID_EL0": 4,
    "GMID_EL1": None,
    "ID_AA64ISAR3_EL1": None,
}


def test_every_register_is_read_once_and_the_program_jumps_within_itself():
    encodings = [(3, 0, 0, 0, 0), (3, 0, 0, 4, 0), (3, 3, 14, 0, 0)]
    code = guest_code(encodings)
    words = struct.unpack(f"<{(len(code) - 0x1000) // 4}I", code[0x1000:])
    reads = [word for word in words if word & 0xFFF0_001F == 0xD530_0000 and word & 0x1F == 0]
    assert len(reads) == len(encodings) + CACHES
    assert [word & 0x7FFFF for word in reads[:3]] == [0x0, 0x400, 0x3E000 + 0x0]
    for at, word in enumerate(words):
        if word >> 26 in (0b000101, 0b100101):
            ahead = (word & 0x3FF_FFFF) - (word >> 25 & 1) * 0x400_0000
            assert 0 <= at + ahead < len(words)


@pytest.mark.parametrize("said", ["", "0000=0000000000000041\n", "0000=41\n0001=U\n"])
def test_a_guest_that_did_not_come_to_its_end_is_no_profile(said: str):
    with pytest.raises(LabError, match="of its 2 registers"):
        read_lines(said, 2)


def test_what_was_read_is_a_profile_that_comes_back_whole():
    caches = [0x700FE01A, 0x201FE01A, 0x703FE03A, None, *[0] * (CACHES - 4)]
    host = tcg_host("cortex-a76", "10.0.13", NAMED, caches)
    assert read_host(pretty(host_object(host)).encode(), "tcg.json") == host
    assert (host.name, host.accelerator) == ("cortex-a76@tcg-10.0.13", "tcg")
    (offer,) = host.offers
    assert offer.accepts == {}
    assert offer.shape.features == {"pmu_v3"}
    assert {name for name in offer.limits if "CCSIDR" in name} == {
        "CCSIDR_EL1[0]",
        "CCSIDR_EL1[1]",
        "CCSIDR_EL1[2]",
    }
    assert "ID_AA64ISAR3_EL1" not in offer.limits
    assert (host.facts.cntfrq_hz, host.facts.dczid, host.facts.gmid) == (62_500_000, 4, None)


def test_all_models_are_recorded_under_both_qemus():
    hosts = read()
    assert len(hosts) == 20
    assert all(len(host.offers[0].limits) > 40 for host in hosts)
    assert {host.name.partition("-")[0] for host in hosts} == {"a64fx@tcg", "cortex", "max@tcg", "neoverse"}


@pytest.mark.slow  # one boot, and the same reading as every other model's
def test_a_model_reads_as_it_was_recorded(laboratory: Laboratory):
    with fetched():
        found = tcg_hosts(laboratory, ["cortex-a57"], "10")["cortex-a57"]
    (was,) = [host for host in read() if host.name == found.name]
    assert json.loads(pretty(host_object(found)))["offers"] == json.loads(pretty(host_object(was)))["offers"]
