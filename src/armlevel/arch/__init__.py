"""What Arm says: registers, orders, features and rules, and what KVM was measured to do with them.

Names are looked up when they are asked for: rows that nobody asks about are not even read.

>>> from armlevel.arch import load
>>> load().field("ID_AA64PFR0_EL1.SVE").values
{0: 'NI', 1: 'FEAT_SVE'}
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from armlevel.arch.catalogue import Catalogue
    from armlevel.arch.certain import Certain
    from armlevel.arch.errata import Cores, Dispatch, Erratum, Hidden, Undefined
    from armlevel.arch.expr import (
        And,
        Cmp,
        Const,
        Expr,
        Feat,
        Iff,
        Implies,
        Not,
        Or,
        evaluate,
        leaves,
        mentioned,
    )
    from armlevel.arch.kvmrows import (
        Bundle,
        Coupling,
        Drop,
        FirmwareRegister,
        Ignored,
        KernelLine,
        Leak,
        NoMeaning,
        StableChange,
        Tolerance,
        WriteRule,
    )
    from armlevel.arch.linechanges import LineChange
    from armlevel.arch.machinerows import Around, Board, CpuInterface, HighWindow
    from armlevel.arch.meansrows import Means, Switch
    from armlevel.arch.model import VIEWS, WHO, Field, Register, Reserved
    from armlevel.arch.order import ORDERS, Order
    from armlevel.arch.parser import parse
    from armlevel.arch.release import release_numbers
    from armlevel.arch.rules import (
        KINDS,
        Feature,
        FieldRule,
        Hwcap,
        Part,
        Rule,
        RuleReport,
        SetAside,
        Version,
        broken_among,
        check_rules,
        features_of,
        known_of,
    )
    from armlevel.arch.shipped import load
    from armlevel.arch.vmmrows import Blocks, Lets, Vmm

__all__ = [
    "KINDS",
    "ORDERS",
    "VIEWS",
    "WHO",
    "And",
    "Around",
    "Blocks",
    "Board",
    "Bundle",
    "Catalogue",
    "Certain",
    "Cmp",
    "Const",
    "Cores",
    "Coupling",
    "CpuInterface",
    "Dispatch",
    "Drop",
    "Erratum",
    "Expr",
    "Feat",
    "Feature",
    "Field",
    "FieldRule",
    "FirmwareRegister",
    "Hidden",
    "HighWindow",
    "Hwcap",
    "Iff",
    "Ignored",
    "Implies",
    "KernelLine",
    "Leak",
    "Lets",
    "LineChange",
    "Means",
    "NoMeaning",
    "Not",
    "Or",
    "Order",
    "Part",
    "Register",
    "Reserved",
    "Rule",
    "RuleReport",
    "SetAside",
    "StableChange",
    "Switch",
    "Tolerance",
    "Undefined",
    "Version",
    "Vmm",
    "WriteRule",
    "broken_among",
    "check_rules",
    "evaluate",
    "features_of",
    "known_of",
    "leaves",
    "load",
    "mentioned",
    "parse",
    "release_numbers",
]

_NAMES = {
    "catalogue": ("Catalogue",),
    "certain": ("Certain",),
    "errata": ("Cores", "Dispatch", "Erratum", "Hidden", "Undefined"),
    "expr": (
        "And",
        "Cmp",
        "Const",
        "Expr",
        "Feat",
        "Iff",
        "Implies",
        "Not",
        "Or",
        "evaluate",
        "leaves",
        "mentioned",
    ),
    "kvmrows": (
        "Bundle",
        "Coupling",
        "Drop",
        "FirmwareRegister",
        "Ignored",
        "KernelLine",
        "Leak",
        "NoMeaning",
        "StableChange",
        "Tolerance",
        "WriteRule",
    ),
    "linechanges": ("LineChange",),
    "machinerows": ("Around", "Board", "CpuInterface", "HighWindow"),
    "meansrows": ("Means", "Switch"),
    "model": ("VIEWS", "WHO", "Field", "Register", "Reserved"),
    "order": ("ORDERS", "Order"),
    "parser": ("parse",),
    "release": ("release_numbers",),
    "rules": (
        "KINDS",
        "Feature",
        "FieldRule",
        "Hwcap",
        "Part",
        "Rule",
        "RuleReport",
        "SetAside",
        "Version",
        "broken_among",
        "check_rules",
        "features_of",
        "known_of",
    ),
    "shipped": ("load",),
    "vmmrows": ("Blocks", "Lets", "Vmm"),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> object:
    """Return a name whose module is read only now."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = found
    return found
