#!/usr/bin/env python3
"""Write the JSON Schema of each kind of document to ``docs/schemas``, or with ``--check`` only compare.

From the first release on these files do not change: a reader of ``/1`` must read every ``/1`` that was ever written.
A change that alters one of them belongs to the next number of its kind, with a step in
``armlevel.documents.read.UPGRADES``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from armlevel.documents import schemas  # noqa: E402 - the path above comes first

FOLDER = ROOT / "docs/schemas"


def texts() -> dict[Path, str]:
    """Return what each file must hold."""
    return {
        FOLDER / f"{kind.replace('/', '-')}.json": json.dumps(schema, indent=1, sort_keys=True) + "\n"
        for kind, schema in schemas().items()
    }


def main() -> int:
    """Write, or compare; 1 if a file is not what the models give."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only compare")
    check = parser.parse_args().check
    stale = [path for path, text in texts().items() if not path.exists() or path.read_text() != text]
    if not check:
        FOLDER.mkdir(exist_ok=True)
        for path in stale:
            path.write_text(texts()[path])
            print(f"{path.relative_to(ROOT)} written")
        return 0
    for path in stale:
        print(
            f"{path.relative_to(ROOT)} is not what the models give: tools/write_schemas.py", file=sys.stderr
        )
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
