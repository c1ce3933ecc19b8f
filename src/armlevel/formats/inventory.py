"""Which hosts a list names: one a line, an Ansible inventory (INI), or what `ansible-inventory --list` prints (JSON).

Of what Ansible's variables say, what reaches a host is taken: address, port, user and key. All else belongs into the
user's own ssh configuration, and is told. An inventory in YAML is read by Ansible itself, which prints it as JSON.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from armlevel.errors import BadDocument, UsageError

__all__ = ["InventoryHost", "inventory_of"]

#: More hosts than these no list has.
_MOST = 200_000
_SECTION = re.compile(r"\[([^\[\]:\s]+)(?::([a-z]+))?\]\s*(?:[#;].*)?")
_RANGE = re.compile(r"\[([0-9]+|[A-Za-z]):([0-9]+|[A-Za-z])(?::([0-9]+))?\]")
_PORT = re.compile(r"([^:\[\]]+):([0-9]{1,5})")
_YAML = re.compile(r"---|[\w.-]+:\s*(#.*)?")
#: Ansible's variable -> what it is here; the older names count less.
_TAKEN = {
    "ansible_ssh_host": "address",
    "ansible_host": "address",
    "ansible_ssh_port": "port",
    "ansible_port": "port",
    "ansible_ssh_user": "user",
    "ansible_user": "user",
    "ansible_private_key_file": "key",
    "ansible_ssh_private_key_file": "key",
    "ansible_connection": "connection",
}
_BY_SSH = ("ssh", "smart", "paramiko", "paramiko_ssh", "ansible.builtin.ssh", "openssh", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryHost:
    """A host of a list, by its name there; empty is what ssh's own configuration says.

    ``connection``  how Ansible reaches it, where that is not ssh;  ``not_used``  variables about ssh that are not taken
    """

    name: str
    address: str = ""
    port: str = ""
    user: str = ""
    key: str = ""
    connection: str = ""
    not_used: tuple[str, ...] = ()


@dataclass(slots=True)
class _Inventory:
    hosts: dict[str, dict[str, str]] = field(default_factory=dict)
    members: dict[str, dict[str, None]] = field(default_factory=dict)
    children: dict[str, dict[str, None]] = field(default_factory=dict)
    variables: dict[str, dict[str, str]] = field(default_factory=dict)

    def of_group(self, group: str, above: tuple[str, ...] = ()) -> Iterator[str]:
        yield from self.members.get(group, ())
        for child in self.children.get(group, ()):
            if child not in (*above, group):
                yield from self.of_group(child, (*above, group))

    @property
    def groups(self) -> set[str]:
        return {*self.members, *self.children}

    def ordered(self) -> list[str]:
        # A group's children say more than it does: the deepest comes last.
        depth = dict.fromkeys(self.groups, 0)
        for _ in depth:
            for group, children in self.children.items():
                for child in children:
                    if child in depth and depth[child] <= depth[group] < len(depth):
                        depth[child] = depth[group] + 1
        return sorted(depth, key=lambda group: (depth[group], group))


def inventory_of(data: bytes, path: str, group: str = "") -> tuple[InventoryHost, ...]:
    r"""Read the hosts of a list, of one group of it if that is named.

    Raises:
        BadDocument: it is no such list; all faults of it.
        UsageError: there is no such group, or no host.

    >>> [one.name for one in inventory_of(b"[web]\nn[1:3].example ansible_port=2222\n", "hosts")]
    ['n1.example', 'n2.example', 'n3.example']
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as exc:
        raise BadDocument(path, ("no text",), hint="a list has one host a line") from exc
    found = _json(text, path) if text.lstrip().startswith("{") else _ini(text, path)
    names = dict.fromkeys(found.hosts)
    if group and group != "all":
        if group not in found.groups:
            raise UsageError(f"{path}: has no group {group!r}", hint=_groups_hint(found))
        names = dict.fromkeys(found.of_group(group))
    if not names:
        raise UsageError(f"{path}: names no host", hint="a list has one host a line")
    inherited = _inherited(found)
    return tuple(_host(name, {**inherited.get(name, {}), **found.hosts.get(name, {})}) for name in names)


def _groups_hint(found: _Inventory) -> str:
    groups = sorted(found.groups - {"ungrouped"})
    return f"it has {', '.join(groups[:8])}" if groups else "it has no groups"


def _inherited(found: _Inventory) -> dict[str, dict[str, str]]:
    said: dict[str, dict[str, str]] = {}
    everywhere = found.variables.get("all", {})
    if everywhere:
        said = {name: dict(everywhere) for name in found.hosts}
    for group in found.ordered():
        if group != "all" and (variables := found.variables.get(group)):
            for name in dict.fromkeys(found.of_group(group)):
                said.setdefault(name, {}).update(variables)
    return said


