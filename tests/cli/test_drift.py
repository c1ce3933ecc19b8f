from __future__ import annotations

from pathlib import Path

from armlevel.profile import Accepts, Facts
from tests.cli.hosts import ISAR0, Command, host, write

RNDR = 1 << 60
BOTH = {"ID_AA64ISAR0_EL1.RNDR": Accepts.of([0, 1])}


def folders(tmp_path: Path) -> tuple[Path, Path]:
    then, now = tmp_path / "then", tmp_path / "now"
    then.mkdir()
    now.mkdir()
    rich = {"ID_AA64ISAR0_EL1": ISAR0 | RNDR}
    write(then, host("a", limits=rich, accepts=BOTH), host("b", limits=rich, accepts=BOTH))
    write(now, host("a", limits=rich, accepts=BOTH), host("b", kernel="6.18.2"))
    return then, now


def test_a_host_that_lost_a_field_is_named_with_the_cause(armlevel: Command, tmp_path: Path):
    then, now = folders(tmp_path)
    assert armlevel("drift", then, "--since", then).code == 0
    said = armlevel("drift", now, "--since", then)
    assert said.code == 1
    assert "ID_AA64ISAR0_EL1.RNDR  1     0   kernel  -FEAT_RNG" in said.out
    found = armlevel("drift", now, "--since", then, "--json").json
    assert found["answer"] == "refused"
    assert [(one["host"], one["answer"], len(one["changes"])) for one in found["hosts"]] == [
        ("a", "runs", 0),
        ("b", "refused", 1),
    ]


def test_a_levelled_guest_outlives_what_it_never_had(armlevel: Command, tmp_path: Path):
    then, now = folders(tmp_path)
    guest = tmp_path / "g.json"
    assert armlevel("baseline", then, "--hide", "FEAT_RNG", "-o", guest).code == 0
    said = armlevel("drift", now, "--guest", guest, "--since", then)
    assert said.code == 0
    assert "b changed:" in said.out


def test_what_is_not_recorded_is_no_yes_and_a_fact_may_be_given(armlevel: Command, tmp_path: Path):
    (path,) = write(tmp_path, host("a", facts=Facts(dczid=4, page_size=4096)))
    assert armlevel("drift", path, "--since", path).code == 3
    assert armlevel("drift", path, "--since", path, "--fact", "a:cntfrq_hz=25000000").code == 0


def test_a_question_without_a_past_or_a_guest_is_refused(armlevel: Command, tmp_path: Path):
    then, now = folders(tmp_path)
    assert armlevel("drift", now).code == 2
    (stranger,) = write(tmp_path, host("c"))
    said = armlevel("drift", now, "--since", then, stranger)
    assert said.code == 2
