"""Rows of VMMs: what they do with a guest, what stands around its vCPUs, by which means, and what they print."""

from __future__ import annotations

from pathlib import Path

from rows.reading import Row, Toml, frozen, load, take


def vmms(data: Path) -> Toml:
    """How VMMs restore registers."""
    file = load(data / "vmm.toml")
    sets = []
    for name, row in file["vmms"].items():
        row["suggests"] = tuple(
            (one["vmm"], frozen(one.get("since", [])), frozen(one.get("before", [])))
            for one in row.get("suggests", [])
        )
        row["messages"] = tuple((event, frozen(lines)) for event, lines in row.get("messages", {}).items())
        defaults = dict.fromkeys(("family", "suggests", "own_shape", "list", "restores"), ())
        more = {"messages": (), "why": "", "see": "", "carries": "profile", "writes_implementation": True}
        sets.append((name, *take(row, name, **defaults, **more)))
    return {
        "vmms": tuple(sets),
        "lets": tuple(
            tuple(take(row, "lets", vmms=(), register="", end="", value=None, why="", see=""))
            for row in file["lets"]
        ),
        "blocks": tuple(
            tuple(take(row, "blocks", vmms=(), feature="", capability="", at="", message="", why="", see=""))
            for row in file["blocks"]
        ),
        "qemu_options": tuple(
            (name, *take(row, name, value=None, asks="", exits=False, refused="", only=()))
            for name, row in load(data / "qemu_options.toml")["options"].items()
        ),
    }


def messages(data: Path) -> tuple[Row, ...]:
    """Messages that people meet, in the order in which they are tried."""
    given = load(data / "messages.toml")["messages"]
    defaults = {
        "says": "",
        "pattern": "",
        "means": "",
        "do": (),
        "example": "",
        "versions": "",
        "vmms": (),
        "see": "",
        "part": "",
        "about": (),
    }
    return tuple((name, *take(row, f"messages.toml: {name}", **defaults)) for name, row in given.items())


def means(data: Path) -> Toml:
    """What brings a guest CPU about, and the options that leave something out of one."""
    file = load(data / "means.toml")
    what = {"feature": "", "capability": "", "firmware": "", "lengths": False, "gives": "", "worth": 0}
    said = {"libvirt": "", "nova": "", "loses": "", "see": ""}
    return {
        "means": tuple(
            (name, *take(row, name, families=(), why="", see="")) for name, row in file["means"].items()
        ),
        "switches": tuple(
            tuple(take(row, "switches", option="", vmms=(), **what, **said)) for row in file["switches"]
        ),
    }


def machine(data: Path) -> Toml:
    """What VMMs put around the vCPU."""
    file = load(data / "machine.toml")
    numbers = dict.fromkeys(("ram", "legacy", "align", "slot", "slots"), 0)
    more = {"compact": (), "memory": 0, "steal_time": 0, "redistributors": 0, "steal_since": (), "see": ""}
    around = {"gic": (), "v2_vcpus": 0, "writes": (), "board": False, "rounds_blocks": False}
    around |= {"messages": (), "see": ""}
    for row in file["around"].values():
        row["messages"] = tuple((event, frozen(lines)) for event, lines in row.get("messages", {}).items())
    window = {"name": "", "option": "", "size": 0, "size_option": "", "since": (), "see": ""}
    return {
        "board": tuple(take(file["board"], "board", family="", **numbers, **more)),
        "windows": tuple(tuple(take(row, "windows", **window)) for row in file["windows"]),
        "around": tuple((name, *take(row, name, **around)) for name, row in file["around"].items()),
        "cpu_interface": tuple(
            tuple(take(row, "cpu_interface", field="", lower=False, why="", see=""))
            for row in file["cpu_interface"]
        ),
    }
