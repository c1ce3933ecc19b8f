"""Dumps of registers in the shapes that they have: every name of Arm is known, facts are facts, the rest is listed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from armlevel.arch import load as load_catalogue
from armlevel.errors import BadDocument
from armlevel.formats import read_foreign, recognise
from armlevel.profile import Host, Implementation

MIDR, MMFR1 = 0x411FD401, 0x10212122


def read(document: Any) -> Host:
    return read_foreign((document if isinstance(document, str) else json.dumps(document)).encode(), "x", "x")


def limits(document: Any) -> dict[str, int]:
    return dict(read(document).offers[0].limits)


WANTED = {"MIDR_EL1": MIDR, "ID_AA64MMFR1_EL1": MMFR1}
SHAPES: list[Any] = [
    {"MIDR_EL1": hex(MIDR), "ID_AA64MMFR1_EL1": hex(MMFR1)},
    {"SYS_MIDR_EL1": hex(MIDR), "SYS_ID_AA64MMFR1_EL1": hex(MMFR1)},
    {"midr_el1": MIDR, "id_aa64mmfr1_el1": MMFR1},
    {"MIDR": f"{MIDR:016X}", "ID_AA64MMFR1": f"{MMFR1:#018x}"},
    {"s3_0_c0_c0_0": hex(MIDR), "S3_0_C0_C7_1": hex(MMFR1)},
    {"0x603000000013c000": hex(MIDR), "0x603000000013c039": hex(MMFR1)},
    {"registers": {"MIDR_EL1": hex(MIDR), "features": {"ID_AA64MMFR1_EL1": {"value": hex(MMFR1)}}}},
    {"regs": [{"name": "MIDR_EL1", "value": hex(MIDR)}, {"name": "ID_AA64MMFR1_EL1", "value": MMFR1}]},
    [{"register": "MIDR_EL1", "val": hex(MIDR)}, {"register": "SYS_ID_AA64MMFR1_EL1", "val": hex(MMFR1)}],
    [["MIDR_EL1", hex(MIDR)], ["ID_AA64MMFR1_EL1", hex(MMFR1)]],
    [
        {"op0": 3, "op1": 0, "crn": 0, "crm": 0, "op2": 0, "value": hex(MIDR)},
        {"op0": 3, "op1": 0, "CRn": 0, "CRm": 7, "op2": 1, "value": hex(MMFR1)},
    ],
    {"midr": hex(MIDR), "regs": {"MIDR_EL1": hex(MIDR), "ID_AA64MMFR1_EL1": hex(MMFR1)}},
    f"MIDR_EL1: {MIDR:016x}\nID_AA64MMFR1_EL1: {MMFR1:016x}\n",
    f"  SYS_MIDR_EL1 = {MIDR:#x}\r\n  SYS_ID_AA64MMFR1_EL1 = {MMFR1:#x}\r\n",
    f"MIDR_EL1 {MIDR:#x}, ID_AA64MMFR1_EL1 {MMFR1:#x}\n",
    f"[    0.000000] boot: s3_0_c0_c0_0={MIDR:#x}\nhello\n[    0.1] ID_AA64MMFR1_EL1 | {MMFR1:#018x} |\n",
    f"MIDR_EL1 (Main ID Register): {MIDR:#x}\nID_AA64MMFR1_EL1 [memory model] = {MMFR1:#x}\n",
    f"{MIDR:#x}".join(["MIDR_EL1,", "\nID_AA64MMFR1_EL1,"]) + f"{MMFR1:#x}\n",
]


@pytest.mark.parametrize("document", SHAPES)
def test_a_dump_is_read_in_any_shape(document):
    assert limits(document) == WANTED


def test_every_register_of_arm_may_stand_in_a_dump():
    names = load_catalogue().system_registers
    host = read({"MIDR_EL1": hex(MIDR), **dict.fromkeys(names.keys() - {"MIDR_EL1"}, "0x1")})
    assert len(names) > 1000
    assert host.offers[0].limits["ID_AA64MMFR1_EL1"] == 1
    assert "plays no part" in (host.made.source or "")


FACTS = {"CNTFRQ_EL0": "0x5f5e100", "DCZID_EL0": 4, "SYS_GMID_EL1": "0x4"}


@pytest.mark.parametrize(
    "document",
    [
        {"MIDR_EL1": hex(MIDR), **FACTS},
        {"MIDR_EL1": hex(MIDR), "facts": {"cntfrq_hz": 100_000_000, "dczid": "4", "gmid": "0x4"}},
        f"MIDR_EL1: {MIDR:x}\nCNTFRQ_EL0: 5f5e100\nDCZID_EL0: 4\nGMID_EL1: 4\n",
    ],
)
def test_facts_are_taken_as_facts(document):
    facts = read(document).facts
    assert (facts.cntfrq_hz, facts.dczid, facts.gmid) == (100_000_000, 4, 4)


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("DCZID_EL0", "0x40", "DCZID_EL0: 0x40 cannot be dczid"),
        ("CNTFRQ_EL0", 1 << 40, "cannot be cntfrq_hz"),
        ("page_size", 3, "page_size: 0x3 cannot be page_size"),
        ("ID_AA64PFR0_EL1", 1 << 64, "is a number that no register of 64 bits holds"),
        ("ID_AA64PFR0_EL1", "9" * 5000, "is no number in base 16"),
        ("ID_AA64PFR0_EL1", True, "is no number in base 16"),
    ],
)
def test_what_a_register_cannot_hold_is_a_fault(key, value, sentence):
    with pytest.raises(BadDocument) as found:
        read({"MIDR_EL1": hex(MIDR), key: value})
    assert sentence in str(found.value)


def test_a_counter_whose_firmware_set_nothing_has_no_frequency():
    assert read({"MIDR_EL1": hex(MIDR), "CNTFRQ_EL0": "0x0"}).facts.cntfrq_hz is None


@pytest.mark.parametrize(
    ("said", "kernel"),
    [
        ({"kernel": "6.17.0"}, "6.17.0"),
        ({"kernel_version": "6.8.0-31-generic"}, "6.8.0-31-generic"),
        ({"uname": "Linux n1 6.1.0-50 #1 SMP aarch64"}, "6.1.0-50"),
        ({"kernel": "Linux version 6.12.1 (a@b) #1"}, "6.12.1"),
        ({"kernel": "unknown"}, None),
        ({"kernel": {"release": "6.17.0"}}, None),
    ],
)
def test_the_kernel_is_read(said, kernel):
    assert read({"MIDR_EL1": hex(MIDR), **said}).software.kernel == kernel


def test_what_plays_no_part_is_listed():
    host = read(
        {
            "MIDR_EL1": hex(MIDR),
            "hostname": "n1",
            "LORID_EL1": 1,
            "XYZ_EL1": "0x0",
            "ID_AA64ZFR0_EL1": "0x1 (?)",
        }
    )
    for said in (
        "hostname",
        "LORID_EL1",
        "XYZ_EL1 (no register is called so)",
        "ID_AA64ZFR0_EL1 ('0x1 (?)')",
    ):
        assert said in (host.made.source or "")
    assert "ID_AA64ZFR0_EL1" not in host.offers[0].limits


@pytest.mark.parametrize(
    "document",
    [
        {"cpu0": {"MIDR_EL1": "0x1", "CTR_EL0": "0x8"}, "cpu4": {"MIDR_EL1": "0x2", "CTR_EL0": "0x8"}},
        {"cpus": [{"MIDR_EL1": "0x1", "CTR_EL0": "0x8"}, {"MIDR_EL1": "0x2"}], "CTR_EL0": "0x8"},
        [{"cpu": 0, "MIDR_EL1": 1, "CTR_EL0": 8}, {"cpu": 1, "MIDR_EL1": 2, "CTR_EL0": 8}],
    ],
)
def test_what_differs_among_cpus_is_not_known(document):
    host = read(document)
    assert host.offers[0].limits == {"CTR_EL0": 8}
    assert {cpu.implementation for cpu in host.cpus} == {Implementation(1), Implementation(2)}
    assert "on every CPU: MIDR_EL1" in (host.made.source or "")


def test_groups_of_cpus_with_what_linux_says_of_them_are_read():
    group = {"midr": "0x410fd034", "count": 4, "bogomips": "48.00", "hwcaps": ["fp", "asimd"]}
    host = read({"name": "board", "cpu_groups": [group, {**group, "midr": "0x410fd092", "count": 2}]})
    assert {cpu.implementation.midr: cpu.count for cpu in host.cpus} == {0x410FD034: 4, 0x410FD092: 2}
    assert host.facts.cntfrq_hz == 24_000_000
    assert host.hwcaps == ("fp", "asimd")


@pytest.mark.parametrize(
    "document", [{"a": {"b": 1}}, {"count": 3, "far": 2, "par": "0x1", "name": "x"}, {"sp": 1, "pc": 2}]
)
def test_words_that_only_look_like_registers_are_none(document):
    assert recognise(json.dumps(document).encode()) is None


def test_nesting_without_end_is_a_sentence():
    for text in ("[" * 100_000, '{"a":' * 100_000, '{"a":' * 900 + '{"MIDR_EL1": "0x1"}' + "}" * 900):
        with pytest.raises(Exception) as found:
            read(text)
        assert type(found.value).__module__ == "armlevel.errors"
