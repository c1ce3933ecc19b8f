"""The guard of a host: `python3 armlevel-guard.pyz hook OPERATION DOMAIN < domain.xml`, which libvirt's hook starts.

It answers with its status: 1, and one sentence on standard error, where the guest must not come; else 0. Whatever goes
wrong in here is a line in the journal and no refusal. Standard library only.
"""

from __future__ import annotations

import os
import sys
from types import MappingProxyType

from armlevel.named import NamedTuple
from armlevel.onefile.found import Found
from armlevel.onefile.journal import tell
from armlevel.onefile.metadata import (
    MOST_XML,
    BadDomain,
    DomainMarks,
    GuestMark,
    Override,
    read_domain,
    written_time,
)
from armlevel.onefile.trying import Tried
from armlevel.words.guard import (
    Arrival,
    Difference,
    differences_text,
    event_sentence,
    refusal,
    unknown_refusal,
    unknown_text,
)

TYPE_CHECKING = False  # as type checkers read it

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    #: Tries a packed guest CPU under an emulator, which may not be known.
    Trier = Callable[[str, str], Tried]
    #: Tells the time in UTC.
    Clock = Callable[[], datetime]

__all__ = ["CACHE", "OPERATIONS", "STATE", "Answer", "judge", "main"]

#: What this host keeps of its own; root's.
STATE = "/var/lib/armlevel"
CACHE = f"{STATE}/tried"
#: What libvirt calls the guard for.
OPERATIONS = ("migrate", "restore", "prepare")

_BAD_USAGE = 2
_UUID = "0123456789abcdef-"


class Answer(NamedTuple):
    """What becomes of one call: the sentence of a refusal or none, and the event for the journal, with its words."""

    event: str | None = None
    refusal: str | None = None
    words: Mapping[str, str] = MappingProxyType({})


def judge(arrival: Arrival, marks: DomainMarks, clock: Clock, trier: Trier) -> Answer:
    """Answer one call for one domain; ``trier`` is asked only if its answer matters, and ``clock`` for an override."""
    mark = marks.guest
    if mark is None or (arrival.operation == "prepare" and mark.level is None):
        return Answer()
    tried = _tried(mark, marks.emulator or "", trier)
    stops = [one for one in tried.findings if one.severity in {"stops", "breaks"}]
    codes = [one.code for one in tried.findings if one.severity == "unknown"]
    words = {"level": mark.level or "", "uuid": marks.uuid or "", "digest": mark.digest or ""}
    words["why"] = differences_text([_difference(one) for one in stops], arrival.host) or unknown_text(codes)
    if arrival.operation == "prepare":
        # A start is harmed by no CPU, only its later moves are: it is let go, and told.
        event = {"refused": "off-level", "runs": "on-level", "unknown": None}[tried.answer]
        return Answer(event, words=words)
    if tried.answer == "runs":
        return Answer("let", words=words)
    if tried.answer == "unknown" and mark.unknown == "let":
        return Answer()
    return _of_doubt(arrival, marks, clock, tried, words)


def _of_doubt(
    arrival: Arrival, marks: DomainMarks, clock: Clock, tried: Tried, words: Mapping[str, str]
) -> Answer:
    # It is refused here, or nobody can say: an override comes first, then what trying said, then what the pool wants.
    override = marks.override
    hard = [one for one in tried.findings if one.severity in {"stops", "breaks"}]
    spent = "" if override is None else _spent(override, clock(), hard)
    if override is not None and not spent:
        until = written_time(override.until)
        return Answer("overridden", words={**words, "until": until, "reason": override.reason})
    if tried.answer == "refused":
        stops = any(one.severity == "stops" for one in hard)
        return Answer(
            "refused", refusal(arrival, [_difference(one) for one in hard], stops=stops, spent=spent), words
        )
    if marks.guest is not None and marks.guest.unknown == "refuse":
        codes = [one.code for one in tried.findings if one.severity == "unknown"]
        return Answer("unknown-refused", unknown_refusal(arrival, codes, spent), words)
    return Answer("unknown-let", words=words)


def _tried(mark: GuestMark, emulator: str, trier: Trier) -> Tried:
    if mark.packed is None or mark.digest is None:
        return Tried("unknown", (Found("no-such-guest", "unknown", "metadata"),))
    tried = trier(mark.packed, emulator)
    if tried.digest == mark.digest or (tried.digest is None and tried.answer == "unknown"):
        return tried
    # Altered, or of another guest: what was tried says nothing of the one that the digest names.
    return Tried("unknown", (Found("no-such-guest", "unknown", "digest", mark.digest, tried.digest or ""),))


def _spent(override: Override, now: datetime, hard: Sequence[Found]) -> str:
    if not override.holds(now):
        return "ended"
    return "breaks" if any(one.severity == "breaks" for one in hard) and not override.breaks else ""


def _difference(found: Found) -> Difference:
    subject, guest, host = (_shown(text) for text in (found.subject, found.guest, found.host))
    return Difference(found.code, subject, guest, host, found.remedy)


def _shown(text: str) -> str:
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def _try_here(packed: str, emulator: str) -> Tried:
    from armlevel.onefile.trying import tried

    return tried(packed, cache=CACHE, emulator=emulator)


def _now() -> datetime:
    from datetime import datetime, timezone

    return datetime.now(timezone.utc)


def _note_start(answer: Answer, state: str | os.PathLike[str] = STATE) -> None:
    # Which guests of this host run off their level: one file each, for whoever reports; nothing depends on it.
    uuid = answer.words.get("uuid", "")
    if answer.event not in {"off-level", "on-level"} or not uuid or uuid.strip(_UUID):
        return
    folder = os.path.join(state, "off-level")
    place, fresh = os.path.join(folder, uuid), os.path.join(folder, f".{uuid}.{os.getpid()}")
    try:
        if answer.event == "on-level":
            os.unlink(place)
            return
        os.makedirs(folder, mode=0o755, exist_ok=True)
        with open(fresh, "w", encoding="utf-8") as stream:
            stream.write(f"{answer.words['level']} {answer.words['digest']}\n")
        os.replace(fresh, place)
    except OSError:
        return


def _hook(operation: str, domain: str) -> int:
    arrival = Arrival(operation, _shown(domain), _shown(os.uname().nodename))
    try:
        marks = read_domain(sys.stdin.buffer.read(MOST_XML + 1))
        if marks.guest is not None:
            arrival = Arrival(operation, arrival.domain, arrival.host, marks.guest.digest)
        answer = judge(arrival, marks, _now, _try_here)
    except BadDomain as exc:
        answer = Answer("fault", words={"why": _shown(exc.message)})
    except Exception as exc:  # noqa: BLE001 - whatever it is, it is ours, and no reason to hold a guest up
        answer = Answer("fault", words={"why": f"{type(exc).__name__}: {_shown(str(exc))}"})
    if answer.event is not None:
        line = answer.refusal or event_sentence(answer.event, arrival, answer.words)
        about = {"domain": arrival.domain, "operation": operation, **answer.words}
        tell(answer.event, line, {key: value for key, value in about.items() if value})
        _note_start(answer)
    if answer.refusal is None:
        return 0
    print(answer.refusal, file=sys.stderr)
    return 1


def main(arguments: Sequence[str]) -> int:
    """Answer one call of libvirt's hook: OPERATION and DOMAIN, the domain's XML on standard input."""
    if len(arguments) == _BAD_USAGE and arguments[0] in OPERATIONS:
        return _hook(*arguments)
    print(f"usage: armlevel-guard hook {'|'.join(OPERATIONS)} DOMAIN < XML", file=sys.stderr)
    return _BAD_USAGE
