"""Nova itself loads the filter, and asks it with its own objects: every answer is that of check.

Nova gets an environment of its own, from requirements/nova.txt: some 200 MB, fetched once and kept in build/.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from itertools import product
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from armlevel.operations.check import check
from armlevel.operations.nova_filter import nova_filter
from armlevel.profile import Guest, Host
from tests.formats.profiles import EMULATED, baselines, host, naturals
from tests.nova.standins import BaseHostFilter
from tests.repository.frame import ROOT, SOURCE

pytestmark = pytest.mark.slow

REQUIREMENTS = ROOT / "requirements/nova.txt"
MOVES = {
    "live migration": "arrive",
    "evacuation": "start",
    "resize": "start",
    "unshelving": "start",
    "boot": "start",
}
_LAST_STOP = 3600


@pytest.fixture(scope="module")
def python() -> Path:
    """A Python that has nova; skips where it cannot be fetched."""
    place = ROOT / "build" / f"nova-{hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]}"
    found = place / "bin/python"
    if not (place / "whole").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True, timeout=_LAST_STOP)
        options = ["--disable-pip-version-check", "--no-input", "-q", "--require-hashes", "--no-compile"]
        command = [str(found), "-m", "pip", "install", *options, "-r", str(REQUIREMENTS)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LAST_STOP)
        if done.returncode and not os.environ.get("ARMLEVEL_NOVA"):
            pytest.skip(f"no nova here: {done.stderr.strip()[-200:]} (ARMLEVEL_NOVA=1 forces)")
        assert done.returncode == 0, done.stderr
        (place / "whole").touch()
    return found


def ask(
    python: Path, folder: Path, document: Any, hosts: list[str], questions: list[dict[str, Any]]
) -> dict[str, Any]:
    """Ask nova; each host's service has another name than its hypervisor."""
    (folder / "filter.json").write_text(json.dumps(document), encoding="utf-8")
    (folder / "nova.conf").write_text(
        "[filter_scheduler]\n"
        "available_filters = nova.scheduler.filters.all_filters\n"
        "available_filters = armlevel.nova.filter.ArmlevelFilter\n"
        "enabled_filters = AllHostsFilter,ArmlevelFilter\n"
        f"[armlevel]\nanswers = {folder}/filter.json\n",
        encoding="utf-8",
    )
    asked = {"hosts": [(f"service-{name}", name) for name in hosts], "questions": questions}
    (folder / "questions.json").write_text(json.dumps(asked), encoding="utf-8")
    done = subprocess.run(
        [python, Path(__file__).with_name("judge.py"), folder],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=_LAST_STOP,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert len(found["results"]) == len(questions)
    return found


def fleet() -> tuple[list[Guest], list[Host]]:
    hosts = [host(name) for name in EMULATED]
    guests = [guest for guest, _ in naturals() if guest.name.startswith(("neoverse", "max"))][:6]
    return [*guests, *(guest for guest, *_ in baselines()[:4])], hosts


def test_every_answer_is_that_of_check_and_what_is_broken_lets_all_pass(python: Path, tmp_path: Path, tell):
    began = time.monotonic()
    guests, hosts = fleet()
    plain = nova_filter(guests, hosts)
    marks = list(plain.guests)
    uuids = {
        (mark, move): str(UUID(int=number)) for number, (mark, move) in enumerate(product(marks, MOVES), 1)
    }
    instances = {uuid: {"birth": mark, "level": mark} for (mark, _), uuid in uuids.items()}
    document = nova_filter(guests, hosts, instances).document()
    questions: list[dict[str, Any]] = [{"uuid": uuid, "move": move} for (_, move), uuid in uuids.items()]
    names = [one.name for one in hosts]

    trait = f"CUSTOM_ARMLEVEL_START_{marks[0].rpartition(':')[2][:32].upper()}"
    stranger: dict[str, Any] = {"uuid": str(UUID(int=1000)), "move": "live migration"}
    named: list[dict[str, Any]] = [
        {"uuid": str(UUID(int=1001)), "move": "boot", "extra_specs": {f"trait:{trait}": "required"}},
        {"uuid": str(UUID(int=1002)), "move": "boot", "traits": [trait]},
        {"uuid": str(UUID(int=1003)), "move": "live migration", "traits": [trait]},
    ]
    rebuild: dict[str, Any] = {"uuid": questions[1]["uuid"], "move": "rebuild"}
    first: dict[str, Any] = {"uuid": questions[0]["uuid"], "move": ""}  # made before: it is migrating
    broken: list[dict[str, Any]] = [
        first | {"file": text}
        for text in (None, "", "{", "[]", json.dumps(document | {"kind": "nova-filter/0"}))
    ]
    again: dict[str, Any] = first | {"file": json.dumps(document)}
    found = ask(python, tmp_path, document, names, [*questions, *named, stranger, rebuild, *broken, again])
    assert found["filters"] == {"AllHostsFilter": False, "ArmlevelFilter": BaseHostFilter.RUN_ON_REBUILD}
    assert found["loaded"] > 10
    results = iter(found["results"])

    def passing(guest: Guest, side: str) -> list[str]:
        verdicts = check(guest, hosts).verdicts
        return [one.host for one in verdicts if (one.start if side == "start" else one.arrive) != "refused"]

    pairs, refused = 0, 0
    for mark, move in uuids:
        result, wanted = next(results), passing(guests[marks.index(mark)], MOVES[move])
        assert result["alone"] == wanted, (mark, move)
        down = move in ("evacuation", "unshelving")
        assert result["passed"] == (wanted or (names if down else [])), (mark, move)
        pairs, refused = pairs + len(names), refused + len(names) - len(wanted)
    for one in named:
        assert next(results)["alone"] == passing(guests[0], MOVES[one["move"]])
    for one in (stranger, rebuild, *broken):
        result = next(results)
        assert result["passed"] == result["alone"] == names, one
        if "file" in one:
            assert sum("all hosts pass" in line for line in result["log"]) == 1, result["log"]
    assert next(results)["alone"] == passing(guests[0], "arrive")
    assert pairs >= 50
    assert 0 < refused < pairs
    tell(
        f"nova: {pairs} pairs of instance and host come out as check says ({refused} refused), "
        f"{len(broken)} broken files let all pass; {time.monotonic() - began:.0f} s"
    )
