"""Every option that any verb prints in a remedy exists where it is printed."""

from __future__ import annotations

import re
from pathlib import Path

from armlevel.documents import host_object, pretty
from tests.cli.hosts import Command
from tests.laws.test_remedies import SAMPLE, host_of

OPTION = re.compile(r"--[a-z][a-z-]+")


def remedy_lines(text: str) -> list[str]:
    """The remedies of a page, each on one line."""
    found: list[str] = []
    inside = False
    for line in text.splitlines():
        if line.startswith("  remedy   "):
            found.append(line[11:])
        elif inside and line.startswith(" " * 11):
            found[-1] += " " + line.strip()
        inside = line.startswith(("  remedy   ", " " * 11)) and bool(found)
    return found


def test_every_option_that_a_remedy_names_is_there_where_it_is_named(armlevel: Command, tmp_path: Path):
    places: dict[str, Path] = {}
    for name in dict.fromkeys(name for one, two, _ in SAMPLE for name in (one, two)):
        places[name] = tmp_path / f"{len(places)}.json"
        places[name].write_text(pretty(host_object(host_of(name))), encoding="utf-8")
    verbs = ("migrate", "check", "baseline", "drift")
    helps = {verb: set(OPTION.findall(armlevel(verb, "--help").out)) for verb in verbs}
    named = 0
    for one, two, vmm in SAMPLE:
        if vmm == "firecracker":
            continue  # what check says of that pair is told by other pages
        for verb in verbs:
            words = ["--guest", places[one], places[two]] if verb == "drift" else [places[one], places[two]]
            for text in remedy_lines(armlevel(verb, *words).out):
                for command in text.split(";"):
                    spoken = re.search(r"armlevel ([a-z]+)", command)
                    options = set(OPTION.findall(command))
                    of = spoken[1] if spoken else verb
                    assert options <= helps.get(of, options if of in ("run", "export") else set()), (
                        verb,
                        text,
                    )
                    named += len(options)
    assert named > 3
