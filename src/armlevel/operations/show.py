"""Documents, decoded: fields by name, features, cores, and what a guest of a profile should know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from armlevel.arch import features_of, load
from armlevel.documents import Document
from armlevel.engine import Finding, risks_of_profile
from armlevel.engine.clusters import Cluster, clusters_of
from armlevel.operations.answers import told_object
from armlevel.operations.given import given_kernel, with_release
from armlevel.profile import Guest, Host, Implementation

__all__ = ["Cluster", "ShowResult", "Shown", "first_limits", "show"]


@dataclass(frozen=True, slots=True)
class Shown:
    """One document with its decoded registers: of a host, those of its first offer.

    ``fields``    REG.FIELD -> (value, its name, empty if it has none);  ``features``  FEAT_ name -> shown or not
    ``clusters``  of a host with CPUs of several kinds: each kind
    ``risks``     of a guest: what changes no answer, and a person should know
    """

    what: Document
    registers: Mapping[str, int]
    fields: Mapping[str, tuple[int, str]]
    features: Mapping[str, bool | None]
    risks: tuple[Finding, ...] = ()
    clusters: tuple[Cluster, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the document and what it decodes to."""
        said: dict[str, Any] = {"document": told_object(self.what)}
        if isinstance(self.what, Host):
            said["cores"] = [_core_object(cpu.implementation) for cpu in self.what.cpus]
            if self.clusters:
                said["clusters"] = [_cluster_object(one, self.what.name) for one in self.clusters]
        if isinstance(self.what, Host | Guest):
            said["fields"] = {
                subject: {"value": value, "name": name} for subject, (value, name) in self.fields.items()
            }
            said["features"] = dict(self.features)
        return said


@dataclass(frozen=True, slots=True)
class ShowResult:
    """Every document that was named, decoded."""

    kind: ClassVar[str] = "show/1"

    shown: tuple[Shown, ...]

    @property
    def status(self) -> int:
        """The exit status: 0."""
        return 0

    def document(self) -> dict[str, Any]:
        """Return the show/1 object: one shape, for one document and for many."""
        return {"kind": self.kind, "shown": [one.document() for one in self.shown]}


def show(documents: Iterable[Document], kernel: str = "") -> ShowResult:
    """Decode documents: hosts, guests and verdicts; ``kernel`` is the release of hosts of which none is recorded.

    Raises:
        UsageError: ``kernel`` is no release, or of a host another one is recorded.

    """
    release = given_kernel("--kernel", kernel) if kernel else ""
    return ShowResult(
        tuple(
            _shown(with_release(one, release, "--kernel") if release and isinstance(one, Host) else one)
            for one in documents
        )
    )


def first_limits(host: Host) -> Mapping[str, int]:
    """Return the registers that a host's first shape shows; nothing if it offers none."""
    offer = host.offer(host.shapes[0]) if host.shapes else None
    return offer.limits if offer is not None else {}


def _shown(what: Document) -> Shown:
    catalogue = load()
    if not isinstance(what, Host | Guest):
        return Shown(what, {}, {}, {})
    registers = first_limits(what) if isinstance(what, Host) else what.id_registers
    fields = {
        field.subject: (field.get(value), field.values.get(field.get(value), ""))
        for name, value in registers.items()
        if name in catalogue.registers
        for field in catalogue.registers[name].fields
    }
    risks = tuple(risks_of_profile(what, catalogue)) if isinstance(what, Guest) else ()
    clusters = clusters_of(what, catalogue) if isinstance(what, Host) else ()
    return Shown(what, registers, fields, features_of(catalogue, registers), risks, clusters)


def _cluster_object(one: Cluster, host: str) -> dict[str, Any]:
    return {"name": f"{host}/{one.name}", "count": one.cpu.count, "numbers": list(one.cpu.numbers)}


def _core_object(one: Implementation) -> dict[str, Any]:
    if one.part is None:
        return {"implementer": None, "name": None, "part": None, "revision": None}
    who, number = one.part
    part = load().parts.get(one.part)
    return {
        "implementer": load().implementers.get(who),
        "name": part.name if part is not None else None,
        "part": number,
        "revision": one.revision,
    }
