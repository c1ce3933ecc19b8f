"""What a person names on the command line: profiles, recorded machines, facts, pins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from armlevel.arch import Catalogue
from armlevel.documents import Document, Loaded, load_many
from armlevel.engine import passthrough
from armlevel.errors import BadDocument, UnknownName, UsageError
from armlevel.profile import Guest, Host

__all__ = [
    "Given",
    "expanded",
    "given_facts",
    "guest_of",
    "hosts_named",
    "load_all",
    "pins_of",
    "with_facts",
]

FACTS = ("cntfrq_hz", "dczid", "gmid", "page_size")


@dataclass(frozen=True, slots=True)
class Given:
    """A fact that a person supplied for hosts of which it is not recorded."""

    host: str
    fact: str
    value: int

    def __str__(self) -> str:
        return f"{self.host}:{self.fact}={self.value}"


def expanded(names: Sequence[str], stack: ExitStack) -> list[str]:
    """Return paths; ``@NAME`` and ``@PATTERN`` become the recorded machines that ship.

    Raises:
        UnknownName: no recorded machine is called so.

    """
    paths: list[str] = []
    for name in names:
        if not name.startswith("@"):
            paths.append(name)
            continue
        import difflib

        from armlevel import machines

        wanted = name[1:].replace("@", "-").lower() or "*"
        found = [known for known in machines.names() if fnmatchcase(known, wanted)]
        if not found:
            near = difflib.get_close_matches(wanted, machines.names(), n=3, cutoff=0.4)
            raise UnknownName(
                "recorded machine", name, tuple(f"@{known}" for known in near or machines.names()[:3])
            )
        folder = stack.enter_context(machines.folder())
        paths += [str(folder / f"{known}.json") for known in found]
    return paths


def load_all(names: Sequence[str]) -> list[Loaded]:
    """Read everything that is named; hosts and guests come back with names of their own."""
    with ExitStack() as stack:
        return load_many(expanded(names, stack))


def hosts_named(names: Sequence[str], facts: Sequence[str] = ()) -> tuple[list[Host], tuple[Given, ...]]:
    """Read hosts, and complete them with the facts that a person gave (``HOST:FACT=VALUE``).

    Raises:
        ArmlevelError: something is no host, or a fact cannot be what it says.

    """
    hosts = []
    for loaded in load_all(names):
        if not isinstance(loaded.document, Host):
            raise BadDocument(loaded.path, (f"a host is needed here, this is a {_kind(loaded.document)}",))
        hosts.append(loaded.document)
    given = given_facts(facts, [host.name for host in hosts])
    return with_facts(hosts, given), given


def guest_of(name: str, catalogue: Catalogue, *, vmm: str = "kvm") -> Guest:
    """Read one guest; a host stands for its passthrough profile.

    Raises:
        ArmlevelError: it is neither, or several.

    """
    found = load_all([name])
    if len(found) > 1:
        raise UsageError(f"{name}: {len(found)} profiles, and one guest is needed here", hint="name one file")
    document = found[0].document
    if isinstance(document, Host):
        return passthrough(document, catalogue, vmm=vmm)
    if isinstance(document, Guest):
        return document
    raise BadDocument(found[0].path, (f"a guest is needed here, this is a {_kind(document)}",))


def _kind(document: Document) -> str:
    return (
        "guest profile"
        if isinstance(document, Guest)
        else "host profile"
        if isinstance(document, Host)
        else "verdict"
    )


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
        if fact not in FACTS:
            raise UnknownName("fact", fact, FACTS)
        number = whole_number(value)
        if number is None or number >= 1 << 53 or (fact == "cntfrq_hz" and number == 0):
            unit = (
                "the counter frequency in Hz, not 0" if fact == "cntfrq_hz" else "a number, decimal or 0x..."
            )
            raise UsageError(f"--fact {text}: {value!r} is not {unit}")
        hosts = [pattern] if pattern in names else [name for name in names if fnmatchcase(name, pattern)]
        if not hosts:
            raise UnknownName("host here", pattern, tuple(names[:3]))
        given += [Given(host, fact, number) for host in hosts]
    return tuple(given)


def with_facts(hosts: Sequence[Host], given: Sequence[Given]) -> list[Host]:
    """Return the hosts with the given facts.

    Raises:
        UsageError: another value is recorded, or was given before.

    """
    by_name = {host.name: host for host in hosts}
    for one in given:
        host = by_name[one.host]
        known = getattr(host.facts, one.fact)
        if known is not None and known != one.value:
            raise UsageError(
                f"--fact {one}: {one.host} has {one.fact} {known} already",
                hint="a fact is given, not changed",
            )
        if known is None:
            sources = {**host.facts.sources, one.fact: "given with --fact"}
            facts = replace(host.facts, sources=sources, **{one.fact: one.value})
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


def pins_of(texts: Sequence[str], catalogue: Catalogue) -> Mapping[str, int]:
    """Read ``REG.FIELD=V``; V is a number, or a name that the field's row gives to a value.

    Raises:
        UsageError: not of that form, no value of the field, or pinned twice.
        UnknownName: no such field.

    """
    pins: dict[str, int] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or "." not in name:
            raise UsageError(
                f"--pin {text}: not of the form REG.FIELD=VALUE", hint="for instance ID_AA64ISAR0_EL1.RNDR=0"
            )
        field = catalogue.field(name)
        number = whole_number(value)
        if number is None:
            number = next((v for v, word in field.values.items() if word.lower() == value.lower()), None)
        if number is None or number >> field.width:
            known = ", ".join(f"{v} {word}".strip() for v, word in field.values.items())
            raise UsageError(
                f"--pin {text}: {field.subject} has {field.width} bits", hint=known and f"values: {known}"
            )
        if pins.setdefault(field.subject, number) != number:
            raise UsageError(f"--pin {text}: {field.subject} is pinned to {pins[field.subject]} already")
    return pins
