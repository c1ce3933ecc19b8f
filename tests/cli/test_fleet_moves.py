"""`fleet guests`, `evacuate` and `rollout` on recorded hosts: which guests run, where each may go, in which order."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from armlevel.arch import load
from armlevel.documents import guest_object, host_object, pretty
from armlevel.engine import passthrough
from armlevel.fleet.values import time_text
from armlevel.operations.named import load_hosts
from armlevel.profile import Host, Made
from tests.cli.hosts import Command

OLD, NEW, OTHER = load_hosts("@graviton2-6.1", "@graviton2-6.18", "@graviton3-6.18")


class Fleet:
    """A store, and files of what hosts say."""

    def __init__(self, folder: Path, armlevel: Command) -> None:
        self.folder, self.armlevel = folder, armlevel
        assert armlevel("fleet", "init").code == 0

    def add(self, prefix: str, host: Host, count: int, *label: str, days_ago: int = 0) -> None:
        at = time_text(datetime.now(UTC) - timedelta(days=days_ago))
        folder = self.folder / f"{prefix}{days_ago}"
        folder.mkdir()
        for number in range(count):
            one = replace(host, name=f"{prefix}-{number}", made=Made("armlevel", at=at))
            (folder / f"{number}.json").write_text(pretty(host_object(one)))
        labels = [word for one in label for word in ("--label", one)]
        assert self.armlevel("fleet", "add", folder, *labels).code == 0

    def profile(self, name: str, host: Host) -> str:
        path = self.folder / f"{name}.json"
        path.write_text(pretty(host_object(replace(host, name=name))))
        return str(path)

    def said(self, host: str, *born: Host | None, unread: int = 0) -> str:
        """What `armlevel guests --json` prints on a host, of guests born as passthrough guests of others."""
        guests = [self._guest(f"{host}-{number}", one) for number, one in enumerate(born)]
        path = self.folder / f"guests-{host}.json"
        body = {"kind": "guests/1", "host": host, "unread": unread, "idregs": False, "guests": guests}
        path.write_text(json.dumps(body))
        return str(path)

    @staticmethod
    def _guest(name: str, born: Host | None) -> dict[str, Any]:
        if born is None:
            return {"name": name, "known": "any"}
        guest = replace(passthrough(born, load()), name=name)
        return {"name": name, "known": "command-line", "guest": guest_object(guest)}


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, armlevel: Command) -> Fleet:
    monkeypatch.setenv("ARMLEVEL_FLEET", str(tmp_path / "fleet.db"))
    return Fleet(tmp_path, armlevel)


def test_guests_are_told_by_the_cpu_that_they_were_born_with(fleet: Fleet, armlevel: Command):
    fleet.add("b", OLD, 3)
    said = armlevel("fleet", "guests", fleet.said("b-0", OLD, OLD), fleet.said("b-1", OLD, None, unread=2))
    assert (said.code, said.out.splitlines()[0]) == (0, "5 guests on 2 hosts")
    found = armlevel("fleet", "guests", "--json").json
    digests = {one["guest"] for host in found["hosts"] for one in host["guests"]}
    assert len(digests) == 2  # one CPU, and none
    assert None in digests
    assert found["not_reported"] == ["b-2"]
    assert armlevel("fleet", "guests", fleet.said("b-0")).out.startswith("3 guests on 2 hosts\n")
    assert armlevel("fleet", "audit").code == 0
    events = armlevel("fleet", "log", "--json").json["events"]
    assert [one["action"] for one in events].count("guests-seen") == 3
    armlevel("fleet", "guests", fleet.said("b-0"))
    # That they were told again is proved, and nothing else happened.
    again = armlevel("fleet", "log", "--json").json["events"]
    assert [one["action"] for one in again[len(events) :]] == ["guests-proved"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "no JSON"),
        ("[]", "guests/1 was expected"),
        ('{"kind": "guests/1"}', "is missing"),
        ('{"kind": "guests/1", "host": "b-0", "guests": []}', "is missing"),
        ('{"kind": "guests/1", "host": "nobody", "guests": [], "unread": 0}', "nobody"),
        ('{"kind": "guests/1", "host": "b-0", "guests": [{}], "unread": 0}', "guests[0]"),
        (
            '{"kind": "guests/1", "host": "b-0", "guests": [{"name": "a", "known": "idregs"}], "unread": 0}',
            "known by idregs, and guest is missing",
        ),
        (
            '{"kind": "guests/1", "host": "b-0", "unread": 0, "guests": [{"name": "a", "known": "stamp", "guest": 3}]}',
            "guests[0]",
        ),
    ],
)
def test_what_is_no_answer_about_guests_is_said(text: str, reason: str, fleet: Fleet, armlevel: Command):
    fleet.add("b", OLD, 1)
    path = fleet.folder / "said.json"
    path.write_text(text)
    said = armlevel("fleet", "guests", path)
    assert (said.code, reason in said.err) == (2, True)
    assert armlevel("fleet", "guests", "--json").json["hosts"] == []


def test_guests_go_where_they_certainly_may_and_nowhere_else(fleet: Fleet, armlevel: Command):
    fleet.add("b", OLD, 3, "rack=r1")
    fleet.add("c", OTHER, 2)
    fleet.add("new", NEW, 1)
    armlevel("fleet", "guests", fleet.said("b-0", OLD), fleet.said("new-0", NEW), fleet.said("b-1"))
    one = armlevel("fleet", "evacuate", "b-0")
    assert (one.code, one.out.splitlines()[0]) == (
        0,
        "1 host, 1 guest: every guest may go elsewhere; not judged: machine",
    )
    assert armlevel("fleet", "evacuate", "b-0", "--json").json["guests"][0]["to"] == ["b-1", "b-2", "new-0"]
    only = armlevel("fleet", "evacuate", "b-0", "--to", "c-*")
    assert (only.code, "nowhere" in only.out) == (1, True)
    assert "started elsewhere" in only.out
    # What was born under the newer kernel does not go to the older one.
    new = armlevel("fleet", "evacuate", "new-0", "--json")
    assert (new.code, new.json["guests"][0]["to"]) == (1, [])
    assert armlevel("fleet", "evacuate", "b-1").out == "1 host: no guest runs there\n"
    rack = armlevel("fleet", "evacuate", "--label", "rack=r1", "--json").json
    assert [host["host"] for host in rack["hosts"]] == ["b-0", "b-1", "b-2"]
    # Of a host that reported nothing it cannot be said.
    assert armlevel("fleet", "evacuate", "b-2").code == 3
    assert armlevel("fleet", "evacuate", "b-*", "new-*", "c-*").code in (1, 3)
    assert armlevel("fleet", "evacuate").code == 2
    assert armlevel("fleet", "evacuate", "nobody").code == 2
    assert armlevel("fleet", "evacuate", "--label", "rack=r9").code == 2


def test_a_silent_host_is_no_place_to_go_to(fleet: Fleet, armlevel: Command):
    fleet.add("b", OLD, 1)
    fleet.add("s", OLD, 1, days_ago=90)
    armlevel("fleet", "guests", fleet.said("b-0", OLD))
    said = armlevel("fleet", "evacuate", "b-0", "--json")
    assert (said.code, said.json["guests"][0]["to"], said.json["guests"][0]["silent"]) == (3, [], ["s-0"])


def test_a_rollout_tells_the_order_and_the_ways_that_are_open_once(fleet: Fleet, armlevel: Command):
    fleet.add("b", OLD, 5)
    armlevel("fleet", "pool", "create", "web", "--host", "b-*")
    canary = fleet.profile("canary", NEW)
    assert armlevel("fleet", "rollout", "web", "--as", canary).code == 3
    armlevel("fleet", "guests", *(fleet.said(f"b-{number}", OLD) for number in range(5)))
    said = armlevel("fleet", "rollout", "web", "--as", canary)
    assert said.code == 0
    assert said.out.startswith("pool web as canary: 5 hosts to roll; every guest keeps a way\n")
    assert "one way" in said.out
    assert "no way back: refused" in " ".join(said.out.split())
    found = armlevel("fleet", "rollout", "web", "--as", canary, "--json").json
    assert [len(step["hosts"]) for step in found["steps"]] == [1, 3, 1]
    assert found["traps"][0]["answer"] == "refused"
    assert armlevel("fleet", "rollout", "web").code == 2
    assert armlevel("fleet", "rollout", "web", "--as", fleet.profile("x", OTHER)).code == 2
    assert armlevel("fleet", "rollout", "web", "--as", canary, "--as", fleet.profile("y", NEW)).code == 2


def test_back_to_the_older_kernel_guests_are_stranded_and_that_is_told(fleet: Fleet, armlevel: Command):
    fleet.add("b", NEW, 3)
    armlevel("fleet", "pool", "create", "web", "--host", "b-*")
    armlevel("fleet", "guests", *(fleet.said(f"b-{number}", NEW) for number in range(3)))
    said = armlevel("fleet", "rollout", "web", "--as", fleet.profile("older", OLD))
    assert said.code == 1
    assert "3 guests would lose the way" in said.out
    assert "no order keeps a way" in " ".join(said.out.split())


def test_a_saved_image_that_no_rolled_host_takes_is_found(fleet: Fleet, armlevel: Command):
    fleet.add("b", NEW, 2)
    armlevel("fleet", "pool", "create", "web", "--host", "b-*")
    armlevel("fleet", "guests", fleet.said("b-0"), fleet.said("b-1"))
    older, born = fleet.profile("older", OLD), fleet.profile("born", NEW)
    said = armlevel("fleet", "rollout", "web", "--as", older, "--saved", f"b-1:{born}")
    assert said.code == 1
    assert "restore it before" in " ".join(said.out.split())
    assert armlevel("fleet", "rollout", "web", "--as", older).code == 0
    assert armlevel("fleet", "rollout", "web", "--as", older, "--saved", f"x:{born}").code == 2
