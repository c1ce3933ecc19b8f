"""Where the lab takes its parts from, when the machine's own apt is not to decide."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from armlevel.errors import LabError
from armlevel.lab.apt import system_sources
from armlevel.lab.sources import debian_mirror
from armlevel.lab.store import default_root

__all__ = ["LabSettings", "codename"]

_KEYRINGS = tuple(
    Path("/usr/share/keyrings") / name
    for name in ("debian-archive-keyring.gpg", "debian-archive-keyring.pgp")
)
_ELSEWHERE = "name one with --mirror and --keyring, or ARMLEVEL_LAB_MIRROR and ARMLEVEL_LAB_KEYRING"


@dataclass(frozen=True, slots=True)
class LabSettings:
    """Cache directory, Debian mirror, keyring and QEMU; an empty string lets the machine's configuration decide."""

    cache: Path
    mirror: str = ""
    keyring: str = ""
    qemu: str = ""

    @classmethod
    def of(
        cls, environ: Mapping[str, str], *, mirror: str = "", keyring: str = "", qemu: str = ""
    ) -> LabSettings:
        """Take each setting from the options, else from the environment.

        >>> LabSettings.of(
        ...     {"HOME": "/home/a", "ARMLEVEL_LAB_QEMU": "/opt/qemu"}, mirror="http://a.example/debian"
        ... ).qemu
        '/opt/qemu'
        """
        return cls(
            default_root(environ),
            mirror or environ.get("ARMLEVEL_LAB_MIRROR", ""),
            keyring or environ.get("ARMLEVEL_LAB_KEYRING", ""),
            qemu or environ.get("ARMLEVEL_LAB_QEMU", ""),
        )

    def find_mirror(self) -> str:
        """Return the address of Debian's archive: the one named, else the one the system's apt uses."""
        mirror = self.mirror or debian_mirror(system_sources())
        if not mirror:
            raise LabError("this machine's apt is not configured with a Debian mirror", hint=_ELSEWHERE)
        return mirror

    def find_keyring(self) -> Path:
        """Return the keyring that the archive must be signed with; what is not signed so is refused."""
        candidates = (Path(self.keyring).absolute(),) if self.keyring else _KEYRINGS
        for path in candidates:
            if path.is_file():
                return path
        missing = f"there is no keyring {candidates[0]}"
        raise LabError(missing, hint="install debian-archive-keyring" if not self.keyring else _ELSEWHERE)


def codename() -> str:
    """Return the code name of this machine's Debian release; empty on anything else."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return ""
    return release.get("VERSION_CODENAME", "") if release.get("ID") == "debian" else ""
