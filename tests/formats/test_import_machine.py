"""What command lines of QEMU and domains of libvirt ask for around the vCPUs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from armlevel.arch import load
from armlevel.errors import BadDocument
from armlevel.formats import read_foreign, read_request
from armlevel.profile import GuestMachine
from tests.engine.kit import plain

MIB, GIB = 1 << 20, 1 << 30
PROGRAM = "qemu-system-aarch64 -accel kvm -cpu host "
USUAL = GuestMachine(
    vmm="qemu",
    machine="virt-10.0",
    gic_asked="default",
    its=True,
    vcpus=1,
    memory=128 * MIB,
    maxmem=128 * MIB,
    slots=0,
    virtualization=False,
    steal_time_asked="default",
    **load().board_defaults((10, 0)),
)


def asked(text: str) -> GuestMachine | None:
    request = read_request(text.encode(), "asked")
    assert request is not None
    return request.machine


@pytest.mark.parametrize(
    ("options", "other"),
    [
        ("-M virt-10.0", {}),
        ("-machine virt-10.0,accel=kvm", {}),
        ("-machine type=virt-10.0", {}),
        ("-M virt", {"machine": "virt"}),
        ("-M virt-10.0,gic-version=3", {"gic_asked": "3"}),
        ("-M virt-10.0 -machine gic-version=max", {"gic_asked": "max"}),
        ("-M virt-10.0,its=off", {"its": False}),
        ("-M virt-10.0,msi=gicv2m", {"its": False}),
        ("-M virt-10.0,virtualization=on", {"virtualization": True}),
        ("-M virt-10.0 -m 128M,slots=1,maxmem=600G", {"maxmem": 600 * GIB, "slots": 1}),
        ("-M virt-10.0 -m 2048", {"memory": 2 * GIB, "maxmem": 2 * GIB}),
        ("-M virt-10.0 -m size=1G", {"memory": GIB, "maxmem": GIB}),
        ("-M virt-10.0 -smp 4", {"vcpus": 4}),
        ("-M virt-10.0 -smp 2,maxcpus=8", {"vcpus": 8}),
        ("-M virt-10.0 -smp sockets=2,cores=3", {"vcpus": 6}),
        ("-M virt-10.0,highmem=off", {"highmem": False}),
        (
            "-M virt-10.0,highmem-ecam=off,compact-highmem=off",
            {"highmem_ecam": False, "compact_highmem": False},
        ),
        ("-M virt-10.0,highmem-mmio-size=1T", {"highmem_mmio_size": 1 << 40}),
        ("-M virt-7.1", {"machine": "virt-7.1", "compact_highmem": False}),
        ("-M virt-5.1", {"machine": "virt-5.1", "compact_highmem": False, "steal_time_asked": "off"}),
        (
            "-M virt-10.0,memory-backend=m -object memory-backend-memfd,id=m,size=4G,hugetlb=on,hugetlbsize=2M",
            {"memory": 4 * GIB, "maxmem": 4 * GIB, "backing_page": 2 * MIB},
        ),
    ],
)
def test_a_command_line_says_all_that_its_qemu_would_do(options, other: dict[str, Any]):
    assert asked(PROGRAM + options) == replace(USUAL, **other)


def test_stolen_time_is_an_option_of_the_cpu():
    found = asked("qemu-system-aarch64 -accel kvm -M virt-10.0 -cpu host,kvm-steal-time=off")
    assert found == replace(USUAL, steal_time_asked="off")


def test_a_cpu_option_alone_says_nothing_of_a_machine():
    assert asked("host,pmu=off") is None
    assert asked("-cpu host,pmu=off") is None


def test_a_part_of_a_command_line_says_what_it_says():
    found = asked("-machine virt-10.0,gic-version=3 -cpu host")
    assert found == replace(USUAL, gic_asked="3", memory=None, maxmem=None, slots=None, vcpus=None)


@pytest.mark.parametrize(
    "options", ["-M virt-rhel9.6.0", "-M virt-10.0,cxl=on", "-M sbsa-ref", "-machine its=on"]
)
def test_of_a_machine_that_no_row_knows_the_map_is_not_recorded(options):
    found = asked(PROGRAM + options)
    assert found is not None
    assert (found.highmem_ecam, found.compact_highmem, found.gic_asked) == (None, None, "default")


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ("-M virt,gic-version=4", "gic-version=4"),
        ("-M virt,its=maybe", "its=maybe"),
        ("-M virt -m much", "-m size=much"),
        ("-M virt -m 1G,maxmem=lots", "-m maxmem=lots"),
        ("-M virt -smp many", "-smp cpus=many"),
        ("-M virt,highmem-mmio-size=wide", "highmem-mmio-size=wide"),
        ("-M virt,msi=carrier-pigeon", "msi=carrier-pigeon"),
    ],
)
def test_what_cannot_be_understood_is_told(options, fault):
    with pytest.raises(BadDocument, match=fault):
        asked(PROGRAM + options)


DOMAIN = """<domain type='kvm'{more}><name>a</name><memory unit='KiB'>2097152</memory>{memory}
<vcpu current='1'>4</vcpu><os><type arch='aarch64' machine='virt-10.0'>hvm</type></os>
<features>{gic}</features><cpu mode='host-passthrough'/>{rest}</domain>"""


def domain(more: str = "", memory: str = "", gic: str = "", rest: str = "") -> GuestMachine | None:
    return asked(DOMAIN.format(more=more, memory=memory, gic=gic, rest=rest))


def test_a_domain_says_what_libvirt_would_ask_of_qemu():
    plain = replace(USUAL, gic_asked="max", vcpus=4, memory=2 * GIB, maxmem=2 * GIB)
    assert domain() == plain
    assert domain(gic="<gic version='2'/>") == replace(plain, gic_asked="2")
    assert domain(gic="<gic version='host'/>") == replace(plain, gic_asked="host")
    slots = "<maxMemory slots='16' unit='GiB'>600</maxMemory>"
    assert domain(memory=slots) == replace(plain, maxmem=600 * GIB, slots=16)
    huge = "<memoryBacking><hugepages><page size='2' unit='MiB'/></hugepages></memoryBacking>"
    assert domain(memory=huge) == replace(plain, backing_page=2 * MIB)


def test_memory_that_is_plugged_is_no_part_of_what_qemu_starts_with():
    slots = "<maxMemory slots='16' unit='GiB'>600</maxMemory>"
    plugged = "<devices><memory model='dimm'/></devices>"
    found = domain(memory=slots, rest=plugged)
    assert found is not None
    assert (found.memory, found.maxmem) == (None, 600 * GIB)


def test_options_of_qemu_in_a_domain_win():
    rest = (
        "<qemu:commandline><qemu:arg value='-machine'/><qemu:arg value='its=off,highmem-ecam=off'/>"
        "<qemu:arg value='-cpu'/><qemu:arg value='host,kvm-steal-time=off'/></qemu:commandline>"
    )
    found = domain(more=" xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'", rest=rest)
    assert found is not None
    assert (found.its, found.highmem_ecam, found.steal_time_asked) == (False, False, "off")
    assert (found.machine, found.gic_asked) == ("virt-10.0", "max")


def test_domcapabilities_say_which_interrupt_controllers_a_host_has():
    text = """<domainCapabilities><path>/usr/bin/qemu-system-aarch64</path><domain>kvm</domain>
