"""What makes two hosts the same: digests of what they are, not of which objects hold it.

Three digests name a host, each by its content:

- **view**: what its KVM offers, shape by shape. A guest sees no more of a host.
- **kind**: the view, the implementations of its CPUs, the facts that KVM cannot change, what it offers around the vCPU,
  its kernel and the capabilities of its KVM. Hosts of one kind get the same answer to every question, so one of them is
  asked for all.
- **document**: all that its profile says, name included (:func:`armlevel.documents.digest`).

Who made a document and when is in none of them. Equal values have equal digests in every process and on every Python.
Offers are compared as they were recorded: the same offer written as differences from another one has another digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from armlevel.profile.accepts import Accepts
    from armlevel.profile.host import Host, Offer
    from armlevel.profile.implementation import Implementation

__all__ = ["Digested", "kind_digest", "view_digest"]


class Digested:
    """A frozen value that computes its digest when it is first asked for, and keeps it as long as it lives.

    The digest is no field of the value: it takes no part in comparing, copying or pickling.
    """

    __slots__ = ("_digest",)
    _digest: str

    def digest_once(self, make: Callable[[], str]) -> str:
        """Return the digest, made by ``make`` unless it was made before."""
        try:
            return self._digest
        except AttributeError:
            object.__setattr__(self, "_digest", make())
        return self._digest


def view_digest(host: Host) -> str:
    """Return the digest of what a host's KVM offers.

    >>> from armlevel.profile import Host, Made, Offer, Shape
    >>> one = Host("a", (Offer(Shape(), limits={"CTR_EL0": 1, "CLIDR_EL1": 2}),))
    >>> two = Host("b", (Offer(Shape(), limits={"CLIDR_EL1": 2, "CTR_EL0": 1}),), made=Made("armlevel"))
    >>> view_digest(one) == view_digest(two)
    True
    """
    return _digest("view/1", [offer.digest_once(partial(_offer_digest, offer)) for offer in host.offers])


def kind_digest(host: Host) -> str:
    """Return the digest that hosts of one kind share.

    >>> from armlevel.profile import Host, Software
    >>> one, two = Host("a"), Host("b", software=Software("6.12"))
    >>> view_digest(one) == view_digest(two), kind_digest(one) == kind_digest(two)
    (True, False)
    """
    facts, software = host.facts, host.software
    cores = {_numbers(cpu.implementation) for cpu in host.cpus}
    others = {_numbers(cpu.implementation) for cpu in host.other_cpus}
    counters = {
        (*_numbers(cpu.implementation), cpu.cntfrq_hz) for cpu in host.every_cpu if cpu.cntfrq_hz is not None
    }
    partly = {
        "hwcaps": host.hwcaps,
        "other_cpus": sorted(map(list, others), key=repr),
        "numbers": [cpu.numbers for cpu in host.cpus if cpu.numbers],
        "counters": sorted(map(list, counters), key=repr),
        "machine": None if host.machine is None else host.machine.content(),
        "accelerator": None if host.accelerator == "kvm" else host.accelerator,
    }
    # What is not recorded leaves no trace, so that a host has the digest that it always had.
    return _digest(
        "kind/1",
        [
            view_digest(host),
            sorted(map(list, cores), key=repr),
            [facts.cntfrq_hz, facts.dczid, facts.gmid, facts.page_size],
            software.kernel or "",  # as it always was
            dict(software.kvm_capabilities),
            *({key: value} for key, value in partly.items() if value not in (None, [])),
        ],
    )


def _numbers(one: Implementation) -> tuple[int | None, ...]:
    return one.midr, one.revidr, one.aidr


def _offer_digest(offer: Offer) -> str:
    shape = offer.shape
    return _digest(
        "offer/1",
        [
            [sorted(shape.features), shape.imp_id_writable],
            [offer.how, offer.default, offer.like],
            dict(offer.limits),
            {subject: _answers(accepts) for subject, accepts in offer.accepts.items()},
            [offer.register_list, offer.register_list_without],
            [dict(offer.firmware), dict(offer.state), offer.sve_vls, dict(offer.pmu)],
            dict(offer.changed_by_kvm),
            {lowered: dict(seen) for lowered, seen in offer.side_effects.items()},
        ],
    )


def _answers(accepts: Accepts) -> list[Any]:
    values = None if accepts.values is None else sorted(accepts.values)
    return [values, accepts.changed, sorted(accepts.unsure), accepts.others, accepts.how or ""]


def _digest(kind: str, content: list[Any]) -> str:
    # What is digested begins with its kind and version, so that no content of one is ever taken for another.
    text = json.dumps([kind, content], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return "sha256:" + hashlib.sha256(text.encode("ascii")).hexdigest()
