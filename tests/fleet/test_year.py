"""A simulated year of a fleet of recorded machines: each planted change is named with its host, field and date.

Two silicons, one under two kernels, are the ground. Over the year hosts join, fall silent, are retired, and here and
there one comes back from its reboot with a field lowered: another firmware, a boot option. A person accepts levels, the
later ones with every lowered host in, and goes back once. Then guests are reported, and the old kernel is rolled away.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from armlevel.arch import load
from armlevel.documents import Loaded, guest_object
from armlevel.documents.write import digest
from armlevel.engine import passthrough
from armlevel.errors import UsageError
from armlevel.fleet import reading
from armlevel.fleet.database import make_store, open_store
from armlevel.fleet.instances import Instance, report
from armlevel.fleet.values import PoolPolicy, time_text
from armlevel.fleet.writing import new_request
from armlevel.operations.fleet_accept import fleet_accept
from armlevel.operations.fleet_add import fleet_add_loaded
from armlevel.operations.fleet_audit import fleet_audit
from armlevel.operations.fleet_evacuate import fleet_evacuate
from armlevel.operations.fleet_hosts import fleet_retire
from armlevel.operations.fleet_level import fleet_level
from armlevel.operations.fleet_pools import fleet_pool_create
from armlevel.operations.fleet_rollout import fleet_rollout
from armlevel.operations.fleet_watch import fleet_watch, keep_mark
from armlevel.operations.fleet_why import fleet_why
from armlevel.operations.named import load_hosts
from armlevel.profile import Accepts, Host, Made
from tests.cli.hosts import write

OLD, NEW, LATER = load_hosts("@graviton2-6.1", "@graviton2-6.18", "@graviton3-6.18")
#: Fields that may be lowered: those of the ID registers.
FIELDS = [name for name in load().fields if name.startswith("ID_AA64")]


@dataclass
class Year:
    """What is planted, by host: the field that was lowered, and when."""

    place: str
    folder: Path
    now: datetime
    chance: Random
    hosts: dict[str, Host] = field(default_factory=dict)
    planted: dict[str, tuple[str, str]] = field(default_factory=dict)
    count: int = 0

    def day(self, day: float) -> datetime:
        return self.now - timedelta(days=365 - day)

    def report(self, day: float, *names: str) -> None:
        """Hosts are probed on a day."""
        at = time_text(self.day(day))
        made = [replace(self.hosts[name], name=name, made=Made("armlevel", at=at)) for name in names]
        fleet_add_loaded([Loaded(one.name, one) for one in made], self.place)

    def plant(self, day: float, name: str, subject: str) -> None:
        """A host comes back with a field one lower."""
        self.hosts[name] = lowered(self.hosts[name], subject)
        self.planted[name] = (subject, time_text(self.day(day)))
        self.report(day, name)


def lowered(host: Host, subject: str) -> Host:
    """Return a host whose KVM shows a field one lower, and takes nothing above."""
    one = load().fields[subject]
    register = subject.partition(".")[0]
    offers = []
    for offer in host.offers:
        value = offer.limits.get(register)
        if value is None:
            offers.append(offer)
            continue
        low = one.get(value) - 1
        limits = {**offer.limits, register: one.put(value, low)}
        offers.append(
            replace(offer, limits=limits, accepts={**offer.accepts, subject: Accepts.of(range(low + 1))})
        )
    return replace(host, offers=tuple(offers))


def usable(host: Host, wanted: int) -> list[str]:
    """The fields of which a lowered host changes the level, alone, and leaves one."""
    from armlevel.operations.baseline import baseline
    from armlevel.operations.diff import changes_between

    found = []
    whole = baseline([host])
    assert whole.guest is not None
    for subject in FIELDS:
        one = load().fields.get(subject)
        value = host.offers[0].limits.get(subject.partition(".")[0])
        if one is None or value is None or not 0 < one.get(value) < 15:
            continue
        less = baseline([host, replace(lowered(host, subject), name="less")])
        if less.answer == "runs" and less.guest is not None:
            about = {change.subject for change in changes_between(whole.guest, less.guest) if change.identity}
            if about == {subject}:
                found.append(subject)
        if len(found) == wanted:
            break
    return found


def live(year: Year, hosts: int, plants: int) -> None:
    """The year itself, until the last accept."""
    make_store(year.place)
    fleet_pool_create("web", PoolPolicy(("b-*",)), year.place)
    fleet_pool_create("old", PoolPolicy(("a-*",)), year.place)
    names = [f"b-{number:03}" for number in range(hosts)]
    year.hosts = dict.fromkeys(names, NEW)
    year.hosts |= {f"a-{number:03}": OLD for number in range(hosts // 2)}
    year.hosts |= {f"c-{number:03}": LATER for number in range(hosts // 10)}
    year.report(0, *year.hosts)
    first = fleet_accept("web", year.place, reason="the first level")
    assert first.moved
    mark = str(year.folder / "mark")
    keep_mark(mark, fleet_watch(mark, year.place))
    subjects = usable(NEW, plants)
    assert len(subjects) == plants, subjects
    quiet, gone = names[-1], names[-2]
    for number, subject in enumerate(subjects[:plants]):
        day, name = 10 + number * 300 / plants, names[number]
        year.plant(day, name, subject)
        # Each month's look tells it: the host, the field, the date.
        seen = fleet_watch(mark, year.place)
        assert [list(one.hosts.items()) for one in seen.changed] == [[(name, time_text(year.day(day)))]]
        assert [change.subject for change in seen.changed[0].changes] == [subject]
        assert list(seen.outside["web"]) == [name]
        keep_mark(mark, seen)
        assert fleet_watch(mark, year.place).status == 0
    year.hosts["b-new"] = NEW
    year.report(330, "b-new")
    alive = [name for name in year.hosts if name not in (quiet, gone)]
    year.report(364, *alive)
    fleet_retire(gone, year.place, reason="scrapped")
    level = fleet_level("web", year.place)
    assert {one.host.name for one in level.state.outside} == set(year.planted)
    assert level.same  # whoever fell silent or cannot run the level moves nothing
    assert [one.host.name for one in level.state.standings if one.silent] == [quiet]
    # Four accepts: the first, a lower one, back to the first, and the lower one again.
    second = fleet_accept("web", year.place, reason="all in", lower=True)
    assert second.moved
    back = fleet_accept("web", year.place, reason="rolled back", version=1)
    assert back.level is not None
    assert first.level is not None
    assert back.level.digest == first.level.digest
    again = fleet_accept("web", year.place, reason="all in again", version=2)
    assert again.level is not None
    assert second.level is not None
    assert again.level.digest == second.level.digest


def hold(tmp_path: Path, hosts: int, plants: int) -> Year:
    place = str(tmp_path / "fleet.db")
    year = Year(place, tmp_path, datetime.now(UTC), Random(14))
    live(year, hosts, plants)
    why = fleet_why("web", place)
    assert why.in_force.event.entry.reason == "all in again"
    named = {
        host: ({change.subject for change in one.blocker.gains}, one.since)
        for one in why.held
        for host in one.blocker.hosts
    }
    for host, (subject, since) in year.planted.items():
        subjects, date = named[host]
        assert subject in subjects, host
        assert date == since, host
    assert fleet_audit(place).whole
    roll(year, why.hosts)
    return year


def roll(year: Year, count: int) -> None:
    """Guests are reported, and the older half gets the newer kernel: ways of one direction, and an image, are found."""
    guests = {}
    for kind in (OLD, NEW):
        guest = replace(passthrough(kind, load()), name=kind.name, starts_on=())
        guests[kind.name] = (digest(guest_object(guest)), guest)
    store = open_store(year.place)
    with store.writing() as connection:
        there = [one for one in reading.hosts(connection) if one.retired is None]
        found = [
            (one, [Instance(f"{one.name}-vm", guests[kind.name][0], "command-line")])
            for one in there
            for kind in (OLD, NEW)
            if year.hosts[one.name] is kind
        ]
        found += [(one, []) for one in there if one.name in year.planted or one.name.startswith("c-")]
        report(connection, new_request("tests"), found, dict(guests.values()))
    canary, born = write(year.folder, replace(NEW, name="canary"), replace(OLD, name="born"))
    assert count
    plan = fleet_rollout("old", [canary], year.place)
    older = [name for name, one in year.hosts.items() if one is OLD]
    rolled = [name for step in plan.order.steps for name in step.hosts]
    assert sorted(older) == sorted(rolled)
    assert (plan.status, plan.lost, plan.order.proven) == (0, (), True)
    assert {one.answer for one in plan.traps} == {"refused"}
    assert set(plan.rollback.values()) == {"refused"}
    # Back to the older kernel: what was born under the newer one is stranded, and so is its image.
    back = fleet_rollout("web", [born], year.place, saved=[f"b-new:{canary}"])
    assert {one.answer for one in back.lost} == {"refused"}
    assert [one.answer for one in back.saved] == ["refused"]
    with pytest.raises(UsageError):
        fleet_rollout("old", [], year.place)
    leaving = fleet_evacuate([older[0]], year.place)
    assert leaving.leaving[0].answer == "runs"


def test_each_planted_change_is_named_with_host_field_and_date(tmp_path: Path, tell):
    year = hold(tmp_path, hosts=12, plants=4)
    tell(f"fleet: a year of {len(year.hosts)} hosts, {len(year.planted)} planted changes named")
    assert len(year.planted) == 4


@pytest.mark.slow
def test_in_a_year_of_300_hosts_each_of_twenty_changes_is_named(tmp_path: Path, tell):
    year = hold(tmp_path, hosts=190, plants=20)
    kinds = {str(one.offers) for one in year.hosts.values()}
    tell(f"fleet: a year of {len(year.hosts)} hosts of {len(kinds)} kinds, {len(year.planted)} changes named")
    assert len(year.hosts) >= 300
    assert len(kinds) >= 20
    assert len(year.planted) >= 20
