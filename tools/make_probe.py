"""Build the one-file probe, dist/armlevel-probe.pyz: the rooms it needs, what it tries, and bytecode.

Bytecode is for the Pythons found on PATH, 3.10 and newer; any other newer Python runs the source, which is in there.

    python tools/make_probe.py [-o dist/armlevel-probe.pyz]
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from armlevel.lab import pack_collector

DEFAULT = Path(__file__).parent.parent / "dist" / "armlevel-probe.pyz"
VERSIONS = [f"3.{minor}" for minor in range(10, 16)]

# Every file carries the same date, so that the same sources make the same bytes.
DATE = (1980, 1, 1, 0, 0, 0)

# A zip holds one bytecode file beside each source, and a Python takes it only if it is its own. So each version has
# its own tree in the archive, and this chooses: that of the running Python, else the sources.
MAIN = """\
import sys
if sys.version_info < (3, 10):
    sys.exit("armlevel-probe needs Python 3.10 or newer; this is " + sys.version.split()[0])
archive = __file__.rpartition("/")[0] if "/" in __file__ else sys.path[0]
for tree in (sys.implementation.cache_tag, "source"):
    if tree in TREES:
        sys.path.insert(0, archive + "/" + tree)
        break
from armlevel.onefile.collector import main
sys.exit(main())
"""


def sources(pack: Callable[[], Mapping[str, bytes]] = pack_collector) -> dict[str, str]:
    """Return path -> text of everything that travels: what the lab sends into its hosts, without the door."""
    packed = pack()
    return {path: packed[path].decode() for path in sorted(packed) if "/" in path}


_COMPILE = """
import compileall, sys
sys.exit(not compileall.compile_dir(sys.argv[1], quiet=2, legacy=True, ddir="armlevel",
         invalidation_mode=__import__("py_compile").PycInvalidationMode.UNCHECKED_HASH, optimize=1))
"""


def bytecode(python: str, texts: dict[str, str]) -> dict[str, bytes]:
    """Compile everything with one Python; path -> bytecode."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in texts.items():
            file = Path(folder) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        subprocess.run([python, "-I", "-c", _COMPILE, folder], check=True)
        return {
            file.relative_to(folder).as_posix(): file.read_bytes()
            for file in sorted(Path(folder).rglob("*.pyc"))
        }


def pythons() -> dict[str, str]:
    """Return cache tag -> interpreter, for each version that is on PATH and works, this one included."""
    found: dict[str, str] = {}
    for python in [sys.executable, *filter(None, (shutil.which(f"python{version}") for version in VERSIONS))]:
        done = subprocess.run(
            [python, "-I", "-c", "import sys; print(sys.implementation.cache_tag)"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            found.setdefault(done.stdout.strip(), python)
    return dict(sorted(found.items()))


def build(
    target: Path,
    texts: dict[str, str] | None = None,
    main: str = MAIN,
    doors: Sequence[str] = ("__main__.py",),
) -> list[str]:
    """Write the archive of ``texts`` (the probe's) whole or not at all; return the bytecodes it has.

    ``main`` is what it starts with, behind its list of trees, by whatever of ``doors`` it is started.
    """
    texts = sources() if texts is None else texts
    trees = {tag: bytecode(python, texts) for tag, python in pythons().items()}
    content = io.BytesIO(b"#!/usr/bin/env python3\n")
    content.seek(0, io.SEEK_END)
    with zipfile.ZipFile(content, "a") as archive:

        def add(name: str, data: str | bytes) -> None:
            archive.writestr(zipfile.ZipInfo(name, DATE), data, zipfile.ZIP_DEFLATED)

        for door in doors:
            add(door, f"TREES = {(*trees, 'source')!r}\n{main}")
        for tag, files in trees.items():
            for name, data in files.items():
                add(f"{tag}/{name}", data)
        for name, text in texts.items():
            add(f"source/{name}", text)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".armlevel-", dir=target.parent)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content.getvalue())
    Path(name).chmod(0o755)
    Path(name).replace(target)
    return list(trees)


def chore(
    words: str | None, default: Path, make: Callable[[Path], list[str]], *, others: str = "any newer Python"
) -> int:
    """Build an archive where the command line says, and say what it holds; ``others`` run its source."""
    parser = argparse.ArgumentParser(description=words.splitlines()[0] if words else None)
    parser.add_argument("-o", "--output", type=Path, default=default)
    target = parser.parse_args().output
    tags = make(target)
    print(
        f"{target}: {target.stat().st_size // 1024} KiB; bytecode for {', '.join(tags)}, source for {others}"
    )
    return 0


def main() -> int:
    """Build it and say what it holds."""
    return chore(__doc__, DEFAULT, build)


if __name__ == "__main__":
    sys.exit(main())
