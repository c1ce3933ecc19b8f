"""QEMU's ``-machine`` and ``-cpu host,...`` options.

What a released QEMU can be told of a guest CPU is the vCPU's shape, the vector lengths, steal time and, from 11.1 on,
the PSCI version. ``SYSREG_<REGISTER>_<FIELD>`` options are patches of distributions so far, in two spellings (Linux'
``TGRAN4_2``, Arm's ``TGran4_2``); none is written that the target's own list of properties does not have.
Sources: QEMU docs/system/arm/cpu-features.rst, target/arm/{cpu64,kvm,arm-qmp-cmds}.c, 10.0 and 11.1.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from armlevel.arch import Catalogue, Field, release_numbers
from armlevel.formats.export_result import ExportResult, Gap, differing, not_known, written
from armlevel.kvm import name_of
from armlevel.profile import Guest, Host, Offer

__all__ = [
    "CHOICES",
    "FORMS",
    "MACHINE",
    "PSCI",
    "Options",
    "export",
    "left_by",
    "options_of",
    "sysregs",
]

FORMS = {
    "command": "options of a command line",
    "qmp": "the QMP command that asks a QEMU whether it takes them",
}

#: The machine type that QEMU 10 and 11 both know; one that moves has the same on both ends.
MACHINE = "virt-10.0"

PSCI, STEAL = "KVM_REG_ARM_PSCI_VERSION", "KVM_REG_ARM_STD_HYP_BMAP"
_GIC_LSB = 24
#: -cpu property -> shape feature; ``aarch64=off`` is the other way round.
CHOICES = {"pmu": "pmu_v3", "sve": "sve", "pauth": "ptrauth"}
_UNKNOWN_TO_QEMU = ("has_el2_e2h0", "pmu_v3_strict")


@dataclass(frozen=True, slots=True)
class Options:
    """What stands after ``-machine`` and ``-cpu``, in the order it is written; ``rest`` are other options.

    >>> Options("virt-10.0", {"gic-version": "3"}, {"pmu": "on", "sve": "off"}).cpu_option
    'host,pmu=on,sve=off'
    """

    machine: str
    board: Mapping[str, str] = field(default_factory=dict)
    cpu: Mapping[str, str] = field(default_factory=dict)
    rest: tuple[tuple[str, str], ...] = ()

    @property
    def machine_option(self) -> str:
        """The value of ``-machine``."""
        return ",".join([self.machine, "accel=kvm", *(f"{key}={value}" for key, value in self.board.items())])

    @property
    def cpu_option(self) -> str:
        """The value of ``-cpu``."""
        return ",".join(["host", *(f"{key}={value}" for key, value in self.cpu.items())])

    @property
    def properties(self) -> dict[str, bool | int | str]:
        """The ``-cpu`` options as QMP takes them."""
        words: dict[str, bool | int | str] = {"on": True, "off": False}
        return {
            key: int(value, 0) if key.startswith("SYSREG_") else words.get(value, value)
            for key, value in self.cpu.items()
        }


def sysregs(names: Iterable[str], catalogue: Catalogue) -> dict[str, Field]:
    """Return which field each ``SYSREG_`` name means, for the names that are one, in either spelling.

    >>> from armlevel.arch import load
    >>> [f.subject for f in sysregs(["pmu", "SYSREG_ID_AA64MMFR0_EL1_TGran4_2"], load()).values()]
    ['ID_AA64MMFR0_EL1.TGRAN4_2']
    """
    known = {
        f"SYSREG_{one.register}_{spelt}".upper(): one
        for register in catalogue.registers.values()
        for one in register.fields
        for spelt in (one.name, one.arm)
    }
    return {name: known[name.upper()] for name in names if name.upper() in known}


def options_of(
    guest: Guest, catalogue: Catalogue, *, machine: str = MACHINE, properties: Iterable[str] = ()
) -> Options:
    """Return the options that go with a profile; ``properties`` are the names that the target QEMU says it has."""
    names = sorted(properties)
    board = {"gic-version": _gic(guest)} if _gic(guest) else {}
    board |= {"mte": "on"} if "mte" in guest.shape.features else {}
    nested = "has_el2" in guest.shape.features or (guest.machine is not None and guest.machine.virtualization)
    board |= {"virtualization": "on"} if nested else {}
    board |= _board(guest, machine, catalogue)
    cpu = {"aarch64": "off"} if "el1_32bit" in guest.shape.features else {}
    for name, feature in CHOICES.items():
        cpu[name] = "on" if feature in guest.shape.features else "off"
        if name == "sve" and feature in guest.shape.features:
            cpu |= {f"sve{length}": "on" for length in guest.sve_vls or ()}
    if STEAL in guest.firmware:
        cpu["kvm-steal-time"] = "on" if guest.firmware[STEAL] & 1 else "off"
    if PSCI in guest.firmware and "kvm-psci-version" in names:
        cpu["kvm-psci-version"] = _psci(guest.firmware[PSCI])
    for name, one in sysregs(names, catalogue).items():
        if one.register in guest.registers and not one.derived:
            cpu[name] = f"{one.get(guest.registers[one.register]):#x}"
    if guest.machine is not None and guest.machine.steal_time is not None:
        cpu["kvm-steal-time"] = "on" if guest.machine.steal_time else "off"
    return Options(machine, board, cpu, _rest(guest))


def _board(guest: Guest, machine: str, catalogue: Catalogue) -> dict[str, str]:
    # What was given and is not what the machine type has unasked.
    given = guest.machine
    if given is None:
        return {}
    found = {"its": "off"} if given.its is False and given.gic == 3 else {}
    usual = catalogue.board_defaults(release_numbers(machine.removeprefix("virt-")))
    for key, value in usual.items():
        own = getattr(given, key)
        if own is not None and own != value:
            text = ("on" if own else "off") if isinstance(value, bool) else str(own)
            found[key.replace("_", "-")] = text
    return found


def _rest(guest: Guest) -> tuple[tuple[str, str], ...]:
    # Where windows begin hangs on the memory, and which interrupt controller on how many vCPUs.
    given = guest.machine
    if given is None:
        return ()
    found = []
    if given.vcpus is not None:
        found.append(("-smp", f"{given.vcpus},maxcpus={given.vcpus}"))
    if given.memory is not None:
        text = f"size={given.memory}b"
        if given.maxmem is not None and given.maxmem != given.memory:
            text += f",slots={given.slots or 0},maxmem={given.maxmem}b"
        found.append(("-m", text))
    return tuple(found)


def export(
    guest: Guest, options: Options, catalogue: Catalogue, *, form: str = "command", host: Host | None = None
) -> ExportResult:
    """Return the options in one of the :data:`FORMS`, and what they leave to other means."""
    text = f"-machine {options.machine_option}\n-cpu {options.cpu_option}\n"
    text += "".join(f"{option} {value}\n" for option, value in options.rest)
    if form == "qmp":
        question = {"type": "full", "model": {"name": "host", "props": options.properties}}
        text = json.dumps({"execute": "query-cpu-model-expansion", "arguments": question}) + "\n"
    return ExportResult(text, left_by(guest, options, catalogue, host))


def left_by(guest: Guest, options: Options, catalogue: Catalogue, host: Host | None) -> tuple[Gap, ...]:
    """Return what options leave undone: what QEMU cannot be told of the profile."""
    unknown = [name for name in _UNKNOWN_TO_QEMU if name in guest.shape.features]
    left = [Gap(f"shape.{name}", "on", "off", ("kvm", "shape")) for name in unknown]
    told = {one.subject for one in sysregs(options.cpu, catalogue).values()}
    if "kvm-psci-version" in options.cpu:
        told.add(PSCI)
    offer = None
    if host is not None:
        offer = host.offer(replace(guest.shape, imp_id_writable=False)) or host.offer(guest.shape)
        if offer is None:
            return (*left, Gap("shape", guest.shape.label, "not offered", ("shape",)))
    if offer is None:
        ways = ("run",)
        if PSCI in guest.firmware and PSCI not in told:
            psci = _psci(guest.firmware[PSCI])
            left.append(Gap(PSCI, psci, ways=("property:kvm-psci-version", *ways), certain=False))
        alone = [one for name in guest.registers for one in _fields(name, catalogue) if one not in told]
        if alone:
            left.append(Gap("ID registers", f"{len(alone)} fields", ways=ways, certain=False))
        return tuple(left)
    for subject, wanted, found in differing(written(guest), offer, catalogue):
        if subject not in told and not _derived(subject, catalogue):
            left.append(_register_left(subject, wanted, found))
    left += _lengths_left(guest, offer)
    return (*left, *_more_carried(guest, offer))


def _more_carried(guest: Guest, offer: Offer) -> list[Gap]:
    # Registers that the host lists and the guest does not carry.
    if guest.register_list is None or offer.register_list is None:
        return [not_known("register-list")]
    more = sorted(set(offer.register_list) - set(guest.register_list))
    return [Gap(f"list.{name_of(one)}", "not carried", "carried", ("run",)) for one in more]


def _register_left(subject: str, wanted: int, found: int | None) -> Gap:
    if subject == PSCI:
        shown = "" if found is None else _psci(found)
        return Gap(subject, _psci(wanted), shown, ("property:kvm-psci-version", "run"))
    return Gap(subject, f"{wanted:#x}", "" if found is None else f"{found:#x}", ("run",), found is not None)


def _lengths_left(guest: Guest, offer: Offer) -> list[Gap]:
    # A length that is on takes the host's smaller ones with it; nothing can leave one of them out.
    if "sve" not in guest.shape.features:
        return []
    if guest.sve_vls is None or offer.sve_vls is None:
        return [not_known("sve_vls")]
    shown = tuple(length for length in offer.sve_vls if length <= max(guest.sve_vls))
    if shown == guest.sve_vls:
        return []
    return [Gap("sve_vls", " ".join(map(str, guest.sve_vls)), " ".join(map(str, shown)), ("run", "same"))]


def _fields(register: str, catalogue: Catalogue) -> list[str]:
    row = catalogue.registers.get(register)
    return [one.subject for one in row.fields if not one.derived] if row else [register]


def _derived(subject: str, catalogue: Catalogue) -> bool:
    register, _, name = subject.partition(".")
    row = catalogue.registers.get(register)
    return row is not None and any(one.derived for one in row.fields if one.name == name)


def _gic(guest: Guest) -> str:
    if guest.machine is not None and guest.machine.gic is not None:
        return str(guest.machine.gic)
    value = guest.registers.get("ID_AA64PFR0_EL1")
    return "" if value is None else "3" if value >> _GIC_LSB & 0xF else "2"


def _psci(version: int) -> str:
    return f"{version >> 16}.{version & 0xFFFF}"
