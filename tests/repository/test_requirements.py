from __future__ import annotations

import re

import pytest

from tests.repository.frame import PYPROJECT, ROOT

FILES = sorted((ROOT / "requirements").iterdir())
PINNED = [file for file in FILES if file.suffix == ".txt"]
REQUIREMENT = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    return dict(REQUIREMENT.findall((ROOT / "requirements" / name).read_text(encoding="utf-8")))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_requirement_names_an_address(file):
    text = file.read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(
        r"^\s*(-i|-f|--(index-url|extra-index-url|find-links|trusted-host))\b", text, re.MULTILINE
    )


@pytest.mark.parametrize("file", PINNED, ids=lambda file: file.name)
def test_every_requirement_is_one_version_with_its_hashes(file):
    text = file.read_text(encoding="utf-8")
    logical = text.replace("\\\n", " ").splitlines()
    assert len(logical) > 10
    for line in logical:
        assert REQUIREMENT.match(line), line
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", line), line


def test_the_run_and_the_tests_use_the_same_versions():
    run, test = pins("run.txt"), pins("test.txt")
    assert run == {name: test.get(name) for name in run}


def test_the_documentation_is_built_with_the_versions_that_are_tested():
    test, docs = pins("test.txt"), pins("docs.txt")
    assert {name: docs[name] for name in docs if name in test} == {
        name: test[name] for name in docs if name in test
    }


def test_the_run_needs_five_packages():
    names = {re.split(r"[><=]", line)[0] for line in PYPROJECT["project"]["dependencies"]}
    assert names == {"cryptography", "pydantic", "rfc8785", "rich", "typer"}


def test_the_build_backend_is_pinned_too():
    for line in PYPROJECT["build-system"]["requires"]:
        assert re.split(r"[><=]", line)[0] in pins("run.txt")


def test_what_the_input_files_name_is_pinned():
    named = {
        re.split(r"[\s#><=\[]", line)[0]
        for file in FILES
        if file.suffix == ".in"
        for line in file.read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    }
    assert named <= set().union(*map(pins, ("test.txt", "docs.txt", "ansible.txt", "nova.txt")))
