"""A baseline as a page: the guest CPU and what each host loses, or what stands against it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from armlevel.arch import Catalogue, features_of
from armlevel.cli.answers import given_lines
from armlevel.cli.findings import Page, by_value, kinds_of, of_kinds, way_lines
from armlevel.cli.output import columns, meant, wrapped
from armlevel.operations import Baseline, Change, Finding, Grouping, HostName
from armlevel.operations.baseline import BaselineResult
from armlevel.operations.diff import changes_between
from armlevel.profile import IMPLEMENTATION_REGISTERS, Guest, Host
from armlevel.words.answers import against_text, judged_text, part_text
from armlevel.words.changes import side_text
from armlevel.words.machine import machine_texts
from armlevel.words.remedies import means_text, no_means_text
from armlevel.words.subjects import (
    core_name,
    fact_texts,
    hosts_text,
    listed_few,
    numbers_text,
    shape_text,
    shown_features,
    subject_text,
    value_text,
)

__all__ = ["baseline_lines", "group_lines", "guest_lines"]

_KINDS = 6
_HEAD = 12
_SETS = 3
_MEMBERS = 9
_LONG = 60
#: Beyond so many kinds of hosts values are not tabled.
_TABLED = 12
_CACHES = ("CCSIDR_EL1", "CLIDR_EL1")


def baseline_lines(
    result: BaselineResult,
    catalogue: Catalogue,
    *,
    explain: bool,
    names: bool = False,
    typed: Sequence[str] = (),
) -> list[str]:
    """Return the page of a baseline; where there is none, also which hosts do have one."""
    found, hosts, groups = result.found, result.hosts, result.groups
    called = [host.name for host in hosts]
    of = hosts_text(called, every=explain or names)
    of = of if len(called) < 3 else f"{len(called)} hosts: {of}"
    lines = [*_verdict_lines(found, of), *given_lines(result.given)]
    if found.guest is not None and groups is None:
        lines += guest_lines(found.guest, catalogue, len(called))
        lines += _means_lines(result)
        lines += _losses(found.guest, hosts, catalogue, explain=explain)
    elif result.asked.means is not None:
        lines += _means_lines(result)
    if groups is not None and len(called) > 2:
        lines += [*group_lines(groups, every=explain or names), *_set_lines(found.findings, explain=explain)]
        lines += wrapped(
            f"{_plan_command(typed)}: the fewest groups, and with -o DIR their CPUs", "  remedy    "
        )
    if found.findings:
        lines += [
            *([""] if len(called) > 2 else []),
            *_findings(found.findings, called, catalogue, explain=explain),
        ]
    lines += way_lines(result.remedies)
    if explain:
        lines += _steps(found, catalogue)
    return lines


def _means_lines(result: BaselineResult) -> list[str]:
    means = result.means() if len(result.hosts) > 1 else None
    if means is None and (result.asked.means is None or len(result.hosts) < 2):
        return []
    text = means_text(means) if means is not None else no_means_text(result.asked.means)
    return wrapped(text, "  means     ", " " * _HEAD)


def _plan_command(typed: Sequence[str]) -> str:
    # As it was typed, if that is short enough to be pasted.
    command = shlex.join(["armlevel", "plan", *typed])
    return command if typed and len(command) < _LONG else "armlevel plan HOST..."


def _verdict_lines(found: Baseline, of: str) -> list[str]:
    if found.answer == "runs":
        return wrapped(f"baseline of {of}; {judged_text(found.parts, ())} judged", rest="    ")
    if found.answer == "unknown":
        text = f"baseline of {of}; cannot say whether it holds: {judged_text(found.parts, found.findings)}"
        return wrapped(text if found.guest is not None else f"no baseline known for {of}", rest="    ")
    against = against_text(found.findings)
    if found.guest is None:
        return wrapped(f"no baseline of {of}: {against}", rest="    ")
    text = f"no baseline of {of}. Their registers have one; what forbids the move: {against}"
    return wrapped(text, rest="    ")


def guest_lines(guest: Guest, catalogue: Catalogue, total: int = 0) -> list[str]:
    """Return what a guest CPU is, in ten lines or so."""
    features = shown_features(features_of(catalogue, guest.id_registers))
    rows = [("shape", shape_text(guest.shape))]
    if guest.implementation is not None:
        shown = guest.implementation.shown
        others = [core_name(target, catalogue) for target in guest.implementation.targets if target != shown]
        rows.append(
            (
                "shown as",
                f"{core_name(shown, catalogue)} ({numbers_text(shown)})"
                + (f"; may run on {', '.join(others)}" if others else ""),
            )
        )
    rows.append((f"{len(features)} FEAT_", " ".join(name.removeprefix("FEAT_") for name in features)))
    carried = (
        "state not recorded" if guest.register_list is None else f"{len(guest.register_list)} in its state"
    )
    rows.append(("registers", f"{len(guest.registers)} ID registers, {carried}"))
    if guest.sve_vls:
        rows.append(("SVE", f"vector lengths {' '.join(map(str, guest.sve_vls))} bits"))
    if guest.pmu_counters is not None:
        rows.append(("PMU", f"{guest.pmu_counters} event counters"))
    if guest.firmware:
        rows.append(
            (
                "firmware",
                ", ".join(_firmware_text(name, value, catalogue) for name, value in guest.firmware.items()),
            )
        )
    if facts := fact_texts(guest.facts):
        rows.append(("facts", ", ".join(text for _, text in facts)))
    if guest.machine is not None:
        rows += [("" if n else "machine", text) for n, text in enumerate(machine_texts(guest.machine))]
    if guest.starts_on:
        rows.append(("starts on", hosts_text(guest.starts_on, total)))
    if guest.tolerates:
        rows.append(("tolerates", ", ".join(guest.tolerates)))
    return [line for title, text in rows for line in wrapped(text, f"  {title:{_HEAD - 2}}")]


def _firmware_text(name: str, value: int, catalogue: Catalogue) -> str:
    row = catalogue.firmware.get(name)
    short = name.removeprefix("KVM_REG_ARM_").removesuffix("_VERSION").removeprefix("SMCCC_ARCH_")
    return f"{short} {row.name_of(value) if row is not None else f'{value:#x}'}"


def _losses(guest: Guest, hosts: Sequence[Host], catalogue: Catalogue, *, explain: bool) -> list[str]:
    alike: dict[tuple[str, ...], list[str]] = {}
    for host in hosts:
        alike.setdefault(_loss(changes_between(host, guest), catalogue, explain=explain), []).append(
            host.name
        )
    lines: list[str] = []
    for loss, names in alike.items():
        who = hosts_text(names, len(hosts), every=explain)
        text = f"{who}: {'; '.join(loss) or 'nothing'}"
        lines += wrapped(text, " " * _HEAD if lines else "  loses     ", " " * (_HEAD + 2))
    return lines


def _loss(changes: Iterable[Change], catalogue: Catalogue, *, explain: bool) -> tuple[str, ...]:
    features: dict[str, None] = {}
    fields: list[str] = []
    dropped: list[str] = []
    gone: list[str] = []
    shown_as: dict[str, None] = {}
    for change in changes:
        lost = [name[1:] for name in change.features if name.startswith("-")]
        features.update(dict.fromkeys(lost))
        if change.subject.startswith((*_CACHES, *IMPLEMENTATION_REGISTERS)) and change.part == "registers":
            text = "other cache geometry" if change.subject.startswith(_CACHES) else "shown as another core"
            shown_as[text] = None
        elif change.part in ("shape", "registers", "firmware") and not lost and change.after is not None:
            before = side_text(change.before, change.subject, catalogue)
            after = side_text(change.after, change.subject, catalogue, names=True)
            fields.append(f"{change.subject.removeprefix('KVM_REG_ARM_')} {before} -> {after}")
        if change.part == "list" and change.direction == "less":
            (gone if change.subject in catalogue.registers else dropped).append(change.subject)
    texts = []
    if features:
        texts.append(" ".join(features))
    if fields:
        texts.append(listed_few(fields, 3, every=explain))
    texts += shown_as
    if dropped:
        texts.append(f"{len(dropped)} registers of state: {listed_few(dropped, 2, every=explain)}")
    if gone:
        texts.append(f"{len(gone)} registers without meaning: {listed_few(gone, 2, every=explain)}")
    return tuple(texts)


def _findings(
    findings: Sequence[Finding], names: Sequence[str], catalogue: Catalogue, *, explain: bool
) -> list[str]:
    kinds = kinds_of(findings, names)
    if len(kinds) > _TABLED and not explain:
        return _counted(findings)
    letters = [chr(ord("A") + i) if i < 26 else str(i + 1) for i in range(len(kinds))]
    if len(kinds) > _KINDS:
        page = Page(
            catalogue,
            ("value: hosts",),
            by_value(kinds, letters),
            explain,
            rows=8,
            features=False,
            advice=True,
        )
    else:
        short = len(kinds) < 3 and all(len(kind) == 1 and len(kind[0]) < 16 for kind in kinds)
        heads = [kind[0] for kind in kinds] if short else letters if len(kinds) > 1 else ["every host"]
        page = Page(catalogue, tuple(heads), of_kinds(kinds), explain, sides=False, advice=True)
    lines = page.lines(findings)
    if len(kinds) > 1 and page.heads != tuple(kind[0] for kind in kinds):
        if len(kinds) == len(names):
            legend = wrapped(
                " ".join(f"{letter}={kind[0]}" for letter, kind in zip(letters, kinds, strict=True)), "  "
            )
        else:
            legend = columns(
                [(f"{a}:", hosts_text(kind)) for a, kind in zip(letters, kinds, strict=True)], "  ", gap=1
            )
        lines = [*legend, *lines]
    return lines


def _counted(findings: Sequence[Finding]) -> list[str]:
    # A table of so many kinds of hosts is read by nobody: what differs is counted.
    parts: dict[tuple[str, str], list[str]] = {}
    for finding in findings:
        if finding.severity not in ("risk", "note"):
            name = subject_text(finding.subject)
            parts.setdefault((finding.severity, part_text(finding.part)), []).append(name)
    lines: list[str] = []
    for (severity, part), subjects in parts.items():
        text = f"{part}: {len(subjects)}: {listed_few(subjects, 3)}"
        lines += wrapped(text, f"  {meant(severity)}{'':{9 - len(severity)}}")
    return [*lines, "  who has which value: --explain"]


def _set_lines(findings: Sequence[Finding], *, explain: bool) -> list[str]:
    # The smallest sets of hosts that conflict, and over what.
    sets: dict[tuple[HostName, ...], list[str]] = {}
    for finding in findings:
        for some in finding.sets:
            sets.setdefault(some, []).append(finding.subject.key.rpartition(".")[2])
    shown = list(sets.items()) if explain else list(sets.items())[:_SETS]
    lines: list[str] = []
    for some, subjects in shown:
        text = f"{' with '.join(some)}: {listed_few(subjects, 4, every=explain)}"
        lines += wrapped(text, "  conflict  ")
    return lines


def _steps(found: Baseline, catalogue: Catalogue) -> list[str]:
    lines: list[str] = []
    for step in found.steps:
        field = catalogue.fields[step.field]
        text = f"{step.field} {step.before} -> {value_text(field, step.after)}: {' requires '.join(step.rule.because)}"
        lines += wrapped(f"{text} ({step.rule})", "  lowered ", "            ")
    for rule in found.kept:
        lines += wrapped(
            f"{rule} ({' requires '.join(rule.because)}): some host breaks it by itself",
            "  kept    ",
            "            ",
        )
    return ["", *lines] if lines else []


def _members(names: Sequence[str], *, every: bool) -> str:
    return hosts_text(names, every=every or len(names) <= _MEMBERS)


def group_lines(groups: Grouping, *, every: bool = False) -> list[str]:
    """Return the groups of hosts that do have a baseline; hosts that stand alone on one line."""
    several = [group for group in groups.groups if len(group.hosts) > 1]
    alone = [group.hosts[0] for group in groups.groups if len(group.hosts) == 1]
    lines: list[str] = []
    for group in several:
        lines += wrapped(_members(group.hosts, every=every), "  together  ")
    if alone:
        many = len(alone) > 3 and several and not every
        text = f"each of the other {len(alone)} hosts (--names)" if many else _members(alone, every=every)
        lines += wrapped(text, "  alone     ")
    if groups.apart:
        who = _members(groups.apart, every=every)
        lines += wrapped(f"{who}: with no other host; of itself too little is recorded", "  alone     ")
    if open_ := [name for name in groups.left_open if name not in groups.apart]:
        who = _members(open_, every=every)
        lines += wrapped(f"{who}: too little is recorded to say with whom", "  not known ")
    if not groups.complete:
        lines.append("  there may be more groups: each host was put into one")
    return lines or ["  no group of these hosts has a baseline"]
