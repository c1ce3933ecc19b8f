"""Names and texts of documents are data: in tables, JSON, messages, file names, exports and printed commands."""

from __future__ import annotations

import json
import subprocess
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from armlevel.documents import guest_object, host_object, load_guest, pretty
from armlevel.operations.export import TARGETS
from armlevel.profile import Facts, Host, Made, Software
from tests.cli.hosts import KNOWN, N1, V1, Command, host

#: One of each kind of character that a terminal obeys or a person does not see.
UNSEEN = (
    "\n", "\r", "\x00", "\x1b[2J", "\x07", "\x7f", "\x9b31m", "\x85", "\u2028", "\u2029", "\u202e", "\u2066", "\u200f",
    "\u061c", "\u200b", "\u2060", "\ufeff", "\xad", "\U000e0041",
)  # fmt: skip
#: What another program may take for its own.
FOREIGN = (
    "=cmd|' /C calc'!A0", "+1", "-o", "@graviton2", "$(reboot)", "`id`", "'; reboot; '", '"><script>x</script>',
    "--><x/>", "*/ int x; /*", "]]>", "../../etc/passwd", "%s%n", "{{7*7}}", "a: [b, c] # d", "&lt;", "\\", "é日本",
)  # fmt: skip
QEMU = ("qemu-system-aarch64", "-M", "virt-10.0", "-accel", "kvm", "-cpu", "host")
BAD = "x" + "".join(UNSEEN) + "\nFORGED  runs  runs  every part\n"


