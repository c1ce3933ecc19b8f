"""What libvirt says of a host (capabilities, domcapabilities) and what a domain asks of one.

libvirt's host model of an Arm machine is a name found by MIDR's part number, and HWCAP names: no ID register is in it,
so every field stays unknown. Sources: libvirt docs/formatcaps.rst, formatdomaincaps.rst, formatdomain.rst,
src/cpu/cpu_arm.c.
"""

from __future__ import annotations

from dataclasses import replace
from xml.etree.ElementTree import Element

from armlevel.arch import Catalogue
from armlevel.errors import BadDocument
from armlevel.formats.cpu_request import CpuRequest
from armlevel.formats.libvirt_machine import machine_of_domain, size_in
from armlevel.formats.libvirt_write import QEMU_NAMESPACE
from armlevel.formats.libvirt_xml import parsed, root_of
from armlevel.formats.processors import MOST
from armlevel.formats.qemu_machine import board_of
from armlevel.formats.qemu_read import recipe_of
from armlevel.profile import Cpu, Facts, Host, HostMachine, Implementation, Made, Offer, Shape
from armlevel.profile.host import PAGE_SIZES
from armlevel.profile.machine import YES

__all__ = [
    "given_options",
    "host_of_cpu",
    "is_capabilities",
    "is_domain",
    "is_domain_capabilities",
    "read_capabilities",
    "read_domain",
    "read_domain_capabilities",
]

_DOMAINS = ("domain", "domstatus", "domainsnapshot", "domaincheckpoint")
_POLICIES = {"require": "on", "force": "on", "disable": "off", "forbid": "off"}


def is_capabilities(text: str) -> bool:
    """Whether this is meant to be the output of ``virsh capabilities``."""
    return root_of(text) == "capabilities"


def is_domain_capabilities(text: str) -> bool:
    """Whether this is meant to be the output of ``virsh domcapabilities``."""
    return root_of(text) == "domainCapabilities"


def is_domain(text: str) -> bool:
    """Whether this is a domain as ``virsh dumpxml`` writes it, or what libvirt keeps of a running or saved one."""
    return root_of(text) in _DOMAINS


def read_capabilities(text: str, path: str, name: str, _catalogue: Catalogue) -> Host:
    """Read a host: its page size, how many CPUs it has, and the name and features that libvirt found.

    Raises:
        BadDocument: it has faults, all of which are listed.

    """
    root = parsed(text, path, "virsh capabilities")
    cpu = root.find("host/cpu")
    faults = [] if cpu is not None else ["host/cpu: is missing"]
    host = None if cpu is None else host_of_cpu(cpu, "host/cpu", name, faults)
    if faults or host is None:
        raise BadDocument(path, tuple(faults), hint="the output of virsh capabilities was expected")
    count = len(root.findall("host/topology/cells/cell/cpus/cpu"))
    counted = (Cpu(Implementation(), count),) if 0 < count < MOST else ()
    counted_as = f"{count or 'an unrecorded number of'} CPUs"
    source = (
        (host.made.source or "")
        .replace("libvirt:", "libvirt capabilities:", 1)
        .replace("; what", f", {counted_as}; what", 1)
    )
    return replace(host, cpus=counted, made=Made(source=source[:4096]))


def host_of_cpu(cpu: Element, place: str, name: str, faults: list[str]) -> Host:
    """Read the ``<cpu>`` of a host: its page size, and the name and features that libvirt found."""
    arch = cpu.findtext("arch", "")
    if arch != "aarch64":
        faults.append(f"{place}/arch: is {arch[:40]!a}, and aarch64 is needed")
    sizes = [
        size_in(one.get("size", ""), one.get("unit", "b"), f"{place}/pages", faults) or 1
        for one in cpu.findall("pages")
    ]
    if sizes and min(sizes) not in PAGE_SIZES and not faults:
        faults.append(f"{place}/pages: {min(sizes)} bytes is no page size of arm64")
    model, vendor = cpu.findtext("model", "no model"), cpu.findtext("vendor", "")
    features = " ".join(sorted(one.get("name", "") for one in cpu.findall("feature")))
    source = (
        f"libvirt: {vendor} {model}; what KVM offers is not in it, so every field is unknown. "
        f"HWCAPs: {features or 'none'}"
    )
    facts = Facts()
    if sizes and not faults:
        facts = Facts(page_size=min(sizes), sources={"page_size": f"libvirt, {place}/pages"})
    return Host(name, (Offer(Shape()),), facts=facts, made=Made(source=source[:4096]))


