"""The filter takes a host away only where its file says refused, and lets all pass whatever is wrong."""

from __future__ import annotations

import ast
import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from tests.nova.standins import FILTER, UUID, Image, Nova, Spec, host

WEB, OTHER = "sha256:" + "ab" * 32, "sha256:" + "cd" * 32
TRAIT = f"trait:CUSTOM_ARMLEVEL_START_{'AB' * 16}"
OLD, NEW, NEITHER, OPEN = (host(name) for name in ("old", "new", "neither", "open"))
HOSTS = [OLD, NEW, NEITHER, OPEN]


def document(**other: Any) -> dict[str, Any]:
    yes, no, maybe = "runs", "refused", "unknown"
    return {
        "kind": "nova-filter/1",
        "unknown": "warn",
        "hosts": {"old": "k1", "new": "k2", "neither": "k3", "open": "k4"},
        "guests": {WEB: "web"},
        "answers": {
            WEB: {
                "k1": {"start": no, "arrive": yes, "because": {"start": ["CTR_EL0.DIC"]}},
                "k2": {"start": yes, "arrive": no, "because": {"arrive": ["KVM_REG_ARM_PSCI_VERSION"]}},
                "k3": {"start": no, "arrive": no},
                "k4": {"start": maybe, "arrive": maybe},
            }
        },
        "instances": {UUID: {"birth": WEB, "level": WEB}},
    } | other


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "filter.json"
    file.write_text(json.dumps(document()), encoding="utf-8")
    return file


@pytest.fixture
def nova(path: Path) -> Nova:
    return Nova(path)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records]


@pytest.mark.parametrize(
    ("state", "passing"),
    [
        ("migrating", ["old", "open"]),  # live migration: the guest arrives
        ("rebuilding", ["new", "open"]),  # evacuation, and every other move: it starts
        ("resize_prep", ["new", "open"]),
        ("unshelving", ["new", "open"]),
        ("", ["new", "open"]),  # a new instance has no cell yet
        (None, ["new", "open"]),
    ],
)
def test_a_live_migration_arrives_and_all_else_starts(nova: Nova, state: str | None, passing: list[str]):
    nova.states[UUID] = state
    assert nova.passing(Spec(), HOSTS) == passing
    assert [one.nodename for one in HOSTS if nova.filter.host_passes(one, Spec())] == passing


def test_an_instance_that_nova_has_not_mapped_starts(nova: Nova):
    assert nova.passing(Spec(), HOSTS) == ["new", "open"]


def test_a_rebuild_in_place_is_not_filtered(nova: Nova):
    nova.states[UUID] = "rebuilding"
    assert nova.passing(Spec(rebuild=True), HOSTS) == ["old", "new", "neither", "open"]
    assert nova.module.ArmlevelFilter.RUN_ON_REBUILD is False
    assert nova.asked == 0


def test_a_trait_names_the_guest_cpu_of_an_instance_that_is_not_in_the_file(path: Path):
    path.write_text(json.dumps(document(instances={})), encoding="utf-8")
    nova = Nova(path)
    for spec in (
        Spec(extra_specs={TRAIT: "required"}),
        Spec(image=Image(TRAIT.removeprefix("trait:"))),
    ):
        assert nova.passing(spec, HOSTS) == ["new", "open"]
    nova.states[UUID] = "migrating"
    assert nova.passing(Spec(extra_specs={TRAIT: "required"}), HOSTS) == ["old", "open"]
    for specs in (
        {TRAIT: "forbidden"},
        {TRAIT: "required", TRAIT[:-1] + "0": "required"},
        {"hw:pmu": "true"},
    ):
        assert len(nova.passing(Spec(extra_specs=specs), HOSTS)) == 4


def test_a_passthrough_guest_starts_anywhere_and_arrives_where_its_birth_may(path: Path):
    path.write_text(json.dumps(document(instances={UUID: {"birth": WEB}})), encoding="utf-8")
    nova = Nova(path)
    assert len(nova.passing(Spec(), HOSTS)) == 4
    nova.states[UUID] = "migrating"
    assert nova.passing(Spec(), HOSTS) == ["old", "open"]


