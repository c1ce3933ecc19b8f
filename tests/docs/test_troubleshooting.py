"""The page of error messages is what the rows give, and has all of them."""

from __future__ import annotations

import pytest

import write_troubleshooting
from armlevel.arch.messages import SPEAKERS, messages
from armlevel.words.messages import ADVICE
from write_troubleshooting import PAGE, main, troubleshooting

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_page_is_what_the_rows_give():
    assert troubleshooting() == TEXT, "run tools/write_troubleshooting.py"


def test_every_message_is_there_with_its_source_and_what_to_do():
    for row in messages():
        assert f"\n{row.example}\n" in TEXT
        assert row.see.replace("<", "\\<") in TEXT
    assert all(f"\n## {name}\n" in TEXT for name in SPEAKERS.values())
    assert all(f"- {text}".replace("<", "\\<") in TEXT for text in ADVICE.values())


def test_a_page_that_is_stale_is_found_and_written_anew(tmp_path, monkeypatch, capsys):
    page = tmp_path / "troubleshooting.md"
    page.write_text(TEXT.replace("# Error messages", "# Errors"), encoding="utf-8")
    monkeypatch.setattr(write_troubleshooting, "PAGE", page)
    monkeypatch.setattr(write_troubleshooting, "ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["write_troubleshooting.py", "--check"])
    assert main() == 1
    assert "run tools/write_troubleshooting.py" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", ["write_troubleshooting.py"])
    assert main() == 0
    assert page.read_text(encoding="utf-8") == TEXT


@pytest.mark.parametrize("arguments", [["--check"]])
def test_a_page_that_is_right_passes(arguments, monkeypatch):
    monkeypatch.setattr("sys.argv", ["write_troubleshooting.py", *arguments])
    assert main() == 0
