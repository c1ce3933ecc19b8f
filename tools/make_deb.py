"""Build the Debian package of a host, dist/armlevel-agent_VERSION_all.deb: agent, guard, hook and units.

It needs dpkg-deb and nothing else of Debian. The same sources give the same bytes, for the same Pythons on
PATH (their bytecode is in the archives): every file has one date, root owns it, nothing is compressed in parallel.

    python tools/make_deb.py [-o DIRECTORY]
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from armlevel import __version__
from make_agent import build_agent
from make_guard import build_guard

__all__ = ["build_deb", "files_of", "main"]

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "packaging/debian"
UNITS = (
    "armlevel-prober.service",
    "armlevel-prober.timer",
    "armlevel-sender.service",
    "armlevel-sender.timer",
)
SCRIPTS = ("postinst", "prerm", "postrm")
HOOK = ROOT / "src/armlevel/onefile/qemu-hook.sh"
#: 1980-01-01, which is the first day of a zip, too.
DATE = 315_532_800
_CHANGELOG = """\
armlevel-agent ({version}) unstable; urgency=medium

  * Built from the sources of armlevel {version}.

 -- the authors of armlevel <noreply@armlevel.dev>  Tue, 01 Jan 1980 00:00:00 +0000
"""


def files_of() -> dict[str, tuple[bytes, int]]:
    """Return what the package installs: path -> bytes and mode."""
    version = _version()
    files = {f"usr/lib/systemd/system/{unit}": (_read(unit), 0o644) for unit in UNITS}
    files["usr/lib/sysusers.d/armlevel-agent.conf"] = (_read("sysusers.conf"), 0o644)
    files["usr/share/python3/runtime.d/armlevel-agent.rtupdate"] = (_read("rtupdate"), 0o755)
    docs = "usr/share/doc/armlevel-agent"
    files[f"{docs}/copyright"] = (_read("copyright"), 0o644)
    changelog = gzip.compress(_CHANGELOG.format(version=version).encode(), 9, mtime=0)
    files[f"{docs}/changelog.gz"] = (changelog, 0o644)
    with tempfile.TemporaryDirectory() as folder:
        agent = Path(folder, "armlevel-agent.pyz")
        build_agent(agent)
        files["usr/lib/armlevel/armlevel-agent.pyz"] = (agent.read_bytes(), 0o755)
        build_guard(agent)
        files["usr/lib/armlevel/armlevel-guard.pyz"] = (agent.read_bytes(), 0o755)
    if HOOK.exists():
        files["usr/lib/armlevel/qemu-hook.sh"] = (HOOK.read_bytes(), 0o755)
    return files


def build_deb(folder: Path) -> Path:
    """Build the package whole or not at all; return its file."""
    files = files_of()
    with tempfile.TemporaryDirectory(dir=folder, prefix=".deb-") as temporary:
        tree = Path(temporary, "tree")
        _lay_out(tree, files)
        target = Path(temporary, f"armlevel-agent_{_version()}_all.deb")
        words = ["dpkg-deb", "--build", "--root-owner-group", "--uniform-compression", "-Zxz"]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(DATE), "DPKG_DEB_THREADS_MAX": "1"}
        subprocess.run(
            [*words, str(tree), str(target)], check=True, env=environment, stdout=subprocess.DEVNULL
        )
        return target.replace(folder / target.name)


def _lay_out(tree: Path, files: Mapping[str, tuple[bytes, int]]) -> None:
    size = sum(len(data) for data, _ in files.values()) // 1024 + 1
    sums = "".join(
        f"{hashlib.md5(data, usedforsecurity=False).hexdigest()}  {path}\n"
        for path, (data, _) in sorted(files.items())
    )
    control = _read("control").decode().replace("@VERSION@", _version()).replace("@SIZE@", str(size))
    every = {
        **files,
        "DEBIAN/control": (control.encode(), 0o644),
        "DEBIAN/md5sums": (sums.encode(), 0o644),
        **{f"DEBIAN/{script}": (_read(script), 0o755) for script in SCRIPTS},
    }
    for name, (data, mode) in every.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(mode)
    for path in (tree, *sorted(tree.rglob("*"), reverse=True)):
        if path.is_dir():
            path.chmod(0o755)
        os.utime(path, (DATE, DATE))


def _version() -> str:
    # What comes before a release sorts before it.
    return __version__.replace(".dev", "~dev").replace("rc", "~rc")


def _read(name: str) -> bytes:
    return (SOURCE / name).read_bytes()


def main() -> int:
    """Build it and say what it holds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "dist")
    given = parser.parse_args()
    if shutil.which("dpkg-deb") is None:
        print("make_deb: there is no dpkg-deb here; on Debian or Ubuntu it is part of dpkg", file=sys.stderr)
        return 1
    given.output.mkdir(parents=True, exist_ok=True)
    made = build_deb(given.output)
    print(f"{made}: {made.stat().st_size // 1024} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
