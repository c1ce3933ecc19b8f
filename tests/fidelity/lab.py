"""One boot of one emulated host: tasks go in, what KVM did with them comes out."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from armlevel.errors import LabError
from armlevel.lab import PATIENCE, Job, Laboratory, pack_verifier, parse_host
from armlevel.lab.images import archive_of, write_archive
from armlevel.lab.store import content_key

__all__ = ["ask"]


def code() -> dict[str, bytes]:
    """Return the files that run inside."""
    files = {f"inside/{path}": data for path, data in pack_verifier().items()}
    files["inside/__main__.py"] = Path(__file__).with_name("inside.py").read_bytes()
    return files


def ask(lab: Laboratory, host: str, tasks: Mapping[str, Any], timeout: float = PATIENCE) -> dict[str, Any]:
    """Boot ``host`` once and have the tasks done in it.

    Raises:
        LabError: the host did not start, or what runs inside failed.

    """
    files, store = code(), lab.store()
    key = content_key("fidelity", *(part for item in sorted(files.items()) for part in item))
    compiled = store.path("bytecode", key) / "bytecode.cpio"
    known = compiled.exists()
    files["tasks"] = gzip.compress(json.dumps(tasks).encode(), 6, mtime=0)
    job = Job("python3 -I inside", files, learn=not known)
    result = lab.run(parse_host(host), job, timeout, (compiled,) if known else ())
    if result.status or "found" not in result.files:
        raise LabError(f"{host}: {result.stderr.strip().splitlines()[-1:] or result.status}")
    if not known:
        learnt = archive_of(result.bytecode)
        store.entry("bytecode", key, lambda place: write_archive(place / "bytecode.cpio", learnt))
    found: dict[str, Any] = json.loads(gzip.decompress(result.files["found"]))
    return {**found, "booted": result.seconds}
