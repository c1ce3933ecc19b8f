"""What trying a guest CPU on a host found, in words: for libvirt's hook, the terminal, and a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

__all__ = ["ADVICE", "SENTENCES", "advice_of", "sentence_of"]

#: Code -> a clause; {subject}, {guest} and {host} are filled in.
SENTENCES: Mapping[str, str] = {
    "around": "{subject}: the guest has {guest}, and here there is {host}",
    "changed": "KVM here takes {subject} {guest} and shows {host} instead",
    "changed-at-first-run": "KVM here makes {host} of {subject} {guest} before the guest runs",
    "clock-differs": "the guest's clock counts at {guest} Hz, and here it would at {host} Hz",
    "core-not-known": "{subject}: it is not known whether a core like those here signed the guest's pointers",
    "counters-fewer": "the guest was told of {guest} event counters, and here there are {host}",
    "cpus-differ": "{subject}: the CPUs here are of several kinds",
    "fact-differs": "the guest read {guest} from {subject} when it booted, and here it would read {host}",
    "feature-missing": "a guest with {subject} cannot be made here",
    "kvm-failed": "{subject}: {host}",
    "kvm-newer": "the guest may have {subject}, which no row knows",
    "level-weaker": "the guest was told {subject} {guest}, and this host is protected as {host}",
    "lengths-differ": "the guest has vector lengths of {guest} bits, and here there are {host}",
    "list-lacks": "the guest's state has {subject}, which is not listed here",
    "list-let": "the guest's state has {subject}, which is not listed here, and the VMM forgives that",
    "no-such-guest": "the packed guest CPU {guest}",
    "not-recorded": "{subject} is not recorded",
    "other-core": "another core ({guest}) signed the guest's pointers than would check them here ({host})",
    "refused": "the guest has {subject} {guest}, and KVM here refuses that (it has {host})",
    "refused-together": "the guest has {subject} {guest}, and KVM here (it has {host}) refuses it, if no field alone",
    "tolerated": "{subject} is {guest} in the guest and {host} here, and may differ",
    "unknown-packing": "the packed guest CPU is of version {guest}, which is not read here",
    "will-not-run": "KVM here does not run such a guest ({host})",
}

#: What a person can do; each is true wherever it is told.
ADVICE: Mapping[str, str] = {
    "elsewhere": "move it to another host",
    "probe": "probe both hosts, and ask `armlevel check`",
    "restart": "move it to another host, or shut it down and start it on this one",
}


class _Found(Protocol):
    @property
    def code(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def guest(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def remedy(self) -> str: ...


def sentence_of(found: _Found) -> str:
    """Return a finding as a clause; one of a newer program as what it holds."""
    pattern = SENTENCES.get(found.code, "{subject}: {guest} here {host}")
    return pattern.format(
        subject=found.subject, guest=found.guest or "nothing recorded", host=found.host or "nothing"
    )


def advice_of(found: _Found) -> str:
    """Return what a person can do about it; nothing where nothing is to be done."""
    return ADVICE.get(found.remedy, "")
