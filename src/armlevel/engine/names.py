"""The names that findings are made of: each a type of its own, so that none is taken for another or for a sentence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NewType

__all__ = [
    "EVERY_HOST",
    "FieldName",
    "HostName",
    "Message",
    "Name",
    "RegisterName",
    "RowText",
    "hosts_of",
    "register_of",
]

#: ``ID_AA64PFR0_EL1.SVE``
FieldName = NewType("FieldName", str)
#: ``ID_AA64PFR0_EL1``, ``CCSIDR_EL1[2]``, ``KVM_REG_ARM_PSCI_VERSION``
RegisterName = NewType("RegisterName", str)
HostName = NewType("HostName", str)
#: What a table or a person calls a feature, a shape, a VMM, an erratum, a class of fields, a kernel line.
Name = NewType("Name", str)
#: What a row of the tables says, to be shown as it is.
RowText = NewType("RowText", str)
#: A line that a VMM prints.
Message = NewType("Message", str)

#: Stands for all hosts of the question where a finding is about none of them alone.
EVERY_HOST = HostName("*")


def hosts_of(names: Iterable[str]) -> tuple[HostName, ...]:
    """Return the names of hosts as findings hold them."""
    return tuple(HostName(name) for name in names)


def register_of(name: str) -> RegisterName:
    """Return the register of ``REG.FIELD``; of a register, itself.

    >>> register_of("ID_AA64PFR0_EL1.SVE"), register_of("CTR_EL0")
    ('ID_AA64PFR0_EL1', 'CTR_EL0')
    """
    return RegisterName(name.partition(".")[0])
