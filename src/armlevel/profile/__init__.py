"""What is, and what is wanted: vCPU shapes, what a host offers, what a guest is, and its implementation.

Frozen values without behaviour beyond reading themselves. The engine compares them, the probe and the
importers make them, ``documents`` writes them down.
"""

from armlevel.profile.accepts import Accepts, Outcome, whole_register
from armlevel.profile.birth import KNOWN, Birth
from armlevel.profile.digests import kind_digest, view_digest
from armlevel.profile.guest import Guest
from armlevel.profile.guest_machine import GuestMachine
from armlevel.profile.host import FACT_REGISTERS, Cpu, Facts, Host, Made, Offer, Software
from armlevel.profile.implementation import (
    IMPLEMENTATION_REGISTERS,
    Implementation,
    ShownImplementation,
    alike,
)
from armlevel.profile.lineage import Given, Origin
from armlevel.profile.machine import HostMachine, TriedField
from armlevel.profile.policy import Policy
from armlevel.profile.settings import RegisterWrite, VcpuSettings
from armlevel.profile.shape import SHAPE_FEATURES, Shape

__all__ = [
    "FACT_REGISTERS",
    "IMPLEMENTATION_REGISTERS",
    "KNOWN",
    "SHAPE_FEATURES",
    "Accepts",
    "Birth",
    "Cpu",
    "Facts",
    "Given",
    "Guest",
    "GuestMachine",
    "Host",
    "HostMachine",
    "Implementation",
    "Made",
    "Offer",
    "Origin",
    "Outcome",
    "Policy",
    "RegisterWrite",
    "Shape",
    "ShownImplementation",
    "Software",
    "TriedField",
    "VcpuSettings",
    "alike",
    "kind_digest",
    "view_digest",
    "whole_register",
]
