"""The guests that run in a fleet: put in what hosts said of theirs, and tell which CPU each was born with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, get_args

from armlevel.documents import read_file
from armlevel.documents.read import read_guest
from armlevel.documents.write import digest, guest_object
from armlevel.errors import BadDocument, UnknownName, UsageError
from armlevel.fleet import reading
from armlevel.fleet.database import Connection
from armlevel.fleet.instances import Instance, Reported, report, running_of
from armlevel.fleet.values import FleetHost
from armlevel.operations.fleet_standing import cpu_digest
from armlevel.operations.fleet_store import request_now, store_named
from armlevel.profile import KNOWN, Guest
from armlevel.profile.host import nothing

__all__ = ["FleetGuestsResult", "fleet_guests", "fleet_guests_add", "levels_by_cpu"]

_KIND = "guests/1"
_HINT = "armlevel guests --json on the host prints one"


@dataclass(frozen=True, slots=True)
class FleetGuestsResult:
    """The guests of a fleet, by host; ``levels`` says which guest CPUs are levels (``POOL VERSION``)."""

    kind: ClassVar[str] = "fleet-guests/1"
    status: ClassVar[int] = 0

    hosts: Mapping[str, Reported]
    not_reported: tuple[str, ...]
    levels: Mapping[str, str]
    recorded: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the fleet-guests/1 object."""
        return {
            "kind": self.kind,
            "recorded": list(self.recorded),
            "hosts": [
                {
                    "host": name,
                    "reported": there.at,
                    "guests": [
                        {
                            "name": one.name,
                            "guest": one.guest,
                            "known": one.known,
                            "level": self.levels.get(one.guest or ""),
                            "since": one.since,
                        }
                        for one in there.guests
                    ],
                }
                for name, there in self.hosts.items()
            ],
            "not_reported": list(self.not_reported),
        }


def fleet_guests(fleet: str = "", *, recorded: tuple[str, ...] = ()) -> FleetGuestsResult:
    """Tell which guests run on the hosts that were not retired.

    Raises:
        StoreError: there is no store, or it cannot be read.

    """
    with store_named(fleet).reading() as connection:
        hosts = [host for host in reading.hosts(connection) if host.retired is None]
        running = running_of(connection)
        levels = levels_by_cpu(connection)
        guests = {one.guest for there in running.values() for one in there.guests if one.guest}
        cpus = {one: cpu_digest(guest) for one, guest in guests_called(connection, guests).items()}
    return FleetGuestsResult(
        {host.name: running[host.id] for host in hosts if host.id in running},
        tuple(host.name for host in hosts if host.id not in running),
        {one: levels[cpu] for one, cpu in cpus.items() if cpu in levels},
        recorded,
    )


def levels_by_cpu(connection: Connection) -> dict[str, str]:
    """Return which guest CPUs (digests of the CPU alone) are levels, the newest of each: ``POOL VERSION``."""
    pools = {one.id: one.name for one in reading.pools(connection)}
    return {level.cpu: f"{pools[level.pool]} {level.version}" for level in reading.levels(connection)}


def guests_called(connection: Connection, digests: Iterable[str]) -> dict[str, Guest]:
    """Return guest profiles of the store by digest."""
    wanted = set(digests)
    if not wanted:
        return {}
    from armlevel.fleet.contents import unpacked

    return {
        one: read_guest(json.dumps({**unpacked(body), "digest": one}).encode(), name)
        for one, (name, body, _) in reading.guests(connection).items()
        if one in wanted
    }


def fleet_guests_add(files: Sequence[str], fleet: str = "", *, actor: str = "") -> FleetGuestsResult:
    """Record what hosts said of their guests: files that `armlevel guests --json` wrote, all of them or none.

    Raises:
        InputError: a file cannot be read, or is no such answer.
        UnknownName: a host is not in the fleet.
        UsageError: a host is in two of them.

    """
    store, request = store_named(fleet), request_now(actor)
    said = [_read(read_file(path), path) for path in files]
    names = [name for name, _, _ in said]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"{twice[0]}: its guests are told in two files", hint="give the newer one")
    guests = {one: guest for _, _, profiles in said for one, guest in profiles.items()}
    with store.writing() as connection:
        by_name = {host.name: host for host in reading.hosts(connection, names)}
        found: list[tuple[FleetHost, Sequence[Instance]]] = []
        for name, instances, _ in said:
            if name not in by_name:
                raise UnknownName("host of the fleet", name)
            found.append((by_name[name], instances))
        report(connection, request, found, guests)
    return fleet_guests(fleet, recorded=tuple(names))


def _read(data: bytes, path: str) -> tuple[str, list[Instance], dict[str, Guest]]:
    try:
        said = json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise BadDocument(path, (f"no JSON: {exc}",), hint=_HINT) from exc
    if not isinstance(said, dict) or said.get("kind") != _KIND:
        raise BadDocument(path, (f"kind: {_KIND} was expected",), hint=_HINT)
    host, guests, unread = said.get("host"), said.get("guests"), said.get("unread")
    if not isinstance(host, str) or not isinstance(guests, list) or type(unread) is not int:
        raise BadDocument(path, ("host, guests or unread is missing, or is something else",), hint=_HINT)
    instances, profiles = [], dict[str, Guest]()
    for place, one in enumerate(guests):
        instance, profile = _instance(one, f"{path}: guests[{place}]")
        instances.append(instance)
        profiles |= profile
    if unread:  # there may be any number of guests of any sort besides
        instances.append(Instance(f"({unread} processes not read)", None, "any"))
    return host, _once(instances), profiles


def _instance(one: Any, path: str) -> tuple[Instance, Mapping[str, Guest]]:
    if (
        not isinstance(one, dict)
        or not isinstance(one.get("name"), str)
        or one.get("known") not in get_args(KNOWN)
    ):
        raise BadDocument(path, ("name or known is missing, or is something else",), hint=_HINT)
    known: KNOWN = one["known"]
    if ("guest" in one) != (known != "any"):
        raise BadDocument(
            path, (f"known by {known}, and guest is {'there' if 'guest' in one else 'missing'}",)
        )
    if "guest" not in one:
        return Instance(one["name"], None, known), nothing()
    guest = read_guest(json.dumps(one["guest"]).encode(), path)
    # Guests that were born alike are kept once, whatever each is called.
    called = replace(guest, name=f"cpu {cpu_digest(guest)[7:19]}", starts_on=())
    mark = digest(guest_object(called))
    return Instance(one["name"], mark, known), {mark: called}


def _once(found: Iterable[Instance]) -> list[Instance]:
    # Two that are called alike are two.
    counts: dict[str, int] = {}
    named = []
    for one in found:
        counts[one.name] = counts.get(one.name, 0) + 1
        number = counts[one.name]
        named.append(one if number == 1 else replace(one, name=f"{one.name}#{number}"))
    return named
