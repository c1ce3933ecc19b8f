"""The structure of our documents as tables, for the standard library: which keys, and what may stand under each.

Every document is held against these tables. pydantic's models say the same, make the JSON Schema of it, and know the
words for what is wrong; they are imported when something is wrong. A test holds the two against each other, bound by
bound. The long maps and lists are checked while they are decoded (:mod:`armlevel.documents.maps`).
"""

from __future__ import annotations

from armlevel.documents.names import FROZEN_NAME, FROZEN_VERSION
from armlevel.documents.specs import (
    Either,
    LongPart,
    Many,
    OneOf,
    OrNull,
    Record,
    Spec,
    Table,
    Text,
    Truth,
    Whole,
)
from armlevel.documents.write import GUEST_KIND, HOST_KIND
from armlevel.profile.guest_machine import GIC_ASKED, WINDOWS
from armlevel.profile.host import FACT_RANGES, PAGE_SIZES
from armlevel.profile.machine import GIC_DEVICES, ICC_CTLR_FIELDS

__all__ = ["FROZEN", "FROZEN_KIND", "GUEST", "HOST", "MOST_OFFERS", "OFFER", "VALUE_PATTERN"]

FROZEN_KIND = "frozen-profile/1"

VALUE_PATTERN = "^0x[0-9a-f]{16}$"
MOST_OFFERS = 1024

_ANY = LongPart()
_TRUTH = Truth()
_COUNT = Whole()
_TEXT = Text()
_NAME = Text(None)
_HEX = Text(pattern=VALUE_PATTERN, wanted="a value like '0x0000000000000011' (16 hex digits, lower case)")
_DIGEST = Text(pattern="^sha256:[0-9a-f]{64}$", wanted="sha256: and 64 hex digits")
_LOWERED = Text(
    pattern=r"^[A-Za-z0-9_]+\.[A-Za-z0-9_]+=[0-9]+$",
    wanted="a field and its value, like 'ID_AA64PFR1_EL1.SSBS=0'",
)
_ERRNO = Text(pattern="^(yes|E[A-Z0-9]{1,31})$", wanted="'yes' or the name of an errno, like 'ENODEV'")
_FACT_WHOLE = {name: Whole(some.start, some.stop) for name, some in FACT_RANGES.items()}
_FREQUENCY = _FACT_WHOLE["cntfrq_hz"]
_SMALL = Whole(0, 2**8)
_MANY_TEXTS = Many(_TEXT, 65536)
_LENGTHS = Many(Whole(128, 2049, 128), 16)

