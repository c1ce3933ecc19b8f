"""Which hosts a person means, and the words that ssh is given for each."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from armlevel.documents import read_file
from armlevel.errors import UsageError
from armlevel.formats.inventory import InventoryHost, inventory_of

__all__ = ["Target", "targets_of"]

_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@\\+-]{0,63}")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:%-]{0,252}")
_URL = re.compile(r"ssh://(?:([^@/]+)@)?(\[[0-9A-Fa-f:.%]+\]|[^:/@]+)(?::([0-9]{1,5}))?/?")
_LISTS = (".txt", ".ini", ".json", ".yml", ".yaml", ".db", ".cfg")
_MOST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A host: what it is called, and the words that ssh is given; ``connection`` is how it is reached if not so."""

    name: str
    words: tuple[str, ...]
    connection: str = ""

    @property
    def reach(self) -> str:
        """What a person types behind ``ssh``."""
        return shlex.join(word for word in self.words if word != "--")


def targets_of(names: Sequence[str], lists: Sequence[str] = (), group: str = "") -> tuple[Target, ...]:
    """Return the hosts that are named, and those of lists; the same host twice is one.

    Raises:
        UsageError: something is no host, or two hosts have one name.
        InputError: a list cannot be read or has faults.

    >>> [(one.name, one.reach) for one in targets_of(["root@n1", "ssh://n2:2222"])]
    [('n1', 'root@n1'), ('n2', '-p 2222 n2')]
    """
    if group and not lists:
        raise UsageError("--group is of a list", hint="name it: --hosts FILE")
    found = [_typed(name) for name in names]
    for path in lists:
        found += [_listed(one, path) for one in inventory_of(read_file(path), path, group)]
    return _once(found)


def _typed(text: str) -> Target:
    if text.lower().endswith(_LISTS) and Path(text).is_file():
        raise UsageError(
            f"{text}: is a file, and a host is wanted", hint=f"a list of hosts is --hosts {text}"
        )
    return Target(name=_name_in(text), words=_words(text))


def _name_in(text: str) -> str:
    url = _URL.fullmatch(text)
    return (url[2] if url else text.rpartition("@")[2]).strip("[]")


def _words(text: str) -> tuple[str, ...]:
    url = _URL.fullmatch(text)
    if url is not None:
        user, host, port = url.groups()
        host = host.strip("[]")
        text = f"{user}@{host}" if user else host
        return (*(("-p", _port(port)) if port else ()), "--", _held(text))
    return ("--", _held(text))


def _held(text: str) -> str:
    user, at, host = text.rpartition("@")
    if not _NAME.fullmatch(host) or (at and not _USER.fullmatch(user)):
        shown = ascii(text)[1:-1][:80]
        raise UsageError(f"{shown}: is no host", hint="HOST, USER@HOST or ssh://USER@HOST:PORT, as for ssh")
    return text


def _port(text: str) -> str:
    if not text.isdigit() or not 0 < int(text) < 1 << 16:
        raise UsageError(f"{ascii(text)[1:-1][:40]}: is no port", hint="a number from 1 to 65535")
    return text


def _user(text: str) -> str:
    if not _USER.fullmatch(text):
        raise UsageError(f"{ascii(text)[1:-1][:40]}: is no user", hint="a name as a system has it")
    return text


def _listed(one: InventoryHost, path: str) -> Target:
    try:
        words: list[str] = []
        if one.port:
            words += ["-p", _port(one.port)]
        if one.user:
            words += ["-l", _user(one.user)]
        if one.key:
            words += ["-i", one.key]
        typed = _words(one.address or one.name)
        name = _name_in(one.name)
        _held(name)
    except UsageError as exc:
        raise UsageError(f"{path}: {exc}") from exc
    return Target(name=name, words=(*words, *typed), connection=one.connection)


def _once(found: Iterable[Target]) -> tuple[Target, ...]:
    by_name: dict[str, Target] = {}
    twice: dict[str, str] = {}
    for one in found:
        if by_name.setdefault(one.name, one) != one:
            twice[one.name] = f"{one.name} is {by_name[one.name].reach} and {one.reach}"
    if twice:
        told = list(twice.values())
        more = f" and {len(told) - _MOST} more" if len(told) > _MOST else ""
        raise UsageError(
            f"hosts of one name: {'; '.join(told[:_MOST])}{more}",
            hint="a profile is called as its host: give each a name of its own, in ~/.ssh/config or the list",
        )
    return tuple(by_name.values())
