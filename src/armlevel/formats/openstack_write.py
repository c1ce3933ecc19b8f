"""Traits for a guest CPU: a provider.yaml for a compute node, and a flavor that wants them.

Placement knows custom traits by ``CUSTOM_`` and at most 255 of A-Z, 0-9 and ``_`` in all. One says that a guest may
start on the node, one that it may arrive. Sources: OpenStack nova "Managing Resource Providers Using Config Files",
"Flavors" (extra specs ``trait:``, ``hw:pmu``), os-traits.
"""

from __future__ import annotations

import re

from armlevel.errors import UsageError
from armlevel.formats.export_result import ExportResult, Gap, unsaid
from armlevel.formats.yaml_text import yaml_lines
from armlevel.profile import Guest

__all__ = ["FORMS", "flavor", "provider", "trait"]

FORMS = {"flavor": "extra specs of a flavor", "provider": "a compute node's provider.yaml"}
_LONGEST, _SHORT = 255, 32


def trait(digest: str, word: str) -> str:
    """Return the trait of a guest CPU; ``word`` is START or ARRIVE.

    >>> trait("sha256:" + "ab" * 32, "START")
    'CUSTOM_ARMLEVEL_START_ABABABABABABABABABABABABABABABAB'
    """
    name = f"CUSTOM_ARMLEVEL_{word}_{digest.rpartition(':')[2][:_SHORT].upper()}"
    if not re.fullmatch(r"CUSTOM_[A-Z0-9_]+", name) or len(name) > _LONGEST:
        raise UsageError(f"{name!r} is no name of a trait")
    return name


def provider(digest: str, name: str, host: str, *, start: str, arrive: str) -> ExportResult:
    """Return the provider.yaml of a compute node; ``start`` and ``arrive`` are answers, only ``runs`` makes a trait."""
    words = [word for word, answer in (("START", start), ("ARRIVE", arrive)) if answer == arrive == "runs"]
    lines = [f"# {ascii(host)[1:-1]} and the guest CPU {ascii(name)[1:-1]}, {digest}"]
    node = {
        "identification": {"uuid": "$COMPUTE_NODE"},
        "traits": {"additional": [trait(digest, word) for word in words]},
    }
    body = {"meta": {"schema_version": "1.0"}, "providers": [node]}
    if not words:
        body = {"meta": {"schema_version": "1.0"}}
    return ExportResult("\n".join([*lines, *unsaid(start, arrive, "trait"), *yaml_lines(body)]) + "\n")


def flavor(guest: Guest, digest: str) -> ExportResult:
    """Return a flavor's extra specs, one KEY=VALUE a line, as ``openstack flavor set --property`` takes them."""
    pmu = "true" if "pmu_v3" in guest.shape.features else "false"
    text = f"trait:{trait(digest, 'START')}=required\nhw:pmu={pmu}\n"
    # Nova gives the guest cpu_mode = host-passthrough of nova.conf, and has no words for the rest.
    shape = [Gap(f"shape.{name}", "off", ways=("run",), certain=False) for name in ("ptrauth", "sve")
             if name not in guest.shape.features]  # fmt: skip
    return ExportResult(
        text, (*shape, Gap("ID registers", "as in the profile", ways=("run",), certain=False))
    )
