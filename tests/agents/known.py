"""A host with an agent, whose key OpenSSH made, and somebody who takes its reports."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from armlevel.documents.known_hosts import KnownHosts, read_known_hosts
from armlevel.documents.reports import REPORT_SPACE, REPORT_TYPE, Event, Report, report_bytes
from armlevel.onefile.openssh import make_key, sealed
from armlevel.operations.agents.enrol import enrol_key
from armlevel.operations.agents.values import Agent

NOW = 1_796_000_000.0  # 2026-11-30T00:53:20Z
AT = "2026-11-30T00:53:20Z"
BOOT = "11111111-1111-4111-8111-111111111111"
NEXT_BOOT = "22222222-2222-4222-8222-222222222222"


@dataclass
class Host:
    """An agent, and what is known of it."""

    own: Path
    agents: dict[str, Agent]

    @property
    def key(self) -> Path:
        return self.own / "agent_key"


def known(folder: Path, name: str = "n1", agents: Mapping[str, Agent] | None = None) -> Host:
    """Make an agent's key, and enrol it by hand."""
    line = make_key(folder / name / "agent_key")
    found = enrol_key(line, name, "by hand", agents or {}, now=NOW)
    assert found.agent is not None
    return Host(folder / name, {**(agents or {}), found.agent.key.fingerprint: found.agent})


def report(key: Path, sequence: int = 1, boot: str = BOOT, **more) -> bytes:
    """Seal a report."""
    said = {"name": "n1", "boot_id": boot, "sequence": sequence, "at": AT, **more}
    return sealed(REPORT_TYPE, REPORT_SPACE, report_bytes(Report(**said)), [key])


def events(*numbers: int) -> tuple[Event, ...]:
    return tuple(Event(number, AT, "booted", {"boot_id": BOOT}) for number in numbers)


def ssh_key(folder: Path, name: str, *how: str) -> Path:
    """Make a key as sshd has it."""
    words = ["ssh-keygen", "-q", "-N", "", "-C", "", "-f", str(folder / name), *(how or ("-t", "ed25519"))]
    subprocess.run(words, check=True)
    return folder / name


def public(key: Path) -> str:
    return " ".join(key.with_name(f"{key.name}.pub").read_text().split()[:2])


def hosts(*lines: str) -> KnownHosts:
    return read_known_hosts("\n".join(lines))
