"""Progress is for a person who waits: on a terminal, after a second, and nothing of it is left."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from armlevel.cli import output, progress
from armlevel.cli.app import run
from tests.cli.hosts import N1, V1, host, write
from tests.cli.terminals import in_terminal


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what goes on be told from the first moment on."""
    monkeypatch.setattr(progress, "_AFTER", 0.0)


@pytest.mark.usefixtures("at_once")
def test_a_matrix_counts_its_moves_while_it_is_made(tmp_path: Path):
    write(tmp_path, *(host(f"n{number}", cpu=(N1, V1)[number % 2]) for number in range(6)))
    seen = in_terminal(lambda: run(["matrix", str(tmp_path)]), 80)
    assert seen.code == 0
    assert "judging every move" in seen.raw
    # What stays on the screen is the answer: the bar was taken away before.
    assert "judging" not in seen.raw.rpartition("6 hosts, 30 moves")[2]


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("words", "said"),
    [(["show", "{}"], "reading profiles"), (["import", "{}/cpuinfo.txt"], "reading a file")],
)
def test_what_reads_says_so(tmp_path: Path, words, said):
    write(tmp_path, *(host(f"n{number}") for number in range(3)))
    (tmp_path / "cpuinfo.txt").write_text("processor : 0\nCPU implementer : 0x41\nCPU part : 0xd0c\n")
    seen = in_terminal(lambda: run([word.format(tmp_path) for word in words]), 80)
    assert seen.code == 0
    assert said in seen.raw
    assert said not in seen.raw.rpartition("\x1b[2K")[2]


@pytest.mark.usefixtures("at_once")
def test_bytes_have_a_rate_and_a_line_beside_them_is_whole(tmp_path: Path):
    def fetch() -> int:
        with progress.watch(tmp_path, 4_000_000):
            for size in (1_000_000, 2_000_000, 3_000_000):
                (tmp_path / "a.deb").write_bytes(bytes(size))
                while progress._bars[0].done != size:  # it is looked at by itself
                    threading.Event().wait(0.05)
            output.tell("most of it is there")
            progress._bars[0].shown.refresh()
        return 0

    seen = in_terminal(fetch, 80)
    assert seen.code == 0
    assert "3.0/4.0 MB" in seen.raw
    assert "/s" in seen.raw
    assert "armlevel: most of it is there" in seen.lines


def test_nothing_is_drawn_where_nobody_looks(capfd: pytest.CaptureFixture[str]):
    progress.begin("waiting")
    assert progress._bars == []
    seen = in_terminal(lambda: run(["check", "-q", "@graviton2-6.1", "@graviton2-6.1"]), 80)
    assert "judging" not in seen.raw
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("moment", ["at once", "while it works"])
def test_an_interrupt_leaves_no_traceback_and_no_file(tmp_path: Path, moment: str):
    for number in range(8):
        write(tmp_path, host(f"n{number}", cpu=(N1, V1)[number % 2]))
    script = (
        "import sys, signal, os\n"
        "from armlevel.cli import main\n"
        "import armlevel.operations.matrix as m\n"
        "real = m.engine.matrix\n"
        "def slow(*a, **k):\n"
        "    print('works', file=sys.stderr, flush=True); sys.stdin.readline(); return real(*a, **k)\n"
        "m.engine.matrix = slow\n"
        f"sys.argv = ['armlevel', 'matrix', '@graviton2*', '--svg', {str(tmp_path / 'out.svg')!r}]\n"
        "main()\n"
    )
    # While its modules are imported.
    early = (
        "import builtins, os, signal, sys\n"
        "import armlevel.cli as c\n"
        "sys.argv = ['armlevel', 'matrix', '@graviton2*']\n"
        "real = builtins.__import__\n"
        "def kill(name, *a, **k):\n"
        "    if name == 'typer': os.kill(os.getpid(), signal.SIGINT)\n"
        "    return real(name, *a, **k)\n"
        "builtins.__import__ = kill\n"
        "c.main()\n"
    )
    # Where a shell started the tests in the background, interrupts are ignored from there on down.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code = heard + (early if moment == "at once" else script)
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        if moment != "at once":
            assert child.stderr is not None
            assert child.stderr.readline() == "works\n"
            child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "Traceback" not in err
    assert out == ""
    assert not list(tmp_path.glob("*svg*"))
