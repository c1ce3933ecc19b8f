"""Runs the selftests of a kernel in one emulated host of that kernel, and reads what they say (TAP, exit status)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from armlevel.arch import Catalogue
from armlevel.errors import LabError
from armlevel.lab import Laboratory
from armlevel.lab.hosts import EmulatedHost
from armlevel.lab.jobs import Job
from armlevel.profile import Host, Shape
from tests.selftests.tables import FieldStep

__all__ = ["Outcome", "outcome", "read_tap", "run", "stepped"]

_SKIP = 4  # KSFT_SKIP
_KILLED = 137  # 128 + SIGKILL
_SECONDS = 300  # for one test: a last stop, some fifty times what the longest needs
_LINE = re.compile(r"^(?P<not>not )?ok (?P<number>\d+) ?(?P<name>.*?)(?P<skip>\s*# SKIP\b.*)?$", re.MULTILINE)
_SCRIPT = """\
cd /job
for name in {names}; do
    chmod +x "$name"
    echo "selftest $name" > /dev/console
    timeout -s KILL {seconds} "./$name" > "$OUT/$name.out" 2> "$OUT/$name.err"
    echo $? > "$OUT/$name.status"
done
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a test: ``passed``, ``skipped`` or ``failed``, and of each result that it told (name, same)."""

    result: str
    status: int
    told: tuple[tuple[str, str], ...] = ()
    words: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return what is recorded of it."""
        counted = {kind: sum(one == kind for _, one in self.told) for kind in ("passed", "skipped", "failed")}
        return {"result": self.result, "status": self.status} | (counted if self.told else {})


def read_tap(text: str) -> tuple[tuple[str, str], ...]:
    r"""Return the results that a test told, in order.

    >>> read_tap("TAP version 13\n1..3\nok 1 A\nok 2 B # SKIP none here\nnot ok 3 C\n# Totals: pass:1\n")
    (('A', 'passed'), ('B', 'skipped'), ('C', 'failed'))
    """
    return tuple(
        (m["name"].strip(), "failed" if m["not"] else "skipped" if m["skip"] else "passed")
        for m in _LINE.finditer(text)
    )


def outcome(status: int, out: str, err: str) -> Outcome:
    """Return what became of a test: its exit status decides, and a result that failed is a failure whatever it says.

    >>> (
    ...     outcome(0, "ok 1 A\\nnot ok 2 B\\n", "").result,
    ...     outcome(4, "", "1..0 # SKIP no").result,
    ...     outcome(0, "", "").result,
    ... )
    ('failed', 'skipped', 'passed')
    """
    told = read_tap(out)
    words = " ".join(f"{out}\n{err}".split())[-400:]
    if status == _SKIP:
        return Outcome("skipped", status, told, words)
    failed = status != 0 or any(one == "failed" for _, one in told)
    return Outcome("failed" if failed else "passed", status, told, words)


def run(lab: Laboratory, host: EmulatedHost, built: Mapping[str, bytes]) -> dict[str, Outcome]:
    """Boot a host once and run these programs in it; return what became of each.

    Raises :class:`LabError` if the host sent back no status of one.
    """
    script = _SCRIPT.format(names=" ".join(built), seconds=_SECONDS)
    roomy = replace(host, memory=max(host.memory, 1536))
    result = lab.run(roomy, Job(script, built))
    found = {}
    for name in built:
        texts = [result.files.get(f"{name}.{kind}", b"").decode(errors="replace") for kind in ("out", "err")]
        status = result.files.get(f"{name}.status", b"").strip()
        if not status.isdigit():
            raise LabError(f"{host} told nothing of {name}: {result.stderr.strip()[-200:]}")
        found[name] = outcome(int(status), *texts)
    return found


def stepped(
    steps: Sequence[FieldStep], told: Outcome, host: Host, catalogue: Catalogue
) -> dict[str, list[int | None]]:
    """Return field -> its limit there, the value that was stored, the one that was refused; of steps that passed.

    `set_id_regs` tells its fields first, in the order of its tables; its vCPU has no option.
    """
    offer = host.offer(Shape())
    found: dict[str, list[int | None]] = {}
    for step, (name, result) in zip(steps, told.told, strict=False):
        register, _, field = step.field.partition(".")
        if result != "passed" or offer is None or register not in offer.limits or not field:
            continue
        if not name.startswith(f"{register}_"):
            raise LabError(f"set_id_regs told {name!r} where {step.field} was expected")
        row = catalogue.fields[step.field]
        limit = row.get(offer.limits[register])
        found[step.field] = [limit, step.stored(limit), step.refused(limit)]
    return found
