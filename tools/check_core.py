"""Check that the core stands on the standard library alone, and on Python 3.10.

Every core module is compiled and imported by an interpreter that sees neither site-packages nor the environment: by the
one that runs this check, and by a Python 3.10 where one is on PATH (said in one line where none is).
Imports inside functions are held by the import contract and by mypy at 3.10, not here.

    python tools/check_core.py src/armlevel/errors.py src/armlevel/arch ...
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

OLDEST = (3, 10)
SOURCE = Path(__file__).parent.parent / "src"

# Runs inside the bare interpreter: argv holds the source directory, then the modules.
_TRY = """
import importlib, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
faults = []
for name in sys.argv[2:]:
    try:
        importlib.import_module(name)
    except Exception as exc:
        faults.append(f"{name}: {type(exc).__name__}: {exc}")
print(*faults, sep="\\n", end="")
sys.exit(bool(faults))
"""


def modules(paths: Iterable[Path], source: Path = SOURCE) -> Iterator[str]:
    """Name the modules in files and directories under ``source``."""
    for path in paths:
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            parts = file.resolve().relative_to(source.resolve()).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def faults(python: str, names: Iterable[str], source: Path = SOURCE) -> list[str]:
    """Import ``names`` with ``python``, standard library only; a line for each that fails."""
    done = subprocess.run(
        [python, "-I", "-S", "-c", _TRY, str(source), *names], capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return []
    return done.stdout.splitlines() or done.stderr.splitlines()[-1:] or [f"{python} exited {done.returncode}"]


def is_oldest(python: str) -> bool:
    """Whether ``python`` is there, works, and is the oldest one that the core promises to run on."""
    ask = f"import sys; sys.exit(sys.version_info[:2] != {OLDEST})"
    try:
        return subprocess.run([python, "-c", ask], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def main(paths: list[str]) -> int:
    """Check the core given as paths; 0 if it holds, 1 with a line for each module that does not."""
    names = list(modules(map(Path, paths)))
    oldest = f"python{OLDEST[0]}.{OLDEST[1]}"
    pythons = [sys.executable]
    if sys.version_info[:2] == OLDEST:
        note = ""
    elif is_oldest(oldest):
        pythons.append(oldest)
        note = f", on {oldest} too"
    else:
        note = f"; no {oldest} on PATH, so not run there (mypy and ruff judge it for 3.10 all the same)"
    found = [f"{Path(python).name}: {line}" for python in pythons for line in faults(python, names)]
    for line in found:
        print(line, file=sys.stderr)
    if not found:
        print(f"the core: {len(names)} modules import with nothing but the standard library{note}")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
