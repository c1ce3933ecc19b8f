"""libvirt by its own client: what virsh is asked, and what it says. Nothing else here talks to libvirt."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass

from armlevel.errors import UsageError

__all__ = ["Virsh"]

_PATIENCE = 60


@dataclass(frozen=True, slots=True)
class Virsh:
    """One connection; empty for virsh's own choice."""

    connect: str = ""
    program: str = "virsh"

    def ask(self, *words: str) -> str:
        """Return what virsh prints.

        Raises:
            UsageError: it is not there, or failed; with its own words.

        """
        status, out, err = self.run(*words)
        if status:
            said = [line.removeprefix("error: ").strip() for line in err.splitlines() if line.strip()]
            raise UsageError(f"{self.program} {words[0]}: {': '.join(said) or f'ended with {status}'}")
        return out

    def run(self, *words: str) -> tuple[int, str, str]:
        """Return virsh's exit status, what it prints, and what it says on standard error.

        Raises:
            UsageError: it is not there, or cannot be started.

        """
        command = [self.program, "--quiet", *(["--connect", self.connect] if self.connect else []), *words]
        try:
            done = subprocess.run(  # noqa: S603 - virsh, each word its own
                command,
                capture_output=True,
                text=True,
                check=False,
                timeout=_PATIENCE,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "LC_ALL": "C"},
            )
        except FileNotFoundError as exc:
            raise UsageError(
                f"there is no {self.program} on this machine",
                hint="install libvirt's clients, or go to the guest's host",
            ) from exc
        except (OSError, ValueError) as exc:
            raise UsageError(f"{self.program} cannot be started: {exc}") from exc
        except subprocess.TimeoutExpired:
            return 1, "", f"libvirt did not answer within {_PATIENCE} s"
        return done.returncode, done.stdout, done.stderr