@pytest.mark.parametrize(
    ("state", "passing"), [("rebuilding", 2), ("unshelving", 2), ("resize_prep", 0), ("migrating", 1)]
)
def test_a_guest_that_is_down_is_started_off_level_before_it_is_not_started(
    nova: Nova, caplog, state, passing
):
    nova.states[UUID] = state
    assert len(nova.passing(Spec(), [OLD, NEITHER])) == passing
    assert any("off level" in line for line in lines(caplog)) == (passing == 2)


def test_the_log_says_which_hosts_refused_and_for_what(nova: Nova, caplog):
    caplog.set_level(logging.INFO)
    nova.states[UUID] = "migrating"
    nova.passing(Spec(), [NEW, OLD])
    (line,) = lines(caplog)
    assert line == (
        f"armlevel: instance {UUID}: 1 of 2 hosts refuse its CPU (arrive), new for KVM_REG_ARM_PSCI_VERSION"
    )


@pytest.mark.parametrize(
    ("word", "passes", "said"), [("warn", True, 1), ("let", True, 0), ("refuse", False, 1)]
)
def test_what_nobody_can_say_is_the_files_choice(path: Path, caplog, word: str, passes: bool, said: int):
    path.write_text(json.dumps(document(unknown=word)), encoding="utf-8")
    nova = Nova(path)
    assert bool(nova.passing(Spec(), [OPEN])) is passes
    assert sum("nobody can say" in line for line in lines(caplog)) == said


def test_a_host_is_known_by_the_hypervisors_name_or_the_services(nova: Nova):
    nova.states[UUID] = "migrating"
    hosts = [host("new.example.org", "new"), host("old.example.org", "old"), host("new", "old")]
    assert nova.passing(Spec(), hosts) == ["old.example.org"]


def test_a_host_that_is_not_known_passes_and_is_told_once(nova: Nova, caplog):
    nova.states[UUID] = "migrating"
    strangers = [host(f"stranger-{number}\nforged") for number in range(500)]
    assert len(nova.passing(Spec(), strangers)) == 500
    (line,) = lines(caplog)
    assert "stranger-0\\u000aforged" in line


