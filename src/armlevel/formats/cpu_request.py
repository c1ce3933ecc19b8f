"""What another tool's file asks of whichever host it meets: choices before the vCPU exists, and bits to be written.

A template of Firecracker, a domain of libvirt and a ``-cpu`` option of QEMU describe no CPU: they change what a host
offers. Laid over the passthrough profile of one host they give a guest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from armlevel.errors import UsageError
from armlevel.kvm import name_of
from armlevel.profile import Guest, GuestMachine, Host, Implementation, Shape, ShownImplementation

__all__ = ["Bits", "CpuRequest", "bits_of"]

# What a probe writes for a vCPU feature that it could not have: the kernel does not know it, or cannot give it here.
_IN_VAIN = (0, 1)


@dataclass(frozen=True, slots=True)
class Bits:
    """Bits of one register: those of ``mask`` become ``value``; the others stay the host's.

    ``where_shown``  only in a guest that has the register: it has no other value for it, and needs none
    """

    register: str
    mask: int
    value: int
    where_shown: bool = False


@dataclass(frozen=True, slots=True)
class CpuRequest:
    """What a file asks for.

    ``tool``      whose file it is, for people
    ``choices``   shape feature -> on or off, where the file says it
    ``automatic`` features that are on where the host has them unless ``choices`` says otherwise
    ``lengths``   vector length in bits -> on or off, where the file says it;  ``bits``  what is written afterwards
    ``machine``   what is asked for around the vCPUs; None if the file does not say
    """

    tool: str
    choices: Mapping[str, bool] = field(default_factory=dict)
    automatic: frozenset[str] = frozenset()
    lengths: Mapping[int, bool] = field(default_factory=dict)
    bits: tuple[Bits, ...] = ()
    machine: GuestMachine | None = None

    def shape_on(self, host: Host) -> Shape:
        """Return the shape that a host's vCPU gets.

        Raises:
            UsageError: the host offers none such.

        """
        wanted = {name for name, on in self.choices.items() if on}
        unwanted = {name for name, on in self.choices.items() if not on}
        possible = [
            shape
            for shape in host.shapes
            if wanted <= shape.features
            and not shape.features & unwanted
            and shape.features - wanted <= self.automatic
            and not shape.imp_id_writable
        ]
        if not possible:
            raise UsageError(
                f"{host.name} has no offer with {Shape(frozenset(wanted)).label}, which {self.tool} asks for",
                hint="probe that host again, or name another one",
            )
        return max(possible, key=lambda shape: len(shape.features))

    def left_open(self, host: Host) -> tuple[str, ...]:
        """Return the features that the tool turns on where a host has them, if nothing recorded says whether it has.

        A feature that an offer has is there; one that a probe tried in vain is not.
        """
        chosen, tried = self.shape_on(host).features, host.software.kvm_capabilities
        return tuple(
            name
            for name in sorted(self.automatic - self.choices.keys() - chosen)
            if tried.get(f"VCPU_{name.upper()}") not in _IN_VAIN
        )

    def onto(self, guest: Guest) -> Guest:
        """Return the passthrough profile ``guest`` of a host as this request changes it.

        Raises:
            UsageError: it asks for what the host has not: a vector length, a register.

        """
        values = {**guest.id_registers, **guest.firmware}
        for one in self.bits:
            if one.register not in values and one.where_shown:
                continue
            if one.register not in values:
                raise UsageError(f"{self.tool} changes {one.register}, which {guest.name} does not have")
            values[one.register] = values[one.register] & ~one.mask | one.value
        implementation, shown = guest.implementation, Implementation.from_registers(values)
        if implementation is not None and shown is not None:
            implementation = ShownImplementation(shown, implementation.targets)
        return replace(
            guest,
            registers={name: values[name] for name in guest.registers},
            firmware={name: values[name] for name in guest.firmware},
            sve_vls=self._lengths_of(guest),
            implementation=implementation,
        )

    def _lengths_of(self, guest: Guest) -> tuple[int, ...] | None:
        # QEMU with KVM: a length that is on takes the smaller ones of the host with it, one off the larger.
        if guest.sve_vls is None or not self.lengths:
            return guest.sve_vls
        on = {length for length, chosen in self.lengths.items() if chosen}
        off = {length for length, chosen in self.lengths.items() if not chosen}
        if missing := sorted(on - set(guest.sve_vls)):
            raise UsageError(f"{self.tool} asks for vectors of {missing[0]} bits, which {guest.name} has not")
        largest = max(on, default=max(guest.sve_vls))
        kept = tuple(
            length for length in guest.sve_vls if length <= largest and length < min(off, default=4096)
        )
        if on - set(kept) or not kept:
            raise UsageError(
                f"{self.tool} turns vectors of {min(off)} bits off, and larger ones on; KVM does both or neither"
            )
        return kept


def bits_of(register_id: int, mask: int, value: int) -> Bits:
    """Return the bits of a register that a file names by KVM's id."""
    return Bits(name_of(register_id), mask, value & mask)
