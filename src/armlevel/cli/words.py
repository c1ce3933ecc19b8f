"""Words for parts of a question, for remedies, and for what is not known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from armlevel.cli.subjects import hosts_text, subject_text
from armlevel.operations import Finding, Remedy

__all__ = ["against_text", "listed_few", "part_text", "remedy_texts", "unknown_text", "way_texts"]

_PARTS = {"shape": "vCPU shape", "list": "register list"}
_FACTS = {
    "facts.cntfrq_hz": "counter frequency",
    "facts.dczid": "DC ZVA block",
    "facts.gmid": "MTE tag block",
}
_WHOLE = ("if you know it", "start guests", "do not require")


def part_text(part: str) -> str:
    """Return a part of a question in words."""
    return _PARTS.get(part, part)


def listed_few(names: Sequence[str], few: int, *, every: bool = False) -> str:
    """Return the first few names and how many more there are.

    >>> listed_few(["A", "B", "C", "D"], 2), listed_few(["A", "B", "C"], 2)
    ('A, B and 2 more', 'A, B, C')
    """
    if every or len(names) <= few + 1:
        return ", ".join(names)
    return f"{', '.join(names[:few])} and {len(names) - few} more"


def against_text(findings: Iterable[Finding]) -> str:
    """Return what refuses, in words: ``registers, counter frequency``."""
    found: dict[str, None] = {}
    for finding in findings:
        if finding.severity in ("stops", "breaks"):
            found[_FACTS.get(finding.subject, part_text(finding.part))] = None
    return ", ".join(found)


def unknown_text(findings: Iterable[Finding], few: int = 3) -> str:
    """Return what is not known, in words; empty if nothing is.

    >>> unknown_text([Finding("facts.cntfrq_hz", "facts", "unknown", offers=(("n1", "not recorded"),))])
    'counter frequency not recorded'
    """
    kinds: dict[str, dict[str, None]] = {"not recorded": {}, "not known": {}}
    for finding in findings:
        if finding.severity == "unknown":
            missing = any(
                "not recorded" in text for text in (*finding.needs, *(t for _, t in finding.offers))
            )
            by_part = finding.part in ("list", "firmware", "shape")
            name = (
                part_text(finding.part)
                if by_part
                else _FACTS.get(finding.subject, subject_text(finding.subject))
            )
            kinds["not recorded" if missing else "not known"][name] = None
    return "; ".join(f"{listed_few(list(names), few)} {kind}" for kind, names in kinds.items() if names)


def remedy_texts(findings: Sequence[Finding], skip: Sequence[str], *, every: bool) -> list[str]:
    """Return what a person could do, each thing once, with the subjects that it would help."""
    several = dict.fromkeys(finding.subject for finding in findings)
    hosts: dict[tuple[str, str], dict[str, None]] = {}
    helped: dict[tuple[str, str], dict[str, None]] = {}
    for finding in findings:
        for remedy in finding.remedies:
            if remedy.do not in skip:
                key = ("level", "") if remedy.do == "pin" and not every else (remedy.do, remedy.what)
                hosts.setdefault(key, {}).update(dict.fromkeys(remedy.hosts))
                helped.setdefault(key, {})[finding.subject] = None
    told = []
    for (do, what), subjects in helped.items():
        text = _remedy_text(Remedy(do, what, tuple(hosts[do, what])))
        short = [subject_text(name).rpartition(".")[2] for name in subjects]
        partial = len(subjects) < len(several) and not text.startswith(_WHOLE)
        told.append(f"{text} (for {listed_few(short, 3, every=every)})" if partial else text)
    return told


def way_texts(ways: Sequence[Remedy]) -> list[str]:
    """Return the ways out of a move between two hosts in words.

    >>> way_texts([Remedy("vmm", "qemu 11.1", ("b",)), Remedy("restart", "", ("b",))])
    ['qemu 11.1 or later on b', 'shut the guest down and start it on the other host']
    """
    texts = {"restart": "shut the guest down and start it on the other host"}
    return [
        f"level it{' with' * bool(way.what)} {way.what}".rstrip() + " (armlevel baseline); armlevel run"
        if way.do == "run"
        else f"level it{' with' * bool(way.what)} {way.what}".rstrip()
        + " (armlevel baseline); armlevel export --to firecracker"
        if way.do == "export"
        else texts.get(way.do) or _remedy_text(way)
        for way in ways
    ]


def _remedy_text(remedy: Remedy) -> str:
    hosts = hosts_text(remedy.hosts)
    what = remedy.what
    texts = {
        "hide": f"hide it: --hide {what}",
        "without": f"do without it: --without {what}",
        "upgrade-kernel": f"kernel {what} or later on {hosts}"
        if what
        else f"another kernel on {hosts or 'some host'}",
        "leave-out": f"leave out {hosts}",
        "fact": f"if you know it: --fact {hosts if len(remedy.hosts) == 1 else 'HOST'}:{what}=VALUE",
        "probe": f"probe {hosts}" + (f" in shape {what}" if what else ""),
        "tolerate": f"tolerate it: --tolerate {what}",
        "vmm": what if what.startswith("--") else f"{what} or later on {hosts}",
        "say-vmm": f"say which it is: {what}",
        "run": "level the guest, and start it with armlevel run",
        "start-on": f"start guests on {hosts} only"
        if hosts
        else "start guests elsewhere; they may arrive here",
        "require-not": f"do not require {what}",
        "level": "level the guest first: armlevel baseline",
        "pin": f"level the guest with --pin {what}",
    }
    return texts.get(remedy.do, f"{remedy.do} {what}".strip())
