"""Profiles as JSON: objects, their canonical bytes, their digest, and text for files.

Standard library only, so that the collector can carry it to any host.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from armlevel.profile import (
    Accepts,
    Cpu,
    Facts,
    Given,
    Guest,
    GuestMachine,
    Host,
    HostMachine,
    Implementation,
    Made,
    Offer,
    Origin,
    Policy,
    Shape,
    ShownImplementation,
    Software,
)

__all__ = [
    "GUEST_KIND",
    "HOST_KIND",
    "canonical",
    "digest",
    "digest_fault",
    "guest_object",
    "hex_text",
    "host_object",
    "implementation_object",
    "lineage_object",
    "policy_object",
    "pretty",
]

HOST_KIND = "host-profile/1"
GUEST_KIND = "guest-profile/1"

_WIDTH = 110
# What a terminal obeys or a person does not see, and JSON lets stand: controls, what has no width, what turns the
# direction of writing round (Unicode 16.0: Cc, Cf, Zl, Zp).
_UNSEEN = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
# Left out when there is nothing to say; an empty list of registers or vector lengths does say something.
_SILENT = (
    "software",
    "cpus",
    "other_cpus",
    "possible",
    "facts",
    "firmware",
    "starts_on",
    "tolerates",
    "unknown",
)


def canonical(document: Mapping[str, Any]) -> bytes:
    """Return the canonical bytes of a document, which are those of RFC 8785: keys are ASCII and numbers integers.

    >>> canonical({"b": [1, 2], "a": "0x01"})
    b'{"a":"0x01","b":[1,2]}'
    """
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(document: Mapping[str, Any]) -> str:
    """Return ``sha256:<hex>`` of what a document says: without who made it when, and without its digest.

    >>> digest({"kind": "x/1", "made": {"at": "today"}}) == digest({"kind": "x/1"})
    True
    """
    said = {key: value for key, value in document.items() if key not in ("digest", "made")}
    return "sha256:" + hashlib.sha256(canonical(said)).hexdigest()


def digest_fault(document: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the digest that a document carries; None if it is right, or there is none."""
    said = document.get("digest")
    if said is None or said == (found := digest(document)):
        return None
    return f"digest: is {said}, but the content gives {found}"


def host_object(host: Host) -> dict[str, Any]:
    """Return the host-profile/1 document of a host, its digest included."""
    body = {
        "software": _software(host.software),
        "cpus": [_cpu(cpu) for cpu in host.cpus],
        "other_cpus": [_cpu(cpu) for cpu in host.other_cpus],
        **({} if host.hwcaps is None else {"hwcaps": list(host.hwcaps)}),
        "facts": _facts(host.facts),
        **({} if host.machine is None else {"machine": _machine(host.machine)}),
        **({} if host.accelerator == "kvm" else {"accelerator": host.accelerator}),
        "offers": [_offer(offer) for offer in host.offers],
    }
    return _document(HOST_KIND, host.name, host.made, body)


def guest_object(guest: Guest) -> dict[str, Any]:
    """Return the guest-profile/1 document of a guest, its digest included."""
    body: dict[str, Any] = {"shape": _shape(guest.shape), "registers": _hex_values(guest.registers)}
    if guest.register_list is not None:
        body["register_list"] = [hex_text(register) for register in guest.register_list]
    body["firmware"] = _hex_values(guest.firmware)
    if guest.sve_vls is not None:
        body["sve_vls"] = list(guest.sve_vls)
    if guest.pmu_counters is not None:
        body["pmu_counters"] = guest.pmu_counters
    body["facts"] = _facts(guest.facts)
    if guest.implementation is not None:
        body["implementation"] = _shown(guest.implementation)
    body["possible"] = {name: list(map(hex_text, sorted(some))) for name, some in guest.possible.items()}
    body["starts_on"] = list(guest.starts_on)
    body["tolerates"] = list(guest.tolerates)
    if guest.machine is not None:
        body["machine"] = _guest_machine(guest.machine)
    body["unknown"] = list(guest.unknown)
    return _document(GUEST_KIND, guest.name, guest.made, body)


