"""What `armlevel guard` says of a host: what was found, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["CODES", "found_text", "remedy_of"]

#: code -> what was found, and what to do about it (nothing where all is well).
CODES: Mapping[str, tuple[str, str]] = {
    "hook-whole": ("{path} is whole", ""),
    "hook-absent": ("{path} is not there", "armlevel guard install"),
    "hook-foreign": ("{path} is not armlevel's", "move it away, then: armlevel guard install"),
    "hook-cut": ("{path} is not whole", "armlevel guard install"),
    "hook-other": ("{path} is of another version", "armlevel guard install"),
    "hook-mode": ("{path} may not be run", "chmod 755 {path}"),
    "hook-open": ("{path} may be written by others than root", "chmod 755 {path}, and chown root {path}"),
    "archive-whole": ("{path} is whole", ""),
    "archive-absent": ("{path} is not there", "armlevel guard install"),
    "archive-damaged": ("{path} is not whole", "armlevel guard install"),
    "archive-open": ("{path} may be written by others than root", "chmod 644 {path}"),
    "archive-other": ("{path} is of another version", "armlevel guard install"),
    "python-runs": ("the hook's python3 runs it", ""),
    "python-fails": ("the hook's python3 does not run it: {why}", "install Python 3.10 or newer as python3"),
    "python-compiles": (
        "the hook's python3 runs it, and compiles it at each call: its bytecode is of another version",
        "python3 -I {path} bytecode",
    ),
    "python-elsewhere": ("not tried under {root}", "armlevel guard status, on the host itself"),
    "daemon-none": ("no libvirtd or virtqemud runs: it finds the hook when it starts", ""),
    "daemon-loaded": ("{name} (process {pid}) knows the hook", ""),
    "daemon-not-known": (
        "{name} (process {pid}) may not have looked for hooks since",
        "systemctl reload {name}",
    ),
    "daemon-contained": (
        "{name} (process {pid}) runs in a container and sees no file of this host: not supported",
        "put both files into its image, or guard it where guests are placed",
    ),
    "daemon-elsewhere": ("not looked for under {root}", "armlevel guard status, on the host itself"),
    "cache-none": ("no answers are kept yet: each guest is tried when it comes", ""),
    "cache-kept": ("answers are kept in {path}", ""),
    "cache-foreign": ("{path} is not root's alone, and is not believed", "rm {path}"),
}


def found_text(code: str, words: Mapping[str, str]) -> str:
    """Return what was found, as a person reads it.

    >>> found_text("daemon-loaded", {"name": "virtqemud", "pid": "7"})
    'virtqemud (process 7) knows the hook'
    """
    return CODES[code][0].format_map(words)


def remedy_of(code: str, words: Mapping[str, str]) -> str:
    """Return what to do about it; nothing where all is well."""
    return CODES[code][1].format_map(words)
