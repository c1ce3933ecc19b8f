"""Keep a guest from the hosts on which it cannot run: a scheduler filter for Nova.

The answers come from a file (``nova-filter/1``), which ``armlevel export --to openstack --form filter`` writes. The
filter asks it for the instance's guest CPU and each host: may the guest *arrive* (live migration), may it *start* (all
else: boot, evacuation, resize, cold migration, unshelving). It takes hosts away only where the answer is *refused*.

It fails open. Where the file is missing, broken, too large, of another owner or of another version, where the instance
or the host is not in it, and where anything else goes wrong, hosts pass, and one line in nova's log says so: a line a
minute for each class of trouble. Nothing here raises.

This file needs Python 3.10 and nova. It may be copied: nothing of it is imported from elsewhere in armlevel.

Sources, nova 34.0.0: scheduler/filters/__init__.py (BaseHostFilter, RUN_ON_REBUILD), filters.py (filter_all),
scheduler/utils.py (request_is_rebuild), compute/api.py (the task state that each move sets before it is scheduled).
"""

from __future__ import annotations

import json
import logging
import os
import stat
import threading
import time
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import nova.conf
import nova.exception
from nova import context as nova_context
from nova import objects
from nova.scheduler import filters, utils
from oslo_config import cfg

__all__ = ["LARGEST", "ArmlevelFilter"]

LOG = logging.getLogger(__name__)

#: No file of answers is larger, bytes: that of 40,000 instances on 3,000 hosts is 10 MiB.
LARGEST = 64 * 1024 * 1024

_KIND = "nova-filter/1"
_ANSWERS = ("runs", "refused", "unknown")
_UNKNOWN = ("warn", "refuse", "let")
_TRAIT, _DIGITS = "trait:CUSTOM_ARMLEVEL_START_", 32
_PAUSE = 60.0  # seconds between two lines about one class of trouble

#: The task state of an instance while it is scheduled -> the question. Every other move ends in a start.
_ARRIVES = "migrating"
#: Moves of an instance that is down: to start it with another CPU is better than not to start it.
_DOWN = ("rebuilding", "unshelving")

nova.conf.CONF.register_opts(
    [
        cfg.StrOpt(
            "answers",
            default="/var/lib/armlevel/nova-filter.json",
            help="The file of `armlevel export --to openstack --form filter`, read anew when it changes.",
        )
    ],
    group="armlevel",
)


class Unusable(Exception):
    """The file of answers is not used; the text says why, and what to do."""


@dataclass(frozen=True)
class Answers:
    """What the file says: hosts and their kinds, what each kind answers about each guest CPU, and the instances."""

    hosts: Mapping[str, str]
    answers: Mapping[str, Mapping[str, Mapping[str, Any]]]
    instances: Mapping[str, Mapping[str, str]]
    traits: Mapping[str, str]
    unknown: str = "warn"

    @classmethod
    def of(cls, document: Any) -> Answers:
        """Check a document from top to bottom; one fault, and nothing of it is used."""
        kind = document.get("kind") if isinstance(document, dict) else None
        if kind != _KIND:
            raise Unusable(f"it is {str(kind)[:40]!r}, and this filter reads {_KIND}; export it anew")
        hosts, instances = _texts(document, "hosts"), _objects(document, "instances")
        answers = _objects(document, "answers")
        for guest, kinds in answers.items():
            for name, found in kinds.items():
                if not isinstance(found, dict) or not _are(_ANSWERS, found.get("start"), found.get("arrive")):
                    raise Unusable(f"no answer about {guest[:80]} on {name[:80]}; export it anew")
        for uuid, entry in instances.items():
            if not _are(answers, *entry.values()):
                raise Unusable(f"instance {uuid[:80]} has a guest CPU without answers; export it anew")
        unknown = document.get("unknown", "warn")
        if not _are(_UNKNOWN, unknown):
            raise Unusable(f"unknown is {str(unknown)[:40]!r}, and may be {', '.join(_UNKNOWN)}")
        return cls(hosts, answers, instances, _traits(answers), unknown)

    def host(self, host_state: Any) -> str | None:
        """Return the kind of a host; nova knows it by the hypervisor's name and by the service's."""
        return self.hosts.get(str(host_state.nodename)) or self.hosts.get(str(host_state.host))


def _are(words: Container[str], *found: Any) -> bool:
    return all(isinstance(one, str) and one in words for one in found)


def _objects(document: dict[str, Any], key: str) -> dict[str, Any]:
    found = document.get(key)
    if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found.values()):
        raise Unusable(f"its {key} are none; export it anew")
    return found


def _texts(document: dict[str, Any], key: str) -> dict[str, str]:
    found = document.get(key)
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise Unusable(f"its {key} are none; export it anew")
    return found


