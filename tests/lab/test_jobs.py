"""What a host sends back."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile

import pytest

from armlevel.lab.jobs import _LARGEST, read_result


def tar(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return made.getvalue()


def sent(files: dict[str, bytes], status: int = 0) -> bytes:
    body = gzip.compress(tar(files))
    return b"armlevel-lab %d %d %s\n" % (status, len(body), hashlib.sha256(body).hexdigest().encode()) + body


WHOLE = sent({"./stdout": b"hi\n", "./stderr": b"", "./files/a/b": b"\0\xff", "./../escape": b"x"}, status=3)


def test_a_whole_result_is_read():
    result = read_result(b"noise before\n" + WHOLE + b"noise behind")
    assert result is not None
    assert (result.status, result.stdout, result.stderr) == (3, "hi\n", "")
    assert result.files == {"a/b": b"\0\xff"}


@pytest.mark.parametrize("cut", [0, 10, len(WHOLE) // 2, len(WHOLE) - 1])
def test_a_cut_result_is_none(cut):
    assert read_result(WHOLE[:cut]) is None


def test_a_changed_byte_is_noticed():
    assert read_result(WHOLE[:-9] + bytes([WHOLE[-9] ^ 1]) + WHOLE[-8:]) is None


def packed(body: bytes) -> bytes:
    return b"armlevel-lab 0 %d %s\n" % (len(body), hashlib.sha256(body).hexdigest().encode()) + body


def said_to_be(*sizes: int) -> bytes:
    """Heads of members that say how large they are, as sparse files do, with nothing behind them."""
    heads = b""
    for number, size in enumerate(sizes):
        member = tarfile.TarInfo(f"files/{number}")
        member.size = size
        heads += member.tobuf(tarfile.GNU_FORMAT)
    return heads


def sparse(size: int, name: str = "files/sparse") -> bytes:
    """A sparse file of one byte that says it has so many (GNU tar's old format: where it is, and how large all is)."""
    member = tarfile.TarInfo(name)
    member.size, member.type = 512, tarfile.GNUTYPE_SPARSE
    head = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    head[386:398], head[398:410] = b"%011o\0" % 0, b"%011o\0" % 512
    head[483:495] = b"\x80" + size.to_bytes(11, "big")
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head) + b"x" * 512 + bytes(1024)


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(said_to_be(1 << 40)),
        gzip.compress(said_to_be(_LARGEST + 1)),
        gzip.compress(sparse(1 << 40)),
        gzip.compress(sparse(_LARGEST + 1)),
    ],
    ids=["a terabyte", "one byte too many", "sparse", "sparse by one byte"],
)
def test_what_says_it_is_larger_than_anything_the_lab_asks_for_is_not_read(body, monkeypatch):
    asked: list[int] = []
    monkeypatch.setattr(tarfile.ExFileObject, "read", lambda *_: asked.append(1))
    assert read_result(packed(body)) is None
    assert asked == []


def test_sparse_members_that_are_too_large_together_are_not_read(monkeypatch):
    monkeypatch.setattr("armlevel.lab.jobs._LARGEST", 100_000)
    one = sparse(60_000, "files/a").removesuffix(bytes(1024))
    alone = read_result(packed(gzip.compress(one + bytes(1024))))
    assert alone is not None
    assert len(alone.files["a"]) == 60_000
    assert read_result(packed(gzip.compress(one + sparse(60_000, "files/b")))) is None


def test_what_unpacks_to_more_than_the_lab_asks_for_is_not_unpacked(monkeypatch):
    monkeypatch.setattr("armlevel.lab.jobs._LARGEST", 100_000)
    assert read_result(packed(gzip.compress(bytes(10_000_000)))) is None


def test_a_sparse_file_of_a_size_that_is_allowed_is_read():
    found = read_result(packed(gzip.compress(sparse(1024))))
    assert found is not None
    assert found.files == {"sparse": b"x" * 512 + bytes(512)}
