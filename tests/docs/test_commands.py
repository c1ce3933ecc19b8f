"""Every command in the documentation is run, and prints what its page says.

``console`` blocks of a page run one after the other in an empty directory. ``console lab`` blocks boot emulated hosts;
``console real`` ones need a real Arm host, so only their options are held against the command's help.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.console import Block, blocks_of, says
from tests.repository.frame import ROOT

PAGES = [page for page in sorted((ROOT / "docs").rglob("*.md")) if blocks_of(page)]
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    "NO_COLOR": "1",
    "COLUMNS": "80",
}


def run(line: str, where: Path, seconds: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", line],
        cwd=where,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def follow(blocks: list[Block], where: Path, seconds: int = 120) -> None:
    commands = [command for block in blocks for command in block.commands]
    code = 0
    for command, following in zip(commands, [*commands[1:], None], strict=False):
        if command.line == "echo $?":
            assert says(f"{code}\n", command.prints), f"{command.prints}, and it was {code}"
            continue
        done = run(command.line, where, seconds)
        code = done.returncode
        told = f"$ {command.line}\n{done.stdout}{done.stderr}[{code}]"
        assert code == 0 or (following is not None and following.line == "echo $?"), told
        assert says(done.stdout, command.prints), told


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_prints_what_it_says(page: Path, tmp_path: Path):
    follow([block for block in blocks_of(page) if not block.where], tmp_path)


def test_the_tutorial_works_with_emulated_hosts(tmp_path: Path):
    if not os.environ.get("ARMLEVEL_LAB"):
        pytest.skip("boots five emulated hosts, minutes (ARMLEVEL_LAB=1 runs it)")
    follow([block for block in blocks_of(ROOT / "docs/tutorial.md") if block.where == "lab"], tmp_path, 900)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_needs_a_real_host_names_only_options_that_there_are(page: Path, tmp_path: Path):
    lines = [c.line for block in blocks_of(page) if block.where == "real" for c in block.commands]
    for line in lines:
        words = shlex.split(line.partition(" -- ")[0])
        assert words[0] == "armlevel"
        printed = run(f"armlevel {words[1]} --help", tmp_path, 60).stdout
        assert [word for word in words[2:] if word.startswith("-") and word not in printed] == []


def test_every_command_of_ours_is_in_a_block_that_is_run():
    for page in sorted((ROOT / "docs").glob("**/*.md")):
        if "decisions" in page.parts:
            continue
        kinds = {block.where for block in blocks_of(page)}
        assert kinds <= {"", "lab", "real"}, page
        others = re.findall(
            r"^```(?:sh|bash|text)?\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        )
        assert not [line for text in others for line in text.splitlines() if line.startswith("armlevel ")], (
            page
        )
