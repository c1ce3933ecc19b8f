"""A plain JSON object of register names and hexadecimal values: ``{"ID_AA64PFR0_EL1": "0x1100000011111111", ...}``."""

from __future__ import annotations

from typing import Any

from armlevel.arch import Catalogue
from armlevel.errors import BadDocument, UnknownName
from armlevel.formats.recorded import recorded_cpus, recorded_offers
from armlevel.formats.text import number
from armlevel.kvm import id_of
from armlevel.profile import Host, Made

__all__ = ["looks", "read"]


def looks(document: dict[str, Any]) -> bool:
    """Whether most keys are names of registers, and the values texts."""
    named = [key for key in document if _id(key) is not None and isinstance(document[key], str)]
    return bool(named) and 2 * len(named) >= len(document)


def read(document: dict[str, Any], path: str, name: str, catalogue: Catalogue) -> Host:
    """Read a map of registers; which kernel or which vCPU shape it was taken with is not said.

    Raises:
        BadDocument: it has faults, all of which are listed.

    """
    faults: list[str] = []
    values: dict[int, int] = {}
    for key, given in document.items():
        register = _id(key)
        if register is None:
            faults.append(f"{key}: no register is called so")
            continue
        if register in values:
            faults.append(f"{key}: the same register stands twice")
        values[register] = number(given, 16, key, faults, 64)
    if faults:
        raise BadDocument(
            path, tuple(faults), hint="a map of register names to hexadecimal values was expected"
        )
    offers = recorded_offers(values, catalogue)
    return Host(name, offers, recorded_cpus(offers), made=Made(source="map of register values"))


def _id(key: str) -> int | None:
    try:
        return id_of(key)
    except UnknownName:
        return None
