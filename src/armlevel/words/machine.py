"""What stands around a guest's vCPUs, in words."""

from __future__ import annotations

from collections.abc import Iterator

from armlevel.profile import GuestMachine

__all__ = ["MACHINE", "machine_texts", "size_text"]

#: The names of a record about a guest's machine, as a person says them.
MACHINE = {
    "vmm": "VMM",
    "machine": "machine type",
    "gic_asked": "interrupt controller asked for",
    "gic": "interrupt controller",
    "its": "ITS",
    "vcpus": "number of vCPUs",
    "memory": "memory",
    "maxmem": "most memory",
    "slots": "memory slots",
    "highmem": "highmem",
    "compact_highmem": "compact-highmem",
    "highmem_redists": "highmem-redists",
    "highmem_ecam": "highmem-ecam",
    "highmem_mmio": "highmem-mmio",
    "highmem_mmio_size": "highmem-mmio-size",
    "virtualization": "nested virtualization",
    "steal_time_asked": "stolen time asked for",
    "steal_time": "stolen time",
    "backing_page": "pages of its memory",
    "windows": "windows above its memory",
    "icc_ctlr": "CPU interface (ICC_CTLR_EL1)",
    "ich_vtr": "ICH_VTR_EL2",
    "gicd_iidr": "GICD_IIDR revision",
    "counter_offset": "physical counter",
}
_WINDOWS = {"redistributors": "redistributors", "ecam": "PCI configuration", "mmio": "PCI memory"}
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")


def size_text(size: int) -> str:
    """Return a size in the largest unit that it is a multiple of.

    >>> size_text(600 << 30), size_text(4096), size_text(0), size_text(1 << 40)
    ('600 GiB', '4 KiB', '0 bytes', '1 TiB')
    """
    unit = 0
    while size and not size % 1024 and unit < len(_UNITS) - 1:
        size, unit = size // 1024, unit + 1
    return f"{size} {_UNITS[unit]}"


def machine_texts(machine: GuestMachine) -> list[str]:
    """Return what was recorded, as a few lines.

    >>> machine_texts(GuestMachine(vmm="qemu", gic_asked="max", gic=3, its=True, vcpus=2))
    ['qemu, 2 vCPUs, GICv3 (asked for max) with ITS']
    """
    return [text for text in (", ".join(_board(machine)), ", ".join(_memory(machine))) if text]


def _board(machine: GuestMachine) -> Iterator[str]:
    if named := " ".join(filter(None, (machine.vmm, machine.machine))):
        yield named
    if machine.vcpus is not None:
        yield f"{machine.vcpus} vCPU{'s' * (machine.vcpus != 1)}"
    if gic := _gic(machine):
        yield gic
    if machine.icc_ctlr is not None:
        yield "ICC_CTLR_EL1 " + " ".join(f"{name}={value}" for name, value in machine.icc_ctlr.items())
    if machine.ich_vtr is not None:
        yield f"ICH_VTR_EL2 {machine.ich_vtr:#x}"
    if machine.gicd_iidr is not None:
        yield f"GICD_IIDR revision {machine.gicd_iidr}"
    if machine.virtualization:
        yield "nested virtualization"
    if machine.steal_time is not None:
        yield f"stolen time {'on' if machine.steal_time else 'off'}"


def _gic(machine: GuestMachine) -> str:
    if machine.gic is None and machine.gic_asked is None:
        return ""
    text = f"GICv{machine.gic}" if machine.gic is not None else "GIC not recorded"
    if machine.gic_asked not in (None, str(machine.gic)):
        text += f" (asked for {machine.gic_asked})"
    return text + ("" if machine.its is None else f" {'with' if machine.its else 'without'} ITS")


def _memory(machine: GuestMachine) -> Iterator[str]:
    if machine.memory is not None:
        text = f"memory {size_text(machine.memory)}"
        if machine.maxmem is not None and machine.maxmem != machine.memory:
            slots = "" if machine.slots is None else f" in {machine.slots} slot{'s' * (machine.slots != 1)}"
            text += f", at most {size_text(machine.maxmem)}{slots}"
        yield text
    if machine.backing_page is not None:
        yield f"pages of {size_text(machine.backing_page)}"
    if machine.windows is not None:
        yield "windows: " + (
            ", ".join(f"{_WINDOWS.get(name, name)} at {base:#x}" for name, base in machine.windows.items())
            or "none"
        )
