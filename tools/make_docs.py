#!/usr/bin/env python3
"""Build the documentation: pages made from the program, then HTML and manual pages; a warning is an error.

tools/make_docs.py             build/docs/html and build/docs/man
tools/make_docs.py --source    only build/docs/source: the written pages and the made ones together
tools/make_docs.py -o DIR      somewhere else
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
from pages.commands import command_pages, manual_pages  # noqa: E402
from pages.documents import document_pages  # noqa: E402
from pages.machines import machine_pages  # noqa: E402
from pages.markdown import page, toctree  # noqa: E402
from pages.tcg import tcg_page  # noqa: E402

__all__ = ["made_pages", "main", "write_source"]

DOCS = ROOT / "docs"
TARGET = ROOT / "build" / "docs"


def made_pages() -> dict[str, str]:
    """Return path -> text of every page that is made and not written."""
    from tests.fidelity import hosts as recordings  # the emulated hosts are recorded among the tests
    from tests.machines.tcg import read as read_tcg

    catalogue = load()
    lab = recordings.read(recordings.recorded_names())
    with folder() as shipped:
        own = load_hosts([str(shipped / f"{name}.json") for name in names()])
    history: list[Host] = load_hosts([str(ROOT / "tests/machines/hosts")])
    groups = [
        (
            "AWS Graviton",
            "They ship with armlevel: `@graviton2-6.1` names one. Recorded by Firecracker's maintainers.",
            own,
        ),
        (
            "The same machines, other kernels",
            "Kept with the tests: what updates of a kernel changed.",
            history,
        ),
        (
            "Emulated hosts",
            "QEMU's CPUs under Debian's kernels: every value tried. `armlevel lab probe` boots one.",
            lab,
        ),
    ]
    return {
        **command_pages(),
        **document_pages(),
        **catalogue_pages(catalogue),
        **machine_pages(groups, {host.name.partition("@")[0] for host in lab if "," not in host.name}),
        **atlas_pages(lab, catalogue, recordings.read_masks()),
        "atlas/tcg.md": tcg_page(read_tcg(), lab, catalogue),
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
    _write(target, made)
    return len(made)


def _write(target: Path, pages: dict[str, str]) -> None:
    for path, text in pages.items():
        file = target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def main() -> int:
    """Build; return the exit code."""
    parser = argparse.ArgumentParser(description="build the documentation")
    parser.add_argument("--source", action="store_true", help="only write the source of the pages")
    parser.add_argument("-o", "--output", type=Path, default=TARGET, help="write here, not to build/docs")
    options = parser.parse_args()
    target: Path = options.output
    count = write_source(target / "source")
    _write(target / "man-source", manual_pages())
    print(f"{count} pages made, {len(list(DOCS.rglob('*.md')))} written")
    if options.source:
        return 0
    for builder, pages in (("html", "source"), ("man", "man-source")):
        command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-j", "auto", "-b", builder]
        command += ["-c", str(DOCS), "-d", str(target / "doctrees" / builder)]
        done = subprocess.run([*command, str(target / pages), str(target / builder)], check=False)
        if done.returncode:
            return done.returncode
        print(f"{builder}: {target / builder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
