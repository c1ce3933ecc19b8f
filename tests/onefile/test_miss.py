"""What the guard costs in an emulated host, where a guest comes whose answer is not kept, and when it comes again."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from armlevel.arch import load
from armlevel.documents.packed import digest_of, pack, unpack
from armlevel.lab import PATIENCE, Job, pack_guard, parse_host
from armlevel.onefile.metadata import GuestMark, guest_element
from armlevel.operations.guard_files import START, archive_of
from tests.emulated import fetched
from tests.fidelity.hosts import HOSTS, read
from tests.onefile.trying_lab import guests_for

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["neoverse-n1@7.x", "neoverse-n2@7.x"])
def test_a_guest_of_the_hosts_own_core_comes_and_its_answer_is_kept(laboratory, tell, name):
    with fetched():
        laboratory.prepare(parse_host(name))
    host = next(one for one in read(HOSTS) if one.name == name)
    packed = pack(guests_for(host, [host], load())[f"{name} qemu"])
    mark = guest_element(GuestMark(packed=packed, digest=digest_of(unpack(packed)), known="idregs"))
    files = {
        "guard.pyz": archive_of(pack_guard(), ["/bin/false"]),
        "inside.py": Path(__file__).with_name("inside_miss.py").read_bytes(),
        "marked.xml": f"<domain><name>web-1</name><metadata>{mark}</metadata></domain>".encode(),
    }
    job = Job(f'python3 -I inside.py guard.pyz {shlex.quote(START)} "$OUT/found"', files)
    result = laboratory.run(parse_host(name), job, PATIENCE)
    assert result.status == 0, result.stderr
    found = json.loads(result.files["found"])
    assert [found[case][1:] for case in ("python", "bytecode", "miss", "kept")] == [[0, ""]] * 4
    assert f"{packed}\truns\t{digest_of(unpack(packed))}\n" in found["answers"][2]
    python, miss, kept = (found[case][0] for case in ("python", "miss", "kept"))
    tell(
        f"guard on {name}: Python {python:.2f} s of CPU, a miss {miss:.2f} s, an answer that is kept {kept:.2f} s"
    )
    assert kept < miss / 2
