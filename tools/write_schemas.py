#!/usr/bin/env python3
"""Write the JSON Schema of each kind of document and of result to ``docs/schemas``, or with ``--check`` only compare.

From the first release on these files do not change: a reader of ``/1`` must read every ``/1`` that was ever written.
A change that alters one of them belongs to the next number of its kind, with a step in
``armlevel.documents.read.UPGRADES``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from armlevel.documents.schema import schema_of, schemas  # noqa: E402 - the path above comes first
from armlevel.lab.models import MODELS as LAB_RESULTS  # noqa: E402
from armlevel.operations.models import MODELS as RESULTS  # noqa: E402

FOLDER = ROOT / "docs/schemas"


def texts() -> dict[Path, str]:
    """Return what each file must hold."""
    return {
        FOLDER / f"{kind.replace('/', '-')}.json": json.dumps(schema, indent=1, sort_keys=True) + "\n"
        for kind, schema in every_schema().items()
    }


def every_schema() -> dict[str, dict[str, Any]]:
    """Return kind -> JSON Schema, of documents and of what operations answer."""
    results = {**RESULTS, **LAB_RESULTS}
    return schemas() | {kind: schema_of(kind, model) for kind, model in results.items()}


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
