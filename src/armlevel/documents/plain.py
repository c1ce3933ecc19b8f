"""Host and guest profiles read with the standard library alone, for programs that travel as one file.

The structure is held against the tables of :mod:`armlevel.documents.structure`, and the values are built by
:mod:`armlevel.documents.values`, as everywhere. What differs are the words for a fault, and the names of registers and
fields, which are taken as they are spelled: the catalogue stays at home.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from armlevel.documents.items import WrongError
from armlevel.documents.maps import Faults, ValuePool
from armlevel.documents.specs import Record
from armlevel.documents.structure import GUEST, HOST
from armlevel.documents.values import guest_of, host_of
from armlevel.documents.write import digest_fault
from armlevel.errors import BadDocument
from armlevel.profile import Guest, Host

__all__ = ["NO_NAMES", "plain_guest", "plain_host"]


class _NoNames:
    registers: Mapping[str, object] = {}
    fields: Mapping[str, Any] = {}


#: No register and no field is known by name.
NO_NAMES = _NoNames()


def plain_host(data: bytes, path: str) -> Host:
    """Read a host profile.

    Raises:
        BadDocument: it has faults, all of which are listed.

    """
    faults = Faults()
    document = _checked(data, path, HOST, faults)
    host = host_of(document, ValuePool(NO_NAMES), faults)
    _refuse(path, faults)
    return host


def plain_guest(data: bytes, path: str) -> Guest:
    """Read a guest profile; raises as :func:`plain_host` does."""
    faults = Faults()
    document = _checked(data, path, GUEST, faults)
    guest = guest_of(document, ValuePool(NO_NAMES), faults)
    _refuse(path, faults)
    return guest


def _checked(data: bytes, path: str, spec: Record, faults: Faults) -> dict[str, Any]:
    try:
        document = json.loads(data.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except (WrongError, ValueError, RecursionError) as exc:
        raise BadDocument(path, (f"no JSON: {exc}",)) from exc
    if not spec.fits(document):
        spec.blame(document, "", faults)
        assert faults, "what does not fit has a fault"
    _refuse(path, faults)
    if (fault := digest_fault(document)) is not None:
        raise BadDocument(path, (fault,), hint="it was changed after it was made")
    return dict(document)


def _refuse(path: str, faults: Faults) -> None:
    if faults:
        raise BadDocument(path, tuple(faults))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise WrongError("a key stands twice in one object")
    return found


def _no_number(text: str) -> Any:
    raise WrongError(f"{text} is no number")
