"""Why: a code and what it is about. Rooms above have the words (``armlevel.words``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from armlevel.engine.names import FieldName, HostName, Name, RowText

__all__ = ["Reason", "ReasonCode", "from_row"]

ReasonCode = Literal[
    # a row of the tables says it
    "row",
    "feature",
    "arm-rule",
    "erratum",
    "tolerance",
    "notices",
    "picks-by-midr",
    # not recorded, or not known
    "host-value-not-recorded",
    "guest-value-not-recorded",
    "some-value-not-recorded",
    "guest-registers-not-recorded",
    "guest-implementation-not-recorded",
    "host-implementation-not-recorded",
    "host-list-not-recorded",
    "guest-list-not-recorded",
    "host-firmware-not-recorded",
    "guest-firmware-not-recorded",
    "listed-value-not-recorded",
    "carried-value-not-recorded",
    "counters-not-recorded",
    "counters-of-not-recorded",
    "no-common-shape",
    "shape-not-probed",
    "value-not-measured",
    "hangs-on-hardware",
    "enforced-not-known",
    "behaviour-not-known",
    # shape
    "feature-unknown-to-kernel",
    "feature-not-given",
    "no-writable-ids",
    "impdef-algorithm",
    "ptrauth-dropped",
    "feature-dropped",
    "lengths-not-compared",
    "told-all-counters",
    "told-fewer-counters",
    "told-more-counters",
    "counters-ignored",
    "events-not-counted",
    "same-machine-type",
    "started-beside-unknown",
    "passed-through-unknown",
    # registers
    "cpus-lack-it",
    "kernel-may-be-newer",
    "no-kernel-changes",
    "no-kernel-raises",
    "policy-unmet",
    "register-not-shown",
    "line-too-short",
    "cleans-too-little",
    "changed-before-run",
    "seen-not-to-run",
    "seen-to-change",
    "own-implementation-only",
    "implementation-not-said",
    "implementation-not-writable",
    "implementation-never-writable",
    "cpus-differ",
    "kvm-took-one",
    "guest-of-one-kind",
    "caches-follow-cpu",
    "pmu-follows-cpu",
    "levelled-not-kept",
    "tolerated-by-name",
    # register list
    "feature-not-shown",
    "register-not-known",
    "register-needed",
    "caches-not-known",
    "left-only-when",
    "fresh-value-kept",
    # firmware
    "start-where-lowest",
    "lowest-nowhere",
    "value-seen-not-kept",
    "only-this-value",
    "bit-not-served",
    "version-above",
    "version-not-named",
    "no-such-version",
    "level-not-named",
    "level-seen-refused",
    "level-above",
    "told-another-level",
    "told-stronger-level",
    # facts
    "clock-rate",
    "zeroed-bytes",
    "moved-tags",
    "pages-differ",
    "pages-not-recorded",
    "blocks-rounded",
    # machine
    "vmm-not-known",
    "gic-taken-there",
    "gic-not-here",
    "cpu-interface-refused",
    "cpu-interface-of-hardware",
    "cpu-interface-other",
    "nested-gic-differs",
    "iidr-changed",
    "iidr-refused",
    "window-lost",
    "window-off",
    "window-out-of-reach",
    "its-not-asked",
    "its-more",
    "asked-otherwise",
    "window-elsewhere",
    "memory-exceeds",
    "map-not-known",
    "steal-time-other",
    "steal-time-block",
    "physical-counter-jumps",
    # risks
    "instructions-not-asked",
    "no-security-boundary",
    "less-protection",
    "targets-fixed-at-boot",
    "gic-follows-machine",
    "targets-not-known",
]


@dataclass(frozen=True, slots=True)
class Reason:
    """One step of why: a code, and the names, numbers and texts of rows that it is about.

    >>> Reason("seen-to-change", (FieldName("ID_AA64PFR0_EL1.EL1"), 1)).code
    'seen-to-change'
    """

    code: ReasonCode
    args: tuple[FieldName | HostName | Name | RowText | int, ...] = ()


def from_row(*texts: str, code: ReasonCode = "row") -> Reason:
    """Return what a row says, in its own words."""
    return Reason(code, tuple(map(RowText, texts)))
