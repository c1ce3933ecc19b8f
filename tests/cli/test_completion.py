from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from armlevel.cli.app import VERBS
from armlevel.cli.completing import OF_ARGUMENT, OF_OPTION, values
from armlevel.lab import LINES
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
        (["armlevel", "show", "@graviton2-6"], {"@graviton2-6.1", "@graviton2-6.18"}),
        (["armlevel", "check", "g.json", "--fact", "x", "@graviton4-5"], {"@graviton4-5.10"}),
        (["armlevel", "lab", "run", "neoverse-n1@6.12"], {"neoverse-n1@6.12"}),
        (["armlevel", "lab", "run", "a64fx"], {f"a64fx@{line.name}" for line in LINES}),
        (["armlevel", "facts", "FEAT_SVE2p"], {"FEAT_SVE2p1", "FEAT_SVE2p2"}),
        (["armlevel", "facts", "ID_AA64PFR0"], {"ID_AA64PFR0_EL1"}),
        (["armlevel", "baseline", "--hide", "FEAT_SHA5"], {"FEAT_SHA512"}),
        (["armlevel", "baseline", "--pin", "ID_AA64PFR0_EL1.SV"], {"ID_AA64PFR0_EL1.SVE="}),
        (["armlevel", "plan", "--tolerate", "el2"], {"el2-only"}),
        (["armlevel", "baseline", "--without", "pmu_v3"], {"pmu_v3", "pmu_v3_strict"}),
        (["armlevel", "export", "--to", "o"], {"openstack"}),
        (["armlevel", "export", "--to", "qemu", "--form", "q"], {"qmp"}),
        (["armlevel", "migrate", "--vmm", "qemu-11"], {"qemu-11.1"}),
        (["armlevel", "show", "--color", "a"], {"auto", "always"}),
        (["armlevel", "completion", ""], {"bash", "zsh", "fish"}),
        (["armlevel", "show", ""], set()),  # files, by bash itself
    ],
)
def test_bash_completes_verbs_options_and_values(
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
    assert not re.search(r"(^|[;&|(`])\s*(exec |command )?[\w/.-]*python[\d.]* ", script, re.MULTILINE)


def test_another_shell_is_refused_by_name(armlevel: Command):
    said = armlevel("completion", "csh")
    assert said.code == 2
    assert "bash" in said.err
    assert "'csh'" in said.err


def test_an_at_sign_does_not_end_a_word_in_bash(armlevel: Command, tmp_path: Path):
    (tmp_path / "script").write_text(armlevel("completion", "bash").out, encoding="utf-8")
    told = 'COMP_WORDBREAKS=$\' \\t\\n"@><=;|&(:\'; . ./script; echo "${COMP_WORDBREAKS#*@}"'
    done = subprocess.run(
        ["bash", "--norc", "-c", told], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert "@" not in done.stdout
    assert "=" in done.stdout


def test_every_list_that_is_asked_for_is_there_and_every_option_that_has_one():
    lists = values()
    assert {*OF_OPTION.values(), *OF_ARGUMENT.values()} <= set(lists)
    assert all(lists.values())
    assert not [word for words in lists.values() for word in words if set(word) & set(" '\"$`\\")]
