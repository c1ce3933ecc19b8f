"""A host's profile in parts that many hosts share, each named by its digest, and the profile put together again.

- the **view**: its offers, shape by shape, which are most of it
- the **evidence**: all else that it says but its name: CPUs, facts, software, what stands around its vCPUs

A **kind** is a view with the evidence with which it was first seen. Hosts of one kind may have other evidence: another
VMM, another firmware. It changes no answer, and is kept with the observation.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from armlevel.documents.maps import ValuePool
from armlevel.documents.read import from_parsed
from armlevel.documents.write import HOST_KIND, canonical, digest, hex_text, host_object
from armlevel.errors import StoreError
from armlevel.fleet.values import Kind
from armlevel.profile import Host, kind_digest, view_digest

__all__ = ["Parts", "content_digest", "host_from", "packed", "parts_of", "unpacked"]

_OUTSIDE = ("kind", "name", "digest", "made", "offers")


@dataclass(frozen=True, slots=True)
class Parts:
    """A profile in parts: ``document`` is the digest of the whole."""

    document: str
    kind: Kind
    evidence: str
    body: Mapping[str, Any]
    offers: list[Any]


def packed(content: Any) -> bytes:
    """Return content as a column holds it: canonical JSON, compressed.

    >>> unpacked(packed({"b": 1, "a": [2]}))
    {'a': [2], 'b': 1}
    """
    return zlib.compress(canonical(content))


def unpacked(data: bytes) -> Any:
    """Return what a column holds; nothing may stand behind it.

    Raises:
        StoreError: it was damaged.

    """
    why = StoreError("a row of the fleet store is damaged", hint="armlevel fleet audit says which")
    stream = zlib.decompressobj()
    try:
        content = json.loads(stream.decompress(data))
    except (zlib.error, ValueError, TypeError) as exc:
        raise why from exc
    if not stream.eof or stream.unused_data:
        raise why
    return content


def content_digest(what: str, content: Any) -> str:
    """Return the digest of content, which begins with what it is: no content of one is ever taken for another."""
    return digest({"content": what, "of": content})


def parts_of(host: Host) -> Parts:
    """Take a profile apart."""
    document = host_object(host)
    body = {key: value for key, value in document.items() if key not in _OUTSIDE}
    facts, software = host.facts, host.software
    midrs = {cpu.implementation.midr for cpu in host.every_cpu}
    kind = Kind(
        digest=kind_digest(host),
        view=view_digest(host),
        midrs=tuple(sorted(hex_text(midr) for midr in midrs if midr is not None)),
        kernel=software.kernel,
        cntfrq_hz=facts.cntfrq_hz,
        dczid=facts.dczid,
        gmid=facts.gmid,
        page_size=facts.page_size,
        capabilities=content_digest("capabilities", dict(software.kvm_capabilities)),
    )
    return Parts(
        document["digest"], kind, content_digest("evidence", body), body, list(document.get("offers", []))
    )


def host_from(name: str, body: Mapping[str, Any], offers: list[Any], pool: ValuePool) -> Host:
    """Put a profile together, read as any other document is.

    Raises:
        BadDocument: the parts give none.

    """
    document = {"kind": HOST_KIND, "name": name, **body, "offers": offers}
    found = from_parsed(document, name, pool)
    assert isinstance(found, Host), "the kind of the document says so"
    return found
