from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from armlevel.profile import Accepts, Facts, Shape
from tests.cli.hosts import CARRIED, ISAR0, V1, Command, host, write

RNDR = 1 << 60
BOTH = {"ID_AA64ISAR0_EL1.RNDR": Accepts.of([0, 1])}


@pytest.fixture
def pair(tmp_path: Path) -> list[str]:
    """A poor host, and a rich one that can be lowered to it."""
    return write(
        tmp_path, host("poor"), host("rich", limits={"ID_AA64ISAR0_EL1": ISAR0 | RNDR}, accepts=BOTH)
    )


@pytest.fixture
def stuck(tmp_path: Path) -> list[str]:
    """Two hosts that cannot meet."""
    folder = tmp_path / "stuck"
    folder.mkdir()
    return write(folder, host("low"), host("high", limits={"ID_AA64ISAR0_EL1": ISAR0 | RNDR}))


def test_a_baseline_is_written_and_runs_on_its_hosts(armlevel: Command, pair: list[str], tmp_path: Path):
    out = tmp_path / "level.json"
    said = armlevel("baseline", *pair, "-o", out)
    assert said.code == 0
    assert "rich: FEAT_RNG" in said.out
    document = json.loads(out.read_text(encoding="utf-8"))
    assert (document["kind"], document["name"]) == ("guest-profile/1", "level")
    assert document["made"]["source"] == "baseline of poor, rich"
    checked = armlevel("check", out, *pair)
    assert checked.code == 0
    assert checked.out.count("runs   runs    all but machine") == 2


def test_json_holds_the_profile_and_nothing_is_said_beside_it(armlevel: Command, pair: list[str]):
    said = armlevel("baseline", *pair, "--json", "--name", "mine")
    assert said.code == 0
    assert said.err == ""
    assert {
        "kind",
        "name",
        "digest",
        "made",
        "shape",
        "registers",
        "register_list",
        "starts_on",
        "implementation",
        "facts",
    } <= set(said.json["guest"])
    assert said.json["guest"]["name"] == "mine"
    assert (said.json["kind"], said.json["answer"]) == ("baseline/1", "runs")


def test_no_baseline_names_conflicts_and_groups(armlevel: Command, stuck: list[str], tmp_path: Path):
    out = tmp_path / "never.json"
    said = armlevel("baseline", *stuck, "-o", out, "--json")
    assert said.code == 1
    assert not out.exists()
    assert [one["subject"] for one in said.json["conflicts"]] == ["ID_AA64ISAR0_EL1.RNDR"]
    assert said.json["conflicts"][0]["sets"] == [["low", "high"]]
    assert [group["hosts"] for group in said.json["groups"]] == [["low"], ["high"]]
    assert said.json["parts"]["registers"] == "refused"
    assert said.json["candidate"] is None
    page = armlevel("baseline", *stuck)
    assert page.code == 1
    assert "ID_AA64ISAR0_EL1.RNDR  0    1     FEAT_RNG" in page.out


def test_when_only_facts_forbid_the_registers_are_said_to_have_one(armlevel: Command, tmp_path: Path):
    paths = write(tmp_path, host("a"), host("b", facts=Facts(cntfrq_hz=50_000_000, dczid=4)))
    said = armlevel("baseline", *paths, "-o", tmp_path / "no.json")
    assert said.code == 1
    assert "Their registers have one; what forbids the move: counter" in " ".join(said.out.split())
    assert "25 MHz  50 MHz" in said.out
    assert not (tmp_path / "no.json").exists()
    assert armlevel("baseline", *paths, "--json").json["candidate"]["kind"] == "guest-profile/1"


def test_what_is_not_recorded_is_never_a_plain_yes(armlevel: Command, tmp_path: Path):
    paths = write(tmp_path, host("a", facts=Facts(dczid=4)), host("b", facts=Facts(dczid=4)))
    out = tmp_path / "maybe.json"
    said = armlevel("baseline", *paths, "-o", out)
    assert said.code == 3
    assert "registers, register list, firmware only; counter frequency not recorded" in " ".join(
        said.out.split()
    )
    assert "not a yes yet: counter frequency not recorded" in said.err
    checked = armlevel("check", out, paths[0])
    assert checked.code == 3
    assert "unknown" in checked.out
    assert " runs " not in checked.out
    given = armlevel("baseline", *paths, "-o", out, "--fact", "*:cntfrq_hz=25000000")
    assert (given.code, given.err) == (0, f"armlevel: maybe written to {out}\n")
    assert "given: a has cntfrq_hz 25000000" in given.out
    document = json.loads(out.read_text(encoding="utf-8"))
    assert document["facts"]["sources"]["cntfrq_hz"] == "given with --fact"
    assert "--fact a:cntfrq_hz=25000000" in document["made"]["source"]
    judged = armlevel("check", out, paths[0], "--fact", "a:cntfrq_hz=0x17d7840", "--json")
    assert judged.code == 0
    assert judged.json["given"] == [{"host": "a", "fact": "cntfrq_hz", "value": 25_000_000}]