def _traits(answers: Iterable[str]) -> dict[str, str]:
    # A trait names a guest CPU by the first digits of its digest. Digits that two share name none.
    named: dict[str, list[str]] = {}
    for guest in answers:
        named.setdefault(guest.rpartition(":")[2][:_DIGITS].upper(), []).append(guest)
    return {digits: guests[0] for digits, guests in named.items() if len(guests) == 1}


def read(path: str) -> tuple[Answers, tuple[int, ...]]:
    """Return what a file says, and what it is known by; raise :class:`Unusable` for one that is not to be used."""
    try:
        # Opened without waiting: a pipe in its place must not hold the scheduler.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as stream:
            status = os.fstat(stream.fileno())
            if why := _not_trusted(status):
                raise Unusable(why)
            data = stream.read(LARGEST + 1)
    except (OSError, ValueError) as exc:
        raise Unusable(f"{exc}; armlevel export writes it") from exc
    if len(data) > LARGEST:
        raise Unusable(f"it is larger than {LARGEST >> 20} MiB")
    try:
        return Answers.of(json.loads(data)), identity(status)
    except (ValueError, RecursionError) as exc:
        raise Unusable(f"it is no JSON ({str(exc)[:80]}); export it anew") from exc


def identity(status: os.stat_result) -> tuple[int, ...]:
    """Return what changes when a file is written anew or replaced."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _not_trusted(status: os.stat_result) -> str:
    if not stat.S_ISREG(status.st_mode):
        return "it is no regular file"
    if status.st_uid not in (0, os.geteuid()):
        return f"it belongs to user {status.st_uid}; give it to root (chown root)"
    if status.st_mode & 0o022:
        return "others may write it (chmod go-w)"
    if status.st_size > LARGEST:
        return f"it is larger than {LARGEST >> 20} MiB"
    return ""


class Lines:
    """Lines for the log: of each class of trouble one a minute, with the number of those that were kept back."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def say(self, about: str, text: str, *, level: int = logging.WARNING) -> None:
        """Log a line, unless one about the same was logged within the last minute."""
        now = time.monotonic()
        with self._lock:
            last, kept_back = self._said.get(about, (-_PAUSE, 0))
            if now - last < _PAUSE:
                self._said[about] = last, kept_back + 1
                return
            self._said[about] = now, 0
        more = f" ({kept_back} more of these since the last such line)" if kept_back else ""
        LOG.log(level, "armlevel: %s%s", _one_line(text), more)


def _one_line(text: str) -> str:
    # What nova and its users call things is not trusted.
    return "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in text[:400])