def _document(kind: str, name: str, made: Made, body: dict[str, Any]) -> dict[str, Any]:
    said = {key: value for key, value in body.items() if value or key not in _SILENT}
    document: dict[str, Any] = {
        "kind": kind,
        "name": name,
        "digest": digest({"kind": kind, "name": name, **said}),
    }
    made_by = _texts(tool=made.tool, catalogue=made.catalogue, at=made.at, source=made.source)
    if made_by := made_by | lineage_object(made.hosts, made.policy, made.given):
        document["made"] = made_by
    return document | said


def lineage_object(hosts: Iterable[Origin], policy: Policy | None, given: Iterable[Given]) -> dict[str, Any]:
    """Return where a guest comes from: its hosts, a person's choices, and the facts that were given."""
    said: dict[str, Any] = {"hosts": [_texts(name=one.name, digest=one.digest) for one in hosts]}
    said["given"] = [{"host": one.host, "fact": one.fact, "value": one.value} for one in given]
    said = {key: some for key, some in said.items() if some}
    return said if policy is None else said | {"policy": policy_object(policy)}


def policy_object(policy: Policy) -> dict[str, Any]:
    """Return the choices of a policy that were made."""
    shown = policy.implementation
    said: dict[str, Any] = {
        "without": sorted(policy.without),
        "hide": list(policy.hide),
        "require": list(policy.require),
        "pins": _hex_values(policy.pins),
        "implementation": {} if shown is None else implementation_object(shown),
        "also_targets": [implementation_object(one) for one in policy.also_targets],
        "tolerate": list(policy.tolerate),
        "assume_same_impdef": policy.assume_same_impdef,
        "accept_weaker_mitigation": policy.accept_weaker_mitigation,
    }
    return {key: choice for key, choice in said.items() if choice}


def hex_text(value: int) -> str:
    """Return a register's value as documents hold it: 16 hex digits, 32 where it is wider than 64 bits."""
    return f"{value:#034x}" if value >> 64 else f"{value:#018x}"


def _hex_values(values: Mapping[str, int]) -> dict[str, str]:
    return {name: hex_text(value) for name, value in values.items()}


def _texts(**texts: str | None) -> dict[str, Any]:
    return {key: text for key, text in texts.items() if text}


def _software(software: Software) -> dict[str, Any]:
    document = _texts(kernel=software.kernel)
    if software.kvm_capabilities:
        document["kvm_capabilities"] = dict(software.kvm_capabilities)
    if software.vmms:
        document["vmms"] = dict(software.vmms)
    document |= _texts(firmware=software.firmware)
    if software.boot_options:
        document["boot_options"] = list(software.boot_options)
    if software.vulnerabilities:
        document["vulnerabilities"] = dict(software.vulnerabilities)
    return document


def implementation_object(implementation: Implementation) -> dict[str, Any]:
    """Return what an implementation calls itself; a number that is not recorded is left out."""
    numbers = {"midr": implementation.midr, "revidr": implementation.revidr, "aidr": implementation.aidr}
    return {name: hex_text(number) for name, number in numbers.items() if number is not None}


def _cpu(cpu: Cpu) -> dict[str, Any]:
    said: dict[str, Any] = implementation_object(cpu.implementation)
    if cpu.count is not None:
        said["count"] = cpu.count
    if cpu.numbers:
        said["numbers"] = list(cpu.numbers)
    if cpu.cntfrq_hz is not None:
        said["cntfrq_hz"] = cpu.cntfrq_hz
    return said


def _machine(machine: HostMachine) -> dict[str, Any]:
    said = machine.content()
    registers = {name: hex_text(said[name]) for name in ("ich_vtr", "gicd_typer2") if name in said}
    return said | registers


def _guest_machine(machine: GuestMachine) -> dict[str, Any]:
    said = machine.content()
    if machine.windows is not None:
        said["windows"] = _hex_values(machine.windows)
    return said if machine.ich_vtr is None else {**said, "ich_vtr": hex_text(machine.ich_vtr)}


