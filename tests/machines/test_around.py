"""What stands around the vCPU on the recorded emulated hosts: whole, and like the rest of a recording."""

from __future__ import annotations

from dataclasses import replace

import pytest

from armlevel.arch import load as load_catalogue
from armlevel.errors import LabError
from armlevel.profile import Host
from record_around import added
from tests.fidelity.hosts import HOSTS, added_names, read, recorded_names

RECORDED = {host.name: host for host in read(recorded_names())}
WITH = [name for name, host in RECORDED.items() if host.machine is not None]
#: How many of them are recorded with their machine at least, besides all of the added kernel lines.
FLOOR = 57
#: The revisions in GICD_IIDR that each kernel line keeps; 6.18 takes any and keeps its own.
REVISIONS = {"6.1": {2, 3}, "6.12": {2, 3}, "6.17": {3}, "6.18": {3}, "7.0": {2, 3}, "7.3": {2, 3}}


def test_the_machines_of_most_emulated_hosts_are_recorded(tell):
    tell(f"recorded hosts with what stands around the vCPU: {len(WITH)} of {len(RECORDED)}")
    assert len(set(WITH) & set(HOSTS)) >= FLOOR
    assert set(added_names()) <= set(WITH)


@pytest.mark.parametrize("name", WITH)
def test_a_machine_says_what_the_capabilities_say(name: str):
    host, machine = RECORDED[name], RECORDED[name].machine
    assert machine is not None
    said = host.software.kvm_capabilities
    assert machine.ipa_bits == said["ARM_VM_IPA_SIZE"]
    for has, capability in (
        (machine.counter_offset, "COUNTER_OFFSET"),
        (machine.steal_time, "STEAL_TIME"),
        (machine.ptp, "PTP_KVM"),
        (machine.has_gic("v3"), "VGIC_V3"),
        (machine.has_gic("v2"), "VGIC_V2"),
    ):
        assert has is bool(said.get(capability)), capability
    assert {cpu.cntfrq_hz for cpu in host.cpus} == {host.facts.cntfrq_hz}
    assert machine.unknown == ()
    nested = any("has_el2" in shape.features for shape in host.shapes)
    assert (machine.ich_vtr is not None) is nested


@pytest.mark.parametrize("name", WITH)
def test_kvm_takes_no_more_bits_than_there_are_and_only_the_hardwares_seis_and_a3v(name: str):
    machine = RECORDED[name].machine
    assert machine is not None
    assert machine.icc_ctlr is not None
    assert machine.gicd_iidr is not None
    for field, tried in machine.icc_ctlr.items():
        every = range(2 if field in ("SEIS", "A3V") else 8)
        wanted = {tried.shown} if field in ("SEIS", "A3V") else set(range(tried.shown + 1))
        assert (set(tried.taken), set(tried.refused)) == (wanted, set(every) - wanted), field
    line = load_catalogue().line(RECORDED[name].software.kernel)
    assert line is not None
    assert machine.gicd_iidr.taken == REVISIONS[line.name]


def test_nothing_is_added_to_a_recording_of_another_host():
    host = RECORDED["neoverse-n1@7.x"]
    assert added(replace(host, machine=None), host) == host
    others: dict[str, Host] = {
        "recorded with": replace(host, software=replace(host.software, kernel="7.3.5")),
        "its pages or its CPUs": replace(host, facts=replace(host.facts, page_size=65536)),
        "its counter runs at": replace(host, cpus=(replace(host.cpus[0], cntfrq_hz=1),)),
    }
    for words, other in others.items():
        with pytest.raises(LabError, match=words):
            added(host, other)
