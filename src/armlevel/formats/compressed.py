"""How compressed files begin."""

from __future__ import annotations

__all__ = ["COMPRESSED", "compression_of"]

#: What a file begins with, and what made it so.
COMPRESSED: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
)


def compression_of(data: bytes) -> str:
    r"""Return what compressed a file; empty if nothing did.

    >>> compression_of(b"\x1f\x8b\x08"), compression_of(b"text")
    ('gzip', '')
    """
    return next((name for magic, name in COMPRESSED if data.startswith(magic)), "")
