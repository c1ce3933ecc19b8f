"""What the guard says of a guest that arrives, to the person who moved it: one sentence, at the source's terminal.

It travels with the guard, so it imports nothing of the engine and of the facts: what trying found brings its values.
"""

from __future__ import annotations

from armlevel.named import NamedTuple

TYPE_CHECKING = False  # as type checkers read it

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Arrival", "Difference", "event_sentence", "refusal", "unknown_refusal"]

_SHOWN = 3
_LONGEST = 160
_SHORT_DIGEST = 19  # sha256: and twelve digits

_EVENTS: Mapping[str, str] = {
    "let": "{guest} may run on {host}: {operation} let",
    "overridden": "{guest} is let by an override until {until}, {operation} on {host}: {reason}; without it: {why}",
    "unknown-let": "it cannot be said whether {guest} may run on {host} ({why}): {operation} let",
    "off-level": "{guest} is started off its level {level} on {host}: {why}",
    "on-level": "{guest} is started on its level {level} on {host}",
    "fault": "the guard failed at {operation} of {guest} on {host} ({why}): let",
}

_UNKNOWN: Mapping[str, str] = {
    "kvm-failed": "this host's KVM could not be asked",
    "unknown-packing": "its guest CPU was written by another armlevel",
    "no-such-guest": "its guest CPU in the metadata cannot be read",
    "digest": "its guest CPU in the metadata is not the one that its digest names",
    "not-recorded": "not everything about it was recorded",
    "kvm-newer": "this host's KVM has what this armlevel does not know",
}

# Of what is there or not, without values.
_PLAIN: Mapping[str, str] = {
    "feature-missing": "{subject}: {host} cannot make a guest with it",
    "list-lacks": "{subject}: it is in the guest's state, and {host} has no such register",
}

_REMEDIES: Mapping[str, str] = {
    "restart": "shut it down, and start it on {host}",
    "elsewhere": "move it to another host",
    "upgrade-kernel": "move it to another host, or give {host} a newer kernel",
    "probe": "move it to another host, or ask for more: armlevel check",
}
_RESTORE = "to start it without what was saved: virsh start --force-boot {domain}"
_OVERRIDE = (
    "to move it all the same, where it is now: armlevel override {domain} --for 2h {more}--reason TEXT"
)


class Arrival(NamedTuple):
    """Which guest would arrive how, and where."""

    operation: str
    domain: str
    host: str
    digest: str | None = None

    @property
    def guest(self) -> str:
        """The guest as it is named in a sentence."""
        name = _cut(self.domain)
        return f"{name} ({self.digest[:_SHORT_DIGEST]})" if self.digest else name


class Difference(NamedTuple):
    """What the guest has and this host does not take: values as a person reads them, empty where there is none."""

    code: str
    subject: str
    guest: str = ""
    host: str = ""
    remedy: str = ""


def refusal(
    arrival: Arrival, differences: Sequence[Difference], *, stops: bool = True, spent: str = ""
) -> str:
    """Return why a guest may not arrive, and what to do about it.

    ``stops``  KVM would refuse it whatever a person says; else it would be taken, and go wrong
    ``spent``  an override that was there and does not cover it: `ended` or `breaks`

    >>> refusal(
    ...     Arrival("migrate", "web-1", "h2"),
    ...     [Difference("changed", "PSCI_VERSION", "1.3", "1.1", "restart")],
    ... )
    'armlevel: web-1 may not run on h2: PSCI_VERSION: the guest has 1.3, h2 takes 1.1; shut it down, and start it on h2'
    """
    why = differences_text(differences, arrival.host) or "its guest CPU is not taken"
    override = {"ended": "; its override has ended", "breaks": "; its override does not cover this"}.get(
        spent, ""
    )
    remedy = next((one.remedy for one in differences if one.remedy), "elsewhere")
    done = [_REMEDIES.get(remedy, _REMEDIES["elsewhere"])]
    if arrival.operation == "restore":
        done = [_RESTORE]
    elif not stops:
        done.append(_OVERRIDE)
    told = f"{arrival.guest} may not run on {arrival.host}: {why}{override}"
    return f"armlevel: {told}; {_do(done, arrival, stops=stops)}"


def unknown_refusal(arrival: Arrival, codes: Sequence[str], spent: str = "") -> str:
    """Return why a guest of which nothing can be said may not arrive, where its pool wants it so."""
    override = "; its override has ended" if spent else ""
    done = [_RESTORE] if arrival.operation == "restore" else [_REMEDIES["elsewhere"], _OVERRIDE]
    return (
        f"armlevel: it cannot be said whether {arrival.guest} may run on {arrival.host} "
        f"({unknown_text(codes)}), and its pool refuses then{override}; {_do(done, arrival, stops=True)}"
    )


def event_sentence(event: str, arrival: Arrival, words: Mapping[str, str]) -> str:
    """Return the line of the journal for what happened."""
    told = {"until": "", "reason": "", "level": "", "why": "", **words}
    told |= {"guest": arrival.guest, "host": arrival.host, "operation": arrival.operation}
    return _EVENTS[event].format_map(told)


def differences_text(differences: Sequence[Difference], host: str) -> str:
    """Return the first differences with both values, and how many more there are."""
    told = [_difference(one, host) for one in differences[:_SHOWN]]
    left = len(differences) - len(told)
    return "; ".join(told) + (f"; and {left} more" if left > 0 else "")


def unknown_text(codes: Sequence[str]) -> str:
    """Return why an answer is unknown."""
    return "; ".join(dict.fromkeys(_UNKNOWN.get(code, "trying it gave no answer") for code in codes[:_SHOWN]))


def _difference(one: Difference, host: str) -> str:
    guest, here = _cut(one.guest), _cut(one.host)
    if one.code in _PLAIN:
        return _PLAIN[one.code].format(subject=one.subject, host=host)
    if guest and here:
        return f"{one.subject}: the guest has {guest}, {host} takes {here}"
    if guest:
        return f"{one.subject}: the guest has {guest}, and {host} does not take it"
    if here:
        return f"{one.subject}: {host} has {here}"
    return f"{one.subject}: the guest has it, and {host} does not take it"


def _do(remedies: Sequence[str], arrival: Arrival, *, stops: bool) -> str:
    more = "" if stops else "--breaks "
    return "; ".join(remedies).format(domain=_word(arrival.domain), host=arrival.host, more=more)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _word(name: str) -> str:
    # As shlex.quote would, which a guard does not import for one word.
    safe = name.isascii() and name.translate({ord(one): "a" for one in "-._"}).isalnum()
    return name if safe and not name.startswith("-") else "'" + name.replace("'", "'\"'\"'") + "'"
