"""Level the CPUs of an Arm fleet, so that a virtual machine can move between hosts that are not the same."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
