"""What an importer accepts can be written, and what is written is read again: the same models judge both."""

from __future__ import annotations

import json
import os

import pytest

from armlevel.documents import host_object, load, pretty
from armlevel.documents.held import held
from armlevel.errors import BadDocument, InputError
from armlevel.formats.firecracker_write import export_fingerprint
from armlevel.operations.import_ import import_host
from armlevel.profile import Facts, Host, Offer, Shape, Software
from tests.formats.profiles import host

FINGERPRINT = json.loads(export_fingerprint(host("graviton3-6.1")).text)


@pytest.mark.parametrize(
    "wrong",
    [
        Host("x", (Offer(Shape()),), facts=Facts(page_size=3)),
        Host("x", (Offer(Shape()),), facts=Facts(cntfrq_hz=1 << 40)),
        Host("x", (Offer(Shape(), sve_vls=(100,)),)),
        Host("x", (Offer(Shape(), limits={"CLIDR_EL1": 1 << 64}),)),
        Host("x", (Offer(Shape(), register_list=(5,)),)),
        Host("x" * 5000, (Offer(Shape()),)),
        Host("x\ny", (Offer(Shape()),)),
        Host("x\udcff", (Offer(Shape()),)),
        Host("x", (Offer(Shape()),), software=Software(firmware="x" * 5000)),
        Host("x", (Offer(Shape()),), software=Software(vmms={"qemu": "x" * 5000})),
        Host("x"),
    ],
)
def test_what_no_document_holds_is_refused_before_it_is_written(wrong):
    with pytest.raises(BadDocument):
        held(wrong, "x")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("bios_version", "x" * 5000),
        ("firecracker_version", "x" * 5000),
        ("kernel_version", "x" * 5000),
        ("guest_cpu_config", {"reg_modifiers": [{"addr": "0x6030000000150000", "bitmap": "0b1"}], "x": 1}),
        ("guest_cpu_config", {"reg_modifiers": [{"addr": "0x1030000000150000", "bitmap": "0b1"}]}),
        ("guest_cpu_config", {"reg_modifiers": [{"addr": "0x603000000013c801", "bitmap": "0b" + "1" * 65}]}),
    ],
)
def test_an_import_is_refused_in_a_sentence_or_can_be_read_again(tmp_path, key, value):
    path = tmp_path / "f.json"
    path.write_text(json.dumps({**FINGERPRINT, key: value}))
    with pytest.raises(InputError):
        import_host(str(path))


@pytest.mark.parametrize("name", ["host\udcff.txt", "a\nb.txt", "a\u202eb.txt", "x" * 250 + ".txt"])
def test_a_file_of_any_name_is_imported_under_a_name_that_can_be_written(tmp_path, name):
    path = os.fsdecode(os.path.join(os.fsencode(str(tmp_path)), os.fsencode(name)))  # noqa: PTH118 - bytes
    with open(path, "w") as stream:  # noqa: PTH123
        stream.write("MIDR_EL1: 0x411fd401\n")
    found = import_host(path).host
    again = tmp_path / "again.json"
    again.write_text(pretty(host_object(found)))
    assert load(str(again)) == found
