"""What a command line imports, by name: most of what a short answer takes is that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

#: What no verb needs that reads documents of ours: what a person never waited for comes back unseen.
_NOT_NEEDED = ("pydantic", "pydantic_core", "rich", "rfc8785", "cryptography", "email", "asyncio", "xml")
#: Nothing at all but the program's door.
_NOTHING = (
    "typer",
    "typing",
    "re",
    "argparse",
    "json",
    "armlevel.errors",
    "armlevel.arch",
    "armlevel.cli.app",
)

COMMAND = """
import sys
from armlevel.cli import main
sys.argv[0] = "armlevel"
try:
    main()
finally:
    print(*sorted(sys.modules), file=sys.stderr)
"""
LIBRARY = """
import sys
import armlevel
guest, host = (str(name) for name in sys.argv[1:])
assert armlevel.check(armlevel.load_guest(guest), armlevel.load_hosts(host)).status == 0
print(*sorted(sys.modules), file=sys.stderr)
"""


def imported(program: str, *words: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{program}", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1, 3}, done.stderr[-2000:]  # an answer, whichever
    return set(done.stderr.split())


@pytest.fixture(scope="session")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pool") / "pool.json"
    imported(COMMAND, "baseline", "@graviton2-6.1", "@graviton2-6.18", "-o", str(path))
    return path


def test_the_version_is_told_before_anything_is_imported():
    for word in ("--version", "-V"):
        found = imported(COMMAND, word)
        assert not found & set(_NOTHING), word
        assert {one for one in found if one.startswith("armlevel")} == {"armlevel", "armlevel.cli"}


@pytest.mark.parametrize(
    "words",
    [
        ("check", "GUEST", "@graviton2-6.18"),
        ("check", "@graviton2-6.1", "@graviton2-6.18", "--json"),
        ("check", "@graviton2-6.1", "@graviton2-6.18", "--fact", "*:gmid=0", "--quiet"),
        ("migrate", "@graviton2-6.1", "@graviton2-6.18"),
        ("baseline", "@graviton2-6.1", "@graviton2-6.18"),
        ("matrix", "@graviton2-6.1", "@graviton2-6.18"),
        ("plan", "@graviton2-6.1", "@graviton2-6.18"),
        ("diff", "@graviton2-6.1", "@graviton2-6.1"),
        ("show", "@graviton2-6.1"),
        ("--help",),
        ("check", "--help"),
        ("baseline", "--help"),
    ],
    ids=" ".join,
)
def test_what_reads_documents_of_ours_imports_no_library_for_it(words: tuple[str, ...], pool: Path):
    found = imported(COMMAND, *(str(pool) if word == "GUEST" else word for word in words))
    assert not found & set(_NOT_NEEDED)


def test_the_library_answers_with_the_standard_library_alone(pool: Path):
    found = imported(LIBRARY, str(pool), "@graviton2-6.18")
    assert not found & {*_NOT_NEEDED, "typer", "annotated_types", "typing_extensions"}
