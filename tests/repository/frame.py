"""Where the frame's files are, read once for the tests beside this file."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def rooms() -> set[str]:
    """The rooms that exist: every package and module right under ``armlevel``, as dotted names."""
    return {
        f"armlevel.{path.stem}"
        for path in (SOURCE / "armlevel").iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists()) and not path.stem.startswith("__")
    }


def make_variable(name: str) -> list[str]:
    """What the Makefile's variable ``name`` expands to here."""
    done = subprocess.run(
        ["make", "--no-print-directory", "-C", str(ROOT), "--eval", f"say-it: ; @echo $({name})", "say-it"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()
