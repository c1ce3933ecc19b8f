"""Which rows hold on a new kernel line: those of the measured lines next to it, held against what its hosts did.

Where both neighbours share a row the new line shares it too, and is held against it. Where only one has it, what was
tried decides, then KVM's own table of writable bits. What nothing recorded can tell is taken on the careful side (a
guest is promised less), and named: its source has to be read.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from armlevel.arch import Catalogue, evaluate, known_of
from armlevel.arch.prove import prove
from armlevel.errors import ArmlevelError
from armlevel.kvm.vm import mask_index
from compile_rows import DATA, read_rows
from kernels.ask import Answer
from kernels.rules import rule_for
from kernels.text import Listed, Texts, add_rule, extend, listed_in, series_of
from tests.fidelity.fields import Tally, compare_host
from tests.fidelity.masks import compare_masks

__all__ = ["Weighed", "catalogue_of", "neighbours", "tallies", "weigh"]

FIELDS = ("writable.toml", "ignored.toml")
#: Rows that no trial on an emulated CPU shows: by file, whether the careful side is to have the row.
CAREFUL = {"couplings.toml": True, "leaks.toml": True, "hidden.toml": False, "state.toml": False}


@dataclass(slots=True)
class Weighed:
    """The rows with the new line in them, what was decided by what, and what needs a person."""

    texts: Texts
    decided: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    predicted: Tally = field(default_factory=Tally)
    masks: Tally = field(default_factory=Tally)


def catalogue_of(texts: Mapping[str, str]) -> Catalogue:
    """Return the catalogue with these files in the place of those of arch/data/kvm.

    Raises:
        ArmlevelError: the rows prove nothing, or contradict each other.

    """
    with tempfile.TemporaryDirectory(prefix="armlevel-rows-") as folder:
        data = Path(shutil.copytree(DATA, Path(folder, "data")))
        for name, text in texts.items():
            (data / "kvm" / name).write_text(text, encoding="utf-8")
        catalogue = Catalogue(read_rows(data))
    if faults := list(prove(catalogue)):
        raise ArmlevelError("; ".join(faults[:3]))
    return catalogue


def neighbours(line: str, catalogue: Catalogue) -> tuple[str | None, str | None]:
    """Return the names of the measured lines before and after a line."""
    named = [one for one in catalogue.lines if one.series and one.name != line and not one.before]
    older = [one for one in named if max(one.series) < series_of(line)]
    newer = [one for one in named if min(one.series) > series_of(line)]
    return (
        max(older, key=lambda one: max(one.series)).name if older else None,
        min(newer, key=lambda one: min(one.series)).name if newer else None,
    )


def tallies(answers: Iterable[Answer], catalogue: Catalogue) -> tuple[Tally, Tally]:
    """Return what rows predict, and what masks and rows foretell, against what was tried."""
    predicted, masks = Tally(), Tally()
    for answer in answers:
        predicted.add(compare_host(answer.host, catalogue))
        masks.add(compare_masks(answer.host, answer.masks, catalogue))
    return predicted, masks


def weigh(texts: Texts, line: str, answers: Sequence[Answer]) -> Weighed:
    """Return the rows with ``line``, whose own row the texts have already, in every list that it belongs to."""
    known = catalogue_of(texts)
    order, ends = [one.name for one in known.lines], neighbours(line, known)
    rows = [row for name, text in texts.items() for row in listed_in(name, text)]
    trials = [
        catalogue_of(extend(texts, [row for row in rows if end in row.lines], line, order)) for end in ends
    ]
    found = Weighed(texts)
    chosen = [row for row in rows if set(ends) - {None} <= set(row.lines)]
    split = [row for row in rows if row not in chosen and set(ends) & set(row.lines)]
    chosen += _of_fields([row for row in split if row.file in FIELDS], ends, trials, answers, found)
    chosen += _of_lists([row for row in split if row.file == "drops.toml"], trials[0], answers, found)
    chosen += _of_source([row for row in split if row.file in CAREFUL], line, found)
    _settle(found, chosen, line, order, answers)
    return found


def _settle(
    found: Weighed, chosen: Sequence[Listed], line: str, order: Sequence[str], answers: Sequence[Answer]
) -> None:
    """Extend the chosen rows, and give a rule of its own to each field that they do not explain."""
    before = found.texts
    found.texts = extend(before, chosen, line, order)
    catalogue = catalogue_of(found.texts)
    found.predicted, found.masks = tallies(answers, catalogue)
    hosts = [answer.host for answer in answers]
    odd = {one: rule_for(catalogue.fields[one], hosts) for one in _wrong(found.predicted)}
    own = {subject: rule for subject, rule in odd.items() if rule is not None}
    if own:
        chosen = [row for row in chosen if row.subject not in own or row.file != "writable.toml"]
        found.texts = extend(before, chosen, line, order)
        see = f"tried on Linux {hosts[0].software.kernel or line}, {len(hosts)} emulated hosts"
        for subject, rule in own.items():
            text = rule.text(line, see) if rule.name else "takes its limit only"
            found.texts = add_rule(found.texts, subject, text) if rule.name else found.texts
            found.decided.append(f"{subject}: as on neither neighbour: {text}")
        found.predicted, found.masks = tallies(answers, catalogue_of(found.texts))
    for name, tally in (("predicted", found.predicted), ("masks", found.masks)):
        found.wrong += [
            f"{name}: {one.host} {one.shape}: {one.subject} {one.value} of {one.limit}: said {one.said}, was {one.was}"
            for one in (*tally.wrong_yes, *tally.wrong_no)
        ]


def _wrong(tally: Tally) -> Counter[str]:
    return Counter(one.subject for one in (*tally.wrong_yes, *tally.wrong_no))


def _of_fields(
    split: Sequence[Listed],
    ends: tuple[str | None, str | None],
    trials: Sequence[Catalogue],
    answers: Sequence[Answer],
    found: Weighed,
) -> list[Listed]:
    told = [tallies(answers, trial)[0] for trial in trials]
    wrong, unknown = [_wrong(one) for one in told], [one.unknown for one in told]
    chosen: list[Listed] = []
    for subject in dict.fromkeys(row.subject for row in split):
        mine = [row for row in split if row.subject == subject]
        sides = [[row for row in mine if end in row.lines] for end in ends]
        faults = [one[subject] for one in wrong]
        if min(faults) == 0 < max(faults):
            side, why = faults.index(0), "tried"
        elif max(faults) > 0:
            side, why = faults.index(min(faults)), "neither explains what was tried"
        elif unknown[0][subject] != unknown[1][subject]:
            side, why = int(unknown[1][subject] > unknown[0][subject]), "nothing seen"
            found.unsure.append(f"{subject}: no CPU has a value that tells; left open as on {ends[side]}")
        else:
            side, why = _by_mask(subject, sides, trials[0], answers)
            if why == "nothing seen":
                found.unsure.append(f"{subject}: both neighbours explain what was seen; as on {ends[side]}")
        chosen += sides[side]
        found.decided.append(f"{subject}: as on {ends[side]} ({why})")
    return chosen


def _by_mask(
    subject: str, sides: Sequence[Sequence[Listed]], catalogue: Catalogue, answers: Sequence[Answer]
) -> tuple[int, str]:
    # A field of which no CPU has anything: whether its bits are writable says which of the neighbours it follows.
    has = [any(row.file == "writable.toml" for row in side) for side in sides]
    opened = open_in(subject, catalogue, answers)
    if has[0] == has[1] or opened is None:
        return 0, "nothing seen"
    return has.index(opened), f"its bits are {'' if opened else 'not '}writable, and no CPU has it"


def open_in(subject: str, catalogue: Catalogue, answers: Sequence[Answer]) -> bool | None:
    """Whether KVM calls all bits of a field writable; None where its hosts differ, or say nothing."""
    one = catalogue.fields[subject]
    encoding, ones = catalogue.registers[one.register].encoding, (1 << one.width) - 1
    said = {
        table[mask_index(encoding)] >> one.lsb & ones == ones
        for answer in answers
        for table in answer.masks
        if table is not None
    }
    return said.pop() if len(said) == 1 else None


def _of_lists(
    split: Sequence[Listed], catalogue: Catalogue, answers: Sequence[Answer], found: Weighed
) -> list[Listed]:
    chosen = []
    drops = {drop.register: drop for drop in catalogue.drops}
    for row in split:
        drop, listed = drops[row.subject], Counter[bool]()
        for answer in answers:
            for offer in (
                one for shape in answer.host.shapes if (one := answer.host.offer(shape)) is not None
            ):
                known = known_of(catalogue, offer.limits)
                if not isinstance(drop.when, str) and evaluate(drop.when, known) is True:
                    listed[bool(set(drop.kvm_ids) & set(offer.register_list or ()))] += 1
        if len(listed) == 1 and not listed[True]:
            chosen.append(row)
            found.decided.append(
                f"{row.subject}: hidden where the guest lacks it (listed in none of {listed[False]} shapes)"
            )
        elif listed[True] and not listed[False]:
            found.decided.append(f"{row.subject}: listed without condition (in all of {listed[True]} shapes)")
        else:
            found.unsure.append(f"{row}: listed in {listed[True]} shapes without it, not in {listed[False]}")
    return chosen


def _of_source(split: Sequence[Listed], line: str, found: Weighed) -> list[Listed]:
    chosen = []
    for row in split:
        takes = CAREFUL[row.file]
        chosen += [row] if takes else []
        found.unsure.append(
            f"{row}: nothing recorded tells; {line} {'added' if takes else 'left out'}: read its source"
        )
    return chosen
