"""What all tests share: hypothesis' settings, the lab, and a way to say what was measured.

``tell`` puts a line into the summary that closes the run, also when the test passes and also under xdist::

    def test_arms_rules_hold_on_silicon(tell):
        tell("Graviton3: 750 rules evaluated, 412 with a true premise, 0 broken")

A test that takes ``laboratory``, itself or through another fixture, waits for an emulated machine, and is marked
``machine`` for it: ``pytest -m machine`` runs those, ``tools/under_load.py`` while every core is kept busy.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

from armlevel.lab import Laboratory, LabSettings
from tests.times import Times

# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile(
    "armlevel", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("ci", parent=settings.get_profile("armlevel"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "armlevel")

_TOLD = "told"


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Times(config))


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Add a line to the run's closing summary."""
    return lambda line: record_property(_TOLD, line)


@pytest.fixture(scope="session")
def laboratory() -> Laboratory:
    """Emulated hosts. What a test needs of them is prepared under ``tests.emulated.fetched``."""
    return Laboratory(LabSettings.of(os.environ))


def pytest_itemcollected(item: pytest.Item) -> None:
    if "laboratory" in getattr(item, "fixturenames", ()):
        item.add_marker("machine")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = [
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for key, value in report.user_properties
        if key == _TOLD
    ]
    if lines:
        terminalreporter.section("measured")
        for line in sorted(map(str, lines)):
            terminalreporter.write_line(line)
