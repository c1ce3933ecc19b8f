"""Whether Arm hosts can be emulated on this machine, found without fetching anything."""

from __future__ import annotations

import platform
import shutil

from armlevel.errors import LabError
from armlevel.lab.parts import ARCHES
from armlevel.lab.settings import LabSettings
from armlevel.operations.check_ups import CheckUp

__all__ = ["lab_check"]

_PROGRAMS = ("apt-get", "apt-config", "dpkg-deb")


def lab_check(settings: LabSettings) -> CheckUp:
    """Say whether the lab can make hosts here: its programs, Debian's archive and the keyring."""
    fault = _fault(settings)
    if fault:
        return CheckUp("lab", "not", "lab-fault", {"fault": fault})
    found = settings.cache / "found"
    parts = len(list(found.glob("*.json"))) if found.is_dir() else 0
    return CheckUp("lab", "ok", "lab-possible", {"parts": str(parts) if parts else "none"})


def _fault(settings: LabSettings) -> str:
    if platform.machine() not in ARCHES:
        return f"the lab runs on {' and '.join(ARCHES)}, and this is {platform.machine()}"
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)} is not on PATH"
    try:
        settings.find_mirror()
        settings.find_keyring()
    except LabError as exc:
        return str(exc)
    return ""