def _host(name: str, said: Mapping[str, str]) -> InventoryHost:
    taken = {what: said[key] for key, what in _TAKEN.items() if said.get(key)}
    if taken.get("connection", "") in _BY_SSH:
        taken.pop("connection", None)
    unused = tuple(key for key in said if key.startswith("ansible_ssh_") and key not in _TAKEN)
    return InventoryHost(name=name, not_used=unused, **taken)


def _ini(text: str, path: str) -> _Inventory:
    found, faults = _Inventory(), list[str]()
    group, part = "ungrouped", "hosts"
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if not found.hosts and group == "ungrouped" and _YAML.fullmatch(line):
            hint = f"let Ansible read it: ansible-inventory -i {path} --list > hosts.json"
            raise BadDocument(path, ("an inventory in YAML",), hint=hint)
        section = _SECTION.fullmatch(line)
        if section is not None:
            group, part = section[1], section[2] or "hosts"
            if part not in ("hosts", "children", "vars"):
                faults.append(f"line {number}: a section is [GROUP], [GROUP:children] or [GROUP:vars]")
            (found.children if part == "children" else found.members).setdefault(group, {})
            continue
        try:
            _ini_line(found, line, group, part)
        except ValueError as exc:
            faults.append(f"line {number}: {exc}")
        if len(found.hosts) > _MOST:
            raise BadDocument(path, (f"line {number}: more than {_MOST} hosts",))
    if faults:
        raise BadDocument(path, tuple(faults), hint="a list has one host a line")
    return found


def _ini_line(found: _Inventory, line: str, group: str, part: str) -> None:
    if part == "vars":
        key, sign, value = line.partition("=")
        if not sign:
            raise ValueError("a variable is KEY=VALUE")
        found.variables.setdefault(group, {})[key.strip()] = _unquoted(value)
        return
    try:
        first, *others = shlex.split(line, comments=True)
    except ValueError as exc:
        raise ValueError(f"a quote has no end ({exc})") from exc
    if part == "children":
        found.children.setdefault(group, {})[first] = None
        return
    said = {}
    for word in others:
        key, sign, value = word.partition("=")
        if not sign:
            raise ValueError(f"{word[:40]!a}: one host a line, and KEY=VALUE behind it")
        said[key] = value
    for name, more in _expanded(first):
        found.hosts.setdefault(name, {}).update({**more, **said})
        found.members.setdefault(group, {})[name] = None
        if len(found.hosts) > _MOST:
            return


def _unquoted(value: str) -> str:
    value = value.strip()
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value


def _expanded(pattern: str) -> Iterator[tuple[str, dict[str, str]]]:
    port = _PORT.fullmatch(pattern) if not _RANGE.search(pattern) and "//" not in pattern else None
    more = {"ansible_port": port[2]} if port else {}
    for name in _ranges(port[1] if port else pattern):
        yield name, more


def _ranges(pattern: str) -> Iterator[str]:
    match = _RANGE.search(pattern)
    if match is None:
        yield pattern
        return
    for middle in _steps(match[1], match[2], int(match[3] or 1)):
        for rest in _ranges(pattern[match.end() :]):
            yield f"{pattern[: match.start()]}{middle}{rest}"


def _steps(first: str, last: str, step: int) -> Sequence[str] | Iterable[str]:
    if first.isdigit() != last.isdigit() or step < 1:
        raise ValueError(f"[{first}:{last}] is no range")
    if not first.isdigit():
        return [chr(code) for code in range(ord(first), ord(last) + 1, step)]
    width = len(first) if first.startswith("0") and len(first) > 1 else 0
    if int(last) - int(first) > _MOST * step:
        raise ValueError(f"[{first}:{last}]: more than {_MOST} hosts")
    return (f"{number:0{width}}" for number in range(int(first), int(last) + 1, step))


def _json(text: str, path: str) -> _Inventory:
    hint = "ansible-inventory -i INVENTORY --list prints one"
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise BadDocument(path, (f"no JSON: {exc}",), hint=hint) from exc
    found = _Inventory()
    for group, body in said.items():
        if group == "_meta":
            continue
        hosts, children = (_texts(body, key) for key in ("hosts", "children"))
        if hosts is None or children is None:
            raise BadDocument(path, (f"{group[:40]!a}: no group of hosts",), hint=hint)
        found.members[group] = dict.fromkeys(hosts)
        found.children[group] = dict.fromkeys(children)
        for name in hosts:
            found.hosts.setdefault(name, {})
    variables = _object(_object(said.get("_meta")).get("hostvars"))
    for name in found.hosts:
        own = _object(variables.get(name))
        found.hosts[name] = {key: str(one) for key, one in own.items() if isinstance(one, str | int)}
    return found


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(body: Any, key: str) -> list[str] | None:
    found = body.get(key, []) if isinstance(body, dict) else None
    whole = isinstance(found, list) and all(isinstance(one, str) for one in found)
    return found if whole else None