def test_policies_are_met_recorded_or_an_answer(armlevel: Command, pair: list[str], tmp_path: Path):
    out = tmp_path / "p.json"
    hidden = armlevel("baseline", *pair, "--hide", "aes", "--pin", "ID_AA64ISAR0_EL1.RDM=NI", "-o", out)
    assert hidden.code == 1  # these hosts take nothing but their limits there
    assert "policy" in hidden.out
    assert armlevel("baseline", pair[1], "--hide", "RNG", "-o", out).code == 0
    document = json.loads(out.read_text(encoding="utf-8"))
    assert document["registers"]["ID_AA64ISAR0_EL1"] == f"{ISAR0:#018x}"
    assert "--hide FEAT_RNG" in document["made"]["source"]
    asked = armlevel("baseline", *pair, "--require", "FEAT_RNG")
    assert asked.code == 1
    assert "--require FEAT_RNG: not shown by poor" in asked.out
    assert "do not require FEAT_RNG" in asked.out


def test_a_shape_can_do_without(armlevel: Command, tmp_path: Path):
    both = (Shape(), Shape(frozenset({"sve"})))
    (one,) = write(tmp_path, host("a", shapes=both))
    assert armlevel("baseline", one, "--json").json["guest"]["shape"]["features"] == ["sve"]
    assert armlevel("baseline", one, "--without", "SVE", "--json").json["guest"]["shape"]["features"] == []


def test_explain_tells_every_name(armlevel: Command, tmp_path: Path):
    many = tuple(0x603000000013E000 + i for i in range(12))
    paths = write(tmp_path, host("a", registers=CARRIED + many), host("b"))
    short, long = armlevel("baseline", *paths), armlevel("baseline", *paths, "--explain")
    assert (short.code, long.code) == (1, 1)
    assert "12 registers: listed by a, not listed by b" in short.out
    assert "and 9 more" in short.out
    assert "more" not in long.out.partition("remedy")[0]


def test_check_tells_hosts_that_fail_alike_together(armlevel: Command, stuck: list[str], tmp_path: Path):
    high = host("high", limits={"ID_AA64ISAR0_EL1": ISAR0 | RNDR})
    folder = tmp_path / "more"
    folder.mkdir()
    said = armlevel("check", stuck[0], *write(folder, high, replace(high, name="higher"), host("same")))
    assert said.code == 1
    assert "high and higher:" in said.out
    # Once among the findings; the line of means names it again.
    findings = [line for line in said.out.splitlines() if line.startswith("  stops")]
    assert [line.split()[1] for line in findings].count("ID_AA64ISAR0_EL1.RNDR") == 1
    verdicts = armlevel("check", stuck[0], stuck[1], "--json").json["verdicts"]
    assert {"guest", "host", "start", "arrive", "parts", "judged", "findings"} <= set(verdicts[0])
    finding = verdicts[0]["findings"][0]
    assert set(finding) >= {"subject", "needs", "offers", "hosts", "cause", "severity", "applies", "remedies"}


def test_migrate_answers_both_ways_and_leaves_with_the_first(armlevel: Command, pair: list[str]):
    there = armlevel("migrate", pair[0], pair[1], "--json")
    assert there.code == 0
    assert [(move["from"], move["to"], move["answer"]) for move in there.json["moves"]] == [
        ("poor", "rich", "runs"),
        ("rich", "poor", "refused"),
    ]
    assert armlevel("migrate", pair[1], pair[0]).code == 1
    said = armlevel("migrate", *pair)
    assert "poor -> rich: runs (judged: all but machine)" in said.out
    for vmm in ("kvm", "qemu-10.0", "qemu-11", "firecracker"):
        assert armlevel("migrate", *pair, "--vmm", vmm).code == 0


