"""Lists of hosts: plain ones, and what Ansible has."""

from __future__ import annotations

import json
import random

import pytest

from armlevel.errors import ArmlevelError, BadDocument, UsageError
from armlevel.formats.inventory import InventoryHost, inventory_of

INI = b"""\
# who is where
jump.example
[web]
n[01:03].example   ansible_port=2222 ; not a comment for the host before
web-a ansible_host=10.0.0.7 ansible_user="ops" # why
[db]
db-[a:c]
d[2:8:3]
[db:vars]
ansible_user=dba
ansible_ssh_common_args='-o ProxyJump=jump'
[site:children]
web
db
[site:vars]
ansible_user = site
ansible_ssh_private_key_file=/keys/site
[all:vars]
ansible_user=root
[old]
legacy.example:2200
"""


def names(data: bytes, group: str = "") -> list[str]:
    return [one.name for one in inventory_of(data, "hosts", group)]


def test_a_plain_list_is_one_host_a_line():
    assert names(b"n1\n\n# n2\nroot@n3\nssh://n4:22\n") == ["n1", "root@n3", "ssh://n4:22"]


def test_groups_ranges_and_variables_are_ansible_s():
    ini = INI.replace(b" ; not a comment for the host before", b"")
    every = {one.name: one for one in inventory_of(ini, "hosts")}
    assert list(every) == [
        "jump.example", "n01.example", "n02.example", "n03.example", "web-a",
        "db-a", "db-b", "db-c", "d2", "d5", "d8", "legacy.example",
    ]  # fmt: skip
    key = "/keys/site"
    assert every["n02.example"] == InventoryHost(name="n02.example", port="2222", user="site", key=key)
    assert every["web-a"] == InventoryHost(name="web-a", address="10.0.0.7", user="ops", key=key)
    unused = ("ansible_ssh_common_args",)
    assert every["db-b"] == InventoryHost(name="db-b", user="dba", key=key, not_used=unused)
    assert every["legacy.example"] == InventoryHost(name="legacy.example", port="2200", user="root")
    assert names(ini, "site") == [one for one in every if one not in ("jump.example", "legacy.example")]
    assert names(ini, "all") == list(every)


def test_what_ansible_inventory_prints_says_the_same():
    said = {
        "_meta": {"hostvars": {"n1": {"ansible_host": "10.0.0.1", "ansible_port": 2222}, "n2": {}}},
        "all": {"children": ["ungrouped", "web"]},
        "web": {"hosts": ["n1", "n2"]},
    }
    found = inventory_of(json.dumps(said).encode(), "hosts.json", "web")
    assert found == (InventoryHost(name="n1", address="10.0.0.1", port="2222"), InventoryHost(name="n2"))
    assert names(json.dumps(said).encode()) == ["n1", "n2"]


def test_groups_that_hold_each_other_have_an_end():
    assert names(b"[a:children]\nb\n[b:children]\na\n[b]\nn1\n[a:vars]\nansible_user=x\n", "a") == ["n1"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"---\nall:\n  hosts:\n", "ansible-inventory -i hosts --list"),
        (b"all:\n  hosts:\n    n1:\n", "an inventory in YAML"),
        (b"n1 n2\n", "line 1: 'n2': one host a line"),
        (b"n1\nn[5:b]\nn[3:1:0]\n[x:y]\n", "3 faults"),
        (b"[web:vars]\nuser\n", "a variable is KEY=VALUE"),
        (b'n1 a="b\n', "a quote has no end"),
        (b"n[1:999999999]\n", "more than 200000 hosts"),
        (b"n[1:999][1:999]\n", "more than 200000 hosts"),
        (b"\xff\xfe", "no text"),
        (b"{", "no JSON"),
        (b'{"web": 3}', "no group of hosts"),
        (b'{"web": {"hosts": [1]}}', "no group of hosts"),
        (b"{" + b'"a":{' * 100_000, "no JSON"),
    ],
)
def test_what_is_no_list_is_said_with_its_place(data: bytes, reason: str):
    with pytest.raises(BadDocument) as caught:
        inventory_of(data, "hosts")
    assert reason in str(caught.value)


def test_no_host_is_no_list():
    for data in (b"", b"# nothing\n", b"[web]\n", b"{}"):
        with pytest.raises(UsageError, match="names no host"):
            inventory_of(data, "hosts")
    with pytest.raises(UsageError, match="db, old, site, web"):
        inventory_of(INI.replace(b" ; not a comment for the host before", b""), "hosts", "nobody")


def test_a_damaged_list_is_refused_in_a_sentence_or_read():
    chance = random.Random(14)
    ini, read = INI.replace(b" ; not a comment for the host before", b""), 0
    for _ in range(300):
        data = bytearray(ini)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.choice(b"[]:=\"'\n a9{}#")
        try:
            read += bool(inventory_of(bytes(data), "hosts"))
        except ArmlevelError:
            continue
    assert read
