"""`armlevel export` and what `armlevel import` makes of it again."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any, ClassVar

import pytest

from armlevel.cli.app import VERBS
from armlevel.documents import guest_object, host_object, pretty
from armlevel.errors import UsageError
from armlevel.operations.export import TARGETS
from tests.cli.hosts import Command
from tests.emulated import fetched
from tests.formats.profiles import baselines, host

V1 = "neoverse-v1@7.x"
LEVELLED = next(
    guest for guest, one, other in baselines() if {one.name, other.name} == {V1, "neoverse-n2@7.x"}
)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    guest, there = tmp_path / "guest.json", tmp_path / "v1.json"
    guest.write_text(pretty(guest_object(LEVELLED)))
    there.write_text(pretty(host_object(host(V1))))
    return str(guest), str(there)


@pytest.mark.parametrize(
    ("tool", "form"), [(tool, form) for tool, forms in TARGETS.items() for form in forms]
)
def test_every_form_is_written_or_says_what_it_needs(armlevel: Command, files, tmp_path, tool, form):
    guest, there = files
    subject = there if form == "fingerprint" else guest
    said = armlevel("export", subject, "--to", tool, "--form", form, "--host", there)
    assert said.code in {0, 1, 3}
    assert said.out
    assert all(len(line) <= 80 for line in said.err.splitlines())
    target = tmp_path / "out"
    again = armlevel("export", subject, "--to", tool, "--form", form, "--host", there, "-o", target, "--json")
    assert target.read_text() == said.out
    assert again.code == said.code
    assert again.json["answer"] == {0: "runs", 1: "refused", 3: "unknown"}[said.code]
    told = said.err.splitlines()
    open_ = "armlevel: not judged: machine"
    assert told.count(open_) == len(again.json["not_judged"]) == (form != "fingerprint")
    assert bool(again.json["left"]) == bool(len(told) - told.count(open_))
    assert (said.code == 0) or again.json["left"]


def test_without_a_host_it_depends(armlevel: Command, files):
    guest, there = files
    assert armlevel("export", guest, "--to", "qemu").code == 3
    assert armlevel("export", guest, "--to", "qemu", "--host", there).code == 1
    assert armlevel("export", there, "--to", "qemu", "--host", there).code == 0
    said = armlevel("export", guest, "--to", "kvm")
    assert (said.code, said.err) == (2, "armlevel: kvm json is about one host; name it with --host\n")


def test_what_is_left_is_told_with_both_values(armlevel: Command, files):
    guest, there = files
    said = armlevel("export", guest, "--to", "qemu", "--host", there).err
    assert "armlevel: not in this file; armlevel run starts QEMU with it:" in said
    assert "ID_AA64MMFR0_EL1.TGRAN4_2=0x1 (else 0x0)" in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--to", "xen"], "no tool we write for is called 'xen'"),
        (["--to", "qemu", "--form", "xml"], "no form of qemu is called 'xml'; did you mean command or qmp?"),
        (["--to", "firecracker", "--form", "fingerprint"], "a fingerprint is of one host"),
        (["--to", "qemu", "--expansion", "nowhere"], "nowhere: no such file"),
        (["--to", "kubernetes", "--form", "features"], "kubernetes features is about one host"),
    ],
)
def test_a_wrong_wish_is_a_sentence(armlevel: Command, files, arguments, sentence):
    said = armlevel("export", files[0], *arguments)
    assert said.code == 2
    assert sentence in said.err


def test_a_template_imported_on_its_host_gives_a_guest(armlevel: Command, files, tmp_path):
    guest, there = files
    template, again = tmp_path / "template", tmp_path / "again.json"
    armlevel("export", guest, "--to", "firecracker", "--host", there, "-o", template)
    assert armlevel("import", template, "--host", there, "-o", again).code == 0
    document = json.loads(again.read_text())
    assert document["registers"]["ID_AA64MMFR0_EL1"] == f"{LEVELLED.registers['ID_AA64MMFR0_EL1']:#018x}"
    said = armlevel("import", template)
    assert said.code == 2
    assert "armlevel import FILE --host HOST" in said.err


def test_the_expansion_decides_which_fields_are_set(armlevel: Command, files, tmp_path):
    guest, there = files
    props = {f"SYSREG_ID_AA64MMFR0_EL1_TGran{size}_2": 0 for size in ("4", "16", "64")}
    answer = tmp_path / "answer"
    answer.write_text(json.dumps({"return": {"model": {"name": "host", "props": props}}}))
    said = armlevel("export", guest, "--to", "qemu", "--host", there, "--expansion", answer)
    assert "SYSREG_ID_AA64MMFR0_EL1_TGran4_2=0x1" in said.out
    assert "TGRAN" not in said.err


_LAST_STOP = 300  # seconds against hanging


class Qemu:
    """Enough of a QEMU to be asked: it greets, and has two answers."""

    ANSWERS: ClassVar[dict[str, Any]] = {
        "qmp_capabilities": {},
        "query-cpu-model-expansion": {"model": {"name": "host", "props": {"pmu": True, "sve": False}}},
        "qom-list-properties": [{"name": "kvm-psci-version", "type": "string"}],
    }

    def __init__(self, path: Path) -> None:
        self.path, self.loop = path, asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.ready = threading.Event()
        self.thread.start()
        assert self.ready.wait(_LAST_STOP)

    def _run(self) -> None:
        server = self.loop.run_until_complete(asyncio.start_unix_server(self._serve, self.path))
        self.ready.set()
        self.loop.run_forever()
        server.close()
        self.loop.run_until_complete(server.wait_closed())
        self.loop.close()

    async def _serve(self, reader, writer) -> None:
        writer.write(b'{"QMP": {"version": {"qemu": {"major": 11}}, "capabilities": []}}\r\n')
        said = ""  # the client ends no line
        while data := await reader.read(4096):
            said += data.decode()
            try:
                asked, said = json.loads(said), ""
            except ValueError:
                continue
            answer = {"return": self.ANSWERS[asked["execute"]]} | (
                {"id": asked["id"]} if "id" in asked else {}
            )
            writer.write(json.dumps(answer).encode() + b"\r\n")
        writer.close()

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(_LAST_STOP)
        assert not self.thread.is_alive()


def test_a_running_qemu_is_asked_over_its_socket(armlevel: Command, files, tmp_path):
    guest, _ = files
    qemu = Qemu(tmp_path / "qmp")
    try:
        assert (
            "kvm-psci-version=1.3" in armlevel("export", guest, "--to", "qemu", "--expansion", qemu.path).out
        )
        said = armlevel("import", qemu.path)
    finally:
        qemu.stop()
    assert said.json["offers"][0]["shape"]["features"] == ["pmu_v3"]


def test_a_socket_without_qemu_is_a_sentence(armlevel: Command, tmp_path):
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "qmp"))
    said = armlevel("import", tmp_path / "qmp")
    assert said.code == 2
    assert "no QEMU answers there" in said.err


def test_the_real_program_is_asked_too(laboratory, tmp_path):
    from armlevel.formats.expansion import properties
    from armlevel.operations.qmp import ask

    with fetched():
        qemu = laboratory.emulator().command
    path = tmp_path / "qmp"
    line = [*qemu, "-M", "virt", "-cpu", "max", "-S", "-nodefaults", "-display", "none"]
    with socket.socket(socket.AF_UNIX) as listener:
        # QEMU is handed a socket that listens already, and has begun to answer once it greets.
        listener.bind(str(path))
        listener.listen()
        monitor = ["-chardev", f"socket,id=qmp,fd={listener.fileno()},server=on,wait=off"]
        running = subprocess.Popen(
            [*line, *monitor, "-mon", "chardev=qmp,mode=control"], pass_fds=(listener.fileno(),)
        )
    with running:
        try:
            with socket.socket(socket.AF_UNIX) as first:
                first.connect(str(path))
                assert b"QMP" in first.recv(4096)  # none if QEMU has ended
            assert {"pauth", "sve128"} <= set(properties(ask(str(path), "max"), "qmp"))
            with pytest.raises(UsageError, match="QEMU does not expand model host"):
                ask(str(path))
        finally:
            running.kill()


def test_the_verb_is_known():
    assert VERBS["export"][0] == "exporting"