def test_a_guest_of_its_own_may_be_moved(armlevel: Command, pair: list[str], tmp_path: Path):
    out = tmp_path / "g.json"
    armlevel("baseline", *pair, "-o", out)
    said = armlevel("migrate", pair[1], pair[0], "--guest", out)
    assert said.code == 0
    assert "guest g, shape base" in said.out


def _grid(page: str) -> list[str]:
    # The rows of a matrix, below its title and the numbers of its columns.
    lines = page.splitlines()
    title = next(place for place, line in enumerate(lines) if "rows: from; columns: to" in line)
    return lines[title + 1 + (lines[title].startswith("rows")) :]


def test_the_matrix_tells_natural_from_levelled(armlevel: Command, pair: list[str], stuck: list[str]):
    said = armlevel("matrix", *pair, stuck[1])
    assert said.code == 0
    lines = [line.split() for line in _grid(said.out)[:3]]
    assert lines == [["1", "poor", "-", "P", "."], ["2", "rich", "L", "-", "P"], ["3", "high", ".", "P", "-"]]
    assert "one way   poor -> rich" in said.out
    assert "judged: all but machine" in said.out
    moves = armlevel("matrix", *pair, "--json").json["moves"]
    assert [(move["from"], move["to"], move["passthrough"], move["levelled"]) for move in moves] == [
        ("poor", "rich", "runs", "runs"),
        ("rich", "poor", "refused", "runs"),
    ]


def test_the_matrix_marks_what_facts_forbid_and_what_is_not_recorded(armlevel: Command, tmp_path: Path):
    other = Facts(cntfrq_hz=1, dczid=4)
    paths = write(tmp_path, host("a"), host("b", facts=other), host("c", facts=Facts()))
    said = armlevel("matrix", *paths)
    assert [line.split()[2:] for line in _grid(said.out)[:3]] == [
        ["-", "r", "p"],
        ["r", "-", "p"],
        ["p", "p", "-"],
    ]
    assert "what forbids the move: counter frequency" in said.out
    assert "counter frequency, DC ZVA block not recorded" in " ".join(said.out.split())


def test_forty_hosts_fit_the_page(armlevel: Command, tmp_path: Path):
    rich = {"ID_AA64ISAR0_EL1": ISAR0 | RNDR}
    paths = write(
        tmp_path, *(host(f"compute-{i:03}.example", cpu=V1, limits=rich if i % 4 else {}) for i in range(40))
    )
    said = armlevel("matrix", *paths)
    assert said.code == 0
    assert [line.split() for line in _grid(said.out)[:2]] == [
        ["1", "compute-001.example", "+29", "-", "."],
        ["2", "compute-000.example", "+9", ".", "-"],
    ]


def test_a_long_name_leaves_room_for_the_grid(armlevel: Command, tmp_path: Path):
    paths = write(tmp_path, *(host(f"rack-{i}-" + "x" * 70) for i in range(2)))
    assert "rack-1-xxxxxxxxxxx...xxxxxxxxxxxxxxxxxxx P -" in armlevel("matrix", *paths).out


def test_diff_tells_identity_from_state(armlevel: Command, pair: list[str]):
    said = armlevel("diff", *pair, "--json")
    assert said.code == 1
    assert said.json["changes"] == [
        {
            "subject": "ID_AA64ISAR0_EL1.RNDR",
            "part": "registers",
            "from": "0",
            "to": "1",
            "direction": "more",
            "features": ["+FEAT_RNG"],
        }
    ]
    assert "+FEAT_RNG" in armlevel("diff", *pair).out
    same = armlevel("diff", pair[0], pair[0])
    assert (same.code, "no difference" in same.out) == (0, True)


def test_only_software_is_no_difference_of_identity(armlevel: Command, tmp_path: Path):
    paths = write(tmp_path, host("a"), host("b", kernel="6.18.2"))
    said = armlevel("diff", *paths)
    assert said.code == 0
    assert "kernel: 6.18.1 -> 6.18.2" in said.out
    assert "a guest sees the same CPU on both" in said.out


