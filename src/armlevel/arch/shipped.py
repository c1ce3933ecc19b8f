"""The catalogue that ships with the program."""

from __future__ import annotations

from functools import lru_cache

from armlevel.arch.catalogue import Catalogue
from armlevel.arch.prove import prove_registers
from armlevel.errors import TableError

__all__ = ["load"]


@lru_cache(maxsize=1)
def load() -> Catalogue:
    """Return the catalogue that ships, its registers proved.

    Raises:
        TableError: the compiled table contradicts itself.

    >>> load().field("id_aa64mmfr0_el1.tgran4_2").order.listing
    (1, 0, 2, 3)
    """
    from armlevel.arch.table import TABLE  # large: only who asks for it reads it

    catalogue = Catalogue(TABLE)
    faults = prove_registers(catalogue)
    if faults:
        raise TableError(faults)
    return catalogue
