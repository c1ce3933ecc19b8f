from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from armlevel.cli.app import VERBS
from tests.cli.hosts import Command


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["armlevel", "ba"], {"baseline"}),
        (["armlevel", ""], set(VERBS)),
        (["armlevel", "matrix", "--s"], {"--svg"}),
        (["armlevel", "matrix", "@graviton*", "--j"], {"--json"}),
        (["armlevel", "lab", "ho"], {"hosts"}),
        (["armlevel", "lab", "hosts", "--dir"], {"--directory"}),
        (["armlevel", "lab", "migrate", "neoverse-n1@7.x", "--no"], {"--no-return-path"}),
        (["armlevel", "show", ""], set()),  # files, by bash itself
    ],
)
def test_bash_completes_verbs_and_options(
    armlevel: Command, tmp_path: Path, words: list[str], offered: set[str]
):
    script = armlevel("completion", "bash").out
    array = " ".join(f"'{word}'" for word in words)
    tab = f"COMP_WORDS=({array}); COMP_CWORD={len(words) - 1}; _armlevel; echo ${{COMPREPLY[@]}}"
    asked = ["bash", "--norc", "-c", f"{script}\n{tab}"]
    done = subprocess.run(asked, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert set(done.stdout.split()) == offered
    assert done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_verb_and_option_stands_in_the_script_and_nothing_runs_python(armlevel: Command, shell: str):
    script = armlevel("completion", shell).out
    assert all(verb in script for verb in [*VERBS, "migrate", "hosts"])
    assert "tolerate" in script
    assert "python" not in script


def test_another_shell_is_refused_by_name(armlevel: Command):
    said = armlevel("completion", "csh")
    assert said.code == 2
    assert "bash" in said.err
    assert "'csh'" in said.err
