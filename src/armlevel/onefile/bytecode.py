"""Bytecode of the guard for the Python of its host: `python3 armlevel-guard.pyz bytecode`, which its package runs.

Python takes bytecode of its own version alone, and a host's Python may be newer than all that the archive was built
with: then each call of libvirt's hook would compile it anew. What is compiled here stands in a file of its own, named
for that version and for the very archive that it is of, so that no other is ever taken for it.
"""

from __future__ import annotations

import importlib.util
import io
import marshal
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from zipimport import zipimporter

from armlevel.documents.replace import replace_file
from armlevel.errors import ArmlevelError

__all__ = ["FOLDER", "STARTS", "main", "place_of"]

#: Where the guard is installed, and only root writes.
FOLDER = "/usr/lib/armlevel"
#: What the archive of a release starts with; the name is that of :func:`place_of`.
STARTS = """\
import sys
sys.path.insert(0, f"{folder}/guard-{{sys.implementation.cache_tag}}-{release}.zip")
from armlevel.onefile.entry import main
sys.exit(main())
"""
_UNCHECKED = (1).to_bytes(4, "little")  # PEP 552: bytecode that is not held against its source
_HERE = "armlevel/onefile/"
_BAD_USAGE, _NOT_SAID = 2, 3


def place_of(release: str) -> str:
    """Return where the bytecode of a release stands for the Python that runs."""
    return f"{FOLDER}/guard-{sys.implementation.cache_tag}-{release}.zip"


def main(arguments: Sequence[str]) -> int:
    """Write the bytecode that this Python lacks; with `--check` only say by the status whether it lacks any (3)."""
    loader: object = sys.modules[__name__].__loader__
    if list(arguments) not in ([], ["--check"]) or not isinstance(loader, zipimporter):
        print("usage: armlevel-guard bytecode [--check], out of its archive", file=sys.stderr)
        return _BAD_USAGE
    has_own = __file__.endswith("c")
    if arguments:
        return 0 if has_own else _NOT_SAID
    if has_own:
        print(f"{loader.archive}: there is bytecode for this Python")
        return 0
    from armlevel.onefile.release import RELEASE  # type: ignore[import-not-found,unused-ignore]  # only in the one-file guard

    place, tree = (
        place_of(RELEASE),
        loader.prefix.removesuffix(_HERE),
    )  # a package's own loader has its place, too
    try:
        with zipfile.ZipFile(loader.archive) as archive:
            texts = {
                name.removeprefix(tree): archive.read(name)
                for name in archive.namelist()
                if name.startswith(f"{tree}armlevel/") and name.endswith(".py")
            }
        replace_file(place, _compiled(texts))
        Path(place).chmod(0o644)
    except (ArmlevelError, OSError) as exc:
        print(f"armlevel-guard bytecode: {exc}", file=sys.stderr)
        return 1
    print(f"{place}: bytecode for this Python")
    return 0


def _compiled(texts: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in texts.items():
            # Docstrings stay: for a class without one `dataclasses` asks `inspect` for its signature, at each start.
            code = compile(text, f"armlevel-guard/{name}", "exec", dont_inherit=True, optimize=1)
            head = importlib.util.MAGIC_NUMBER + _UNCHECKED + importlib.util.source_hash(text)
            archive.writestr(zipfile.ZipInfo(f"{name}c"), head + marshal.dumps(code))
    return stream.getvalue()
