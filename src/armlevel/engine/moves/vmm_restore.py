"""How a VMM restores register lists and values, and the words it prints when it cannot."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

from armlevel.arch import Catalogue, Vmm, release_numbers
from armlevel.engine.findings import Finding, Remedy
from armlevel.engine.names import Message, Name
from armlevel.engine.parts.register_list import NOT_SHOWN, why_of
from armlevel.engine.reasons import Reason
from armlevel.engine.subjects import about_register
from armlevel.engine.values import State, offered
from armlevel.errors import UnknownName
from armlevel.kvm import group_of, name_of
from armlevel.kvm.messages import qemu_name_of

__all__ = [
    "Lists",
    "Restorer",
    "is_let",
    "judge_hidden",
    "judge_lists",
    "judge_refusals",
    "restorer_named",
]

# What Debian adds to QEMU's own number; its builds were measured and behave as released.
_RELEASE = re.compile(r"(\d+(?:\.\d+)*)(?:[+~\s].*debian.*|[+](?:ds|dfsg).*)?", re.IGNORECASE)
_LAST = 99
_FILLED = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Restorer:
    """The VMM of a destination, as it was named: one set of behaviour, or several that it may have.

    ``machines`` are the machine types that source and destination take by default, where they are known to differ.
    """

    name: str
    family: str
    sets: tuple[Vmm, ...]
    machines: tuple[str, str] | None = None

    @property
    def known(self) -> bool:
        """Whether its behaviour is known."""
        return len(self.sets) == 1


def restorer_named(text: str, catalogue: Catalogue) -> Restorer:
    """Return what restores a guest: ``kvm``, a set by name, ``qemu-11.1``, ``qemu`` (any), or ``SOURCE:DESTINATION``.

    Of two, the destination decides. A version suggests a set; a build that its distribution numbered in a way that
    we do not know may behave as any set of its family.

    Raises:
        UnknownName: no VMM that we know is called so.

    >>> from armlevel.arch import load
    >>> [row.name for row in restorer_named("qemu-10.0:qemu-11.1.3", load()).sets]
    ['qemu-tolerant']
    >>> restorer_named("qemu-10.1.0-15.el10", load()).known
    False

    """
    here, _, name = text.strip().lower().rpartition(":")
    if here:
        restorer_named(here, catalogue)
    if name in catalogue.vmms:
        return Restorer(name, catalogue.vmms[name].family, (catalogue.vmms[name],))
    family, _, version = name.partition("-")
    sets = tuple(row for row in catalogue.vmms.values() if row.family == family)
    if not sets or (version and not (version[0].isdigit() and any(row.suggests for row in sets))):
        raise UnknownName("VMM we know", text, _near(name, catalogue))
    if (found := _RELEASE.fullmatch(version)) is not None:
        number = release_numbers(found[1])
        if number[0] > _newest(sets) + 1:
            raise UnknownName("VMM we know", text, tuple(row.typed for row in sets))
        # A major version alone may be the first or the last of its minor ones.
        maybe = [number[:2]] if len(number) > 1 else [(*number, 0), (*number, _LAST)]
        suggested = [[row for row in sets if row.is_suggested_by(family, one)] for one in maybe]
        # A release that no row speaks of may behave as any.
        sets = (
            tuple(row for row in sets if any(row in some for some in suggested)) if all(suggested) else sets
        )
    return Restorer(name, family, sets, _machines(here, name) if here else None)


def _newest(sets: Iterable[Vmm]) -> int:
    return max((before[0] for row in sets for _, _, before in row.suggests if before), default=_LAST)


def _near(name: str, catalogue: Catalogue) -> tuple[str, ...]:
    typed = tuple(dict.fromkeys(row.typed for row in catalogue.vmms.values()))
    return tuple(get_close_matches(name, typed, cutoff=0.7)) or typed


def _machines(source: str, target: str) -> tuple[str, str] | None:
    # Each QEMU release has a machine type of its own, which is the default.
    found = [re.match(r"qemu-(\d+\.\d+)", name) for name in (source, target)]
    one, other = (f"virt-{match[1]}" if match else "" for match in found)
    return (one, other) if one and other and one != other else None


@dataclass(frozen=True, slots=True)
class Lists:
    """Two register lists as a VMM compares them.

    ``sent`` and ``listed`` are how many there are of the kind it counts; ``only_source`` and ``only_target`` those that
    one side alone has, by id.
    """

    sent: int
    listed: int
    only_source: tuple[int, ...]
    only_target: tuple[int, ...]

    @classmethod
    def of(cls, source: Iterable[int], target: Iterable[int], vmm: Vmm) -> Lists:
        """Compare two lists of KVM ids; QEMU moves core and vector registers apart, by their number."""
        apart = ("core", "sve") if vmm.family == "qemu" else ()
        ours = {one for one in source if group_of(one) not in apart}
        theirs = {one for one in target if group_of(one) not in apart}
        return cls(len(ours), len(theirs), tuple(sorted(ours - theirs)), tuple(sorted(theirs - ours)))

    def too_long(self, vmm: Vmm) -> bool:
        """Whether the number of registers alone ends the migration."""
        return vmm.list == "length" and self.sent > self.listed


def judge_lists(
    lists: Lists, vmm: Vmm, hosts: tuple[str, str], values: Mapping[str, int], catalogue: Catalogue
) -> list[Finding]:
    """Return what a VMM makes of registers that one side alone has; ``values`` are the source's, by name."""
    findings = []
    event = "longer" if lists.too_long(vmm) else "unlisted"
    for register in lists.only_source:
        name = name_of(register)
        let = is_let(name, "source", vmm, values, catalogue)
        texts = {"sent": str(lists.sent), "listed": str(lists.listed), "register": qemu_name_of(register)}
        findings.append(
            Finding(
                about_register(name),
                "list",
                "note" if let else "stops",
                needs=(State("carried"),),
                offers=offered((hosts[0], State("listed")), (hosts[1], State("not-listed"))),
                cause="kernel",
                applies=("arrive",),
                because=(why_of(register, catalogue),),
                remedies=() if let else _remedies(vmm, name, values, catalogue),
                messages=() if let else _messages(vmm, event, texts),
            )
        )
    for register in lists.only_target if "missing" in vmm.messages else ():
        name = name_of(register)
        if not is_let(name, "target", vmm, values, catalogue):
            findings.append(
                Finding(
                    about_register(name),
                    "list",
                    "note",
                    offers=offered((hosts[1], State("listed")), (hosts[0], State("not-listed"))),
                    cause="kernel",
                    applies=("arrive",),
                    because=(Reason("fresh-value-kept"),),
                    messages=_messages(vmm, "missing", {"register": qemu_name_of(register)}),
                )
            )
    return findings


