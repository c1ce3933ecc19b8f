#!/usr/bin/env python3
"""Build the documentation: pages made from the program, then HTML and manual pages; a warning is an error.

tools/make_docs.py             build/docs/html and build/docs/man
tools/make_docs.py --source    only build/docs/source: the written pages and the made ones together
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from armlevel.arch import load  # noqa: E402 - the path above comes first
from armlevel.documents import load_hosts  # noqa: E402
from armlevel.machines import folder, names  # noqa: E402
from armlevel.profile import Host  # noqa: E402
from pages.atlas import atlas_pages  # noqa: E402
from pages.catalogue import catalogue_pages  # noqa: E402
from pages.commands import command_pages  # noqa: E402
from pages.documents import document_pages  # noqa: E402
from pages.machines import machine_pages  # noqa: E402
from pages.markdown import page, toctree  # noqa: E402

__all__ = ["made_pages", "main", "write_source"]

DOCS = ROOT / "docs"
TARGET = ROOT / "build" / "docs"


def made_pages() -> dict[str, str]:
    """Return path -> text of every page that is made and not written."""
    from tests.fidelity.hosts import read  # the emulated hosts are recorded among the tests

    catalogue = load()
    lab = read()
    with folder() as shipped:
        own = load_hosts([str(shipped / f"{name}.json") for name in names()])
    history: list[Host] = load_hosts([str(ROOT / "tests/machines/hosts")])
    groups = [
        ("AWS Graviton", "They ship with armlevel: `@graviton2-6.1` names one.", own),
        ("The same machines, other kernels", "Recorded among the tests.", history),
        ("Emulated hosts", "QEMU's CPUs under Debian's kernels, tried by `armlevel lab probe`.", lab),
    ]
    return {
        **command_pages(),
        **document_pages(),
        **catalogue_pages(catalogue),
        **machine_pages(groups),
        **atlas_pages(lab, catalogue),
        "decisions.md": _decisions(),
    }


def _decisions() -> str:
    about = (DOCS / "decisions/README.md").read_text(encoding="utf-8").partition("\n")[2]
    listed = [f"decisions/{file.stem}" for file in sorted((DOCS / "decisions").glob("0*.md"))]
    return page("Decisions", about, toctree(listed))


def write_source(target: Path) -> int:
    """Write the whole source of the documentation under ``target``; return how many pages were made."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(DOCS, target)
    made = made_pages()
    for path, text in made.items():
        file = target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return len(made)


def main() -> int:
    """Build; return the exit code."""
    parser = argparse.ArgumentParser(description="build the documentation")
    parser.add_argument("--source", action="store_true", help="only write the source of the pages")
    options = parser.parse_args()
    source = TARGET / "source"
    count = write_source(source)
    print(f"{count} pages made, {len(list(DOCS.rglob('*.md')))} written")
    if options.source:
        return 0
    for builder in ("html", "man"):
        command = [
            sys.executable,
            "-m",
            "sphinx",
            "-q",
            "-W",
            "--keep-going",
            "-b",
            builder,
            "-d",
            str(TARGET / "doctrees"),
        ]
        done = subprocess.run([*command, str(source), str(TARGET / builder)], check=False)
        if done.returncode:
            return done.returncode
        print(f"{builder}: {TARGET.relative_to(ROOT) / builder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