def _shown(implementation: ShownImplementation) -> dict[str, Any]:
    targets = [implementation_object(target) for target in implementation.targets]
    return implementation_object(implementation.shown) | {"targets": targets}


def _facts(facts: Facts) -> dict[str, Any]:
    known: dict[str, Any] = {
        "cntfrq_hz": facts.cntfrq_hz,
        "dczid": facts.dczid,
        "gmid": facts.gmid,
        "page_size": facts.page_size,
    }
    known = {name: value for name, value in known.items() if value is not None}
    return known | ({"sources": dict(facts.sources)} if facts.sources else {})


def _shape(shape: Shape) -> dict[str, Any]:
    return {"features": sorted(shape.features), "imp_id_writable": shape.imp_id_writable}


def _accepts(accepts: Accepts) -> Any:
    if accepts.plain:
        return sorted(accepts.values or ())
    said: dict[str, Any] = {"any": True} if accepts.values is None else {"values": sorted(accepts.values)}
    if accepts.changed:
        said["changed"] = {str(asked): kept for asked, kept in accepts.changed}
    if accepts.unsure:
        said["unsure"] = sorted(accepts.unsure)
    if accepts.others != "refused":
        said["others"] = accepts.others
    return said | _texts(how=accepts.how)


def _offer(offer: Offer) -> dict[str, Any]:
    said: dict[str, Any] = {"shape": _shape(offer.shape), "how": offer.how, "default": offer.default}
    if offer.like is not None:
        said["like"] = offer.like
    return said | _identity(offer) | _noticed(offer)


def _identity(offer: Offer) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if offer.limits:
        said["limits"] = _hex_values(offer.limits)
    if offer.accepts:
        said["accepts"] = {subject: _accepts(accepts) for subject, accepts in offer.accepts.items()}
    if offer.register_list is not None:
        said["register_list"] = [hex_text(register) for register in offer.register_list]
    if offer.register_list_without:
        said["register_list_without"] = [hex_text(register) for register in offer.register_list_without]
    if offer.firmware:
        said["firmware"] = _hex_values(offer.firmware)
    if offer.state:
        said["state"] = _hex_values(offer.state)
    return said


def _noticed(offer: Offer) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if offer.sve_vls is not None:
        said["sve_vls"] = list(offer.sve_vls)
    if offer.pmu:
        said["pmu"] = dict(offer.pmu)
    if offer.changed_by_kvm:
        said["changed_by_kvm"] = _hex_values(offer.changed_by_kvm)
    if offer.side_effects:
        said["side_effects"] = {lowered: dict(seen) for lowered, seen in offer.side_effects.items()}
    return said


def pretty(document: Any) -> str:
    """Return a document as text for a file: stable, in the document's own order, short things on one line.

    >>> print(pretty({"name": "a", "list": [1, 2]}), end="")
    {"name": "a", "list": [1, 2]}
    """
    return _UNSEEN.sub(_written_out, "".join(_lay(document, 0))) + "\n"


def _written_out(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1]


def _lay(value: Any, depth: int) -> Iterable[str]:
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value or len(flat) + depth <= _WIDTH:
        yield flat
        return
    pad = " " * (depth + 1)
    if isinstance(value, dict):
        pairs = [(f"{json.dumps(key, ensure_ascii=False)}: ", item) for key, item in value.items()]
        yield "{"
        for index, (key, item) in enumerate(pairs):
            yield f"{',' if index else ''}\n{pad}{key}"
            yield from _lay(item, depth + 1 + (len(key) if not isinstance(item, dict | list) else 0))
        yield f"\n{' ' * depth}}}"
        return
    yield "["
    column = _WIDTH
    for index, item in enumerate(value):
        text = "".join(_lay(item, depth + 1))
        comma = "," if index else ""
        if isinstance(item, dict | list) or column + len(text) + 2 > _WIDTH:
            yield f"{comma}\n{pad}{text}"
            column = depth + 1 + len(text)
        else:
            yield f"{comma} {text}"
            column += len(text) + 2
    yield f"\n{' ' * depth}]"
