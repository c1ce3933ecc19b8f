"""A frozen guest profile: one CPU under a name and a version, with where it came from, as exact bytes.

frozen-profile/1 is written as its canonical bytes (RFC 8785) and one line break, and its digest covers all of it. So
every other text is refused, even one that means the same: a file that one bit was flipped in is never read. Signed,
these bytes travel in a DSSE envelope (:mod:`armlevel.documents.signing`).

A frozen profile must carry its digest, which covers its name, its version and where it came from as well: it is an ABI.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from armlevel.documents.items import shown
from armlevel.documents.maps import Faults, ValuePool
from armlevel.documents.names import frozen_called
from armlevel.documents.read import parse
from armlevel.documents.structure import FROZEN, FROZEN_KIND
from armlevel.documents.values import guest_of, lineage_of
from armlevel.documents.write import canonical, digest, guest_object, lineage_object
from armlevel.errors import BadDocument
from armlevel.profile import Given, Guest, Made, Origin, Policy

__all__ = ["FROZEN_KIND", "Frozen", "Lineage", "Origin", "freeze", "frozen_bytes", "read_frozen"]

_CHANGED = "a frozen profile is exact bytes: take the file again from where it was published"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Where a frozen profile came from.

    ``hosts``    the hosts it was levelled for;  ``source``  what the profile itself says of that
    ``policy``   a person's choices that made it, None if they are not recorded;  ``given``  facts that a person gave
    ``parent``   digest of the profile it replaces, None of a first version
    ``catalogue``, ``tool``, ``at``  facts, program and time (UTC) that made it
    """

    hosts: tuple[Origin, ...] = ()
    source: str | None = None
    policy: Policy | None = None
    given: tuple[Given, ...] = ()
    catalogue: str | None = None
    tool: str | None = None
    at: str | None = None
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Frozen:
    """A guest CPU that never changes; ``digest`` names it, ``guest`` is called after name and version."""

    name: str
    version: str
    guest: Guest
    lineage: Lineage
    digest: str


def freeze(
    guest: Guest, name: str, version: str, hosts: Sequence[Origin] = (), parent: str | None = None
) -> Frozen:
    """Freeze a guest profile; the lineage is what the profile records, and ``hosts`` and ``parent``.

    Raises:
        UsageError: the name or the version is none.

    >>> from armlevel.profile import Shape
    >>> one = freeze(Guest("g", Shape(), {"ID_AA64PFR0_EL1": 17}), "web", "1")
    >>> one.guest.name, one.digest == read_frozen(frozen_bytes(one), "web-1.json", None).digest
    ('web-1', True)
    """
    called, made = frozen_called(name, version), guest.made
    lineage = Lineage(
        hosts=tuple(hosts) or made.hosts or tuple(Origin(one) for one in guest.starts_on),
        source=made.source,
        policy=made.policy,
        given=made.given,
        catalogue=made.catalogue,
        tool=made.tool,
        at=made.at,
        parent=parent,
    )
    frozen = Frozen(name, version, replace(guest, name=called), lineage, "")
    return replace(frozen, digest=digest(_object(frozen)))


def frozen_bytes(frozen: Frozen) -> bytes:
    """Return the exact bytes of a frozen profile."""
    return canonical({**_object(frozen), "digest": frozen.digest}) + b"\n"


def read_frozen(data: bytes, path: str, pool: ValuePool | None) -> Frozen:
    """Read a frozen profile that is not in an envelope.

    Raises:
        BadDocument: one bit of it is not as it was frozen, or it has other faults.

    """
    document = parse(data, path)
    if not isinstance(document, dict) or document.get("kind") != FROZEN_KIND:
        raise BadDocument(path, (f"kind: a {FROZEN_KIND} is needed here",))
    said, found = document.get("digest"), digest(document)
    if said != found:
        fault = f"digest: is {shown(said, 80)}, but the content gives {found}"
        raise BadDocument(path, (fault,), hint=_CHANGED)
    if data != canonical(document) + b"\n":
        raise BadDocument(path, ("the bytes are not those that were frozen",), hint=_CHANGED)
    if not FROZEN.fits(document):
        from armlevel.documents.validated import faults_of

        raise BadDocument(path, faults_of(FROZEN_KIND, document, FROZEN))
    faults = Faults()
    if pool is None:
        from armlevel.arch import load

        pool = ValuePool(load())
    guest = guest_of(document["guest"], pool, faults)
    if document["guest"].get("digest") != digest(document["guest"]):
        faults.add("guest.digest", "is not that of the guest")
    name, version = document["name"], document["version"]
    if guest.name != f"{name}-{version}":
        faults.add("guest.name", f"is {shown(guest.name)}, and not that of the name and the version")
    if faults:
        raise BadDocument(path, tuple(faults))
    line = document["lineage"]
    texts = {key: line.get(key) or None for key in ("source", "catalogue", "tool", "at", "parent")}
    hosts, policy, given = lineage_of(line)
    lineage = Lineage(hosts=hosts, policy=policy, given=given, **texts)
    made = Made(lineage.tool, lineage.catalogue, lineage.at, lineage.source, hosts, policy, given)
    return Frozen(name, version, replace(guest, made=made), lineage, found)


def _object(frozen: Frozen) -> dict[str, Any]:
    line = frozen.lineage
    lineage: dict[str, Any] = {"hosts": [], **lineage_object(line.hosts, line.policy, line.given)}
    texts = {key: getattr(line, key) for key in ("source", "catalogue", "tool", "at", "parent")}
    lineage |= {key: text for key, text in texts.items() if text}
    # The guest keeps what `made` says in the lineage, once.
    guest = {key: value for key, value in guest_object(frozen.guest).items() if key != "made"}
    return {
        "kind": FROZEN_KIND,
        "name": frozen.name,
        "version": frozen.version,
        "guest": guest,
        "lineage": lineage,
    }