<machine>virt-10.0</machine><arch>aarch64</arch><cpu><mode name='host-passthrough' supported='yes'/></cpu>
<features><gic supported='yes'><enum name='version'>{values}</enum></gic></features></domainCapabilities>"""
    both = read_foreign(text.format(values="<value>2</value><value>3</value>").encode(), "caps")
    only = read_foreign(text.format(values="<value>3</value>").encode(), "caps")
    none = read_foreign(text.format(values="").encode(), "caps")
    assert both.machine is not None
    assert only.machine is not None
    assert [both.machine.has_gic(name) for name in ("v2", "v3", "its")] == [True, True, None]
    assert [only.machine.has_gic(name) for name in ("v2", "v3", "its")] == [False, True, None]
    assert none.machine is None


@pytest.mark.parametrize(
    ("gic", "shown"), [({"v2": "yes", "v3": "yes"}, 0), ({"v2": "ENODEV", "v3": "yes"}, 1)]
)
def test_registers_of_an_imported_guest_speak_of_the_gic_that_it_gets(gic, shown):
    from armlevel.operations.import_ import guest_of

    request = read_request(
        b"qemu-system-aarch64 -accel kvm -M virt -cpu host,pmu=off,sve=off,pauth=off", "asked"
    )
    assert request is not None
    there = plain("h", {"ID_AA64PFR0_EL1.GIC": 1})
    assert there.machine is not None
    there = replace(there, machine=replace(there.machine, gic=gic))
    guest = guest_of(request, there, "asked").guest
    assert load().field("ID_AA64PFR0_EL1.GIC").get(guest.registers["ID_AA64PFR0_EL1"]) == shown
    assert guest.machine is not None
    assert guest.machine.gic == (3 if shown else 2)