def is_quiet(text: str) -> bool:
    """Whether a terminal shows all of a text, and every line is one that we wrote."""
    unseen = {one for one in text if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp")} - {"\n"}
    return not unseen and not any(line.lstrip().startswith("FORGED") for line in text.splitlines())


def tags(text: str) -> set[str]:
    """Return the names of all elements of an XML text that we wrote."""
    return {one.tag.rpartition("}")[2] for one in ET.fromstring(text).iter()}  # noqa: S314 - our own


def with_texts(one: Host, text: str) -> Host:
    """Return a host with ``text`` wherever a document may hold any."""
    return replace(
        one,
        software=Software(
            f"6.18.1{text}", {f"cap{text}": 1}, {f"qemu{text}": text}, text, (text,), {text: text}
        ),
        facts=replace(one.facts, sources={"cntfrq_hz": text, text: text}),
        made=Made(f"tool{text}", text, text, text),
    )


@pytest.fixture
def files(tmp_path: Path, armlevel: Command) -> dict[str, str]:
    """Two hosts, and what is made of them, all with bad texts."""
    folder = tmp_path / "hosts"
    folder.mkdir()
    one = with_texts(host("one"), BAD)
    two = with_texts(host("two", cpu=V1, facts=Facts(cntfrq_hz=1_000_000, dczid=4)), BAD + "two")
    for each in (one, two):
        (folder / f"{each.name}.json").write_text(json.dumps(host_object(each)), encoding="utf-8")
    found = {name: str(folder / f"{name}.json") for name in ("one", "two")}
    guest = str(tmp_path / "guest.json")
    assert armlevel("baseline", found["one"], "-o", guest).code == 0
    made = replace(load_guest(guest), made=Made(BAD, BAD, BAD, BAD))
    Path(guest).write_text(json.dumps(guest_object(made)), encoding="utf-8")
    frozen = str(tmp_path / "web-1.json")
    assert armlevel("freeze", guest, "--name", "web", "--version", "1", "-o", frozen).code == 0
    return found | {"guest": guest, "frozen": frozen, "folder": str(folder), "out": str(tmp_path / "out")}


QUESTIONS: tuple[Callable[[dict[str, str]], list[str]], ...] = (
    lambda f: ["show", f["one"], f["two"], f["guest"], f["frozen"]],
    lambda f: ["diff", f["one"], f["two"]],
    lambda f: ["diff", f["one"], f["guest"]],
    lambda f: ["baseline", f["folder"]],
    lambda f: ["baseline", f["one"], "-o", f["out"]],
    lambda f: ["check", f["guest"], f["folder"]],
    lambda f: ["check", f["frozen"], f["folder"]],
    lambda f: ["migrate", f["one"], f["two"]],
    lambda f: ["matrix", f["folder"]],
    lambda f: ["plan", f["folder"]],
    lambda f: ["drift", f["folder"], "--guest", f["guest"]],
    lambda f: ["drift", f["one"], "--since", f["one"]],
    lambda f: ["freeze", f["guest"], "--name", "a", "--version", "1", "-o", f["out"]],
    lambda f: ["verify-signature", f["frozen"], "--key", f["guest"]],
    lambda f: ["import", f["one"]],
    lambda f: ["facts", BAD],
    lambda f: [
        "run",
        "--guest",
        f["guest"],
        "--host",
        f["one"],
        "--show",
        "--",
        "qemu-system-aarch64",
        "-name",
        BAD,
    ],
)


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("form", ["page", "--explain", "--json"])
def test_texts_of_documents_forge_nothing(armlevel: Command, files: dict[str, str], question, form: str):
    words = question(files)
    verb, rest = words[:1], words[1:]
    if form == "--explain" and "--explain" not in armlevel(*verb, "--help").out:
        form = "page"
    said = armlevel(*verb, *([] if form == "page" else [form]), *rest)
    if form == "--json" and said.code == 2 and "no such option" in said.err:
        form = "page"
        said = armlevel(*words)
    assert is_quiet(said.err), ascii(said.err)
    assert is_quiet(said.out), ascii(said.out)
    if form == "--json" and said.code != 2:
        json.loads(said.out)
    if Path(files["out"]).exists():
        text = Path(files["out"]).read_text(encoding="utf-8")
        exact = "frozen-profile" in text  # RFC 8785 writes such characters as they are
        assert exact or is_quiet(text), ascii(text)
        assert armlevel("show", files["out"]).code == 0, "what is written is read"


@pytest.mark.parametrize("unseen", UNSEEN, ids=ascii)
@pytest.mark.parametrize("kind", ["host", "guest", "starts_on"])
def test_a_name_that_is_not_all_seen_is_refused(armlevel: Command, tmp_path: Path, unseen: str, kind: str):
    name = f"h1{unseen}     runs   runs    every part"
    if kind == "host":
        document = host_object(host(name))
    else:
        (tmp_path / "h.json").write_text(json.dumps(host_object(host("h"))), encoding="utf-8")
        assert armlevel("baseline", tmp_path / "h.json", "-o", tmp_path / "g.json").code == 0
        guest = load_guest(str(tmp_path / "g.json"))
        document = guest_object(
            replace(guest, name=name) if kind == "guest" else replace(guest, starts_on=(name,))
        )
    path = tmp_path / "x.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    for verb in (["show", path], ["matrix", path, path], ["check", path, path], ["baseline", path]):
        said = armlevel(*verb)
        assert (said.code, said.out) == (2, ""), said
        assert is_quiet(said.err), ascii(said.err)
        assert "no character of a name" in said.err or verb[0] == "baseline", said.err


@pytest.mark.parametrize("unseen", ["\n", "\x1b[2J", "\u202e", "\udcff", "\u200b"], ids=ascii)
def test_a_name_that_a_person_gives_is_held_to_the_same(armlevel: Command, tmp_path: Path, unseen: str):
    path = tmp_path / "h.json"
    path.write_text(pretty(host_object(host("h"))), encoding="utf-8")
    for words in (["baseline", path], ["import", path]):
        said = armlevel(*words, "--name", f"a{unseen}b", "-o", tmp_path / "out")
        assert (said.code, "no character of a name" in said.err) == (2, True), said
        assert is_quiet(said.err)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "name", [f"a{one}b" for one in UNSEEN if "\0" not in one] + ["a\udcffb", *FOREIGN], ids=ascii
)
def test_a_file_may_be_called_anything(
    armlevel: Command, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    stem = name.replace("/", "_")
    path = tmp_path / f"{stem}.json"
    one = replace(host(""), name="")
    path.write_bytes(pretty(host_object(one)).encode())
    for verb in (
        ["show", path],
        ["matrix", path, path],
        ["baseline", path],
        ["check", path, path],
        ["show", f"{path}x"],
    ):
        said = armlevel(*verb)
        assert said.code in (0, 1, 3) or verb[-1] != path, said
        assert (is_quiet(said.out), is_quiet(said.err)) == (True, True), ascii(said)
    out = tmp_path / f"out {stem}"
    assert armlevel("baseline", path, "-o", out).code == 0
    read = armlevel("show", out)
    assert read.code == 0, read
    said = armlevel("freeze", out, "--name", "web", "--version", "1", "-o", tmp_path / "web-1.json")
    assert said.code == 0, said
    assert armlevel("show", tmp_path / "web-1.json").code == 0


@pytest.mark.parametrize("name", FOREIGN)
def test_no_other_tool_takes_a_name_for_its_own(armlevel: Command, tmp_path: Path, name: str):
    path = tmp_path / "h.json"
    path.write_text(pretty(host_object(replace(host("h"), name=name))), encoding="utf-8")
    guest = tmp_path / "g.json"
    assert armlevel("baseline", path, "-o", guest, "--name", name).code == 0
    for to, forms in TARGETS.items():
        for form in forms:
            subject = path if form == "fingerprint" else guest
            out = tmp_path / f"{to}-{form}"
            said = armlevel("export", subject, "--to", to, "--form", form, "--host", path, "-o", out)
            assert said.code in (0, 1, 2, 3), said
            assert is_quiet(said.err)
            if not out.exists():
                continue
            text = out.read_text(encoding="utf-8")
            assert is_quiet(text.replace("\t", " ")), ascii(text)
            if text.startswith("<"):
                assert "script" not in tags(text)
            elif text.startswith("{"):
                json.loads(text)
            elif text.startswith("#!"):
                done = subprocess.run(["sh", "-n"], input=text, text=True, capture_output=True)
                assert done.returncode == 0, done.stderr
            elif form == "header":
                assert "int x;" not in text.replace("* /", "").split("*/", 1)[-1]
    picture = tmp_path / "m.svg"
    assert armlevel("matrix", path, path, "--svg", picture).code == 0
    assert "script" not in tags(picture.read_text(encoding="utf-8"))


@pytest.mark.parametrize("word", ["a\nb'", "\x1b[2J", "\u202e", "$(id)", "two words", "'", "\\"], ids=ascii)
def test_a_printed_command_is_the_one_that_is_meant(armlevel: Command, tmp_path: Path, word: str):
    path = tmp_path / "h.json"
    path.write_text(pretty(host_object(host("h", cpu=N1, facts=KNOWN))), encoding="utf-8")
    guest = tmp_path / "g.json"
    assert armlevel("baseline", path, "-o", guest).code == 0
    said = armlevel("run", "--guest", guest, "--host", path, "--show", "--", *QEMU, "-name", word)
    assert is_quiet(said.out), ascii(said.out)
    printed = " ".join(said.out.split("\n"))
    line = printed[printed.index("qemu-system-aarch64") :]
    done = subprocess.run(["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True)
    assert word.encode() in done.stdout.split(b"\0"), done.stdout
