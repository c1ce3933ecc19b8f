"""Help: verbs and options in groups, examples that run, and no words of the program's own language."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from armlevel.cli.app import GROUPS, VERBS, _app
from armlevel.cli.examples import EXAMPLES
from tests.cli.hosts import Command, host, write

LAB = ("list", "run", "probe", "verify", "hosts", "migrate", "tcg")
AGENT = ("accept", "enrol", "token", "list", "retire")
FLEET = (
    *("init", "add", "list", "show", "log", "audit", "level", "accept", "check", "why"),
    *("guests", "evacuate", "rollout", "watch"),
    *("backup", "restore", "export", "forget"),
    *("pool create", "pool edit", "pool list", "host label", "host rename", "host retire"),
)
GUARD = ("install", "status", "remove")
EVERY = [
    *([verb] for verb in VERBS),
    *(["lab", verb] for verb in LAB),
    *(["agent", verb] for verb in AGENT),
    *(["fleet", *verb.split()] for verb in FLEET),
    *(["guard", verb] for verb in GUARD),
]


@pytest.mark.parametrize("verb", EVERY, ids=" ".join)
def test_help_has_groups_and_examples(armlevel: Command, verb: list[str]):
    said = armlevel(*verb, "--help").out
    assert "\nExamples:\n" in said
    assert "\nOutput:\n" in said
    assert not {"<str>", "<bool>", "<int>", "<list[str]>"} & set(said.split())
    assert armlevel("help", *verb).out == said
    assert armlevel(*verb, "-h").out == said


def test_every_verb_is_in_one_group_of_the_help():
    listed = [verb for verbs in GROUPS.values() for verb in verbs if verb in VERBS]
    assert sorted(listed) == sorted(VERBS)


@pytest.mark.parametrize("verb", EXAMPLES)
def test_the_words_of_an_example_are_those_of_the_verb(verb: str):
    if verb and verb.split(maxsplit=1)[0] not in VERBS:
        pytest.skip(f"there is no verb {verb}")  # its examples wait for it
    top: Any = get_command(_app)
    for line, _ in EXAMPLES[verb]:
        words = shlex.split(line)
        command, context = top, top.make_context("armlevel", ["help"], resilient_parsing=True)
        while hasattr(command, "get_command") and (found := command.get_command(context, words[0])):
            command, words = found, words[1:]
        known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
        own = words[: words.index("--")] if "--" in words else words
        assert [word for word in own if word.startswith("-") and word not in known] == []


def test_the_examples_of_recorded_machines_run(
    armlevel: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    ran = 0
    for verb, examples in EXAMPLES.items():
        for line, _ in examples:
            words = shlex.split(line)
            if verb and words[0] in VERBS and "@graviton2-6.1" in words and "@graviton2-6.18" in words:
                assert armlevel(*words).code in (0, 1, 3), line
                ran += 1
    assert ran >= 4


def test_quiet_is_the_first_line(armlevel: Command, tmp_path: Path):
    (path,) = write(tmp_path, host("a"))
    said = armlevel("check", "-q", path, path)
    assert (said.code, said.out.count("\n"), said.err) == (0, 1, "")
    assert said.out == armlevel("check", path, path).out.splitlines(keepends=True)[0]
    assert armlevel("baseline", "-q", path, "-o", tmp_path / "b.json").err == ""


def test_colour_is_as_asked_before_or_behind_the_verb(armlevel: Command, tmp_path: Path):
    (path,) = write(tmp_path, host("a"))
    one, other = (
        armlevel("--color", "always", "check", path, path),
        armlevel("check", path, path, "--color=always"),
    )
    assert one == other
    assert "\x1b[32mruns\x1b[0m" in one.out
    assert "\x1b" not in armlevel("check", path, path).out  # and it is forgotten
    assert armlevel("check", path, path, "--color", "red").code == 2


@pytest.mark.parametrize(
    ("typed", "meant"),
    [(["chek"], "check"), (["migrat"], "migrate"), (["lab", "prob"], "probe"), (["help", "plam"], "plan")],
)
def test_a_verb_that_is_nearly_one_is_suggested(armlevel: Command, typed: list[str], meant: str):
    said = armlevel(*typed)
    assert said.code == 2
    assert f"did you mean '{meant}'" in said.err
    assert said.err.count("\n") == 1
