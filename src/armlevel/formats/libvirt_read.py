"""What libvirt says of a host (capabilities, domcapabilities) and what a domain asks of one.

libvirt's host model of an Arm machine is a name found by MIDR's part number, and HWCAP names: no ID register is in it,
so every field stays unknown. Sources: libvirt docs/formatcaps.rst, formatdomaincaps.rst, formatdomain.rst,
src/cpu/cpu_arm.c.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, ParseError, fromstring

from armlevel.arch import Catalogue
from armlevel.errors import BadDocument
from armlevel.formats.cpu_request import CpuRequest
from armlevel.formats.libvirt_write import QEMU_NAMESPACE
from armlevel.formats.qemu_read import recipe_of
from armlevel.profile import Facts, Host, Made, Offer, Shape

__all__ = [
    "is_capabilities",
    "is_domain",
    "is_domain_capabilities",
    "read_capabilities",
    "read_domain",
    "read_domain_capabilities",
]

_POLICIES = {"require": "on", "force": "on", "disable": "off", "forbid": "off"}
_UNITS = {
    "b": 1,
    "bytes": 1,
    "KB": 1000,
    "k": 1 << 10,
    "KiB": 1 << 10,
    "M": 1 << 20,
    "MiB": 1 << 20,
    "GiB": 1 << 30,
}


def is_capabilities(text: str) -> bool:
    """Whether this is meant to be the output of ``virsh capabilities``."""
    return _opens(text, "capabilities")


def is_domain_capabilities(text: str) -> bool:
    """Whether this is meant to be the output of ``virsh domcapabilities``."""
    return _opens(text, "domainCapabilities")


def is_domain(text: str) -> bool:
    """Whether this is meant to be a domain, as ``virsh dumpxml`` writes it."""
    return _opens(text, "domain")


def read_capabilities(text: str, path: str, name: str, _catalogue: Catalogue) -> Host:
    """Read a host: its page size, and the name and features that libvirt found.

    Raises:
        BadDocument: it has faults, all of which are listed.

    """
    root = _parsed(text, path, "virsh capabilities")
    cpu = root.find("host/cpu")
    faults = [] if cpu is not None else ["host/cpu: is missing"]
    arch = root.findtext("host/cpu/arch", "")
    if cpu is not None and arch != "aarch64":
        faults.append(f"host/cpu/arch: is {arch!a}, and aarch64 is needed")
    sizes = [
        _bytes(one.get("size", ""), one.get("unit", "b"), faults) for one in root.findall("host/cpu/pages")
    ]
    if faults:
        raise BadDocument(path, tuple(faults), hint="the output of virsh capabilities was expected")
    model, vendor = root.findtext("host/cpu/model", "no model"), root.findtext("host/cpu/vendor", "")
    features = " ".join(sorted(one.get("name", "") for one in root.findall("host/cpu/feature")))
    count = len(root.findall("host/topology/cells/cell/cpus/cpu"))
    source = (
        f"libvirt capabilities: {vendor} {model}, {count or 'an unrecorded number of'} CPUs; what KVM offers is not in "
        f"it, so every field is unknown. HWCAPs: {features or 'none'}"
    )
    facts = Facts()
    if sizes:
        facts = Facts(page_size=min(sizes), sources={"page_size": "libvirt capabilities, host/cpu/pages"})
    return Host(name, (Offer(Shape()),), facts=facts, made=Made(source=source[:4096]))


def read_domain_capabilities(text: str, path: str, name: str, _catalogue: Catalogue) -> Host:
    """Read what libvirt and a QEMU say of a host: which CPU modes it has; no field of the CPU is in it.

    Raises:
        BadDocument: it has faults, all of which are listed.

    """
    root = _parsed(text, path, "virsh domcapabilities")
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
    return Host(name, (Offer(Shape()),), made=Made(source=source[:4096]))


def read_domain(text: str, path: str, _name: str, catalogue: Catalogue) -> CpuRequest:
    """Read what a domain asks of the host it starts on; a ``-cpu`` in its qemu:commandline wins, as in QEMU.

    Raises:
        BadDocument: it has faults, all of which are listed.

    """
    root = _parsed(text, path, "a domain of libvirt")
    faults: list[str] = []
    kind = root.find("os/type")
    if kind is not None and kind.get("arch", "aarch64") != "aarch64":
        faults.append(f"os/type: arch is {kind.get('arch')!a}, and aarch64 is needed")
    if root.get("type") != "kvm":
        faults.append(f"domain: type is {root.get('type')!a}, and kvm is needed")
    cpu = root.find("cpu")
    mode = cpu.get("mode", "custom") if cpu is not None else "none"
    if mode not in ("host-passthrough", "maximum"):
        faults.append(f"cpu: mode is {mode!a}; under KVM on Arm only host-passthrough gives a CPU")
    given = _given(root, faults)
    words = [
        one.get("value", "")
        for one in root.findall(f"{{{QEMU_NAMESPACE}}}commandline/{{{QEMU_NAMESPACE}}}arg")
    ]
    options = [words[i + 1] for i, word in enumerate(words[:-1]) if word == "-cpu"]
    board: dict[str, str] = {}
    for i, word in enumerate(words[:-1]):
        if word in ("-machine", "-M"):
            board |= dict(item.partition("=")[::2] for item in words[i + 1].split(","))
    request = recipe_of(options[-1] if options else ",".join(["host", *given]), catalogue, faults, board)
    if faults:
        raise BadDocument(path, tuple(faults), hint="an aarch64 KVM domain of libvirt was expected")
    return request


def _given(root: Element, faults: list[str]) -> list[str]:
    given = []
    if (pmu := root.find("features/pmu")) is not None:
        given.append(f"pmu={pmu.get('state', 'on')}")
    for one in root.findall("cpu/feature"):
        policy = one.get("policy", "require")
        if policy in _POLICIES:
            given.append(f"{one.get('name')}={_POLICIES[policy]}")
        elif policy != "optional":
            faults.append(f"cpu/feature {one.get('name')}: policy {policy!a} is none of libvirt's")
    return given


def _opens(text: str, tag: str) -> bool:
    rest = text.lstrip()
    while rest.startswith(("<?", "<!--")):
        end = "?>" if rest.startswith("<?") else "-->"
        rest = rest.partition(end)[2].lstrip()
    return rest.startswith((f"<{tag}>", f"<{tag} ", f"<{tag}\n", f"<{tag}/"))


def _parsed(text: str, path: str, what: str) -> Element:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise BadDocument(
            path, ("it declares a document type, which libvirt never writes",), hint=f"{what} was expected"
        )
    try:
        return fromstring(text)  # noqa: S314 - a text without declarations has no entities to expand
    except ParseError as exc:
        raise BadDocument(path, (f"no well-formed XML: {exc}",), hint=f"{what} was expected") from exc


def _bytes(size: str, unit: str, faults: list[str]) -> int:
    if not size.isdecimal() or unit not in _UNITS or not int(size):
        faults.append(f"host/cpu/pages: {size!a} {unit!a} is no size")
        return 1
    return int(size) * _UNITS[unit]
