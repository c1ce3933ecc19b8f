"""A copy of this machine that is thrown away: what is written to it lies in memory, and ends with the last process."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def copy_of_this_machine(folder: Path) -> tuple[Path, Path]:
    """Return where a copy is made, and a directory that is /mnt in it; skip where there can be none."""
    for name in ("dpkg-deb", "apt-get", "unshare"):
        if shutil.which(name) is None:
            pytest.skip(f"there is no {name} here: the role is for Debian and its like")
    if os.geteuid():
        pytest.skip("a copy of this machine can be made by root alone")
    place, shared = folder / "place", folder / "shared"
    place.mkdir()
    shared.mkdir()
    if (tried := run_in_a_copy(place, shared, "true")).returncode:
        pytest.skip(f"no copy of this machine can be made here: {tried.stderr.strip()}")
    return place, shared


def run_in_a_copy(place: Path, shared: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run a shell command in a copy of this machine; ``shared`` is /mnt there."""
    script = f"""
set -e
mount -t tmpfs tmpfs {place}
mkdir {place}/new {place}/work {place}/root
mount -t overlay overlay -o lowerdir=/,upperdir={place}/new,workdir={place}/work {place}/root
mount --rbind /dev {place}/root/dev
mount -t proc proc {place}/root/proc
mount --bind {shared} {place}/root/mnt
printf '#!/bin/sh\\nexit 101\\n' > {place}/root/usr/sbin/policy-rc.d
chmod 755 {place}/root/usr/sbin/policy-rc.d
exec chroot {place}/root sh -ec "$1"
"""
    words = ["unshare", "--mount", "--pid", "--fork", "sh", "-c", script, "sh", command]
    return subprocess.run(words, capture_output=True, text=True, timeout=900)
