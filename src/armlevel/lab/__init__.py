"""Emulated Arm hosts with real KVM: stock Debian kernels under QEMU, with EL2, on any machine.

>>> from armlevel.lab import parse_host
>>> parse_host("neoverse-n2@6.12").qemu_cpu
'neoverse-n2'
"""

from __future__ import annotations

from armlevel.lab.collector import pack_collector, pack_guard, pack_verifier, read_collector
from armlevel.lab.hosts import MODELS, EmulatedHost, Model, parse_host
from armlevel.lab.jobs import Job, Result
from armlevel.lab.laboratory import KernelState, Laboratory, LabProbe
from armlevel.lab.lines import LINES, KernelLine
from armlevel.lab.machine import PATIENCE
from armlevel.lab.settings import LabSettings

__all__ = [
    "LINES",
    "MODELS",
    "PATIENCE",
    "EmulatedHost",
    "Job",
    "KernelLine",
    "KernelState",
    "LabProbe",
    "LabSettings",
    "Laboratory",
    "Model",
    "Result",
    "pack_collector",
    "pack_guard",
    "pack_verifier",
    "parse_host",
    "read_collector",
]
