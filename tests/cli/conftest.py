from __future__ import annotations

import re

import pytest

from armlevel.cli.app import run
from tests.cli.hosts import Answer, Command

_COLOUR = re.compile(r"\x1b\[\d*m")


@pytest.fixture
def armlevel(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command line in this process; every page must fit 80 columns, and none may be a traceback.

    What `import` and `export` print is a file.
    """

    def command(*arguments: object) -> Answer:
        code = run([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        assert "fault of armlevel" not in said.err
        if not {"--json", "import", "export", "completion"} & set(arguments):
            names = 40  # a longer name may not fit
            long = [line for line in _COLOUR.sub("", said.out).splitlines() if len(line) > 80]
            assert [line for line in long if max(map(len, line.split())) < names] == []
        return Answer(code, said.out, said.err)

    return command
