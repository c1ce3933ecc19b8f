"""What a host sends back."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile

import pytest

from armlevel.lab.jobs import read_result


def sent(files: dict[str, bytes], status: int = 0) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    body = gzip.compress(packed.getvalue())
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
