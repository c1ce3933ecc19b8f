"""Node labels for a guest CPU, and a virtual machine that wants them: Node Feature Discovery, Kubernetes, KubeVirt.

A label's key names the guest CPU by its digest; its value says whether a guest may ``start`` there (and arrive) or only
``arrive``. A node without the label is not known to be able to. The labels are under a prefix of our own: those of
kubevirt.io and kubernetes.io mean what their owners say. Sources: kubernetes.io "Labels and Selectors", Node Feature
Discovery "Local feature source", KubeVirt "Live migration" and "Node assignment".
"""

from __future__ import annotations

import re
from typing import Any

from armlevel.errors import UsageError
from armlevel.formats.export_result import ExportResult, Gap, unsaid
from armlevel.formats.yaml_text import yaml_lines

__all__ = ["FORMS", "PREFIX", "affinity", "export", "feature_file", "label_key", "label_value", "labels"]

FORMS = {
    "affinity": "the part of a KubeVirt VirtualMachine that wants such a node",
    "features": "a node's feature file",
}
#: A label prefix is a DNS name; this one claims nobody's.
PREFIX = "armlevel"

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_SHORT = 32  # hexadecimal digits of a digest: a label has no room for 64
_KUBEVIRT = """\
# KubeVirt on arm64 gives a guest the host's CPU (model host-passthrough) and
# cannot be told of ID registers. With this affinity it keeps the VM on nodes
# that can have this guest CPU. To give the guest that CPU, QEMU must be started
# through armlevel run (a hook sidecar can set the emulator of the domain);
# without that, use it for nodes that are equal as they are."""


def label_key(digest: str) -> str:
    """Return the key that names a guest CPU.

    >>> label_key("sha256:" + "ab" * 32)
    'armlevel/cpu-abababababababababababababababab'
    """
    return f"{PREFIX}/cpu-{_digits(digest)}"


def _digits(digest: str) -> str:
    digits = digest.rpartition(":")[2].lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise UsageError(f"{digest!r} is no SHA-256 digest")
    return digits[:_SHORT]


def label_value(text: str) -> str:
    """Return text as a label's value may be: at most 63 letters, digits, ``-_.``, letter or digit at both ends.

    >>> label_value("V1 & V2 / common"), label_value("-")
    ('V1-V2-common', '')
    """
    return re.sub(r"[^A-Za-z0-9_.]+", "-", text)[:63].strip("-_.")


def labels(digest: str, name: str, *, start: bool, arrive: bool) -> dict[str, str]:
    """Return the labels of a node for one guest CPU; none if it cannot even arrive there.

    A guest that may start where it could not arrive would never come back.
    """
    if not arrive:
        return {}
    key = label_key(digest)
    found = {key: "start" if start else "arrive", f"{key}.name": label_value(name)}
    bad = [one for one in found if not _NAME.fullmatch(one.partition("/")[2])]
    if bad:
        raise UsageError(f"{bad[0]} is no name of a label")
    return found


def feature_file(digest: str, name: str, host: str, *, start: str, arrive: str) -> ExportResult:
    """Return a local feature file of Node Feature Discovery, for the directory features.d of one node.

    ``start`` and ``arrive`` are answers; only ``runs`` makes a label.
    """
    lines = [f"# {ascii(host)[1:-1]} and the guest CPU {ascii(name)[1:-1]}, {digest}"]
    found = labels(digest, name, start=start == "runs", arrive=arrive == "runs")
    lines += [f"{key}={value}" for key, value in found.items()]
    return ExportResult("\n".join([*lines, *unsaid(start, arrive, "label")]) + "\n")


def affinity(digest: str, *answers: str) -> dict[str, Any]:
    """Return an ``affinity`` object: only nodes whose label says one of ``answers``."""
    expression = {"key": label_key(digest), "operator": "In", "values": list(answers or ("start",))}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


def export(digest: str, name: str) -> ExportResult:
    """Return what to merge into a VirtualMachine: it starts, and arrives, only on nodes where it may start."""
    spec = {"affinity": affinity(digest), "domain": {"cpu": {"model": "host-passthrough"}}}
    body = {"spec": {"template": {"spec": spec}}}
    head = [f"# Guest CPU {ascii(name)[1:-1]}, {digest}", _KUBEVIRT]
    # KubeVirt gives the guest the CPU of whatever node it is on.
    gap = Gap("ID registers", "as in the profile", ways=("run",), certain=False)
    return ExportResult("\n".join([*head, *yaml_lines(body)]) + "\n", (gap,))