def _messages(vmm: Vmm, event: str, texts: Mapping[str, str]) -> tuple[Message, ...]:
    # A line that says what is not recorded is not foretold: it would give a value that nobody read.
    return tuple(
        Message(text.format(**texts))
        for text in vmm.messages.get(event, ())
        if texts.keys() >= {*_FILLED.findall(text)}
    )


def is_let(name: str, end: str, vmm: Vmm, values: Mapping[str, int], catalogue: Catalogue) -> bool:
    """Whether a VMM forgives a register that one end alone has; ``values`` are the source's, by name."""
    return vmm.list == "tolerant" and any(
        vmm.name in row.vmms
        and row.register == name
        and row.end in (end, "either")
        and (row.value is None or values.get(name) == row.value)
        for row in catalogue.lets
    )


def _remedies(vmm: Vmm, name: str, values: Mapping[str, int], catalogue: Catalogue) -> tuple[Remedy, ...]:
    better = [
        other
        for other in catalogue.vmms.values()
        if other.family == vmm.family
        and other.list == "tolerant"
        and is_let(name, "source", other, values, catalogue)
    ]
    run = Remedy("run" if vmm.family == "qemu" else "level")
    versions = [
        Remedy("vmm", (Name(family), *since)) for other in better for family, since, _ in other.suggests
    ]
    return (versions[0], run) if vmm.list == "length" and versions else (run,)


def judge_hidden(
    hidden: Mapping[int, bool], sent: Collection[int], host: str, vmm: Vmm
) -> list[tuple[int, Finding]]:
    """Return registers that a fresh vCPU of the destination has and that KVM hides once the guest's values are in.

    ``hidden`` is what :func:`armlevel.engine.parts.register_list.hidden_ids` says of the destination, ``sent`` the
    source's list.
    """
    # What it prints of a value that it cannot read was not measured.
    messages = _messages(vmm, "refused", {})
    return [
        (
            kvm_id,
            Finding(
                about_register(name_of(kvm_id)),
                "registers",
                "stops" if sure else "unknown",
                needs=(State("carried"),),
                offers=offered((host, State("hidden"))),
                cause="kernel",
                applies=("arrive",),
                because=(NOT_SHOWN,),
                messages=messages if sure else (),
            ),
        )
        for kvm_id, sure in sorted(hidden.items())
        if kvm_id in sent
    ]


def judge_refusals(
    findings: Iterable[Finding],
    vmm: Vmm,
    sent: Mapping[str, int],
    own: Mapping[str, int],
    ids: Mapping[str, int],
) -> list[tuple[int | None, Finding]]:
    """Return findings of registers and firmware with the VMM's message, and the id of the register each is about.

    The id is None where the source sends no such register. ``own`` are the destination's values, as far as recorded.
    """
    told = []
    for finding in findings:
        register = finding.subject.register
        kvm_id = ids.get(register)
        messages: tuple[Message, ...] = ()
        if finding.severity == "stops" and kvm_id is not None:
            values = {"value": sent.get(register), "own": own.get(register)}
            texts = {key: f"{value:x}" for key, value in values.items() if value is not None}
            messages = _messages(vmm, "refused", texts | {"register": qemu_name_of(kvm_id)})
        told.append((kvm_id, replace(finding, messages=messages)))
    return told