class File:
    """The file of answers, read anew when it is another one."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._lock = threading.Lock()
        self._known: tuple[str, tuple[int, ...]] | None = None
        self._answers: Answers | None = None

    def answers(self, path: str) -> Answers | None:
        """Return what the file says now; None, and a line in the log, if it is not to be used."""
        with self._lock:
            try:
                if self._known is None or self._known != (path, identity(os.stat(path))):  # noqa: PTH116 - a number, not a path
                    self._known = self._answers = None
                    self._answers, known = read(path)
                    self._known = path, known
            except (Unusable, OSError, ValueError) as exc:
                self._known = self._answers = None
                self._lines.say("file", f"{path} is not used, all hosts pass: {exc}")
            return self._answers


@dataclass(frozen=True)
class Asked:
    """What is asked of each host for one request: does the guest CPU start there, or arrive there."""

    answers: Answers
    uuid: str
    guest: str
    question: str
    down: bool = False


class ArmlevelFilter(filters.BaseHostFilter):  # type: ignore[misc]
    """Take away the hosts on which the instance's guest CPU is refused."""

    RUN_ON_REBUILD = False

    def __init__(self) -> None:
        self.lines = Lines()
        self.file = File(self.lines)

    def host_passes(self, host_state: Any, spec_obj: Any) -> bool:
        """Say of one host whether the instance may go there."""
        try:
            asked = self._asked(spec_obj)
            return asked is None or self._refused(asked, host_state) is None
        except Exception as exc:  # noqa: BLE001 - whatever it is, the host passes
            self.lines.say("fault", f"all hosts pass, by a fault of this filter: {exc!r:.200}")
            return True

    def filter_all(self, filter_obj_list: Iterable[Any], spec_obj: Any) -> Iterator[Any]:
        """Yield the hosts to which the instance may go; the question is asked once for all of them.

        An instance that is down is started somewhere: if no host has its CPU, all pass.
        """
        hosts = list(filter_obj_list)
        try:
            asked = None if utils.request_is_rebuild(spec_obj) else self._asked(spec_obj)
            yield_these = hosts if asked is None else self._kept(asked, hosts)
        except Exception as exc:  # noqa: BLE001 - whatever it is, all pass
            self.lines.say("fault", f"all hosts pass, by a fault of this filter: {exc!r:.200}")
            yield_these = hosts
        yield from yield_these

    def _kept(self, asked: Asked, hosts: list[Any]) -> list[Any]:
        refused = {id(host): why for host in hosts if (why := self._refused(asked, host)) is not None}
        kept = [host for host in hosts if id(host) not in refused]
        if not refused:
            return kept
        first = next(host for host in hosts if id(host) in refused)
        text = (
            f"instance {asked.uuid}: {len(refused)} of {len(hosts)} hosts refuse its CPU ({asked.question}), "
        )
        text += f"{first.nodename} for {refused[id(first)] or 'what armlevel check says'}"
        if not kept and asked.down:
            self.lines.say("off level", f"{text}; it is down, so it may start off level on all of them")
            return hosts
        LOG.info("armlevel: %s", _one_line(text))
        return kept

    def _refused(self, asked: Asked, host_state: Any) -> str | None:
        # Why a host is taken away, in a few words; None if it passes.
        kind = asked.answers.host(host_state)
        found = asked.answers.answers[asked.guest].get(kind or "")
        if found is None:
            name = f"{host_state.nodename} ({host_state.host})"
            self.lines.say("host", f"host {name} is not known, and passes: probe it, and export anew")
            return None
        answer = found[asked.question]
        if answer == "unknown" and asked.answers.unknown != "let":
            what = f"instance {asked.uuid} on {host_state.nodename}: nobody can say ({asked.question})"
            if asked.answers.unknown == "refuse":
                self.lines.say("unknown", f"{what}, and the file says to refuse")
                return "what is not known"
            self.lines.say("unknown", f"{what}, it passes, and the destination tries")
        if answer != "refused":
            return None
        because = found.get("because")
        subjects = because.get(asked.question) if isinstance(because, dict) else None
        return ", ".join(map(str, subjects))[:200] if isinstance(subjects, list) else ""

    def _asked(self, spec: Any) -> Asked | None:
        # None: nothing is asked, all hosts pass.
        answers = self.file.answers(nova.conf.CONF.armlevel.answers)
        if answers is None:
            return None
        uuid = str(spec.instance_uuid)
        entry = answers.instances.get(uuid, {})
        wanted, named = _wanted(spec, answers)
        birth, level = entry.get("birth", entry.get("level", wanted)), entry.get("level", wanted)
        if birth is None and level is None:
            if named:
                self.lines.say(
                    "guest", f"instance {uuid} wants {named}, of which nothing is known: it passes"
                )
            elif not entry:
                self.lines.say(
                    "instance", f"instance {uuid} has no recorded CPU: it passes", level=logging.INFO
                )
            return None
        try:
            state = _task_state(uuid)
        except Exception as exc:  # noqa: BLE001 - whatever it is, all pass
            self.lines.say(
                "move", f"instance {uuid} passes: whether it arrives or starts is not known: {exc!r:.200}"
            )
            return None
        if state == _ARRIVES:
            return None if birth is None else Asked(answers, uuid, birth, "arrive")
        # A guest that gets its host's own CPU starts on any host.
        return None if level is None else Asked(answers, uuid, level, "start", down=state in _DOWN)


def _wanted(spec: Any, answers: Answers) -> tuple[str | None, str]:
    # The guest CPU that the flavor or the image requires by a trait: its digest, and how it is named.
    specs = dict(spec.flavor.extra_specs or {})
    image = spec.image.properties if "image" in spec and spec.image and "properties" in spec.image else None
    for trait in image.get("traits_required", []) or [] if image is not None else []:
        specs[f"trait:{trait}"] = "required"
    named = [key for key, value in specs.items() if key.startswith(_TRAIT) and value == "required"]
    if len(named) != 1:
        return None, ", ".join(sorted(named))
    return answers.traits.get(named[0].removeprefix(_TRAIT)), named[0]


def _task_state(uuid: str) -> str | None:
    # What nova is doing with an instance; None for one that is new. The request itself does not say which move it is.
    context = nova_context.get_admin_context()
    try:
        mapping = objects.InstanceMapping.get_by_instance_uuid(context, uuid)
    except nova.exception.InstanceMappingNotFound:
        return None
    if mapping.cell_mapping is None:
        return None
    with nova_context.target_cell(context, mapping.cell_mapping) as cell:
        state = objects.Instance.get_by_uuid(cell, uuid, expected_attrs=[]).task_state
    return None if state is None else str(state)
