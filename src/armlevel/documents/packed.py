"""A guest CPU as one short text, which travels with a virtual machine: in libvirt's metadata, through a pipe.

The text is ``1:`` and base64 of the guest-profile/1 document, written short and compressed with zlib, whose checksum
tells damage: ASCII that XML, JSON and a shell leave alone. Its version comes first; what another armlevel wrote in
another way is :class:`UnknownPacking`, and whoever reads that knows no more than that there is a guest. Standard
library only.

Lost is what decides no answer: who made the profile, and on which hosts it may start if these are more than
:data:`MOST_STARTS`.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from armlevel.documents.items import WrongError, shown
from armlevel.documents.maps import Faults, ValuePool
from armlevel.documents.plain import NO_NAMES
from armlevel.documents.structure import GUEST
from armlevel.documents.values import guest_of
from armlevel.documents.write import GUEST_KIND, canonical, guest_object
from armlevel.errors import BadDocument, UnknownPacking, UsageError
from armlevel.profile import Guest, Made

__all__ = [
    "LONGEST",
    "MOST_STARTS",
    "VERSION",
    "UnknownPacking",
    "digest_of",
    "pack",
    "unpack",
    "what_is_kept",
]

VERSION = "1"
#: The longest text that is read, in characters; that of a real guest has some 2,000.
LONGEST = 1 << 16
#: More hosts than these to start on are not told: a guest without any is one of which they are not recorded.
MOST_STARTS = 8

_WHERE = "the packed guest CPU"
_LARGEST = 1 << 18  # of what the text holds, in bytes
_MOST_IDS = 1 << 13  # KVM lists some 700 registers
_FIRST_ID = 0x6000_0000_0000_0000
_SHORT = re.compile("[0-9a-f]{1,16}")
_VERSION = re.compile("[0-9]{1,9}")
_DIGITS = 20
_BEST = 9

# What nearly every guest says, so that saying it costs next to nothing; part of version 1, and never changed.
_USUAL = (
    b'"facts":{"cntfrq_hz":"gmid":"page_size":"sources":"firmware":{"KVM_REG_ARM_PTP_BITMAP":"KVM_REG_ARM_PSCI_VERSION"'
    b':"10003","KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1":"0","KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2":"3",'
    b'"KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3":"KVM_REG_ARM_STD_BMAP":"1","KVM_REG_ARM_STD_HYP_BMAP":"1",'
    b'"KVM_REG_ARM_VENDOR_HYP_BMAP":"3","KVM_REG_ARM_VENDOR_HYP_BMAP_2":"3"},"implementation":{"aidr":"midr":'
    b'"revidr":"targets":[]},"machine":{"backing_page":"compact_highmem":true,"gic":3,"gic_asked":"highmem":true,'
    b'"highmem_ecam":"highmem_mmio":"highmem_mmio_size":"highmem_redists":"icc_ctlr":{"A3V":"IDbits":"PRIbits":"SEIS":'
    b'"ich_vtr":"its":true,"machine":"virt-10.0","maxmem":"memory":"slots":"steal_time":true,"steal_time_asked":'
    b'"default","vcpus":"virtualization":false,"vmm":"qemu","windows":{"ecam":"mmio":"redistributors":"name":'
    b'" passthrough","pmu_counters":6,"possible":{"register_list":[[4503599628419072,2,'
    b'"registers":{"AIDR_EL1":"CCSIDR_EL1[0]":"CCSIDR_EL1[1]":"CCSIDR_EL1[2]":"CCSIDR_EL1[3]":"CLIDR_EL1":"CTR_EL0":'
    b'"ID_AA64AFR0_EL1":"0","ID_AA64AFR1_EL1":"0","ID_AA64DFR0_EL1":"ID_AA64DFR1_EL1":"0","ID_AA64DFR2_EL1":"0",'
    b'"ID_AA64FPFR0_EL1":"0","ID_AA64ISAR0_EL1":"ID_AA64ISAR1_EL1":"ID_AA64ISAR2_EL1":"ID_AA64ISAR3_EL1":"0",'
    b'"ID_AA64MMFR0_EL1":"ID_AA64MMFR1_EL1":"ID_AA64MMFR2_EL1":"ID_AA64MMFR3_EL1":"ID_AA64MMFR4_EL1":"0",'
    b'"ID_AA64PFR0_EL1":"ID_AA64PFR1_EL1":"ID_AA64PFR2_EL1":"0","ID_AA64SMFR0_EL1":"0","ID_AA64ZFR0_EL1":"0",'
    b'"ID_AFR0_EL1":"0","ID_DFR0_EL1":"ID_DFR1_EL1":"ID_ISAR0_EL1":"ID_ISAR1_EL1":"ID_ISAR2_EL1":"ID_ISAR3_EL1":'
    b'"ID_ISAR4_EL1":"ID_ISAR5_EL1":"ID_ISAR6_EL1":"ID_MMFR0_EL1":"ID_MMFR1_EL1":"ID_MMFR2_EL1":"ID_MMFR3_EL1":'
    b'"ID_MMFR4_EL1":"ID_MMFR5_EL1":"ID_PFR0_EL1":"ID_PFR1_EL1":"ID_PFR2_EL1":"MIDR_EL1":"MVFR0_EL1":"MVFR1_EL1":'
    b'"MVFR2_EL1":"REVIDR_EL1":"SCXTNUM_EL0":"shape":{"features":["pmu_v3","ptrauth","sve"],'
    b'"imp_id_writable":false},"starts_on":["sve_vls":[128,256,"tolerates":[]'
)


def what_is_kept(guest: Guest) -> Guest:
    """Return a guest without what its packing leaves out."""
    starts = guest.starts_on if len(guest.starts_on) <= MOST_STARTS else ()
    return replace(guest, starts_on=starts, made=Made())


def digest_of(guest: Guest) -> str:
    """Return the digest that a packed guest is known by: that of its document, as far as the packing keeps it."""
    return str(guest_object(what_is_kept(guest))["digest"])


def pack(guest: Guest) -> str:
    """Return a guest CPU as one text of printable ASCII.

    Raises:
        UsageError: it is larger than any that is read back.

    >>> from armlevel.profile import Shape
    >>> guest = Guest("g", Shape(), {"CTR_EL0": 0x84448004})
    >>> pack(guest)[:2], unpack(pack(guest)) == guest
    ('1:', True)
    """
    document = guest_object(what_is_kept(guest))
    body = {key: said for key, said in document.items() if key not in ("kind", "digest", "made")}
    body["registers"] = _short(body["registers"])
    if "firmware" in body:
        body["firmware"] = _short(body["firmware"])
    if guest.register_list is not None:
        body["register_list"] = list(_steps(guest.register_list))
    data = canonical(body)
    press = zlib.compressobj(_BEST, zdict=_USUAL)
    text = f"{VERSION}:{base64.b64encode(press.compress(data) + press.flush()).decode()}"
    if len(text) > LONGEST or len(data) > _LARGEST or len(guest.register_list or ()) > _MOST_IDS:
        raise UsageError(f"{guest.name} is larger than a packed guest CPU may be")
    return text


def unpack(text: str) -> Guest:
    """Return the guest CPU that was packed.

    Raises:
        UnknownPacking: another armlevel packed it, in another way.
        BadDocument: it is not what :func:`pack` gives.

    """
    version, colon, packed = text[:LONGEST].strip().partition(":")
    if not colon or not _VERSION.fullmatch(version):
        raise BadDocument(
            _WHERE, (f"begins with {shown(text[:20])}, and not with a version, as '{VERSION}:'",)
        )
    if version != VERSION:
        raise UnknownPacking(_WHERE, version)
    if len(text) > LONGEST:
        raise BadDocument(_WHERE, (f"has more than {LONGEST} characters",))
    faults = Faults()
    document = _expanded(_parsed(_inflated(packed)))
    if not GUEST.fits(document):
        GUEST.blame(document, "", faults)
        raise BadDocument(_WHERE, tuple(faults) or ("is no guest profile",))
    guest = guest_of(document, ValuePool(NO_NAMES), faults)
    if faults:
        raise BadDocument(_WHERE, tuple(faults))
    return guest


def _short(values: dict[str, str]) -> dict[str, str]:
    return {name: f"{int(value, 16):x}" for name, value in values.items()}


def _steps(ids: Sequence[int]) -> Iterator[int | list[int]]:
    # From each id to the next; a step that is taken several times stands once, with how often.
    before, step, often = _FIRST_ID, 0, 0
    for register_id in sorted(ids):
        if often and register_id - before != step:
            yield step if often == 1 else [step, often]
            often = 0
        step, before = register_id - before, register_id
        often += 1
    if often:
        yield step if often == 1 else [step, often]


def _inflated(packed: str) -> bytes:
    try:
        pressed = base64.b64decode(packed.encode("ascii"), validate=True)
        press = zlib.decompressobj(zdict=_USUAL)
        data = press.decompress(pressed, _LARGEST)
    except (UnicodeEncodeError, binascii.Error, zlib.error) as exc:
        raise BadDocument(_WHERE, ("is damaged: what follows the version does not unfold",)) from exc
    if not press.eof or press.unused_data:
        fault = (
            f"holds more than {_LARGEST} bytes"
            if press.unconsumed_tail
            else "is damaged: it was cut off or added to"
        )
        raise BadDocument(_WHERE, (fault,))
    return data


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        document = json.loads(
            data.decode(),
            object_pairs_hook=_once,
            parse_constant=_no_number,
            parse_float=_no_number,
            parse_int=_whole,
        )
    except (WrongError, ValueError, RecursionError) as exc:
        raise BadDocument(_WHERE, (f"is damaged: {exc}",)) from exc
    if not isinstance(document, dict) or not {"kind", "digest", "made"}.isdisjoint(document):
        raise BadDocument(_WHERE, ("is no packed guest profile",))
    return document


def _expanded(body: dict[str, Any]) -> dict[str, Any]:
    document = {"kind": GUEST_KIND, **body}
    try:
        for key in ("registers", "firmware"):
            if key in body:
                document[key] = _long(key, body[key])
        if "register_list" in body:
            document["register_list"] = [f"{one:#018x}" for one in _ids(body["register_list"])]
    except WrongError as exc:
        raise BadDocument(_WHERE, (str(exc),)) from exc
    return document


def _long(key: str, values: Any) -> dict[str, str]:
    if not isinstance(values, dict):
        raise WrongError(f"{key}: {shown(values)} is not a map of registers")
    if wrong := [
        name for name, one in values.items() if not isinstance(one, str) or not _SHORT.fullmatch(one)
    ]:
        raise WrongError(f"{key}.{shown(wrong[0])}: is no value of 1 to 16 hex digits")
    return {name: f"0x{value:>016}" for name, value in values.items()}


def _ids(steps: Any) -> list[int]:
    found: list[int] = []
    at = _FIRST_ID
    for step, often in _pairs(steps):
        if (
            step < 0
            or often < 1
            or (not step and found)
            or len(found) + often > _MOST_IDS
            or (at + step * often) >> 64
        ):
            raise WrongError("register_list: steps from one id to the next lead nowhere")
        found += range(at + step, at + step * often + 1, step) if step else [at]
        at = found[-1]
    return found


def _pairs(steps: Any) -> Iterable[tuple[int, int]]:
    if not isinstance(steps, list):
        raise WrongError(f"register_list: {shown(steps)} is not a list")
    for one in steps:
        step, often = (one, 1) if not isinstance(one, list) else one if len(one) == 2 else (None, None)
        if step.__class__ is not int or often.__class__ is not int:
            raise WrongError(f"register_list: {shown(one)} is no step")
        yield step, often


def _whole(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise WrongError("a number has more digits than any that is written")
    return int(digits)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise WrongError("a key stands twice in one object")
    return found


def _no_number(text: str) -> Any:
    raise WrongError(f"{shown(text)} is no number of a packed guest CPU")
