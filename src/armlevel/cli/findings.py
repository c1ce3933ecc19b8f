"""Findings on a page: a table of who has what by cause, then what cannot be tabled, reasons and remedies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from armlevel.arch import Catalogue, Field
from armlevel.cli.cautions import caution_lines, cautions_in
from armlevel.cli.output import columns, wrapped
from armlevel.cli.subjects import features_at_stake, hosts_text, number_text, numbers_in, subject_text
from armlevel.cli.words import listed_few, remedy_texts
from armlevel.operations import UNKNOWN_THERE, Finding

__all__ = ["Page", "between", "by_value", "kinds_of", "of_kinds"]

_SEVERITY = ("breaks", "stops", "unknown", "risk", "note")
_NAMES = 3
_MISSING = "not recorded"

#: Gives the cells of a row: who takes what.
Cells = Callable[[Finding, Catalogue], tuple[str, ...]]


def between(finding: Finding, catalogue: Catalogue) -> tuple[str, ...]:
    """Return what the guest has and what the host takes."""
    needs = ", ".join(_compact(text, finding, catalogue) for text in finding.needs) or "-"
    return needs, "; ".join(
        dict.fromkeys(_compact(text, finding, catalogue) for _, text in finding.offers)
    ) or "-"


def kinds_of(findings: Iterable[Finding], hosts: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the hosts in groups: those of a group offer the same for every finding that a table shows."""
    tabled = [dict(finding.offers) for finding in findings if _fits(finding)]
    kinds: dict[tuple[str, ...], list[str]] = {}
    for host in hosts:
        kinds.setdefault(tuple(offers.get(host, "") for offers in tabled), []).append(host)
    return [tuple(names) for names in kinds.values()]


def by_value(kinds: Sequence[Sequence[str]], letters: Sequence[str]) -> Cells:
    """Return what gives one cell for all kinds of hosts, however many: ``0: A C; 1: B``."""

    def cells(finding: Finding, catalogue: Catalogue) -> tuple[str, ...]:
        offers = dict(finding.offers)
        takers: dict[str, list[str]] = {}
        for kind, letter in zip(kinds, letters, strict=True):
            if kind[0] in offers:
                takers.setdefault(_compact(offers[kind[0]], finding, catalogue), []).append(letter)
        return ("; ".join(f"{text}: {' '.join(some)}" for text, some in takers.items()),)

    return cells


def of_kinds(kinds: Sequence[Sequence[str]]) -> Cells:
    """Return what gives a cell for each kind of host."""

    def cells(finding: Finding, catalogue: Catalogue) -> tuple[str, ...]:
        offers = dict(finding.offers)
        texts = [offers.get(kind[0], "") for kind in kinds]
        return tuple(_compact(text, finding, catalogue) if text else "-" for text in texts)

    return cells


@dataclass(frozen=True, slots=True)
class Page:
    """How findings are laid out.

    ``heads`` are the titles of the cells that ``cells`` gives; ``explain`` leaves nothing out; ``skip`` are remedies
    that are told in another place; ``sides`` says where a finding concerns only starting or only arriving;
    ``rows`` is how many of a cause a table shows, ``features`` whether it names them.
    """

    catalogue: Catalogue
    heads: tuple[str, ...] = ("guest", "host takes")
    cells: Cells = between
    explain: bool = False
    skip: tuple[str, ...] = ("leave-out",)
    sides: bool = True
    rows: int = 24
    features: bool = True

    def lines(self, findings: Iterable[Finding]) -> list[str]:
        """Return the findings as lines, the gravest first."""
        cautions, findings = cautions_in(findings)
        told = sorted(_told_once(findings), key=lambda one: _SEVERITY.index(one.finding.severity))
        tabled = [one for one in told if _fits(one.finding)]
        others = [one for one in told if not _fits(one.finding)]
        lines = self._tables(tabled)
        for group in _alike(others):
            lines += self._sentence(group)
        every = [one.finding for one in told]
        lines += self._reasons(tabled)
        for text in remedy_texts(every, self.skip, every=self.explain):
            lines += wrapped(text, "  remedy   ")
        return lines + caution_lines(cautions, self.catalogue, explain=self.explain)

    def _tables(self, told: Sequence[_Told]) -> list[str]:
        by_cause: dict[str, list[_Told]] = {}
        for one in told:
            by_cause.setdefault(one.finding.cause, []).append(one)
        rows: list[tuple[str, ...]] = []
        for cause, some in by_cause.items():
            shown = some if self.explain else some[: self.rows]
            body = [self._row(one) for one in shown]
            last = ("features" if any(row[-1] for row in body) else "",) if self.features else ()
            rows.append((" " * 7, "" if cause == "not known" else f"cause: {cause}", *self.heads, *last))
            rows += body
            if len(shown) < len(some):
                blank = ("",) * (len(self.heads) + self.features)
                rows.append(("", f"and {len(some) - len(shown)} more: --explain", *blank))
        return columns(rows, "  ")

    def _row(self, one: _Told) -> tuple[str, ...]:
        finding = one.finding
        row = (finding.severity, subject_text(finding.subject), *self.cells(finding, self.catalogue))
        if not self.features:
            return row
        field = self.catalogue.fields.get(finding.subject)
        features: tuple[str, ...] = ()
        if field is not None:
            texts = (*finding.needs, *(text for _, text in finding.offers))
            features = features_at_stake(field, (n for text in texts for n in numbers_in(text)))
        shown = features if self.explain or len(features) < _NAMES + 1 else (*features[: _NAMES - 1], "...")
        note = f"({one.sides})" if one.sides and self.sides else ""
        return (*row, f"{' '.join(shown)} {note}".strip())

    def _sentence(self, group: Sequence[_Told]) -> list[str]:
        first = group[0].finding
        if _rule(first):
            rules = [one.finding.because[0].removeprefix(_rule(first)).strip() for one in group]
            return wrapped(
                f"{_rule(first)} {listed_few(rules, 1, every=self.explain)}", f"  {first.severity:7}  "
            )
        names = [subject_text(one.finding.subject) for one in group]
        reasons = "; ".join(first.because)
        if first.part == "list" and first.subject != "register list":
            count = f"{len(names)} registers" if len(names) > 1 else names[0]
            what = f"{count}: {_who_lists(first)}"
            if len(names) > 1:
                what += f": {listed_few(names, _NAMES, every=self.explain)}"
            if first.needs and first.severity == "stops" and reasons != UNKNOWN_THERE:
                what = f"no {listed_few(names, _NAMES, every=self.explain)} there"
            else:
                reasons = reasons if self.explain or first.severity == "risk" else ""
        else:
            what = ", ".join(names)
            by_text: dict[str, list[str]] = {}
            for host, text in first.offers:
                by_text.setdefault(text, []).append(host)
            if "not recorded" in by_text or not reasons:
                told = (
                    f"{text} for {hosts_text(some, every=self.explain)}" for text, some in by_text.items()
                )
                reasons = reasons or "; ".join(told).replace("does not show it for", "not shown by")
        return wrapped(f"{what}: {reasons}" if reasons else what, f"  {first.severity:7}  ")

    def _reasons(self, told: Sequence[_Told]) -> list[str]:
        by_reason: dict[str, list[str]] = {}
        for one in told:
            for text in one.finding.because:
                if " " in text:
                    by_reason.setdefault(text, []).append(_short(one.finding.subject))
        lines: list[str] = []
        for text, names in by_reason.items():
            about = "" if len(by_reason) == 1 and len(told) == 1 else f"{listed_few(names, _NAMES)}: "
            lines += wrapped(about + text, "  why      ")
        return lines


