"""The list of calls. What a real KVM says to it is in test_lab_kvm.py."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from armlevel.arch import load
from armlevel.engine.moves.settings import settings_of
from armlevel.formats.kvm_calls_write import calls_of, export, feature_bits, vls_words
from tests.formats.profiles import baselines, naturals

CATALOGUE = load()
SETTINGS = [settings_of(guest, there, CATALOGUE) for guest, there in naturals()]
SETTINGS += [settings_of(guest, there, CATALOGUE) for guest, one, two in baselines() for there in [one, two]]
ORDER = ["vm", "vcpu", "devices", "run", "after"]


def test_every_call_has_its_stage_and_stages_come_in_order():
    for setting in SETTINGS:
        document = json.loads(export(setting).text)
        stages = [one["stage"] for one in document["calls"]]
        assert stages == sorted(stages, key=ORDER.index)
        assert set(stages) <= document["stages"].keys()
        names = [one["name"] for one in document["calls"] if one["stage"] == "run"]
        assert len(names) == len(set(names))


def test_what_is_read_afterwards_is_the_profile():
    for (guest, there), setting in zip(naturals(), SETTINGS, strict=False):
        after = {one["name"]: int(one["value"], 16) for one in calls_of(setting) if one["stage"] == "after"}
        assert after.items() >= dict(guest.registers).items(), there.name


def test_vector_lengths_are_a_bitmap_of_quadwords():
    assert vls_words([128, 256, 2048]) == [0x8003, 0, 0, 0, 0, 0, 0, 0]
    assert feature_bits(["ptrauth", "pmu_v3"]) == 1 << 2 | 1 << 3 | 1 << 5 | 1 << 6


PRINTS = r"""
#include "cpu.h"
#include <stdio.h>
int main(void)
{
	printf("%#x %zu\n", ARMLEVEL_VCPU_FEATURES, sizeof(armlevel_sve_vls));
	for (const struct armlevel_reg *r = armlevel_writes; r->id; r++)
		printf("0x%016llx 0x%016llx\n", (unsigned long long)r->id, (unsigned long long)r->value);
	for (const uint64_t *c = armlevel_carries; *c; c++)
		printf("0x%016llx\n", (unsigned long long)*c);
	return armlevel_caps[0] > 1000 || armlevel_expects[0].id == 0;
}
"""


@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler cc on PATH")
@pytest.mark.parametrize("index", range(0, len(SETTINGS), 5))
def test_a_c_compiler_reads_the_same_out_of_the_header(tmp_path, index):
    setting = SETTINGS[index]
    (tmp_path / "cpu.h").write_text(export(setting, "header").text)
    (tmp_path / "p.c").write_text(PRINTS)
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-Wno-unused"]
    subprocess.run(["cc", *flags, "-o", "p", "p.c"], cwd=tmp_path, check=True)
    said = subprocess.run(
        ["./p"], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert said == [
        f"{feature_bits(setting.features):#x} 64",
        *(f"{one.kvm_id:#018x} {one.value:#018x}" for one in setting.writes),
        *(f"{one:#018x}" for one in setting.register_list),
    ]


def test_a_name_cannot_end_a_comment():
    from dataclasses import replace

    text = export(replace(SETTINGS[0], guest="a */ int x; /*\n"), "header").text
    assert text.splitlines()[0].count("*/") == 1
