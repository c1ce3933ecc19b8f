"""The Ansible role: its linter, and a real run against a copy of this machine that is thrown away.

`pip install --require-hashes -r requirements/ansible.txt`, into any virtual environment on PATH, brings both programs.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import make_deb
from tests.packaging.copies import copy_of_this_machine, run_in_a_copy

ROOT = Path(__file__).parent.parent.parent
PLAYBOOK = ROOT / "packaging/ansible/site.yml"
WHERE = "pip install --require-hashes -r requirements/ansible.txt"
pytestmark = pytest.mark.slow


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"there is no {name} here: {WHERE}")
    return found


def test_the_linter_finds_nothing():
    done = subprocess.run(
        [tool("ansible-lint"), "--offline", "--profile", "production", "."],
        cwd=PLAYBOOK.parent,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{Path(tool('ansible-lint')).parent}:{os.environ['PATH']}"},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_role_installs_and_enrols_twice_alike_on_a_copy_of_this_machine(tmp_path, tell):
    playbook = tool("ansible-playbook")
    place, shared = copy_of_this_machine(tmp_path)
    package = make_deb.build_deb(shared)
    (shared / "armlevel").write_text(
        f'#!/bin/sh\nPYTHONPATH={ROOT / "src"} exec {sys.executable} -m armlevel "$@"\n'
    )
    (shared / "armlevel").chmod(0o755)
    more = {
        "armlevel_agent_package": f"/mnt/{package.name}",
        "armlevel_agent_store": "/mnt/agents",
        "armlevel_agent_armlevel": "/mnt/armlevel",
        "armlevel_agent_name": "n1",
        "armlevel_agent_report_now": False,
    }
    play = f"{playbook} -i localhost, -c local {PLAYBOOK} -e '{json.dumps(more)}'"
    command = f"""
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root ANSIBLE_NOCOLOR=1 LC_ALL=C.UTF-8
{play}
echo again
{play}
dpkg -s armlevel-agent | grep Status
/mnt/armlevel agent list /mnt/agents --json > /mnt/listed.json
su -s /bin/sh _armlevel -c 'python3 -I /usr/lib/armlevel/armlevel-agent.pyz send'
/mnt/armlevel agent accept /mnt/agents /var/lib/armlevel-sender/spool
"""
    done = run_in_a_copy(place, shared, command)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    first, _, second = done.stdout.partition("\nagain\n")
    assert "failed=0" in first
    assert "changed=0" in second
    assert "Status: install ok installed" in second
    ((agent),) = json.loads((shared / "listed.json").read_text())["agents"]
    assert (agent["name"], agent["standing"]) == ("n1", "enrolled")
    assert "taken: report 1 of n1" in second
    tell("the Ansible role on a copy of this machine: installed, enrolled, and a second run changed nothing")