@dataclass(frozen=True, slots=True)
class _Told:
    # A finding, and what it means for each side where that is not the same.
    finding: Finding
    sides: str


def _fits(finding: Finding) -> bool:
    if finding.severity in ("note", "risk") or finding.subject == "register list" or not finding.offers:
        return False
    return finding.part in ("registers", "facts", "firmware", "shape") and " " not in finding.subject


def _told_once(findings: Iterable[Finding]) -> list[_Told]:
    # A value that may not start here and is not known to arrive is one thing to a reader.
    told: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        told.setdefault((finding.subject, finding.needs, finding.offers, finding.part), []).append(finding)
    return [_Told(*_joined(some)) for some in told.values()]


def _joined(some: Sequence[Finding]) -> tuple[Finding, str]:
    first = min(some, key=lambda f: _SEVERITY.index(f.severity))
    because = tuple(dict.fromkeys(reason for finding in some for reason in finding.because))
    sides = {side: finding.severity for finding in some for side in finding.applies}
    alike = len(set(sides.values())) == 1 and len(sides) > 1
    text = "" if alike else ", ".join(f"{side}: {severity}" for side, severity in sides.items())
    return replace(first, because=because), text


def _alike(told: Iterable[_Told]) -> list[list[_Told]]:
    groups: dict[object, list[_Told]] = {}
    for one in told:
        finding = one.finding
        key: tuple[object, ...] = (
            finding.severity,
            finding.cause,
            finding.offers,
            finding.because,
            one.sides,
        )
        if rule := _rule(finding):
            key = (finding.severity, rule)
        elif finding.part != "list" or finding.subject == "register list":
            key = (*key, finding.subject, finding.needs)
        groups.setdefault(key, []).append(one)
    return list(groups.values())


def _short(subject: str) -> str:
    return subject_text(subject) if subject.startswith("facts.") else subject_text(subject).rpartition(".")[2]


def _rule(finding: Finding) -> str:
    # What findings about Arm's rules have in common: the rule itself follows the colon.
    if finding.offers or len(finding.because) != 1:
        return ""
    before, colon, _ = finding.because[0].partition(": ")
    return before + colon.strip() if colon else ""


def _who_lists(finding: Finding) -> str:
    yes = [host for host, text in finding.offers if text == "listed"]
    no = [host for host, text in finding.offers if text == "not listed"]
    carried = "the guest carries" if finding.needs else f"listed by {hosts_text(yes)}"
    return f"{carried}, not listed by {hosts_text(no)}" if no else carried


def _compact(text: str, finding: Finding, catalogue: Catalogue) -> str:
    """Return what a finding writes as ``0 1 2 3`` for a cell: ``0..3``; levels of firmware by name."""
    row = catalogue.firmware.get(finding.subject)
    if row is not None and text.startswith("0x"):
        return row.name_of(int(text, 16))
    field: Field | None = catalogue.fields.get(finding.subject)
    if field is None:
        own = next((part for part in text.split(", ") if part.startswith(f"{finding.subject}=")), "")
        return own.partition("=")[2] or (f"{int(text):#x}" if text.isdigit() else text)
    numbers, comma, rest = text.partition(",")
    values = numbers_in(numbers)
    if not values or ".." in numbers:
        return text
    run = len(values) > 2 and values == list(range(values[0], values[-1] + 1))
    known = f"{values[0]}..{values[-1]}" if run else " ".join(map(number_text, values))
    return known + (" ?" if comma and rest else "")
