"""What an ELF file needs, and what its libraries need in turn."""

from __future__ import annotations

import struct

from armlevel.lab.elf import closure, needed

BASE = 0x10000


def shared(*names: str) -> bytes:
    """Return a small ELF file that names libraries; its strings lie at another address than in the file."""
    strings = b"\0" + b"".join(name.encode() + b"\0" for name in names)
    at, entries = 1, b""
    for name in names:
        entries += struct.pack("<QQ", 1, at)
        at += len(name) + 1
    head = 64 + 2 * 56
    table = head + len(entries) + 32
    entries += struct.pack("<QQQQ", 5, BASE + table, 0, 0)
    size = table + len(strings)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, BASE, BASE, size, size, 1)
    dynamic = struct.pack("<IIQQQQQQ", 2, 6, head, BASE + head, BASE + head, len(entries), len(entries), 8)
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    header = ident + struct.pack("<HHIQQQIHHHHHH", 3, 183, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    return header + load + dynamic + entries + strings


def test_the_names_of_libraries_are_read_at_their_address():
    assert needed(shared("libc.so.6", "libz.so.1")) == ["libc.so.6", "libz.so.1"]


def test_what_is_no_elf_file_needs_nothing():
    assert needed(b"") == needed(b"\x7fELF\x01\x01") == []


def test_a_closure_has_what_libraries_need_and_nothing_else():
    have = {"liba.so": shared("libb.so"), "libb.so": shared("liba.so"), "libx.so": shared()}
    found, missing = closure(shared("liba.so", "libgone.so"), have)
    assert set(found) == {"liba.so", "libb.so"}
    assert missing == ["libgone.so"]
