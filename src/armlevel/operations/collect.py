"""Profiles of many hosts over ssh, at the same time: each whole or absent, and for each that failed the reason."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shlex
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from armlevel.documents import Loaded, host_object, new_pool, pretty
from armlevel.documents.maps import ValuePool
from armlevel.documents.outputs import write_output
from armlevel.documents.read import read_host
from armlevel.errors import ArmlevelError, InputError, UsageError
from armlevel.onefile.over_ssh import MARK, command, loader
from armlevel.operations.reached import Target
from armlevel.operations.ssh import Children, Exchange, exchange
from armlevel.profile import Host

__all__ = ["Become", "CollectResult", "Collected", "Collecting", "collect", "failure_of"]

Become = Literal["", "sudo"]

_LARGEST = 16 << 20  # bytes that a host may answer; a profile has some 40 KiB
_DATE = (1980, 1, 1, 0, 0, 0)
_HEAD = re.compile(rb"(?:^|\n)" + re.escape(MARK.encode()) + rb" ([0-9]{1,9}) ([0-9a-f]{64})\n")
#: What ssh itself says where it does not get as far as a shell; it is not translated.
_LOGIN = (
    "Permission denied",
    "Too many authentication failures",
    "no mutual signature",
    "Authentication failed",
)
_KEY = ("Host key verification failed", "REMOTE HOST IDENTIFICATION HAS CHANGED")
_SSH_FAILED, _NOT_FOUND, _NOT_RUN = 255, 127, 126
_MOST_DETAIL = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Collecting:
    """How hosts are asked.

    ``options``  of ssh, as ``KEY=VALUE``: they come first, and the first that ssh is told counts
    ``jobs``     so many at the same time;  ``seconds``  that each may take;  ``python``  what runs it there
    """

    become: Become = ""
    python: str = "python3"
    jobs: int = 16
    seconds: int = 120
    options: tuple[str, ...] = ()
    vmms: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What became of one host: ``failed`` is a code, empty if its profile is there.

    ``path``     the file that it was written to;  ``state``  what the fleet made of it (see fleet-add/1)
    ``remarks``  what the probe noticed
    """

    name: str
    reach: str
    failed: str = ""
    detail: str = ""
    path: str = ""
    state: str = ""
    remarks: tuple[str, ...] = ()
    host: Host | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class CollectResult:
    """What became of every host, in the order in which they were named."""

    kind: ClassVar[str] = "collect/1"

    hosts: tuple[Collected, ...]

    @property
    def failed(self) -> tuple[Collected, ...]:
        """The hosts of which there is no profile."""
        return tuple(one for one in self.hosts if one.failed)

    @property
    def status(self) -> int:
        """The exit status: 1 if any failed."""
        return 1 if self.failed else 0

    def document(self) -> dict[str, Any]:
        """Return the collect/1 object; what is absent is null."""
        return {
            "kind": self.kind,
            "hosts": [
                {
                    "host": one.name,
                    "ssh": one.reach,
                    "failed": one.failed or None,
                    "detail": one.detail or None,
                    "path": one.path or None,
                    "state": one.state or None,
                    "remarks": list(one.remarks),
                }
                for one in self.hosts
            ],
        }