_IMPLEMENTATION: dict[str, Spec] = dict.fromkeys(("midr", "revidr", "aidr"), _HEX)
_SHOWN = Record(_IMPLEMENTATION)
_CPUS = Many(
    Record({**_IMPLEMENTATION, "count": Whole(1), "numbers": Many(_COUNT), "cntfrq_hz": _FREQUENCY}), 65536
)
_POLICY = Record(
    {
        **dict.fromkeys(("without", "hide", "require", "tolerate"), _MANY_TEXTS),
        "pins": Table(_TEXT, _HEX),
        "implementation": _SHOWN,
        "also_targets": Many(_SHOWN, 65536),
        "assume_same_impdef": _TRUTH,
        "accept_weaker_mitigation": _TRUTH,
    }
)
_FACT = OneOf("cntfrq_hz", "dczid", "gmid", "page_size", "kernel")
_GIVEN = Record(
    {"host": _TEXT, "fact": _FACT, "value": Either(_COUNT, _TEXT)}, frozenset(("host", "fact", "value"))
)
_LINEAGE: dict[str, Spec] = {
    **dict.fromkeys(("tool", "catalogue", "at", "source"), _TEXT),
    "hosts": Many(Record({"name": _TEXT, "digest": _DIGEST}, frozenset(["name"])), 1 << 20),
    "policy": _POLICY,
    "given": Many(_GIVEN, 65536),
}
_SHAPE = Record({"features": Many(_NAME, 64), "imp_id_writable": _TRUTH})
_FACTS = Record(
    {
        **_FACT_WHOLE,
        "page_size": OneOf(*PAGE_SIZES),
        "sources": Table(_NAME, _TEXT, 64),
    }
)
_SOFTWARE = Record(
    {
        "kernel": _TEXT,
        "kvm_capabilities": Table(_NAME, _COUNT, 4096),
        "vmms": Table(_NAME, _TEXT, 1024),
        "firmware": _TEXT,
        "boot_options": Many(_TEXT, 1024),
        "vulnerabilities": Table(_NAME, _TEXT, 1024),
    }
)
_TRIED = Record(
    {"shown": _SMALL, "taken": Many(_SMALL, 256), "refused": Many(_SMALL, 256)}, frozenset(["shown", "taken"])
)
_MACHINE = Record(
    {
        "gic": Record(dict.fromkeys(GIC_DEVICES, _ERRNO)),
        "icc_ctlr": Record(dict.fromkeys(ICC_CTLR_FIELDS, _TRIED)),
        "ich_vtr": _HEX,
        "gicd_iidr": _TRIED,
        "gicd_typer2": _HEX,
        "ipa_bits": _SMALL,
        "ipa_min": _SMALL,
        "ipa_fixed": _TRUTH,
        "mode": OneOf("vhe", "nvhe", "protected"),
        "counter_offset": _TRUTH,
        "steal_time": _TRUTH,
        "ptp": _TRUTH,
        "unknown": Many(_TEXT, 4096),
    }
)
_GUEST_MACHINE = Record(
    {
        **dict.fromkeys(("vmm", "machine"), _TEXT),
        "gic_asked": OneOf(*GIC_ASKED),
        "gic": OneOf(2, 3),
        "vcpus": Whole(1),
        **dict.fromkeys(
            ("memory", "maxmem", "slots", "highmem_mmio_size", "backing_page", "gicd_iidr"), _COUNT
        ),
        **dict.fromkeys(("its", "highmem", "compact_highmem", "virtualization", "steal_time"), _TRUTH),
        **dict.fromkeys(("highmem_redists", "highmem_ecam", "highmem_mmio"), _TRUTH),
        "steal_time_asked": OneOf("on", "off", "default"),
        "windows": Record(dict.fromkeys(WINDOWS, _HEX)),
        "icc_ctlr": Record(dict.fromkeys(ICC_CTLR_FIELDS, _SMALL)),
        "ich_vtr": _HEX,
    }
)
#: One offer of a host.
OFFER = Record(
    {
        "shape": _SHAPE,
        "how": OneOf("tried", "masks", "predicted"),
        "default": OneOf("limit-only", "unknown"),
        "limits": _ANY,
        "accepts": _ANY,
        "register_list": _ANY,
        "register_list_without": _ANY,
        "firmware": _ANY,
        "state": _ANY,
        "sve_vls": _LENGTHS,
        "pmu": Table(_NAME, _COUNT, 1024),
        "like": _COUNT,
        "changed_by_kvm": _ANY,
        "side_effects": Table(_LOWERED, Table(_NAME, OrNull(_COUNT)), 65536),
    },
    frozenset(("shape", "how", "default")),
)
_PROFILE: dict[str, Spec] = {"name": _TEXT, "digest": _DIGEST, "made": Record(_LINEAGE)}
HOST = Record(
    {
        "kind": OneOf(HOST_KIND),
        **_PROFILE,
        "software": _SOFTWARE,
        "cpus": _CPUS,
        "other_cpus": _CPUS,
        "hwcaps": Many(_TEXT, 1024),
        "facts": _FACTS,
        "machine": _MACHINE,
        "accelerator": OneOf("tcg"),
        "offers": Many(OFFER, MOST_OFFERS, 1),
    },
    frozenset(("kind", "offers")),
)
GUEST = Record(
    {
        "kind": OneOf(GUEST_KIND),
        **_PROFILE,
        "shape": _SHAPE,
        "registers": _ANY,
        "register_list": _ANY,
        "firmware": _ANY,
        "sve_vls": _LENGTHS,
        "pmu_counters": Whole(0, 32),
        "facts": _FACTS,
        "implementation": Record({**_IMPLEMENTATION, "targets": Many(_SHOWN, 65536)}),
        "possible": Table(_TEXT, Many(_HEX, 65536, 1), 65536),
        "starts_on": _MANY_TEXTS,
        "tolerates": _MANY_TEXTS,
        "machine": _GUEST_MACHINE,
        "unknown": Many(_TEXT, 4096),
    },
    frozenset(("kind", "shape", "registers")),
)
FROZEN = Record(
    {
        "kind": OneOf(FROZEN_KIND),
        "name": Text(
            pattern=FROZEN_NAME, wanted="1 to 64 letters, digits, '.', '_' and '-', a letter or digit first"
        ),
        "version": Text(
            pattern=FROZEN_VERSION, wanted="1 to 64 letters, digits, '.' and '_', a letter or digit first"
        ),
        "digest": _DIGEST,
        "guest": GUEST,
        "lineage": Record({**_LINEAGE, "parent": _DIGEST}),
    },
    frozenset(("kind", "name", "version", "digest", "guest", "lineage")),
)