def read_domain_capabilities(text: str, path: str, name: str, _catalogue: Catalogue) -> Host:
    """Read what libvirt and a QEMU say of a host: which CPU modes it has; no field of the CPU is in it.

    Raises:
        BadDocument: it has faults, all of which are listed.

    """
    root = parsed(text, path, "virsh domcapabilities")
    faults = []
    if root.findtext("arch") != "aarch64":
        faults.append(f"arch: is {root.findtext('arch')!a}, and aarch64 is needed")
    if root.findtext("domain") != "kvm":
        faults.append(f"domain: is {root.findtext('domain')!a}, and kvm is needed")
    if root.find("cpu") is None:
        faults.append("cpu: is missing")
    if faults:
        raise BadDocument(path, tuple(faults), hint="the output of virsh domcapabilities was expected")
    modes = [one.get("name", "") for one in root.findall("cpu/mode") if one.get("supported") == "yes"]
    gics = [one.text or "" for one in root.findall("features/gic/enum[@name='version']/value")]
    source = (
        f"libvirt domcapabilities of {root.findtext('path', 'a QEMU')}, {root.findtext('machine', 'no machine')}: "
        f"CPU modes {' '.join(modes) or 'none'}; GIC {' '.join(gics) or 'not recorded'}; no field is in it"
    )
    # libvirt names those of KVM for a domain of type kvm: a version that it does not name cannot be made.
    machine = None
    if gics:
        there = {f"v{version}": YES if version in gics else "ENODEV" for version in ("2", "3")}
        machine = HostMachine(gic=there)
    return Host(name, (Offer(Shape()),), made=Made(source=source[:4096]), machine=machine)


def read_domain(text: str, path: str, _name: str, catalogue: Catalogue) -> CpuRequest:
    """Read what a domain asks of the host it starts on; a ``-cpu`` in its qemu:commandline wins, as in QEMU.

    Raises:
        BadDocument: it has faults, all of which are listed.

    """
    root = parsed(text, path, "a domain of libvirt")
    faults: list[str] = []
    domain = root if root.tag == "domain" else next(root.iter("domain"), None)
    if domain is None:
        raise BadDocument(path, (f"no domain is in this <{root.tag}>",), hint="virsh dumpxml writes one")
    kind = domain.find("os/type")
    if kind is not None and kind.get("arch", "aarch64") != "aarch64":
        faults.append(f"os/type: arch is {kind.get('arch')!a}, and aarch64 is needed")
    if domain.get("type") != "kvm":
        faults.append(f"domain: type is {domain.get('type')!a}, and kvm is needed")
    cpu = domain.find("cpu")
    given = given_options(domain, cpu, faults)
    words = [
        one.get("value", "")
        for one in domain.findall(f"{{{QEMU_NAMESPACE}}}commandline/{{{QEMU_NAMESPACE}}}arg")
    ]
    options = [words[i + 1] for i, word in enumerate(words[:-1]) if word == "-cpu"]
    board = board_of(words)
    gic = domain.find("features/gic")
    if gic is not None and gic.get("version"):
        board.setdefault("gic-version", gic.get("version", ""))
    request = recipe_of(options[-1] if options else ",".join(["host", *given]), catalogue, faults, board)
    machine = machine_of_domain(domain, words, catalogue, faults)
    if faults:
        raise BadDocument(path, tuple(faults), hint="an aarch64 KVM domain of libvirt was expected")
    return replace(request, machine=machine)


def given_options(domain: Element | None, cpu: Element | None, faults: list[str]) -> list[str]:
    """Return the ``-cpu`` options that a domain's ``<cpu>`` and features stand for."""
    mode = cpu.get("mode", "custom") if cpu is not None else "none"
    if mode not in ("host-passthrough", "maximum"):
        faults.append(f"cpu: mode is {mode[:40]!a}; under KVM on Arm only host-passthrough gives a CPU")
    given = []
    if domain is not None and (pmu := domain.find("features/pmu")) is not None:
        given.append(f"pmu={pmu.get('state', 'on')}")
    for one in cpu.findall("feature") if cpu is not None else ():
        policy = one.get("policy", "require")
        if policy in _POLICIES:
            given.append(f"{one.get('name')}={_POLICIES[policy]}")
        elif policy != "optional":
            faults.append(f"cpu/feature {one.get('name')}: policy {policy!a} is none of libvirt's")
    return given
