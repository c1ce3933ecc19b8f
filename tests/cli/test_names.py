"""What is shown can be typed, and what is nearly right is suggested."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.hosts import V1, Command, host, write

SPELLINGS = ("@graviton2-6.1", "@graviton2@6.1", "graviton2@6.1", "graviton2-6.1", "Graviton2@6.1")


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_recorded_machine_is_named_as_it_is_shown_at_every_place(armlevel: Command, name: str):
    both = ["@graviton2-6.1", "@graviton2-6.18"]
    assert armlevel("show", name).out.startswith("host graviton2@6.1\n")
    assert armlevel("check", name, name).code == 0
    assert armlevel("check", name, name, "--fact", f"{name}:dczid=4").code == 0
    assert armlevel("migrate", name, both[1], "--guest", name).code in (0, 1, 3)
    assert armlevel("baseline", *both, "--implementation", name).code == 0
    gone = armlevel("plan", *both, "--remove", name, "--add", name)
    assert "then 1 group" in " ".join(gone.out.split())
    assert armlevel("drift", name, "--guest", name).code == 0


def test_a_file_comes_before_a_recorded_machine_of_its_name(
    armlevel: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (path,) = write(tmp_path, host("mine"))
    Path(path).rename(tmp_path / "graviton2@6.1")
    monkeypatch.chdir(tmp_path)
    assert armlevel("show", "graviton2@6.1").out.startswith("host mine")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["show", "graviton2@6.2"], "did you mean @graviton2-6.1 or @graviton2-6.18?"),
        (["show", "@gravton3-6.18"], "did you mean @graviton3-6.18"),
        (["show", "{folder}/0-node1.jsn"], "did you mean {folder}/0-node1.json?"),
        (["plan", "{folder}", "--remove", "nodel"], "did you mean node1?"),
        (["check", "{folder}/0-node1.json", "{folder}", "--fact", "mode1:dczid=4"], "did you mean node1?"),
        (["migrate", "@graviton2-6.1", "@graviton2-6.18", "--vmm", "qemu11.1"], "did you mean qemu-11.1"),
        (
            ["migrate", "@graviton2-6.1", "@graviton2-6.18", "--vmm", "firecraker"],
            "did you mean firecracker?",
        ),
    ],
)
def test_what_is_nearly_a_name_is_suggested(armlevel: Command, tmp_path: Path, words: list[str], hint: str):
    write(tmp_path, host("node1"))
    said = armlevel(*(word.format(folder=tmp_path) for word in words))
    assert said.code == 2
    assert hint.format(folder=tmp_path) in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    "vmm", ["qemu-99", "qemu-13.0", "firecracker-99", "kvm-9", "qemu-99:qemu-10.0", "vbox"]
)
def test_a_vmm_that_is_not_there_is_refused(armlevel: Command, vmm: str):
    said = armlevel("migrate", "@graviton2-6.1", "@graviton2-6.18", "--vmm", vmm)
    assert (said.code, said.out) == (2, "")
    assert "qemu-tolerant" not in said.err
    assert "list-length" not in said.err


def test_a_release_that_was_not_looked_at_is_no_yes(armlevel: Command):
    same = ("migrate", "@graviton2-6.18", "@graviton2-6.1", "--vmm")
    known, later = armlevel(*same, "qemu-11.1"), armlevel(*same, "qemu-12.0")
    assert later.code in (1, 3)
    assert known.code <= later.code or known.code == 1
    assert "qemu-tolerant" not in later.out + later.err


@pytest.fixture
def namesakes(tmp_path: Path) -> tuple[str, str, str]:
    """Two hosts that are called the same, in two directories, and one that is not."""
    for number in (1, 2):
        (tmp_path / str(number)).mkdir()
    (one,), (two, other) = (
        write(tmp_path / "1", host("n1")),
        write(tmp_path / "2", host("n1", cpu=V1), host("n2")),
    )
    return one, two, other


@pytest.mark.parametrize(
    "words",
    [
        ("baseline", "--fact", "n1:gmid=4"),
        ("matrix", "--fact", "n1:kernel=6.12.1"),
        ("baseline", "--implementation", "n1"),
        ("plan", "--remove", "n1"),
        ("matrix", "--fact", "N1:gmid=4"),
    ],
)
def test_a_name_of_two_hosts_is_refused_with_how_to_say_which(armlevel: Command, namesakes, words):
    said = armlevel(words[0], *namesakes, *words[1:])
    assert said.code == 2
    text = " ".join(said.err.split())
    assert "2 hosts here are called so" in text
    assert "n1#1 is the first that was named, n1#2 the second, and n1* all of them" in text


def test_each_of_two_hosts_of_one_name_can_be_said(armlevel: Command, namesakes):
    def given(word: str) -> list[str]:
        said = armlevel("matrix", *namesakes, "--fact", f"{word}:gmid=4", "--json").json
        return [one["host"] for one in said["given"]]

    assert given("n1#1") == ["n1"]
    assert given("n1#2") == ["n1#2"]
    assert given("n1*") == ["n1", "n1#2"]
    assert given("n2") == ["n2"]
    removed = armlevel("plan", *namesakes, "--remove", "n1#1", "--json").json
    assert [host for group in removed["remove"]["groups"] for host in group] == ["n1#2", "n2"]


def test_a_key_is_asked_of_the_guest_wherever_one_is_named(armlevel: Command, namesakes, tmp_path: Path):
    one, _, other = namesakes
    guest, key = str(tmp_path / "g.json"), str(tmp_path / "none.pem")
    assert armlevel("baseline", one, other, "-o", guest).code == 0
    for words in (
        ("check", guest, one),
        ("migrate", one, other, "--guest", guest),
        ("drift", one, "--guest", guest),
    ):
        said = armlevel(*words, "--key", key)
        assert (said.code, "no frozen profile, so no key signed it" in " ".join(said.err.split())) == (
            2,
            True,
        )
    for words in (("migrate", one, other), ("drift", one, "--since", one)):
        said = armlevel(*words, "--key", key)
        assert (said.code, "--key without --guest" in said.err) == (2, True)
