"""tools/add_kernel.py gives a measured line back that was taken away, and says what it cannot know."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import add_kernel
from armlevel.arch import load
from armlevel.documents import host_object
from armlevel.errors import LabError, UsageError
from armlevel.profile import Accepts, Host, Offer, Shape
from compile_rows import DATA
from kernels.ask import Answer, ask_all, kept, missing, place
from kernels.rules import Rule, rule_for
from kernels.text import add_line, add_rule, extend, listed_in, move_change, read_texts, say_measured
from kernels.weigh import catalogue_of, neighbours
from tests.fidelity.hosts import CPUS, added_names, masks_of, read

LINE, BEFORE, AFTER = "6.18", "6.12", "7.3"
#: Nothing that an emulated CPU of QEMU 10 has tells these: the tool has to say so.
BY_SOURCE = {
    *("ID_AA64PFR0_EL1.MPAM", "ID_AA64PFR1_EL1.MPAM_frac", "ID_AA64PFR1_EL1.MTE_frac", "s1pie", "s1poe"),
    *("FEAT_SPECRES", "FEAT_SPECRES2", "FEAT_DPB2"),
}


def answers_of(names: list[str]) -> list[Answer]:
    """Return recorded hosts as if they had just been asked."""
    found = []
    for host in read(names):
        table = masks_of(host)
        found.append(Answer(host, (None if table is None else tuple(table),) * len(host.offers)))
    return found


def without(texts: dict[str, str], gone: str) -> dict[str, str]:
    """Return the rows as they would be, had nobody measured a line."""
    order = [line.name for line in catalogue_of(texts).lines]
    at = order.index(gone)
    found = {}
    for name, whole in texts.items():
        text = whole
        for row in reversed(list(listed_in(name, whole))):
            lines = ", ".join(f'"{line}"' for line in row.lines if line != gone)
            text = text[: row.start] + lines + text[row.end :]
        found[name] = text
    own = re.compile(rf'^  \{{ lines = \[\],.*\n|^\[lines\."{gone}"\]\n(?:.+\n)+\n', re.MULTILINE)
    found = {name: own.sub("", text) for name, text in found.items()}
    moved = found["between.toml"].replace(f'since = "{gone}"', f'since = "{order[at + 1]}"')
    found["between.toml"] = moved.replace(f'until = "{gone}"', f'until = "{order[at - 1]}"')
    return found


def first_measured() -> dict[str, str]:
    """Return the rows without the lines that the tool added: with those that people wrote."""
    texts = read_texts(DATA / "kvm")
    for line in sorted({name.partition("@")[2] for name in added_names()}):
        texts = without(texts, line)
    return texts


def rules_of(texts: dict[str, str]) -> dict[str, Any]:
    """Return what the rows say, without the words that say where each is from."""

    def bare(given: Any) -> Any:
        if isinstance(given, dict):
            return {key: bare(value) for key, value in given.items() if key not in ("see", "measured")}
        return [bare(one) for one in given] if isinstance(given, list) else given

    return {name: bare(tomllib.loads(text)) for name, text in texts.items()}


def given_back(cpus: tuple[str, ...]) -> None:
    """Take the line away, add it from its recorded hosts, and hold the rows against those that there were."""
    texts = first_measured()
    fewer = without(texts, LINE)
    assert LINE not in {line.name for line in catalogue_of(fewer).lines}
    assert neighbours(LINE, catalogue_of(fewer)) == (BEFORE, AFTER)
    found, differences = add_kernel.with_rows(fewer, LINE, answers_of([f"{cpu}@{LINE}" for cpu in cpus]))
    assert found.wrong == []
    assert found.predicted.compared == found.masks.compared > 100_000
    assert {re.split(r"[: ]", one.partition(".toml: ")[2] or one)[0] for one in found.unsure} == BY_SOURCE
    again, was = rules_of(found.texts), rules_of(texts)
    for name in ("lines.toml", "writable.toml", "between.toml", "drops.toml", "leaks.toml", "state.toml"):
        assert again[name] == was[name], name
    assert differences == [
        f"{BEFORE} → {LINE}: machine: machine.gicd_iidr 2 3 → 3 ({len(cpus)} CPUs)",
        f"{LINE} → {AFTER}: machine: machine.gicd_iidr 3 → 2 3 ({len(cpus)} CPUs)",
    ]


def test_a_line_that_was_taken_away_is_given_back_from_three_of_its_hosts():
    given_back(("neoverse-n2", "max", "a64fx"))


@pytest.mark.slow  # the same with ten hosts
def test_a_line_that_was_taken_away_is_given_back_from_all_of_its_hosts():
    given_back(CPUS)


def test_a_host_that_does_what_no_rule_says_is_named_and_nothing_is_written(capsys, monkeypatch):
    one, two = answers_of([f"neoverse-n1@{LINE}", f"cortex-a76@{LINE}"])
    offers = list(one.host.offers)
    aes = {
        "ID_AA64ISAR0_EL1.AES": Accepts.of([0, 2])
    }  # and not 1, where the other host of this limit takes it
    offers[0] = replace(offers[0], accepts={**offers[0].accepts, **aes})
    odd = Answer(replace(one.host, offers=tuple(offers)), one.masks)
    monkeypatch.setattr(add_kernel, "write", lambda *_: pytest.fail("wrote"))
    monkeypatch.setattr(add_kernel, "record", lambda *_: pytest.fail("recorded"))
    monkeypatch.setattr(add_kernel, "read_texts", lambda _folder: without(first_measured(), LINE))
    assert add_kernel.add(LINE, [odd, two], only_say=False) == 1
    said = capsys.readouterr().out
    assert f"neoverse-n1@{LINE} base: ID_AA64ISAR0_EL1.AES 1 of 2: said same, was refused" in said
    assert said.endswith("nothing was written\n")


def test_hosts_of_two_kernels_are_no_line():
    with pytest.raises(UsageError, match=r"the hosts ran 6\.12\.\S+ and 6\.18\.\S+:"):
        add_kernel.release_of(answers_of(["cortex-a53@6.12", "cortex-a53@6.18"]))


def hosts_that(subject: str, kept_values: dict[int, list[int]]) -> list[Host]:
    """Return a host for each limit of a field, which keeps these values of it."""
    field, hosts = load().field(subject), []
    for limit, values in kept_values.items():
        limits, accepts = {field.register: field.put(0, limit)}, {subject: Accepts.of(values)}
        hosts.append(Host(f"h{limit}", (Offer(Shape(), "tried", "limit-only", limits, accepts),)))
    return hosts


AES, SIGNED = "ID_AA64ISAR0_EL1.AES", "ID_AA64DFR0_EL1.DoubleLock"


@pytest.mark.parametrize(
    ("subject", "kept_values", "rule"),
    [
        (AES, {0: [0], 2: [2]}, Rule("")),
        (AES, {0: [0], 2: [0, 1, 2]}, Rule("lower")),
        (SIGNED, {0: [0, *range(8, 16)], 15: [*range(8, 16)]}, Rule("lower")),
        (AES, {2: [*range(2, 16)], 6: [*range(6, 16)]}, Rule("higher")),
        (AES, {0: [0, 1], 2: [1, 2]}, Rule("exact", (("safe", 1),))),
        (AES, {0: [*range(16)], 3: [*range(16)]}, Rule("any")),
        (AES, {6: [4, 5, 6], 5: [4, 5]}, Rule("lower", (("least", 4),))),
        (AES, {0: [0], 6: [0, 3, 4, 5, 6]}, Rule("lower", (("refused", [1, 2]),))),
        (AES, {0: [0, 7], 1: [0, 1, 7]}, Rule("lower", (("extra", [7]),))),
        (AES, {0: [0, 3], 2: [2, 5], 6: [6]}, None),
    ],
)
def test_the_plainest_rule_that_says_what_was_kept(subject, kept_values, rule):
    assert rule_for(load().field(subject), hosts_that(subject, kept_values)) == rule


def test_two_hosts_of_one_limit_that_differ_have_no_rule():
    hosts = [*hosts_that(AES, {2: [0, 1, 2]}), *hosts_that(AES, {2: [2]})]
    assert rule_for(load().field(AES), hosts) is None


def test_every_list_of_lines_is_found_and_extended_where_it_stands():
    texts = read_texts(DATA / "kvm")
    rows = [row for name, text in texts.items() for row in listed_in(name, text)]
    written = sum(
        len(re.findall(r"^[^#\n]*\b(?:lines|_on) = \[", text, re.MULTILINE)) for text in texts.values()
    )
    written += sum(
        len(re.findall(r"^(?:ignored_on|gated_on) = \[", text, re.MULTILINE)) for text in texts.values()
    )
    assert len(rows) == written > 300
    order = [line.name for line in load().lines]
    longer = extend(
        texts, [row for row in rows if BEFORE in row.lines], "6.15", [*order[:3], "6.15", *order[3:]]
    )
    for row in (row for name, text in longer.items() for row in listed_in(name, text)):
        assert ("6.15" in row.lines) is (BEFORE in row.lines), row
        if "6.15" in row.lines:
            assert row.lines.index("6.15") == row.lines.index(BEFORE) + 1, row


def test_a_rule_is_added_beside_the_others_of_its_field():
    text = '# about\n\n[writable.R]\nA = { lines = ["1.1"] }\nB = [\n  { lines = ["1.1"] },\n]\n\n'
    text += '[writable.S]\nC = { lines = ["1.1"] }\n'
    texts = {"writable.toml": text}
    for subject in ("R.A", "R.B", "R.D", "T.E"):
        texts = add_rule(texts, subject, '{ lines = ["1.2"] }')
    found = tomllib.loads(texts["writable.toml"])["writable"]
    both, one = [{"lines": ["1.1"]}, {"lines": ["1.2"]}], {"lines": ["1.2"]}
    assert found == {"R": {"A": both, "B": both, "D": one}, "S": {"C": {"lines": ["1.1"]}}, "T": {"E": one}}


def test_a_line_stands_before_the_next_one_and_its_remarks():
    text = '# all\n\n[lines."1.1"]\nseries = [[1, 1]]\n\n# of 1.3\n[lines."1.3"]\nseries = [[1, 3]]\n'
    middle = add_line({"lines.toml": text}, "1.2", "1.3", [("default", '"x"')])["lines.toml"]
    assert list(tomllib.loads(middle)["lines"]) == ["1.1", "1.2", "1.3"]
    assert '\n\n# of 1.3\n[lines."1.3"]\n' in middle
    last = add_line({"lines.toml": text}, "1.4", None, [])["lines.toml"]
    assert list(tomllib.loads(last)["lines"]) == ["1.1", "1.3", "1.4"]


def test_the_words_about_a_line_follow_the_hosts_that_were_added_later():
    said = (
        '\n[lines."1.1"]\nmeasured = "a"\n\n[lines."1.2"]\nmeasured = "b"\n\n[lines."1.3"]\nmeasured = "c"\n'
    )
    found = tomllib.loads(say_measured({"lines.toml": said}, "1.2", '"more"')["lines.toml"])["lines"]
    assert [row["measured"] for row in found.values()] == ["a", "more", "c"]


def test_a_line_that_is_there_takes_more_hosts_and_changes_nothing_but_those_words(monkeypatch):
    written: list[dict[str, str]] = []
    monkeypatch.setattr(add_kernel, "write", lambda texts, _was: written.append(texts))
    monkeypatch.setattr(add_kernel, "record", lambda *_: None)
    assert add_kernel.add(LINE, answers_of([f"neoverse-n1@{LINE}", f"a64fx@{LINE}"]), only_say=False) == 0
    (texts,), was = written, read_texts(DATA / "kvm")
    assert [name for name in texts if texts[name] != was[name]] == ["lines.toml"]
    assert rules_of(texts) == rules_of(was)
    assert "tried on 2 emulated hosts: 72,144 values" in texts["lines.toml"]


def test_a_change_is_moved_to_the_line_at_one_end():
    rows = '[[between]]\nsubjects = ["A"]\nuntil = "1.1"\nsince = "1.3"\n'
    texts = move_change({"between.toml": rows * 2}, 1, "since", "1.2")
    ends = [(row["until"], row["since"]) for row in tomllib.loads(texts["between.toml"])["between"]]
    assert ends == [("1.1", "1.3"), ("1.1", "1.2")]


def test_what_a_host_said_is_kept_and_the_next_run_asks_the_others(tmp_path: Path):
    (host,) = read(["cortex-a53@6.18"])
    names, booted = ["cortex-a53@6.18", "cortex-a57@6.18"], list[str]()
    whole = {"host.json": json.dumps(host_object(host)), "masks.json": json.dumps([None] * len(host.offers))}

    def run_packed(given: object, *_: object) -> SimpleNamespace:
        booted.append(str(given))
        if str(given) == "cortex-a57@6.18":
            raise LabError("it died")
        return SimpleNamespace(
            status=0, stderr="", files={name: text.encode() for name, text in whole.items()}
        )

    lab: Any = SimpleNamespace(run_packed=run_packed)
    told: list[str] = []
    assert ask_all(lab, missing(tmp_path, names), tmp_path, told.append) == ["cortex-a57@6.18: it died"]
    assert [answer.host.name for answer in kept(tmp_path, names)] == names[:1]
    assert missing(tmp_path, names) == names[1:]
    ask_all(lab, missing(tmp_path, names), tmp_path, told.append)
    assert booted == [*names, names[1]]
    place(tmp_path, names[1]).write_text(json.dumps({"host": host_object(host), "masks": []}))
    with pytest.raises(LabError, match=r"0 tables of masks for \d+ shapes"):
        kept(tmp_path, names)


def test_a_line_is_spelt_major_and_minor(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["add_kernel.py", "7.x"])
    with pytest.raises(SystemExit) as ended:
        add_kernel.main()
    assert ended.value.code == 2
    assert "write major and minor, as 6.17" in capsys.readouterr().err
