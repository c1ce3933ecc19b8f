"""What each folder of tests costs: a plugin that counts, for the closing summary and for ``tools/test_times.py``.

Counted is CPU time, of the tests and of the processes that they waited for: it is much the same on a busy machine and
on an idle one. Nothing fails for it.
"""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path

import pytest

__all__ = ["FILE", "Times", "folder_of"]

#: Where the counts of the last whole run are, below the root.
FILE = "build/test-times.json"
_CPU = "cpu_seconds"
_SHOWN = 6


def folder_of(node: str) -> str:
    """Return what a test is counted under.

    >>> folder_of("tests/lab/test_boot.py::test_a"), folder_of("src/armlevel/lab/cpio.py::armlevel.lab.cpio")
    ('tests/lab', 'src')
    """
    first, *rest = node.partition("::")[0].split("/")
    return f"{first}/{rest[0]}" if first == "tests" and len(rest) > 1 else first


def _cpu() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


class Times:
    """Counts per folder; in a worker of xdist it only measures, and the counts go with the reports."""

    def __init__(self, config: pytest.Config) -> None:
        self.config, self.begun = config, time.monotonic()
        self.is_worker = hasattr(config, "workerinput")
        self.seconds: dict[str, float] = defaultdict(float)
        self.tests: dict[str, int] = defaultdict(int)
        self._before = 0.0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        self._before = _cpu()
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        now = _cpu()
        setattr(report, _CPU, now - self._before)  # it travels with the report
        self._before = now
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        folder = folder_of(report.nodeid)
        self.seconds[folder] += getattr(report, _CPU, 0.0)
        self.tests[folder] += report.when == "call"

    def pytest_sessionfinish(self) -> None:
        option = self.config.option  # without a cache there is no `lf`
        whole = self.config.args_source is pytest.Config.ArgsSource.TESTPATHS and not (
            option.keyword or getattr(option, "lf", False) or option.markexpr != "not slow"
        )
        if self.is_worker or not whole:
            return
        folders = {name: [round(self.seconds[name], 1), self.tests[name]] for name in sorted(self.seconds)}
        place = Path(self.config.rootpath, FILE)
        place.parent.mkdir(exist_ok=True)
        seconds = round(time.monotonic() - self.begun, 1)
        place.write_text(json.dumps({"wall": seconds, "folders": folders}, indent=1) + "\n", encoding="ascii")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        most = sorted(self.seconds.items(), key=lambda one: -one[1])[:_SHOWN]
        if not most:
            return
        whole = sum(self.seconds.values())
        said = ", ".join(f"{name} {seconds:.0f}" for name, seconds in most)
        terminalreporter.write_line(f"CPU seconds: {whole:.0f}; most in {said}")
