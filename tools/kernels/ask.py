"""Boot emulated hosts of one kernel line and ask each everything at once; an answer is kept as soon as it is there."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from armlevel.documents import read_host, replace_file
from armlevel.errors import LabError
from armlevel.lab import Laboratory, pack_collector, parse_host
from armlevel.profile import Host
from tests.fidelity import hosts as recordings

__all__ = ["Answer", "ask", "ask_all", "kept", "missing"]

SCRIPT = Path(recordings.__file__).with_name("masks_inside.py")
PATIENCE = 3600.0  # seconds for one host: everything is emulated, and machines are busy


@dataclass(frozen=True, slots=True)
class Answer:
    """What one host said: its profile, and the table of writable masks of each offer, in order."""

    host: Host
    masks: tuple[tuple[int, ...] | None, ...]


def kept(folder: Path, names: Iterable[str]) -> list[Answer]:
    """Return what was kept of these hosts, in order; those of which nothing is kept are left out."""
    return [read(path) for name in names if (path := place(folder, name)).exists()]


def missing(folder: Path, names: Iterable[str]) -> list[str]:
    """Return the names of the hosts that are still to be asked."""
    return [name for name in names if not place(folder, name).exists()]


def place(folder: Path, name: str) -> Path:
    """Return the file that keeps the answer of a host."""
    return folder / f"{name}.json"


def read(path: Path) -> Answer:
    """Read one kept answer."""
    found = json.loads(path.read_text(encoding="ascii"))
    host = read_host(json.dumps(found["host"]).encode(), path.stem)
    tables = tuple(None if table is None else tuple(table) for table in found["masks"])
    if len(tables) != len(host.offers):
        raise LabError(f"{path}: {len(tables)} tables of masks for {len(host.offers)} shapes")
    return Answer(host, tables)


def ask(lab: Laboratory, name: str, folder: Path) -> Answer:
    """Boot one host, probe it and ask for its masks in the same boot; keep what it says, and return it.

    Raises:
        LabError: the host did not start, or what runs inside failed.

    """
    script = (
        f'python3 -I inside -o "$OUT/host.json" -n {shlex.quote(name)} '
        f'&& python3 -I {SCRIPT.name} "$OUT/host.json" "$OUT/masks.json"'
    )
    more = {SCRIPT.name: SCRIPT.read_bytes()}
    result = lab.run_packed(parse_host(name), script, pack_collector(), more, PATIENCE)
    if result.status or not {"host.json", "masks.json"} <= set(result.files):
        said = result.stderr.strip().splitlines()
        raise LabError(f"the job failed in {name}: {said[-1] if said else f'exit status {result.status}'}")
    whole = {key: json.loads(result.files[f"{key}.json"]) for key in ("host", "masks")}
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(str(place(folder, name)), json.dumps(whole))
    return read(place(folder, name))


def ask_all(lab: Laboratory, names: Iterable[str], folder: Path, tell: Callable[[str], None]) -> list[str]:
    """Ask the hosts one after the other; return what failed, and go on."""
    failed, names = list[str](), list(names)
    for number, name in enumerate(names, 1):
        try:
            answer = ask(lab, name, folder)
        except LabError as exc:
            failed.append(f"{name}: {exc}")
            tell(failed[-1])
            continue
        tell(
            f"{number} of {len(names)}  {name}  {answer.host.software.kernel}, {len(answer.host.offers)} shapes"
        )
    return failed
