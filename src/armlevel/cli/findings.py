"""Findings on a page: a table of who has what by cause, then what cannot be tabled, reasons and remedies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from armlevel.arch import Catalogue
from armlevel.cli.cautions import caution_lines, cautions_in
from armlevel.cli.output import columns, meant, wrapped
from armlevel.operations import (
    Finding,
    HostName,
    Reason,
    Remedy,
    RemedyKind,
    State,
    Subject,
    Value,
    about_whole,
)
from armlevel.operations.answers import told
from armlevel.operations.ways_out import WaysOut
from armlevel.words.reasons import reason_head, reason_text
from armlevel.words.remedies import remedy_text, remedy_texts
from armlevel.words.subjects import features_at_stake, hosts_text, listed_few, subject_text
from armlevel.words.values import cell_text, field_numbers, offer_text

__all__ = ["Page", "between", "by_value", "kinds_of", "means_lines", "of_kinds", "way_lines"]

_SEVERITY = ("breaks", "stops", "unknown", "risk", "note")
_NAMES = 3
_WHOLE_LIST = about_whole("register-list")
_UNKNOWN_THERE = Reason("register-not-known")

#: Gives the cells of a row: who takes what.
Cells = Callable[[Finding, Catalogue], tuple[str, ...]]


def between(finding: Finding, catalogue: Catalogue) -> tuple[str, ...]:
    """Return what the guest has and what the host takes."""
    needs = (cell_text(value, finding.subject, catalogue) for value in finding.needs)
    offers = (cell_text(value, finding.subject, catalogue) for _, value in finding.offers)
    return ", ".join(needs) or "-", "; ".join(dict.fromkeys(offers)) or "-"


def kinds_of(findings: Iterable[Finding], hosts: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the hosts in groups: those of a group offer the same for every finding that a table shows."""
    tabled = [dict(finding.offers) for finding in findings if _fits(finding)]
    kinds: dict[tuple[Value | None, ...], list[str]] = {}
    for host in hosts:
        kinds.setdefault(tuple(offers.get(HostName(host)) for offers in tabled), []).append(host)
    return [tuple(names) for names in kinds.values()]


def by_value(kinds: Sequence[Sequence[str]], letters: Sequence[str]) -> Cells:
    """Return what gives one cell for all kinds of hosts, however many: ``0: A C; 1: B``."""

    def cells(finding: Finding, catalogue: Catalogue) -> tuple[str, ...]:
        offers = dict(finding.offers)
        takers: dict[str, list[str]] = {}
        for kind, letter in zip(kinds, letters, strict=True):
            if (value := offers.get(HostName(kind[0]))) is not None:
                takers.setdefault(cell_text(value, finding.subject, catalogue), []).append(letter)
        return ("; ".join(f"{text}: {' '.join(some)}" for text, some in takers.items()),)

    return cells


def of_kinds(kinds: Sequence[Sequence[str]]) -> Cells:
    """Return what gives a cell for each kind of host."""

    def cells(finding: Finding, catalogue: Catalogue) -> tuple[str, ...]:
        offers = dict(finding.offers)
        values = (offers.get(HostName(kind[0])) for kind in kinds)
        return tuple(
            "-" if value is None else cell_text(value, finding.subject, catalogue) for value in values
        )

    return cells


def means_lines(ways: WaysOut) -> list[str]:
    """Return what stands in the way of switches, and by which means a guest goes all the same."""
    # Where switches help they are the first remedy; where none does, what stands in their way is told.
    text = ""
    if ways.remains:
        some = listed_few([subject_text(one) for one in ways.remains], _NAMES)
        text = f"no switch: {some}" + (f"; {ways.means}" if ways.means else "")
    elif ways.asked and not ways.means:
        text = f"{ways.asked}: not this way"
    return wrapped(text, "  means    ") if text else []


def way_lines(ways: Iterable[Remedy]) -> list[str]:
    """Return what would change an answer as lines, each once."""
    texts = dict.fromkeys(map(remedy_text, ways))
    return [line for text in texts for line in wrapped(text, "  remedy   ")]