def test_a_minute_later_the_line_comes_again_with_how_many_were_kept_back(nova: Nova, caplog, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(nova.module.time, "monotonic", lambda: clock[0])
    for _ in range(3):
        nova.passing(Spec(), [host("stranger")])
    clock[0] += 61
    nova.passing(Spec(), [host("stranger")])
    assert len(lines(caplog)) == 2
    assert lines(caplog)[1].endswith("(2 more of these since the last such line)")


def test_an_instance_without_a_recorded_cpu_passes_without_a_question_to_nova(nova: Nova, caplog):
    caplog.set_level(logging.INFO)
    assert len(nova.passing(Spec("00000000-0000-0000-0000-000000000000"), HOSTS)) == 4
    assert nova.asked == 0
    assert len(lines(caplog)) == 1


def test_a_question_that_nova_cannot_answer_lets_all_pass(nova: Nova, caplog):
    nova.states[UUID] = RuntimeError("the cell's database is down")
    assert len(nova.passing(Spec(), HOSTS)) == 4
    assert len(nova.passing(Spec(), HOSTS)) == 4
    (line,) = lines(caplog)
    assert "the cell's database is down" in line


BROKEN = {
    "empty": b"",
    "no JSON": b"{",
    "no text": b"\xff\xfe\x00",
    "deep": b"[" * 200_000,
    "a number": b"1",
    "null": b"null",
    "old": json.dumps(document(kind="nova-filter/0")).encode(),
    "new": json.dumps(document(kind="nova-filter/2")).encode(),
    "no kind": b"{}",
    "hosts": json.dumps(document(hosts=["old"])).encode(),
    "a host": json.dumps(document(hosts={"old": None})).encode(),
    "instances": json.dumps(document(instances=None)).encode(),
    "an instance": json.dumps(document(instances={UUID: []})).encode(),
    "no such guest": json.dumps(document(instances={UUID: {"birth": OTHER}})).encode(),
    "an odd guest": json.dumps(document(instances={UUID: {"birth": [WEB]}})).encode(),
    "answers": json.dumps(document(answers={WEB: []})).encode(),
    "an answer": json.dumps(document(answers={WEB: {"k1": {"start": "no", "arrive": "runs"}}})).encode(),
    "half an answer": json.dumps(document(answers={WEB: {"k1": {"start": "runs"}}})).encode(),
    "an odd answer": json.dumps(document(answers={WEB: {"k1": {"start": [], "arrive": {}}}})).encode(),
    "unknown": json.dumps(document(unknown="yes")).encode(),
    "odd unknown": json.dumps(document(unknown={})).encode(),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_lets_all_pass_with_one_line(path: Path, caplog, name: str):
    path.write_bytes(BROKEN[name])
    nova = Nova(path)
    nova.states[UUID] = "migrating"
    for _ in range(3):
        assert len(nova.passing(Spec(), HOSTS)) == 4
    (line,) = lines(caplog)
    assert str(path) in line
    assert "all hosts pass" in line
    assert "\n" not in line
    assert len(line) < 500


@pytest.mark.parametrize("place", ["missing", "directory", "pipe", "nul"])
def test_what_is_no_file_lets_all_pass_with_one_line(tmp_path: Path, caplog, place: str):
    path: Any = tmp_path / place
    if place == "directory":
        path.mkdir()
    elif place == "pipe":
        os.mkfifo(path)
    elif place == "nul":
        path = f"{path}\0"
    nova = Nova(path)
    assert len(nova.passing(Spec(), HOSTS)) == 4
    assert len(lines(caplog)) == 1


def test_a_huge_file_is_not_read(path: Path, caplog):
    os.truncate(path, 1 << 40)
    nova = Nova(path)
    assert len(nova.passing(Spec(), HOSTS)) == 4
    assert "larger than 64 MiB" in lines(caplog)[0]


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a file to another user")
def test_a_file_of_another_user_is_not_used(path: Path, caplog):
    os.chown(path, 65534, 65534)
    nova = Nova(path)
    assert len(nova.passing(Spec(), HOSTS)) == 4
    assert "belongs to user 65534" in lines(caplog)[0]


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_a_file_that_others_may_write_is_not_used(path: Path, caplog, mode: int):
    path.chmod(mode)
    nova = Nova(path)
    assert len(nova.passing(Spec(), HOSTS)) == 4
    assert "chmod go-w" in lines(caplog)[0]


def test_another_file_in_its_place_is_read(path: Path, caplog):
    nova = Nova(path)
    assert nova.passing(Spec(), HOSTS) == ["new", "open"]
    reading = nova.filter.file.answers(str(path))
    assert nova.filter.file.answers(str(path)) is reading, "an unchanged file is read once"
    beside = path.with_name("beside")
    beside.write_text(json.dumps(document(unknown="refuse")), encoding="utf-8")
    beside.replace(path)
    assert nova.passing(Spec(), HOSTS) == ["new"]
    path.unlink()
    assert len(nova.passing(Spec(), HOSTS)) == 4
    path.write_text(json.dumps(document()), encoding="utf-8")
    assert nova.passing(Spec(), HOSTS) == ["new", "open"]


@pytest.mark.parametrize("broken", [None, object(), 7])
def test_a_request_or_a_host_that_is_none_passes(nova: Nova, broken: Any):
    nova.states[UUID] = "migrating"
    assert nova.filter.host_passes(broken, Spec())
    assert nova.filter.host_passes(NEW, broken)
    assert list(nova.filter.filter_all([NEW], broken)) == [NEW]
    assert list(nova.filter.filter_all([broken], Spec())) == [broken]


def test_two_guest_cpus_with_the_same_digits_are_named_by_no_trait(path: Path):
    twin = WEB[:-1] + "0"
    answers = document()["answers"]
    path.write_text(
        json.dumps(document(answers=answers | {twin: answers[WEB]}, instances={})), encoding="utf-8"
    )
    assert len(Nova(path).passing(Spec(extra_specs={TRAIT: "required"}), HOSTS)) == 4


def test_the_file_needs_nothing_of_armlevel_and_python_3_10():
    text = FILTER.read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=(3, 10))
    names = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]
        )
    }
    assert "nova" in names
    assert not any(name in ("", "armlevel") for name in names)