def collect(  # noqa: PLR0913 (what is asked, how, and where it goes)
    targets: Sequence[Target],
    program: Mapping[str, bytes],
    how: Collecting,
    *,
    into: Path | None = None,
    force: bool = False,
    fleet: Callable[[Sequence[Loaded]], Mapping[str, str]] | None = None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> CollectResult:
    """Probe hosts over ssh; ``program`` are the files of what runs there.

    ``into``   a directory for NAME.json each;  ``force``  replaces what is there
    ``fleet``  takes profiles, all or none, and says what each host's was to it

    Raises:
        UsageError: no host, no ssh, or a file that would be replaced is there already; then no host was asked.

    """
    if not targets:
        raise UsageError("no host was named", hint="name some, or a list of them: --hosts FILE")
    if shutil.which("ssh") is None:
        raise UsageError("there is no ssh here", hint="install OpenSSH's client")
    if into is not None:
        _make_room(into, targets, force=force)
    archive, found = _archive(program), dict[str, Collected]()
    values = new_pool()
    for one in _asked(targets, archive, how, values):
        done = one
        if into is not None and one.host is not None:
            path = into / f"{one.name}.json"
            write_output(str(path), pretty(host_object(one.host)), force=force)
            done = replace(one, path=str(path))
        found[one.name] = done
        progress(len(found), len(targets))
    if fleet is not None:
        found |= {one.name: one for one in _taken(list(found.values()), fleet)}
    return CollectResult(tuple(found[one.name] for one in targets))


def _make_room(into: Path, targets: Sequence[Target], *, force: bool) -> None:
    try:
        into.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise UsageError(f"{into}: no directory can be made: {exc.strerror or exc}") from exc
    there = [name for one in targets if (into / (name := f"{one.name}.json")).exists()]
    if there and not force:
        more = f" and {len(there) - 3} more" if len(there) > 3 else ""
        raise UsageError(
            f"{into} has {', '.join(there[:3])}{more} already, and no host was asked",
            hint="give another directory, or replace earlier profiles with --force",
        )


def _archive(files: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            if name != "__main__.py":
                archive.writestr(zipfile.ZipInfo(name, _DATE), files[name], zipfile.ZIP_DEFLATED)
    return content.getvalue()


def _asked(
    targets: Sequence[Target], archive: bytes, how: Collecting, values: ValuePool
) -> Iterator[Collected]:
    children = Children()
    with ThreadPoolExecutor(max_workers=how.jobs) as pool:
        running: dict[Future[Exchange], Target] = {}
        try:
            for one in targets:
                if one.connection:
                    yield _failed(one, "not-ssh", one.connection)
                    continue
                running[pool.submit(_ask, children, one, archive, how)] = one
            for done in as_completed(running):
                one = running.pop(done)
                yield _answer(one, done.result(), how, values)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            children.stop()
            raise


def _ask(children: Children, target: Target, archive: bytes, how: Collecting) -> Exchange:
    options = {"name": target.name, "seconds": how.seconds, "vmms": how.vmms}
    first = loader(len(archive), options)
    words = ["ssh"]
    for option in (*how.options, "BatchMode=yes", "ConnectTimeout=15", "ServerAliveInterval=15"):
        words += ["-o", option]
    remote = command(len(first), shlex.quote(how.python))
    if how.become:
        remote = f"sudo -n -- {remote}"
    words += ["-T", *target.words, remote]
    return exchange(children, words, first + archive, seconds=how.seconds, most=_LARGEST)


def _answer(target: Target, said: Exchange, how: Collecting, values: ValuePool) -> Collected:
    answer = _framed(said.out) if said.ended == "done" else None
    if answer is None:
        return _failed(target, *failure_of(said, how))
    if "failed" in answer:
        return _failed(target, str(answer["failed"]), str(answer.get("detail", "")))
    try:
        host = read_host(str(answer.get("profile", "")).encode(), f"{target.name}.json", values)
    except ArmlevelError as exc:
        return _failed(target, "bad-output", str(exc).split("\n", 1)[0])
    if host.name != target.name or host.accelerator != "kvm":
        return _failed(target, "bad-output", f"the profile of {host.name}")
    remarks = answer.get("remarks")
    texts = tuple(str(one) for one in remarks) if isinstance(remarks, list) else ()
    return Collected(name=target.name, reach=target.reach, remarks=texts, host=host)


def _failed(target: Target, code: str, detail: str) -> Collected:
    from armlevel.words.collect import FAILURES

    code = code if code in FAILURES else "bad-output"  # what the other end says is no word of ours
    return Collected(name=target.name, reach=target.reach, failed=code, detail=detail[:_MOST_DETAIL])


def _framed(out: bytes) -> dict[str, Any] | None:
    # The first whole frame; what a login shell prints around it is nothing to us.
    for head in _HEAD.finditer(out):
        data = out[head.end() : head.end() + int(head[1])]
        if hashlib.sha256(data).hexdigest().encode() == head[2]:
            try:
                answer = json.loads(data)
            except (ValueError, RecursionError):
                return None
            return answer if isinstance(answer, dict) else None
    return None


def failure_of(ended: Exchange, how: Collecting) -> tuple[str, str]:
    """Return why there is no answer: a code, and what was said.

    >>> failure_of(Exchange("done", 127, b"", b"sh: 1: python3: not found"), Collecting())
    ('no-python', 'sh: 1: python3: not found')
    >>> failure_of(
    ...     Exchange("done", 255, b"", b"ssh: connect to host n1 port 22: No route to host"), Collecting()
    ... )[0]
    'unreachable'
    """
    code, said = ended.code, ended.err.decode(errors="replace")
    detail = _last_line(said)
    if ended.ended != "done":
        too_much = f"more than {_LARGEST >> 20} MiB"
        return ("timed-out", str(how.seconds)) if ended.ended == "timed-out" else ("bad-output", too_much)
    if code == _SSH_FAILED or code is None or code < 0:
        return _not_reached(said, detail or f"ssh ended with status {code}")
    if how.become and re.search(r"\bsudo\b", said):
        return ("no-python" if re.search(r"^sudo: \S*python\S*: ", said, re.MULTILINE) else "sudo"), detail
    if code in (_NOT_FOUND, _NOT_RUN):
        return "no-python", detail or f"exit status {code}"
    status = f"it ended with exit status {code}" + (f": {detail}" if detail else "")
    return "bad-output", status if ended.out or code else "nothing"


def _not_reached(said: str, detail: str) -> tuple[str, str]:
    for failed, signs in (("host-key", _KEY), ("login", _LOGIN)):
        line = next((one for one in said.splitlines() if any(sign in one for sign in signs)), "")
        if line:
            return failed, line.strip()
    return "unreachable", detail


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    own = [line for line in lines if not line.startswith(("Warning: Permanently added", "**"))]
    return own[-1] if own else ""


def _taken(
    hosts: Sequence[Collected], fleet: Callable[[Sequence[Loaded]], Mapping[str, str]]
) -> Iterator[Collected]:
    # The fleet takes all or none of what it is given: those it will not have are found by halves.
    some = [one for one in hosts if one.host is not None]
    if not some:
        return
    try:
        loaded = [Loaded(one.path or one.name, one.host) for one in some if one.host is not None]
        states = fleet(loaded)
    except (UsageError, InputError) as exc:  # one of the profiles is to blame, and not the store
        if len(some) == 1:
            yield replace(some[0], failed="not-taken", detail=str(exc)[:_MOST_DETAIL])
            return
        yield from _taken(some[: len(some) // 2], fleet)
        yield from _taken(some[len(some) // 2 :], fleet)
        return
    yield from (replace(one, state=states[one.name]) for one in some)
