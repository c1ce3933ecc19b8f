#!/usr/bin/env python3
"""Add a measured kernel line: boot ten CPU models under it, record them, and write its rows.

    tools/add_kernel.py 6.17                 all of it; goes on where it stopped
    tools/add_kernel.py 6.17 --cpu max       ask this CPU model alone, as a first look; writes no rows
    tools/add_kernel.py 6.17 --say           say what would be written, from the answers that are kept
    tools/add_kernel.py 6.17 --few           boot nothing, write with the hosts that have answered; the rest may follow

Each host is booted once: probed in every shape, every value of every short field tried, and asked for its writable
masks; its answer is kept under build/kernels. Rows that the lines next to it share, or that explain what was tried,
get the line; where none does, the rule that was seen is written. What nothing recorded can tell is said, and needs a
person. Nothing is written unless rows and masks foretell every value. Exits 1 where something is missing or wrong.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from armlevel.arch import Catalogue  # noqa: E402 - the path above comes first
from armlevel.errors import ArmlevelError, UsageError  # noqa: E402
from armlevel.lab import Laboratory, LabSettings  # noqa: E402
from armlevel.profile import Host  # noqa: E402
from compile_rows import DATA  # noqa: E402
from kernels.ask import Answer, ask_all, kept, missing  # noqa: E402
from kernels.between import place_changes, unexplained  # noqa: E402
from kernels.text import Texts, add_line, read_texts, say_measured, series_of  # noqa: E402
from kernels.weigh import Weighed, catalogue_of, neighbours, tallies, weigh  # noqa: E402
from tests.fidelity import hosts as recordings  # noqa: E402

KEPT = ROOT / "build" / "kernels"
ROWS = DATA / "kvm"
SHOWN = 20  # wrong values that are printed


def say(line: str) -> None:
    """Say one line of progress."""
    print(line, file=sys.stderr, flush=True)


def release_of(answers: Sequence[Answer]) -> str:
    """Return the one kernel release of all answers.

    Raises:
        UsageError: they are of several, so that they say nothing of one line.

    """
    found = sorted({answer.host.software.kernel or "not recorded" for answer in answers})
    if len(found) != 1:
        raise UsageError(f"the hosts ran {' and '.join(found)}: take the older answers away, and ask again")
    return found[0]


def row_of(answers: Sequence[Answer], values: int) -> list[tuple[str, str]]:
    """Return what the row of the line says, as pairs of TOML; ``values`` were tried on all hosts together."""
    version = release_of(answers).partition("+")[0].partition("-cloud")[0]
    writable = any(shape.imp_id_writable for answer in answers for shape in answer.host.shapes)
    asked = f"on {len(answers)} emulated hosts: {values:,} values"
    return [
        ("default", '"limit-only"'),
        ("imp_id_writable", str(writable).lower()),
        ("measured", f'"{version}, every value of every 4-bit field tried {asked}"'),
        ("see", f'"KVM_ARM_GET_REG_WRITABLE_MASKS and KVM_SET_ONE_REG on Linux {version}"'),
    ]


def recorded_of(line: str | None, catalogue: Catalogue) -> dict[str, Host]:
    """Return the recorded hosts of a measured line by CPU model; variants of a model are left out."""
    plain = [name for name in recordings.recorded_names() if "," not in name]
    hosts = {name.partition("@")[0]: host for name, host in zip(plain, recordings.read(plain), strict=True)
             if (own := catalogue.line(host.software.kernel)) is not None and own.name == line}  # fmt: skip
    return hosts if line else {}


def with_rows(texts: Texts, line: str, answers: Sequence[Answer]) -> tuple[Weighed, list[str]]:
    """Return the rows with the line in them, and what is to be told of its differences from its neighbours."""
    catalogue = catalogue_of(texts)
    ends = neighbours(line, catalogue)
    values = tallies(answers, catalogue)[0].compared
    found = weigh(add_line(texts, line, ends[1], row_of(answers, values)), line, answers)
    return found, _differences(found, line, ends, answers)


def _differences(
    found: Weighed, line: str, ends: tuple[str | None, str | None], answers: Sequence[Answer]
) -> list[str]:
    catalogue = catalogue_of(found.texts)
    own = {answer.host.name.partition("@")[0]: answer.host for answer in answers}
    older, newer = (recorded_of(end, catalogue) for end in ends)
    placed = place_changes(found.texts, line, (older, own, newer), catalogue)
    found.texts = placed.texts
    found.decided += placed.decided
    found.unsure += placed.unsure
    catalogue = catalogue_of(found.texts)
    told = [f"{ends[0]} → {line}: {one}" for one in unexplained(older, own, catalogue)]
    return told + [f"{line} → {ends[1]}: {one}" for one in unexplained(own, newer, catalogue)]


def report(found: Weighed, differences: Sequence[str]) -> None:
    """Print what was decided, and what needs a person."""
    for title, lines in (
        ("decided", found.decided),
        ("needs a person: nothing recorded tells", found.unsure),
        ("needs a person: differences that no row of between.toml explains", differences),
        (f"wrong: {len(found.wrong)}", found.wrong[:SHOWN]),
    ):
        print("\n".join([f"{title}:", *(f"  {line}" for line in lines)]) if lines else f"{title}: none")
    print(f"predicted: {found.predicted}\nmasks:     {found.masks}")


def write(texts: Texts, was: Texts) -> None:
    """Write the rows that changed, and compile all."""
    for name, text in texts.items():
        if text != was[name]:
            (ROWS / name).write_text(text, encoding="utf-8")
    subprocess.run([sys.executable, str(ROOT / "tools/compile_rows.py")], check=True)


def record(answers: Sequence[Answer], catalogue: Catalogue) -> None:
    """Write the hosts and their masks into the recordings."""
    recordings.write((answer.host for answer in answers), recordings.ADDED)
    tables = {answer.host.name: answer.masks for answer in answers}
    recordings.write_masks((answer.host for answer in answers), tables, catalogue)


def add(line: str, answers: Sequence[Answer], *, only_say: bool) -> int:
    """Write rows and recordings of a line whose hosts have all answered; 1 if a value is foretold wrongly."""
    texts = read_texts(ROWS)
    known = catalogue_of(texts)
    release = release_of(answers)
    if any(one.name == line for one in known.lines):
        found, differences = Weighed(texts), list[str]()
        found.predicted, found.masks = tallies(answers, known)
        words = dict(row_of(answers, found.predicted.compared))["measured"]
        found.texts = say_measured(texts, line, words)
        found.wrong = [str(one) for tally in (found.predicted, found.masks)
                       for one in (*tally.wrong_yes, *tally.wrong_no)]  # fmt: skip
        say(f"the rows have {line} already: its hosts are held against them")
    else:
        found, differences = with_rows(texts, line, answers)
    report(found, differences)
    if found.wrong or only_say:
        print("nothing was written")
        return 1 if found.wrong else 0
    write(found.texts, texts)
    record(answers, catalogue_of(found.texts))
    revisions = {tuple(sorted(iidr.taken)) for answer in answers
                 if (around := answer.host.machine) is not None and (iidr := around.gicd_iidr) is not None}  # fmt: skip
    print(f"tests/machines/test_around.py wants the revisions of GICD_IIDR that it takes: {revisions}")
    print(f"{line}: {release}, {len(answers)} hosts recorded; now read CONTRIBUTING.md, A kernel line")
    return 0


def main() -> int:
    """Ask, weigh, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("line", help="major and minor, as 6.17")
    parser.add_argument("--cpu", action="append", choices=recordings.CPUS, help="ask this model alone")
    parser.add_argument(
        "--few", action="store_true", help="boot nothing; write with those that have answered"
    )
    parser.add_argument("--say", action="store_true", help="boot nothing and write nothing")
    options = parser.parse_args()
    try:
        series_of(options.line)
    except ValueError:
        parser.error(f"{options.line!r} is no kernel line: write major and minor, as 6.17")
    folder = KEPT / options.line
    names = [f"{cpu}@{options.line}" for cpu in options.cpu or recordings.CPUS]
    try:
        if not (options.say or options.few) and (wanted := missing(folder, names)):
            say(f"{len(wanted)} of {len(names)} hosts to ask")
            lab = Laboratory(LabSettings.of(os.environ), say)
            for problem in ask_all(lab, wanted, folder, say):
                print(problem, file=sys.stderr)
        answers = kept(folder, names)
        if not answers or (len(answers) < len(names) and not (options.say or options.few)):
            say(f"{len(answers)} of {len(names)} hosts have answered; run it again to go on")
            return 1
        return add(options.line, answers, only_say=options.say or bool(options.cpu))
    except ArmlevelError as exc:
        print(exc, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
