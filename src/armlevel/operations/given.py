"""What a person says of hosts that is not recorded of them: facts, read from text and put into the hosts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from armlevel.arch import load
from armlevel.errors import UnknownName, UsageError
from armlevel.formats.release import release_of
from armlevel.profile import Given, Host
from armlevel.profile.host import may_be_fact

__all__ = [
    "FACTS",
    "KERNEL",
    "as_typed",
    "given_facts",
    "given_kernel",
    "given_object",
    "names_meant",
    "whole_number",
    "with_facts",
    "with_release",
]

FACTS = ("cntfrq_hz", "dczid", "gmid", "page_size")
KERNEL = "kernel"


def names_meant(text: str, names: Sequence[str]) -> list[str]:
    """Return the hosts that a person means by a name or a pattern: as it is shown, or as ``@NAME`` is typed.

    Where several were called so, each has a number behind its name, and the first is meant by ``NAME#1`` alone.

    Raises:
        UnknownName: none.
        UsageError: several are called so.

    >>> names_meant("@graviton2-6.1", ["graviton2@6.1", "n1"]), names_meant("n*", ["graviton2@6.1", "n1"])
    (['graviton2@6.1'], ['n1'])
    >>> names_meant("n1#1", ["n1", "n1#2"]), names_meant("n1*", ["n1", "n1#2"])
    (['n1'], ['n1', 'n1#2'])
    """
    if text in names:
        _alone(text, text, names)
        return [text]
    if (first := text.removesuffix("#1")) != text and first in names:
        return [first]
    found = [name for name in names if fnmatchcase(name, text)]
    found = found or [name for name in names if fnmatchcase(as_typed(name), as_typed(text))]
    if not found:
        near = get_close_matches(text.removeprefix("@"), names, cutoff=0.6) or list(names[:3])
        raise UnknownName("host here", text, tuple(near))
    if not any(sign in text for sign in "*?["):
        _alone(text, found[0], names)
        if len(found) > 1:
            raise UsageError(
                f"{text}: {len(found)} hosts here may be meant", hint=f"say {' or '.join(found[:6])}"
            )
    return found


def _alone(text: str, name: str, names: Sequence[str]) -> None:
    # Hosts with a number behind their name were called as the one without was (documents.files).
    if f"{name}#2" in names:
        count = 1 + sum(one.rpartition("#")[0] == name for one in names)
        raise UsageError(
            f"{text}: {count} hosts here are called so",
            hint=f"{name}#1 is the first that was named, {name}#2 the second, and {name}* all of them",
        )


def as_typed(name: str) -> str:
    """Return a name in the form in which a recorded machine is typed and shown alike.

    >>> as_typed("graviton2@6.1") == as_typed("@graviton2-6.1") == as_typed("@Graviton2@6.1")
    True
    """
    return name.removeprefix("@").replace("@", "-").lower()


def given_facts(texts: Sequence[str], names: Sequence[str]) -> tuple[Given, ...]:
    """Read ``HOST:FACT=VALUE``; HOST is a name or a pattern of names.

    Raises:
        UsageError: it is not of that form.
        UnknownName: no such host or fact.

    >>> given_facts(["n*:cntfrq_hz=25000000"], ["n1", "v1"])
    (Given(host='n1', fact='cntfrq_hz', value=25000000),)
    """
    given = []
    for text in texts:
        left, equals, value = text.rpartition("=")
        pattern, colon, fact = left.rpartition(":")
        if not (equals and colon and pattern):
            raise UsageError(
                f"--fact {text}: not of the form HOST:FACT=VALUE", hint="for instance n1:cntfrq_hz=25000000"
            )
        if fact not in (*FACTS, KERNEL):
            raise UnknownName("fact", fact, (*FACTS, KERNEL))
        number = given_kernel(f"--fact {text}", value) if fact == KERNEL else whole_number(value)
        if isinstance(number, int) and not may_be_fact(fact, number):
            raise UsageError(f"--fact {text}: no arm64 host has {fact} {value}")
        if number is None:
            unit = (
                "the counter frequency in Hz, not 0" if fact == "cntfrq_hz" else "a number, decimal or 0x..."
            )
            raise UsageError(f"--fact {text}: {value!r} is not {unit}")
        given += [Given(host, fact, number) for host in names_meant(pattern, names)]
    return tuple(given)


def given_kernel(option: str, text: str) -> str:
    """Read the release of a kernel.

    Raises:
        UsageError: it is none.

    """
    release = release_of(text)
    if not release:
        raise UsageError(
            f"{option}: not the release of a kernel", hint="uname -r prints it: 6.12.0-55.el10.aarch64"
        )
    return release


def with_release(host: Host, release: str, option: str) -> Host:
    """Return a host of which nobody recorded the kernel with the release of it, and what that predicts.

    Raises:
        UsageError: another one is recorded.

    """
    known = host.software.kernel
    if known and known != release:
        raise UsageError(
            f"{option}: of {host.name} Linux {known} is recorded", hint="a fact is given, not changed"
        )
    from armlevel.formats.predict import with_kernel

    return host if known else with_kernel(host, release, load())


def with_facts(hosts: Sequence[Host], given: Sequence[Given]) -> list[Host]:
    """Return the hosts with the given facts.

    Raises:
        UsageError: another value is recorded, or was given before.

    """
    by_name = {host.name: host for host in hosts}
    for one in given:
        host = by_name[one.host]
        if one.fact == KERNEL:
            by_name[one.host] = with_release(host, str(one.value), f"--fact {one}")
            continue
        known = getattr(host.facts, one.fact)
        if known is not None and known != one.value:
            raise UsageError(
                f"--fact {one}: {one.host} has {one.fact} {known} already",
                hint="a fact is given, not changed",
            )
        if known is None:
            sources = {**host.facts.sources, one.fact: "given with --fact"}
            facts = replace(host.facts, sources=sources, **{one.fact: int(one.value)})
            by_name[one.host] = replace(host, facts=facts)
    return list(by_name.values())


def whole_number(text: str) -> int | None:
    """Read a number that is not negative, decimal or with 0x; None if it is none.

    >>> whole_number("0x10"), whole_number("10"), whole_number("-1"), whole_number("ten")
    (16, 10, None, None)
    """
    digits, base = (text[2:], 16) if text[:2].lower() == "0x" else (text, 10)
    allowed = "0123456789abcdef"[:base]
    if not digits or len(digits) > 20 or any(digit not in allowed for digit in digits.lower()):
        return None
    return int(digits, base)


def given_object(given: Sequence[Given]) -> dict[str, Any]:
    """Return what was given as an answer records it: nothing if nothing was."""
    facts = [{"host": one.host, "fact": one.fact, "value": one.value} for one in given]
    return {"given": facts} if facts else {}