def test_show_decodes_hosts_and_guests(armlevel: Command, pair: list[str], tmp_path: Path):
    said = armlevel("show", pair[1])
    assert said.code == 0
    for text in ("Arm Neoverse N1 r3p1", "counter 25 MHz, DC ZVA 64 bytes", "RNDR=1 FEAT_RNG", "1.3"):
        assert text in said.out
    (decoded,) = armlevel("show", pair[1], "--json").json["shown"]
    assert decoded["document"]["kind"] == "host-profile/1"
    assert decoded["fields"]["ID_AA64ISAR0_EL1.RNDR"] == {"value": 1, "name": "FEAT_RNG"}
    assert decoded["features"]["FEAT_RNG"] is True
    assert "takes 0 1" in armlevel("show", pair[1], "--explain").out
    out = tmp_path / "g.json"
    armlevel("baseline", *pair, "-o", out)
    assert "starts on" in armlevel("show", out).out
    shown = armlevel("show", out, pair[0], "--json").json["shown"]
    assert [one["document"]["kind"] for one in shown] == [
        "guest-profile/1",
        "host-profile/1",
    ]


def test_import_writes_a_host_profile(armlevel: Command, tmp_path: Path):
    plain = tmp_path / "box.json"
    plain.write_text(
        json.dumps({"ID_AA64PFR0_EL1": "0x1100000011111112", "MIDR_EL1": "0x413fd0c1"}), encoding="utf-8"
    )
    printed = armlevel("import", plain)
    assert printed.code == 0
    assert printed.json["kind"] == "host-profile/1"
    assert printed.json["name"] == "box"
    out = tmp_path / "out.json"
    written = armlevel("import", plain, "-o", out, "--name", "mine")
    assert (written.code, written.out) == (0, "")
    assert json.loads(out.read_text(encoding="utf-8"))["name"] == "mine"
    assert armlevel("show", out).code == 0


def test_an_imported_host_that_says_little_is_never_a_yes(armlevel: Command, tmp_path: Path):
    plain = tmp_path / "box.json"
    plain.write_text(
        json.dumps({"ID_AA64PFR0_EL1": "0x1100000011111112", "MIDR_EL1": "0x413fd0c1"}), encoding="utf-8"
    )
    copy = tmp_path / "copy.json"
    copy.write_text(plain.read_text(encoding="utf-8"), encoding="utf-8")
    said = armlevel("baseline", plain, copy)
    assert said.code == 3
    assert "cannot say" in " ".join(said.out.split())


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("FEAT_SVE", "ID_AA64PFR0_EL1.SVE >= 1"),
        ("sve", "HWCAP_SVE"),
        ("ID_AA64PFR0_EL1.sve", "values    0 NI, 1 FEAT_SVE"),
        ("id_aa64mmfr0_el1.TGran4_2", "listed, least first: 1, 0, 2, 3"),
        ("CTR_EL0", "0x603000000013d801"),
        ("0xd0c", "Arm Neoverse N1"),
        ("0x413fd0c1", "Arm Neoverse N1 r3p1"),
        ("Neoverse V2", "part 0xd4f"),
        ("FWB", "6.18: its limit only"),
        ("FEAT_RASSA_GRP", "not visible"),
    ],
)
def test_facts_are_found(armlevel: Command, term: str, text: str):
    said = armlevel("facts", term)
    assert said.code == 0
    assert text in " ".join(said.out.split()) or text in said.out
    assert "source" in said.out
    assert armlevel("facts", term, "--json").json["found"]


def test_a_fact_that_is_not_there_has_near_ones(armlevel: Command):
    said = armlevel("facts", "FEAT_SVVE")
    assert said.code == 1
    assert "did you mean FEAT_SVE" in said.err
    found = armlevel("facts", "FEAT_SVVE", "--json").json
    assert "FEAT_SVE" in found.pop("near")["FEAT_SVVE"]
    assert found == {"kind": "facts/1", "found": [], "nothing": ["FEAT_SVVE"], "shown": []}


def test_names_in_documents_do_not_reach_the_terminal_raw(armlevel: Command, tmp_path: Path):
    paths = write(tmp_path, host("a\x1b[2J"), host("b\u202e"))
    said = armlevel("matrix", *paths)
    assert "\x1b" not in said.out


def test_colour_is_for_terminals_that_want_it(
    armlevel: Command, pair: list[str], monkeypatch: pytest.MonkeyPatch
):
    assert "\x1b[" not in armlevel("migrate", *pair).out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[32mruns\x1b[0m" in armlevel("migrate", *pair).out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in armlevel("migrate", *pair).out
