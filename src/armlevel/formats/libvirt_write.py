"""A domain of libvirt that has a guest profile's CPU, as far as libvirt can say it.

libvirt knows on Arm: host-passthrough, the features ``sve``, ``sve128`` to ``sve2048`` and ``pauth``, the PMU and the
interrupt controller. The rest is QEMU's own options (``qemu:commandline``, where the later ``-cpu`` wins), or an
emulator that is a wrapper around QEMU. Sources: libvirt docs/formatdomain.rst, src/cpu_map/arm_features.xml,
src/qemu/qemu_command.c.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from xml.etree.ElementTree import Element, SubElement, indent, register_namespace, tostring

from armlevel.arch import Catalogue
from armlevel.formats.export_result import ExportResult, Gap
from armlevel.formats.libvirt_confine import CONFINEMENTS
from armlevel.formats.qemu_write import Options, left_by
from armlevel.profile import Guest, Host

__all__ = ["FORMS", "QEMU_NAMESPACE", "WRAPPER", "domain", "export", "wrapper"]

#: form -> what it is
FORMS = {
    "cpu": "a domain that says what libvirt itself can say",
    "commandline": "the same, and the rest as QEMU options in qemu:commandline",
    "wrapper": "the same, with a wrapper as its emulator",
    "wrapper-script": "that wrapper",
    "apparmor": "an abstraction of AppArmor for the domains that have it",
    "selinux": "a module of SELinux, in CIL",
}
QEMU_NAMESPACE = "http://libvirt.org/schemas/domain/qemu/1.0"
#: Where the wrapper form expects the wrapper.
WRAPPER = "/usr/local/bin/qemu-armlevel"

_POLICY = {"on": "require", "off": "disable"}
# -cpu options that libvirt's domain has no word for.
_UNSAID = ("aarch64", "kvm-steal-time", "kvm-psci-version")


def export(
    guest: Guest, options: Options, catalogue: Catalogue, *, form: str = "cpu", host: Host | None = None
) -> ExportResult:
    """Return a complete small domain in one of the :data:`FORMS`; memory and devices are for its owner to add."""
    if form == "wrapper-script":
        return ExportResult(wrapper(guest.name))
    if form in CONFINEMENTS:
        return ExportResult(CONFINEMENTS[form])
    said = {key: value for key, value in options.cpu.items() if _is_said(key)}
    spoken = options if form == "commandline" else replace(options, cpu=said)
    left = left_by(guest, spoken, catalogue, host)
    if form != "commandline":
        left = (*(_unsaid(key, options.cpu[key]) for key in options.cpu if key in _UNSAID), *left)
    left = (*(_of_board(key, options.board[key]) for key in _board(options, form)), *left)
    if form == "wrapper":
        left = tuple(one for one in left if "run" not in one.ways)
    root = domain(guest, options, form)
    indent(root)
    return ExportResult(tostring(root, encoding="unicode") + "\n", left)


def domain(guest: Guest, options: Options, form: str) -> Element:
    """Return the domain element."""
    register_namespace("qemu", QEMU_NAMESPACE)
    root = Element("domain", {"type": "kvm"})
    SubElement(root, "name").text = _name(guest.name)
    _memory(root, guest)
    given = guest.machine
    SubElement(root, "vcpu").text = str((given.vcpus if given is not None else None) or 1)
    os = SubElement(root, "os")
    SubElement(os, "type", {"arch": "aarch64", "machine": options.machine}).text = "hvm"
    features = SubElement(root, "features")
    if "gic-version" in options.board:
        SubElement(features, "gic", {"version": options.board["gic-version"]})
    SubElement(features, "pmu", {"state": options.cpu["pmu"]})
    cpu = SubElement(root, "cpu", {"mode": "host-passthrough", "check": "none"})
    if root.find("maxMemory") is not None and given is not None:
        # libvirt plugs memory into a domain that has NUMA cells.
        place = {"id": "0", "cpus": f"0-{(given.vcpus or 1) - 1}", "memory": str(given.memory), "unit": "b"}
        SubElement(SubElement(cpu, "numa"), "cell", place)
    for key, value in options.cpu.items():
        if key != "pmu" and _is_said(key):
            SubElement(cpu, "feature", {"policy": _POLICY[value], "name": key})
    if form == "wrapper":
        SubElement(SubElement(root, "devices"), "emulator").text = WRAPPER
    if form == "commandline":
        line = SubElement(root, f"{{{QEMU_NAMESPACE}}}commandline")
        words = ["-cpu", options.cpu_option]
        extra = [f"{key}={value}" for key, value in options.board.items() if key != "gic-version"]
        for word in [*words, *(("-machine", ",".join(extra)) if extra else ())]:
            SubElement(line, f"{{{QEMU_NAMESPACE}}}arg", {"value": word})
    return root


def _memory(root: Element, guest: Guest) -> None:
    given = guest.machine
    if given is None or given.memory is None:
        SubElement(root, "memory", {"unit": "GiB"}).text = "1"
        return
    if given.maxmem is not None and given.maxmem != given.memory:
        most = SubElement(root, "maxMemory", {"slots": str(given.slots or 0), "unit": "b"})
        most.text = str(given.maxmem)
    SubElement(root, "memory", {"unit": "b"}).text = str(given.memory)


def wrapper(name: str) -> str:
    """Return the script that libvirt starts in QEMU's place: it has armlevel start QEMU with the profile."""
    return f"""\
#!/bin/sh
# What libvirt starts in the place of QEMU: armlevel gives the guest the CPU of a
# profile, then becomes QEMU. A QEMU that is only asked something is left alone.
# {ascii(name)[1:-1]}
GUEST=${{ARMLEVEL_GUEST:-{shlex.quote(f"/etc/armlevel/{_name(name)}.json")}}}
HOST=${{ARMLEVEL_HOST:-/run/armlevel/host.json}}
QEMU=${{ARMLEVEL_QEMU:-/usr/bin/qemu-system-aarch64}}
set -- -- "$QEMU" "$@"
[ ! -e "$HOST" ] || set -- --host "$HOST" "$@"
exec armlevel run --guest "$GUEST" "$@"
"""


def _is_said(key: str) -> bool:
    return key not in _UNSAID and not key.startswith("SYSREG_")


def _unsaid(key: str, value: str) -> Gap:
    return Gap(f"-cpu {key}", value, ways=("commandline", "run"), certain=key != "kvm-steal-time")


def _of_board(key: str, value: str) -> Gap:
    return Gap(f"machine.{key}", value, {"on": "off", "off": "on"}.get(value, ""), ("commandline",))


def _board(options: Options, form: str) -> list[str]:
    return [] if form == "commandline" else [key for key in options.board if key != "gic-version"]


def _name(name: str) -> str:
    """Return a name that libvirt and a file system both take.

    >>> _name("V1 & V2/common"), _name("...")
    ('V1-V2-common', 'guest')
    """
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.")[:60] or "guest"
