"""The same name under TCG and under KVM: what a guest of each model reads, field by field, where it is not one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from armlevel.arch import Catalogue
from armlevel.engine import passthrough
from armlevel.profile import Host
from pages.markdown import page, table

__all__ = ["FINDINGS", "Finding", "tcg_page"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a reader would not have guessed; ``shown``: model and field -> (TCG's value, KVM's), held by a test."""

    title: str
    text: str
    shown: Mapping[tuple[str, str], tuple[int, int]]


FINDINGS = (
    Finding(
        "The caches of a guest under KVM are made up.",
        "KVM builds CLIDR_EL1 itself since 6.3 (Linux arch/arm64/kvm/sys_regs.c, reset_clidr): on a Neoverse V1 one "
        "unified level, on a Neoverse N1 an instruction cache and no other. Under TCG both have what the core has.",
        {
            ("neoverse-v1", "CLIDR_EL1.LoC"): (2, 1),
            ("neoverse-v1", "CLIDR_EL1.Ctype1"): (3, 4),
            ("neoverse-n1", "CLIDR_EL1.Ctype1"): (3, 1),
        },
    ),
    Finding(
        "A plain guest under KVM reads that its CPU has EL2, and cannot use it.",
        "TCG takes EL2 out of the register unless `virtualization=on` is asked for; KVM leaves what the silicon says, "
        "down to AArch32 at EL2 on a Cortex-A57 (value 2). Software that decides by ID_AA64PFR0_EL1.EL2 decides "
        "differently on one CPU.",
        {
            ("neoverse-n1", "ID_AA64PFR0_EL1.EL2"): (0, 1),
            ("cortex-a57", "ID_AA64PFR0_EL1.EL2"): (0, 2),
        },
    ),
    Finding(
        "The same Cortex-A53 is safe from Spectre v2 and Meltdown under KVM, and under TCG does not say.",
        "The core has no CSV2 and CSV3 to announce. KVM puts in what its kernel found out about the host (Linux "
        "arch/arm64/kvm/sys_regs.c, sanitised ID_AA64PFR0_EL1), so a guest's mitigations depend on the host's kernel, "
        "and these fields differ between hosts of one silicon.",
        {
            ("cortex-a53", "ID_AA64PFR0_EL1.CSV2"): (0, 1),
            ("cortex-a53", "ID_AA64PFR0_EL1.CSV3"): (0, 1),
        },
    ),
    Finding(
        "A guest on a Cortex-A76 need not clean its data cache for new code under KVM; under TCG it must.",
        "The core says CTR_EL0.IDC = 0. Linux works out from the host's CLIDR_EL1 that nothing needs cleaning and "
        "shows 1 (arch/arm64/include/asm/cache.h). An image that was tuned under TCG does work that it need not do.",
        {("cortex-a76", "CTR_EL0.IDC"): (0, 1), ("a64fx", "CTR_EL0.IDC"): (0, 1)},
    ),
)

_ABOUT = """`-cpu cortex-a76` names a CPU of QEMU's. Under TCG a guest gets that CPU, whatever the machine below;
under KVM there is only `host`, and a guest gets what the silicon has and this kernel shows. So a name that stands in
a TCG command line says nothing of the guest that KVM makes on that very core. Each table has the fields that are not
the same in all columns: what a guest reads by its own instructions under TCG of QEMU {qemus} (`armlevel lab tcg`), and
what the passthrough guest of an emulated host of that name is shown by KVM of kernel line {line} (the host's CPU is
QEMU 10's model). A dash: the register was not read there, or is not shown."""

_LAST = """A profile of what TCG shows is there to be compared: `show`, `facts` and `diff` take it, and no verb that
answers whether a guest may run."""


def tcg_page(recorded: Sequence[Host], hosts: Sequence[Host], catalogue: Catalogue) -> str:
    """Return the page; ``recorded`` are named ``model@tcg-version``, ``hosts`` ``model@line``."""
    versions = sorted({host.name.partition("@tcg-")[2] for host in recorded}, key=_number)
    line = max({host.name.partition("@")[2] for host in hosts if "," not in host.name}, key=_number)
    by_name = {host.name: host for host in (*recorded, *hosts)}
    models = sorted({host.name.partition("@")[0] for host in recorded})
    parts = [
        _ABOUT.format(qemus=" and ".join(versions), line=line),
        "## What one would not have guessed",
        *(f"**{one.title}** {one.text}" for one in FINDINGS),
    ]
    for model in models:
        columns = [by_name[f"{model}@tcg-{version}"] for version in versions]
        seen = [host.offers[0].limits for host in columns]
        moved = _rows(seen, catalogue)
        seen.append(passthrough(by_name[f"{model}@{line}"], catalogue).id_registers)
        rows = _rows(seen, catalogue)
        heads = ("field", *(f"TCG, QEMU {version}" for version in versions), f"KVM, {line}")
        told = f"From QEMU {versions[0]} to {versions[-1]} the model itself moved, in {len(moved)} of them."
        parts += [f"## {model}: {len(rows)} fields", *([told] if moved else []), table(heads, rows)]
    return page("The same name under TCG and under KVM", *parts, _LAST)


def _number(line: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 99 for part in line.split("."))


def _rows(seen: Sequence[Mapping[str, int]], catalogue: Catalogue) -> list[tuple[str, ...]]:
    rows = []
    for name, register in catalogue.registers.items():
        values = [registers.get(name) for registers in seen]
        if register.derived or len(set(values)) == 1:
            continue
        if name in ("MIDR_EL1", "REVIDR_EL1", "AIDR_EL1") or None in values:
            if any(values):
                rows.append((f"`{name}`", *("-" if value is None else f"{value:#x}" for value in values)))
            continue
        for field in register.fields:
            cells = [field.get(value) for value in values if value is not None]
            if len(set(cells)) > 1:
                rows.append((f"`{field.subject}`", *map(str, cells)))
    return rows