@dataclass(frozen=True, slots=True)
class Page:
    """How findings are laid out.

    ``heads`` are the titles of the cells that ``cells`` gives; ``explain`` leaves nothing out; ``skip`` are remedies
    that are told in another place; ``advice`` tells what would lessen a risk, where the verb has the options;
    ``sides`` says where a finding concerns only starting or only arriving;
    ``rows`` is how many of a cause a table shows, ``features`` whether it names them.
    """

    catalogue: Catalogue
    heads: tuple[str, ...] = ("guest", "host takes")
    cells: Cells = between
    explain: bool = False
    skip: tuple[RemedyKind, ...] = ("leave-out",)
    advice: bool = False
    sides: bool = True
    rows: int = 24
    features: bool = True

    def lines(self, findings: Iterable[Finding]) -> list[str]:
        """Return the findings as lines, the gravest first; notes, which change no answer, only with ``explain``."""
        told_notes = (one for one in findings if self.explain or one.severity != "note")
        cautions, findings = cautions_in(told_notes)
        told = sorted(_told_once(findings), key=lambda one: _SEVERITY.index(one.finding.severity))
        tabled = [one for one in told if _fits(one.finding)]
        others = [one for one in told if not _fits(one.finding)]
        lines = self._tables(tabled)
        for group in _alike(others):
            lines += self._sentence(group)
        every = [one.finding for one in told]
        lines += self._reasons(tabled)
        for text in remedy_texts([self._informing(one) for one in every], self.skip, every=self.explain):
            lines += wrapped(text, "  remedy   ")
        return lines + caution_lines(cautions, self.catalogue, explain=self.explain)

    def _informing(self, finding: Finding) -> Finding:
        # What changes an answer is tried for the question as a whole; a finding says what would make it known.
        if self.advice and finding.severity not in ("stops", "breaks"):
            return finding
        return told([finding])[0]

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
        row = (meant(finding.severity), subject_text(finding.subject), *self.cells(finding, self.catalogue))
        if not self.features:
            return row
        field = self.catalogue.fields.get(finding.subject.key)
        features: tuple[str, ...] = ()
        if field is not None:
            values = (*finding.needs, *(value for _, value in finding.offers))
            features = features_at_stake(field, (n for value in values for n in field_numbers(value)))
        shown = features if self.explain or len(features) < _NAMES + 1 else (*features[: _NAMES - 1], "...")
        note = f"({one.sides})" if one.sides and self.sides else ""
        return (*row, f"{' '.join(shown)} {note}".strip())

    def _sentence(self, group: Sequence[_Told]) -> list[str]:
        first = group[0].finding
        head = f"  {meant(first.severity)}{'':{9 - len(first.severity)}}"
        if _about_rule(first):
            rules = [str(one.finding.because[0].args[0]) for one in group]
            return wrapped(f"{reason_head('arm-rule')} {listed_few(rules, 1, every=self.explain)}", head)
        names = [subject_text(one.finding.subject) for one in group]
        if _about_register(first):
            return wrapped(self._list_text(first, names), head)
        reasons = "; ".join(map(reason_text, first.because)) or self._who_offers(first)
        what = ", ".join(names)
        return wrapped(f"{what}: {reasons}" if reasons else what, head)

    def _list_text(self, first: Finding, names: Sequence[str]) -> str:
        several = listed_few(names, _NAMES, every=self.explain)
        reasons = "; ".join(map(reason_text, first.because))
        if first.needs and first.severity == "stops" and first.because != (_UNKNOWN_THERE,):
            what = f"no {several} there"
        else:
            count = f"{len(names)} registers" if len(names) > 1 else names[0]
            what = f"{count}: {_who_lists(first)}" + (f": {several}" if len(names) > 1 else "")
            reasons = reasons if self.explain or first.severity == "risk" else ""
        return f"{what}: {reasons}" if reasons else what

    def _who_offers(self, finding: Finding) -> str:
        by_value: dict[Value, list[str]] = {}
        for host, value in finding.offers:
            by_value.setdefault(value, []).append(host)
        return "; ".join(
            offer_text(value, hosts_text(some, every=self.explain)) for value, some in by_value.items()
        )

    def _reasons(self, told: Sequence[_Told]) -> list[str]:
        by_reason: dict[str, list[str]] = {}
        for one in told:
            for reason in one.finding.because:
                if reason.code != "feature":
                    by_reason.setdefault(reason_text(reason), []).append(_short(one.finding.subject))
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
    if finding.severity in ("note", "risk") or finding.subject == _WHOLE_LIST or not finding.offers:
        return False
    return finding.part in ("registers", "facts", "firmware", "shape") and finding.subject.kind != "several"


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
        if _about_rule(finding):
            key = (finding.severity,)
        elif not _about_register(finding):
            key = (*key, finding.subject, finding.needs)
        groups.setdefault(key, []).append(one)
    return list(groups.values())


def _short(subject: Subject) -> str:
    return subject_text(subject) if subject.kind == "facts" else subject_text(subject).rpartition(".")[2]


def _about_rule(finding: Finding) -> bool:
    return any(reason.code == "arm-rule" for reason in finding.because)


def _about_register(finding: Finding) -> bool:
    # One register of the list, not the list as a whole.
    return finding.part == "list" and finding.subject != _WHOLE_LIST


def _who_lists(finding: Finding) -> str:
    yes = [host for host, value in finding.offers if value == State("listed")]
    no = [host for host, value in finding.offers if value == State("not-listed")]
    carried = "the guest carries" if finding.needs else f"listed by {hosts_text(yes)}"
    return f"{carried}, not listed by {hosts_text(no)}" if no else carried
