"""What a file is that no importer reads, and what to do about it."""

from __future__ import annotations

import re

from armlevel.formats.compressed import COMPRESSED
from armlevel.formats.libvirt_xml import root_of
from armlevel.formats.text import may_be_json, text_of

__all__ = ["stranger"]

_UNPACK = "unpack it, and name what was in it"
_OTHER = "name a file that describes a host or a CPU"
_TEXT = "name the text that it was made of"
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    *((magic, f"{'an' if name[0] in 'xl' else 'a'} {name} archive", _UNPACK) for magic, name in COMPRESSED),
    (b"PK\x03\x04", "a zip archive", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"\x89PNG", "a picture (PNG)", _TEXT),
    (b"\xff\xd8\xff", "a picture (JPEG)", _TEXT),
    (b"GIF8", "a picture (GIF)", _TEXT),
    (b"RIFF", "a picture or a sound", _TEXT),
    (b"BM", "a picture (BMP)", _TEXT),
    (b"II*\0", "a picture (TIFF)", _TEXT),
    (b"MM\0*", "a picture (TIFF)", _TEXT),
    (b"%PDF", "a PDF", _TEXT),
    (b"QFI\xfb", "a disk image (qcow2)", _OTHER),
    (b"SQLite format 3", "an SQLite database", "name a profile"),
    (
        b"LibvirtQemudSave",
        "a guest that libvirt saved",
        "virsh save-image-dumpxml FILE gives its XML, which is read",
    ),
    (
        b"QEVM",
        "the state of a guest that QEMU saved",
        "name the command line that the guest was started with",
    ),
    (b"!<arch>\n", "an ar archive, as Debian packages are", _UNPACK),
    (b"\xed\xab\xee\xdb", "an RPM package", _UNPACK),
    (b"\xd0\x0d\xfe\xed", "a device tree", "name /proc/cpuinfo of that machine, or probe it"),
    (b"MZ", "a program or an EFI image", _OTHER),
)
_PROGRAMS = {
    3: "x86",
    8: "MIPS",
    21: "PowerPC",
    22: "s390",
    40: "32-bit Arm",
    62: "x86-64",
    183: "arm64",
    243: "RISC-V",
}
_TAR = 257
_ARM = "armlevel levels arm64 hosts: name a file of one"
_OTHERS = (
    (r"^vendor_id\s*:\s*(?:GenuineIntel|AuthenticAMD|Hygon|Centaur)", "/proc/cpuinfo of an x86 machine"),
    (r"^model name\s*:\s*(?:Intel|AMD)", "/proc/cpuinfo of an x86 machine"),
    (r"^flags\s*:\s*fpu ", "/proc/cpuinfo of an x86 machine"),
    (r"^Architecture:\s+(?:x86_64|i\d86)", "lscpu of an x86 machine"),
    (r"^isa\s*:\s*rv(?:32|64)", "/proc/cpuinfo of a RISC-V machine"),
    (r"^Architecture:\s+riscv", "lscpu of a RISC-V machine"),
    (r"^cpu\s*:\s*POWER|^Architecture:\s+ppc64", "a description of a POWER machine"),
    (r"^vendor_id\s*:\s*IBM/S390|^Architecture:\s+s390x", "a description of an IBM Z machine"),
    (r"^CPU Family\s*:\s*Loongson|^Architecture:\s+loongarch", "a description of a LoongArch machine"),
    (r"^Architecture:\s+(?:armv[5-8]|arm$)", "lscpu of a 32-bit Arm kernel"),
)
_HEAD = 1 << 16


def stranger(data: bytes) -> tuple[str, str] | None:
    r"""Return what a file is, as a clause, and what to do; None if nobody can tell.

    >>> stranger(b"")
    ('is empty', 'name a file that describes a host or a CPU')
    >>> stranger(b"\x89PNG...")
    ('is a picture (PNG)', 'name the text that it was made of')
    """
    if not data.strip():
        return "is empty", _OTHER
    if data[:4] == b"\x7fELF":
        machine = _PROGRAMS.get(int.from_bytes(data[18:20], "little"), "some")
        return f"is a program ({machine} ELF)", _OTHER
    if data[_TAR : _TAR + 5] == b"ustar":
        return "is a tar archive", _UNPACK
    for magic, what, do in _MAGIC:
        if data.startswith(magic):
            return f"is {what}", do
    text = text_of(data)
    return ("is no text", _OTHER) if text is None else _strange_text(text)


def _strange_text(text: str) -> tuple[str, str] | None:
    head = text.lstrip()[:_HEAD]
    if may_be_json(text):
        return None  # what is wrong in it, if anything is, was said
    for pattern, what in _OTHERS:
        if re.search(pattern, head, re.MULTILINE):
            return f"is {what}", _ARM
    if root := root_of(text):
        known = "domain, domstatus, domainsnapshot, capabilities, domainCapabilities and cpu are read"
        return f"is XML of <{root}>", f"of libvirt's elements {known}"
    return None
