"""What is known of agents, as a directory: the first store, and what holds it together is a lock.

::

    agents/HEX.json      who is known by the key whose SHA-256 this is, and the newest that it said
    tokens/ID.json       tokens, as HMACs;  the secret they were made with lies beside the directory
    profiles/HEX.json    host profiles by their digest
    hosts/HEX/           what a key said last: report.json, guests.json;  events.jsonl: all that happened there
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from armlevel.documents.replace import replace_file
from armlevel.documents.reports import content_of
from armlevel.documents.sshsig import NotSigned
from armlevel.documents.write import canonical
from armlevel.errors import BadDocument, UnreadableFile, UsageError
from armlevel.operations.agents.accept import LARGEST_PART, ReportResult, accept_report
from armlevel.operations.agents.enrol import EnrolResult, Trust
from armlevel.operations.agents.sealed import LARGEST_REPORT
from armlevel.operations.agents.tokens import Token, token_object, token_of
from armlevel.operations.agents.values import Agent, agent_object, agent_of

__all__ = ["AgentStore", "Spooled", "read_spool"]

Spooled = tuple[bytes, Mapping[str, bytes]]
_T = TypeVar("_T")
_MOST_PARTS = 8  # a report names two
_FOLDERS = ("agents", "tokens", "profiles", "hosts")


class AgentStore:
    """A directory of agents, held by one process at a time."""

    def __init__(self, root: Path) -> None:
        """Take a directory; :meth:`held` opens it."""
        self.root = root

    @contextlib.contextmanager
    def held(self) -> Iterator[AgentStore]:
        """Make the directory where there is none, and hold it: what is judged against it stays so.

        Raises:
            UsageError: there can be none.

        """
        try:
            for folder in _FOLDERS:
                (self.root / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            raise UsageError(f"{self.root}: cannot be a store of agents: {exc.strerror or exc}") from exc
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield self
        finally:
            os.close(handle)

    def agents(self) -> dict[str, Agent]:
        """Return all agents, by fingerprint."""
        return {one.key.fingerprint: one for one in self._all("agents", agent_of)}

    def tokens(self) -> dict[str, Token]:
        """Return all tokens, by id."""
        return {one.id: one for one in self._all("tokens", token_of)}

    def trust(self) -> Trust:
        """Return what the store itself trusts: its tokens."""
        return Trust(tokens=self.tokens(), pepper=self.pepper())

    def pepper(self) -> bytes:
        """Return the secret of its tokens, made when it is first needed; who copies the store does not have it."""
        path = self.root.with_name(f"{self.root.name}.pepper")
        with contextlib.suppress(FileExistsError), _secret(path) as stream:
            stream.write(secrets.token_hex(32).encode())
        try:
            found = path.read_bytes()
        except OSError as exc:
            raise UnreadableFile(str(path), exc.strerror or str(exc)) from exc
        if len(found) != 64:
            raise UsageError(
                f"{path}: is not the secret of this store", hint="remove it, and its tokens with it"
            )
        return found

    def accept(self, spooled: Spooled, path: str, *, now: float) -> ReportResult:
        """Judge a report, and keep what is taken of it."""
        data, beside = spooled
        there = {f"sha256:{one.stem}" for one in (self.root / "profiles").glob("*.json")}
        found = accept_report(data, path, self.agents(), now=now, there=there, beside=beside)
        if found.refused or found.agent is None or found.report is None:
            return found
        folder = self._folder(found.agent)
        kept = found.kept or {}
        if found.profile == "taken" and found.report.host is not None:
            digest = found.report.host[0]
            replace_file(str(self.root / "profiles" / f"{digest[7:]}.json"), kept[digest])
        if found.guests == "taken" and found.report.guests is not None:
            replace_file(str(folder / "guests.json"), kept[found.report.guests])
        if found.events:
            _append(folder / "events.jsonl", [_event_line(found, one) for one in found.events])
        replace_file(str(folder / "report.json"), data)
        self.put(found.agent)  # last: a report that was not kept is taken again
        return found

    def enrol(self, found: EnrolResult) -> EnrolResult:
        """Keep who is known now."""
        if found.token is not None:
            self.put_token(found.token)  # first: a token is used up, whatever comes
        if found.replaced is not None:
            self.put(found.replaced)
        if found.agent is not None:
            self.put(found.agent)
        return found

    def put(self, agent: Agent) -> None:
        """Keep an agent."""
        name = content_of(agent.key.blob)[7:]
        replace_file(str(self.root / "agents" / f"{name}.json"), canonical(agent_object(agent)) + b"\n")

    def put_token(self, token: Token) -> None:
        """Keep a token."""
        replace_file(str(self.root / "tokens" / f"{token.id}.json"), canonical(token_object(token)) + b"\n")

    def _folder(self, agent: Agent) -> Path:
        folder = self.root / "hosts" / content_of(agent.key.blob)[7:]
        folder.mkdir(exist_ok=True, mode=0o700)
        return folder

    def _all(self, folder: str, made: Callable[[Mapping[str, Any]], _T]) -> list[_T]:
        found = []
        for path in sorted((self.root / folder).glob("*.json")):
            try:
                found.append(made(json.loads(path.read_bytes())))
            except OSError as exc:
                raise UnreadableFile(str(path), exc.strerror or str(exc)) from exc
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError, NotSigned) as exc:
                hint = "it was changed by something else: restore it"
                raise BadDocument(str(path), ("is not as the store wrote it",), hint=hint) from exc
        return found


def read_spool(path: str) -> Spooled:
    """Return the report of a spool, and the files beside it that are named by the digest of their bytes.

    Raises:
        UnreadableFile: there is none.

    """
    folder = Path(path)
    data = _read(folder / "report.json", LARGEST_REPORT)
    beside = {}
    for one in sorted(folder.glob("sha256-*.json"))[:_MOST_PARTS]:
        content = _read(one, LARGEST_PART)
        beside[content_of(content)] = content
    return data, beside


def _read(path: Path, most: int) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
        with os.fdopen(handle, "rb") as stream:
            data = stream.read(most + 1)
    except OSError as exc:
        raise UnreadableFile(str(path), exc.strerror or str(exc)) from exc
    if len(data) > most:
        raise UnreadableFile(str(path), f"is larger than {most >> 20} MiB")
    return data


@contextlib.contextmanager
def _secret(path: Path) -> Iterator[Any]:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as stream:
        yield stream


def _event_line(found: ReportResult, event: Any) -> bytes:
    assert found.agent is not None
    said = {"host": found.agent.name, "number": event.number, "at": event.at, "code": event.code}
    return canonical(said | {"clock": found.clock, "words": dict(event.words)}) + b"\n"


def _append(path: Path, lines: list[bytes]) -> None:
    with path.open("ab") as stream:
        stream.write(b"".join(lines))
        stream.flush()
        os.fsync(stream.fileno())
