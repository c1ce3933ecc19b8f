"""What a host offers around the vCPU, in words."""

from __future__ import annotations

from collections.abc import Sequence

from armlevel.profile import Cpu, HostMachine, TriedField
from armlevel.words.machine import MACHINE

__all__ = ["counters_text", "host_machine_texts", "machine_key_text"]

#: What documents call it, and what a person does.
_KEYS = {
    "machine": "what stands around the vCPU",
    "gic": "interrupt controllers",
    "gic.v2": "vGICv2",
    "gic.v3": "vGICv3",
    "gic.its": "ITS",
    "gic.v5": "vGICv5",
    "icc_ctlr": "ICC_CTLR_EL1",
    "ich_vtr": "ICH_VTR_EL2",
    "gicd_iidr": "GICD_IIDR.Revision",
    "gicd_typer2": "GICD_TYPER2",
    "ipa_bits": "largest guest-physical size",
    "ipa_min": "smallest guest-physical size",
    "ipa_fixed": "one guest-physical size for all",
    "counter_offset": "counter offset",
    "steal_time": "steal time",
    "ptp": "PTP clock",
    "unknown": "what no row knows of this KVM",
}
_TIME = ("counter_offset", "steal_time", "ptp")


def machine_key_text(key: str) -> str:
    """Return a part of a host's or guest's machine as a person names it, by the key under which documents have it.

    >>> (
    ...     machine_key_text("machine.gic.v2"),
    ...     machine_key_text("machine.icc_ctlr.SEIS"),
    ...     machine_key_text("machine"),
    ... )
    ('vGICv2', 'ICC_CTLR_EL1.SEIS', 'what stands around the vCPU')
    """
    name = key.removeprefix("machine.")
    head, _, field = name.partition(".")
    return _KEYS.get(name) or MACHINE.get(name) or (f"{_KEYS[head]}.{field}" if head in _KEYS else name)


def host_machine_texts(machine: HostMachine, *, explain: bool = False) -> list[str]:
    """Return what a host offers around the vCPU, a line each; what of it is not recorded is said.

    >>> host_machine_texts(
    ...     HostMachine(gic={"v3": "yes", "v2": "ENODEV"}, ipa_bits=48, ipa_min=32, unknown=())
    ... )[0]
    'vGICv3; no vGICv2 (ENODEV)'
    """
    lines = [_gic(machine), _addresses(machine), _time(machine)]
    if machine.unknown is None:
        lines.append(f"{_KEYS['unknown']}: not recorded")
    elif machine.unknown:
        lines.append(f"{_KEYS['unknown']}: {', '.join(machine.unknown)}")
    return lines + (_registers(machine) if explain else [])


def _gic(machine: HostMachine) -> str:
    if machine.gic is None:
        return f"{_KEYS['gic']} not recorded"
    has = ", ".join(_KEYS[f"gic.{name}"] for name in machine.gic if machine.has_gic(name))
    lacks = [
        f"{_KEYS[f'gic.{name}']} ({why})" for name, why in machine.gic.items() if not machine.has_gic(name)
    ]
    none = f"no {', '.join(lacks)}" if lacks else ""
    if not has:
        return ": ".join(filter(None, ("no interrupt controller", none)))
    return "; ".join(filter(None, (has, none)))


def _addresses(machine: HostMachine) -> str:
    if machine.ipa_bits is None:
        return "guest-physical size not recorded"
    if machine.ipa_fixed:
        return f"guest-physical size {machine.ipa_bits} bits, whatever is asked for"
    least = "" if machine.ipa_min is None else f"{machine.ipa_min} to "
    return f"guest-physical size {least}{machine.ipa_bits} bits"


def _time(machine: HostMachine) -> str:
    said = [(_KEYS[name], getattr(machine, name)) for name in _TIME]
    ways = {True: "{}", False: "no {}", None: "{} not recorded"}
    texts = [ways[value].format(name) for name, value in said]
    return ", ".join(texts) + (f"; KVM runs {_MODES[machine.mode]}" if machine.mode else "")


_MODES = {
    "vhe": "with the kernel at EL2 (VHE)",
    "nvhe": "beside a kernel at EL1 (nVHE)",
    "protected": "protected (pKVM)",
}


def _registers(machine: HostMachine) -> list[str]:
    fields: dict[str, TriedField] = {
        f"ICC_CTLR_EL1.{name}": one for name, one in (machine.icc_ctlr or {}).items()
    }
    if machine.gicd_iidr is not None:
        fields["GICD_IIDR.Revision"] = machine.gicd_iidr
    lines = [f"{name}: {one.shown}; takes {_run(sorted(one.taken))}" for name, one in fields.items()]
    numbers = (("GICD_TYPER2", machine.gicd_typer2), ("ICH_VTR_EL2", machine.ich_vtr))
    return lines + [f"{name}: {value:#x}" for name, value in numbers if value is not None]


def _run(values: Sequence[int]) -> str:
    run = len(values) > 2 and values[-1] - values[0] == len(values) - 1
    return f"{values[0]} to {values[-1]}" if run else " ".join(map(str, values)) or "none"


def counters_text(cpus: Sequence[Cpu]) -> str:
    """Return which CPUs' counters run at which frequency; empty unless they differ or some are not recorded.

    >>> from armlevel.profile import Implementation
    >>> counters_text(
    ...     [Cpu(Implementation(1), 1, (0,), 24_000_000), Cpu(Implementation(1), 2, (1, 2), 25_000_000)]
    ... )
    'CPU 0: 24 MHz; CPU 1, 2: 25 MHz'
    """
    if len({cpu.cntfrq_hz for cpu in cpus}) < 2:
        return ""
    return "; ".join(
        f"CPU {', '.join(map(str, cpu.numbers))}: "
        + ("not recorded" if cpu.cntfrq_hz is None else f"{cpu.cntfrq_hz / 1_000_000:g} MHz")
        for cpu in cpus
    )
