"""Small hosts made by hand, written as documents, and a way to run a command in process."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from armlevel.documents import host_object
from armlevel.profile import Accepts, Cpu, Facts, Host, Implementation, Offer, Shape, Software
from tests.engine.kit import AROUND

N1 = Implementation(0x413FD0C1, 0xFF, 0)
V1 = Implementation(0x411FD401, 1, 0)

PFR0 = 0x1100_0000_1111_1112  # AArch64 and AArch32 at EL0
ISAR0 = 0x0000_1000_1021_1120
KNOWN = Facts(cntfrq_hz=25_000_000, dczid=4, page_size=4096)
CARRIED = (0x603000000013C020, 0x603000000013C030, 0x6030000000140000)


@dataclass(frozen=True)
class Answer:
    """What one command line said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Answer]


def host(
    name: str,
    *,
    limits: Mapping[str, int] | None = None,
    accepts: Mapping[str, Accepts] | None = None,
    cpu: Implementation = N1,
    kernel: str = "6.18.1",
    facts: Facts = KNOWN,
    registers: tuple[int, ...] | None = CARRIED,
    firmware: Mapping[str, int] | None = None,
    shapes: tuple[Shape, ...] = (Shape(),),
) -> Host:
    """Make a host that takes nothing but its limits, except where ``accepts`` says more."""
    shown = cpu.registers()
    offers = tuple(
        Offer(
            shape,
            how="tried",
            default="limit-only",
            limits={**shown, "ID_AA64PFR0_EL1": PFR0, "ID_AA64ISAR0_EL1": ISAR0, **(limits or {})},
            accepts=accepts or {},
            register_list=registers,
            firmware={"KVM_REG_ARM_PSCI_VERSION": 0x10003} if firmware is None else firmware,
            sve_vls=(128,) if "sve" in shape.features else None,
        )
        for shape in shapes
    )
    software = Software(kernel=kernel, kvm_capabilities={"STEAL_TIME": 1})
    return Host(name, offers, (Cpu(cpu, 4),), facts, software, machine=AROUND)


def write(folder: Path, *hosts: Host) -> list[str]:
    """Write hosts into ``folder``, and return the paths."""
    paths = []
    for index, one in enumerate(hosts):
        path = folder / f"{index}-{one.name.replace('/', '_')}.json"
        path.write_text(json.dumps(host_object(one)), encoding="utf-8")
        paths.append(str(path))
    return paths
