"""`import armlevel`: the library's door is cheap, whole, typed, and does what its page says."""

from __future__ import annotations

import contextlib
import importlib
import io
import subprocess
import sys

import pytest

import armlevel
from armlevel.operations.answers import Result
from tests.repository.frame import ROOT

PAGE = (ROOT / "docs/howto/python.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return what stands in the page's code blocks of one language."""
    return [text.partition("```")[0] for text in PAGE.split(f"```{language}\n")[1:]]


@pytest.mark.parametrize(("program", "printed"), list(zip(blocks("python"), blocks("text"), strict=True)))
def test_the_programs_of_the_page_print_what_it_says(program: str, printed: str) -> None:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(program, "python.md", "exec"), {"__name__": "__main__"})  # noqa: S102 (our own page)
    assert said.getvalue() == printed


def test_the_first_program_is_ten_lines() -> None:
    assert len([line for line in blocks("python")[0].splitlines() if line]) <= 10


def test_every_name_of_the_door_is_there_and_is_the_one_that_type_checkers_see() -> None:
    text = (ROOT / "src/armlevel/__init__.py").read_text(encoding="utf-8")
    seen = {
        name.strip(): line.split()[1]
        for line in text.splitlines()
        if line.startswith("    from armlevel")
        for name in line.partition(" import ")[2].split(",")
    }
    assert {*seen, "__version__"} == set(armlevel.__all__) == set(dir(armlevel))
    for name, module in seen.items():
        assert getattr(armlevel, name) is getattr(importlib.import_module(module), name)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'level'"):
        armlevel.level  # noqa: B018 (asking is the test)


def test_the_import_itself_reads_nothing() -> None:
    code = "import sys, armlevel; print(*sorted(name for name in sys.modules if name.partition('.')[0] in {})"
    wanted = {"armlevel", "pydantic", "typer", "rich", "cryptography"}
    said = subprocess.run(
        [sys.executable, "-c", code.format(f"{wanted!r})")], capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["armlevel"]


def test_results_and_their_documents_have_the_same_kind() -> None:
    hosts = armlevel.load_hosts("@graviton2-6.1", "@graviton2-6.18")
    guest = armlevel.baseline(hosts).guest
    assert guest is not None
    policy = armlevel.policy_of(hosts, hide=["sha3"], implementation=hosts[0].name)
    results: list[Result] = [
        armlevel.baseline(hosts, policy),
        armlevel.check(guest, hosts),
        armlevel.migrate(hosts, guest),
        armlevel.matrix(hosts),
        armlevel.plan(hosts),
        armlevel.diff(hosts),
        armlevel.drift(hosts, guest),
        armlevel.freeze(guest, "web", "1", hosts=hosts),
        armlevel.export(guest, "qemu"),
    ]
    assert [one.document()["kind"] for one in results] == [one.kind for one in results]
    assert {one.status for one in results} <= {0, 1, 3}
    assert isinstance(results[0], armlevel.BaselineResult)


def test_a_baseline_records_its_hosts_by_digest_and_its_policy_as_data() -> None:
    hosts = armlevel.load_hosts("@graviton2-6.1", "@graviton2-6.18")
    policy = armlevel.policy_of(hosts, tolerate=["el2-only"])
    guest = armlevel.baseline(hosts, policy).guest
    assert guest is not None
    assert guest.made.policy == policy
    assert [one.name for one in guest.made.hosts] == [host.name for host in hosts]
    frozen = armlevel.freeze(guest, "web", "1").frozen
    assert frozen is not None
    assert (frozen.lineage.hosts, frozen.lineage.policy) == (guest.made.hosts, policy)
    assert all((one.digest or "").startswith("sha256:") for one in frozen.lineage.hosts)
