"""The export of many guests and hosts: the file of the Nova filter."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.hosts import Command

UUID = "9f1c4a52-4f0e-4d2b-9d0c-0c2f3a7b8e11"


def test_the_file_is_written_and_other_forms_take_one_guest(armlevel: Command, tmp_path: Path):
    births, output = tmp_path / "births", tmp_path / "filter.json"
    births.write_text(f"{UUID} graviton2@6.1 passthrough\n", encoding="utf-8")
    common = ("--to", "openstack", "--form", "filter")
    where = ("--host", "@graviton2-6.1", "--host", "@graviton2-6.18")
    done = armlevel(
        "export", "@graviton2-6.1", *common, *where, "--instances", str(births), "-o", str(output)
    )
    assert done.code == 0, done.err
    document = json.loads(output.read_text(encoding="utf-8"))
    assert sorted(document["hosts"]) == ["graviton2@6.1", "graviton2@6.18"]
    assert list(document["instances"]) == [UUID]
    for words, said in (
        ((), "the filter is told about hosts"),
        ((*where, "--instances", str(tmp_path / "none")), "none"),
        ((*where, "--unknown", "perhaps"), "perhaps"),
    ):
        done = armlevel("export", "@graviton2-6.1", *common, *words)
        assert done.code == 2
        assert said in done.err
    for rest in (
        ("--to", "openstack", "--unknown", "let"),
        ("@graviton2-6.18", "--to", "openstack"),
        ("--to", "openstack", "--form", "provider", *where),
    ):
        assert armlevel("export", "@graviton2-6.1", *rest).code == 2
