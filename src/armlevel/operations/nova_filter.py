"""What a Nova scheduler filter is told: which kinds of hosts take which guest CPU, and which CPU an instance has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args
from uuid import UUID

from armlevel import engine
from armlevel.arch import load
from armlevel.documents import digest, guest_object
from armlevel.engine import Policy, Verdict
from armlevel.engine.not_recorded import knows_nothing
from armlevel.errors import UnknownName, UsageError
from armlevel.formats.export_result import Gap
from armlevel.operations.export import Exported
from armlevel.profile import Guest, Host, kind_digest

__all__ = ["UNKNOWN", "NovaFilter", "Unknown", "export_filter", "instances_of", "nova_filter"]

#: What the filter does with a host of which nobody can say: it passes with a line in the log, is taken away, passes.
Unknown = Literal["warn", "refuse", "let"]
UNKNOWN: tuple[Unknown, ...] = get_args(Unknown)

_FORBIDDING = ("stops", "breaks")
_REASONS = 4  # of a refusal: enough for a line in a log


@dataclass(frozen=True, slots=True, kw_only=True)
class NovaFilter:
    """The file that the filter reads.

    ``hosts``  name -> the digest of its kind;  ``guests``  the digest of a guest CPU -> its name
    ``verdicts``  (guest CPU, kind) -> what :func:`armlevel.check` says of one host of that kind
    ``instances``  UUID -> ``birth``, the guest CPU that it holds, and ``level``, that which a start of it has to give
    """

    kind: ClassVar[str] = "nova-filter/1"

    hosts: Mapping[str, str]
    guests: Mapping[str, str]
    verdicts: Mapping[tuple[str, str], Verdict]
    instances: Mapping[str, Mapping[str, str]]
    unknown: Unknown = "warn"

    def document(self) -> dict[str, Any]:
        """Return the nova-filter/1 object."""
        answers: dict[str, dict[str, Any]] = {guest: {} for guest in self.guests}
        for (guest, kind), verdict in self.verdicts.items():
            answers[guest][kind] = _answer_object(verdict)
        return {
            "kind": self.kind,
            "unknown": self.unknown,
            "hosts": dict(self.hosts),
            "guests": dict(self.guests),
            "answers": answers,
            "instances": {uuid: dict(entry) for uuid, entry in self.instances.items()},
        }


def nova_filter(
    guests: Sequence[Guest],
    hosts: Sequence[Host],
    instances: Mapping[str, Mapping[str, str]] | None = None,
    *,
    unknown: str = "warn",
    policy: Policy | None = None,
) -> NovaFilter:
    """Judge every guest CPU on every kind of host: may it start there, may it arrive there.

    ``instances`` is UUID -> ``birth`` and ``level``, each the digest of one of the guests.

    Raises:
        UsageError: there is no guest, no host, or two hosts have one name; or of a guest nothing is recorded.
        UnknownName: an instance has a guest CPU that is none of these.

    """
    if unknown not in UNKNOWN:
        raise UnknownName("answer to what is not known", unknown, UNKNOWN)
    if not guests or not hosts:
        raise UsageError(
            "nothing to tell the filter without guests and hosts",
            hint="name guest profiles, and the hosts with --host",
        )
    _distinct([host.name for host in hosts])
    known = {digest(guest_object(guest)): guest for guest in guests}
    if blank := [guest.name for guest in guests if knows_nothing(guest)]:
        raise UsageError(f"{blank[0]}: not one ID register is recorded, so no host is judged")
    kinds: dict[str, Host] = {}
    for host in hosts:
        kinds.setdefault(kind_digest(host), host)
    verdicts = {
        (mark, kind): verdict
        for mark, guest in known.items()
        for kind, verdict in zip(
            kinds,
            (engine.check(guest, host, load(), policy or Policy()) for host in kinds.values()),
            strict=True,
        )
    }
    for uuid, entry in (instances or {}).items():
        for mark in entry.values():
            if mark not in known:
                raise UnknownName(f"guest CPU of instance {uuid}", mark, tuple(known)[:3])
    return NovaFilter(
        hosts={host.name: kind_digest(host) for host in hosts},
        guests={mark: guest.name for mark, guest in known.items()},
        verdicts=verdicts,
        instances=dict(instances or {}),
        unknown=unknown,
    )


def instances_of(text: str, file: str, guests: Sequence[Guest]) -> dict[str, dict[str, str]]:
    """Read which guest CPU instances have: lines ``UUID GUEST``, and ``level`` behind it where starts have to give it.

    GUEST is the name or the digest of one of the guests. Empty lines and those that begin with ``#`` are left out.

    Raises:
        UsageError: a line is not of that form, or an instance is in two of them.
        UnknownName: no guest is called so.

    """
    marks = [(digest(guest_object(guest)), guest.name) for guest in guests]
    found: dict[str, dict[str, str]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        first, *rest = line.split(maxsplit=1) or ["#"]
        if first.startswith("#"):
            continue
        words = rest[0].split() if rest else []
        is_level = len(words) > 1 and words[-1] == "level"
        named = " ".join(words[:-1] if is_level else words)
        if not (uuid := _uuid(first)) or not named:
            raise UsageError(
                f"{file}, line {number}: not of the form UUID GUEST [level]",
                hint="as in 9f1c4a52-4f0e-4d2b-9d0c-0c2f3a7b8e11 web",
            )
        if uuid in found:
            raise UsageError(f"{file}, line {number}: instance {uuid} has a guest CPU already")
        mark = _mark(named, marks, f"{file}, line {number}")
        found[uuid] = {"birth": mark} | ({"level": mark} if is_level else {})
    return found


def export_filter(found: NovaFilter) -> Exported:
    """Return the file of the filter as an export: what nobody can say is what it leaves undone."""
    kinds = {kind: name for name, kind in reversed(tuple(found.hosts.items()))}
    left = [
        Gap(f"{found.guests[guest]} on {kinds[kind]}", "an answer", "", ("unsaid",), certain=False)
        for (guest, kind), verdict in found.verdicts.items()
        if "unknown" in (verdict.start, verdict.arrive)
    ]
    names = list(found.guests.values())
    parts = {part: None for verdict in found.verdicts.values() for part in verdict.not_judged}
    return Exported(
        guest=names[0] if len(names) == 1 else f"{len(names)} guest CPUs",
        to="openstack",
        form="filter",
        text=json.dumps(found.document(), indent=1, sort_keys=True) + "\n",
        answer="unknown" if left else "runs",
        left=tuple(left),
        not_judged=tuple(parts),
    )


def _answer_object(verdict: Verdict) -> dict[str, Any]:
    because = {
        side: subjects
        for side, answer in (("start", verdict.start), ("arrive", verdict.arrive))
        if answer == "refused" and (subjects := _because(verdict, side))
    }
    found: dict[str, Any] = {"start": verdict.start, "arrive": verdict.arrive}
    if because:
        found["because"] = because
    return found | ({"not_judged": list(verdict.not_judged)} if verdict.not_judged else {})


def _because(verdict: Verdict, side: str) -> list[str]:
    subjects = (
        one.subject.key for one in verdict.findings if side in one.applies and one.severity in _FORBIDDING
    )
    return list(dict.fromkeys(subjects))[:_REASONS]


def _distinct(names: Iterable[str]) -> None:
    # Hosts with a number behind their name were called as the one without was (documents.files).
    known = set(names)
    for name in sorted(known):
        base = re.sub(r"#\d+$", "", name)
        if base != name and base in known:
            raise UsageError(
                f"two hosts are called {base}, and Nova knows one host by it",
                hint="give one of the two profiles",
            )


def _uuid(text: str) -> str:
    # As Nova writes it.
    try:
        return str(UUID(text)) if len(text) == 36 else ""
    except ValueError:
        return ""


def _mark(text: str, marks: Sequence[tuple[str, str]], where: str) -> str:
    found = {mark for mark, name in marks if text in (mark, name)}
    if len(found) > 1:
        raise UsageError(f"{where}: {len(found)} guests are called {text}", hint="say the digest of one")
    if not found:
        raise UnknownName(f"guest at {where}", text, tuple(name for _, name in marks)[:3])
    return found.pop()
