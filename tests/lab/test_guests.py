"""What is asked of a nested guest over its console, and heard."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Self

import pytest

from armlevel.lab.inside import console as consoles
from armlevel.lab.inside.console import GuestConsole


class Console:
    """A guest's console, and the time that goes by: this end is the guest's.

    Each time the lab waits for news, the next of ``steps`` is what happens meanwhile.
    """

    def __init__(self) -> None:
        self.now = 1000.0
        self.steps: list[Callable[[], None]] = []
        self.guest: GuestConsole = object.__new__(GuestConsole)
        self.ours, self.guest._console = socket.socketpair()
        self.guest._news = self  # type: ignore[assignment]
        self.guest._lines = ["begin", "of another answer", "end"]
        self.guest._ticks, self.guest._asked, self.guest._readings = [], [], []
        self.guest._ended = lambda: False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def wait(self, _seconds: float) -> None:
        self.steps.pop(0)()

    def monotonic(self) -> float:
        return self.now

    def say(self, *lines: str) -> Callable[[], None]:
        def step() -> None:
            for line in lines:
                self.guest._hear(self.now, line)

        return step

    def later(self, seconds: float) -> Callable[[], None]:
        def step() -> None:
            self.now += seconds

        return step

    def asked(self) -> bytes:
        self.ours.setblocking(False)
        try:
            return self.ours.recv(1000)
        except BlockingIOError:
            return b""


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    made = Console()
    monkeypatch.setattr(consoles, "time", made)
    with made.ours, made.guest._console:
        yield made


def test_a_question_that_the_guest_did_not_hear_is_asked_again(console: Console):
    console.steps = [
        console.say("tick 1 3.25"),
        console.later(5),
        console.say("begin", "cpu 0 Features: fp", "end", "tick 2 3.50"),
    ]
    assert console.guest.state(20) == ["cpu 0 Features: fp"]
    assert console.asked() == b"\nstate\n" * 2


def test_an_answer_that_began_is_waited_for_and_not_asked_for_again(console: Console):
    console.steps = [console.say("begin", "sum 0 ab"), console.later(15), console.say("end")]
    assert console.guest.state(20) == ["sum 0 ab"]
    assert console.asked() == b"\nstate\n"


def test_a_guest_that_never_answers_has_no_state(console: Console):
    console.steps = [console.later(19), console.later(2)]
    assert console.guest.state(20) == []


def test_the_clock_of_a_guest_was_read_between_the_question_and_the_answer(console: Console):
    console.steps = [
        console.later(5),  # the first question was not heard
        console.later(1),
        console.say("tick 9 7.00", "time 1 7.25"),
    ]
    assert console.guest.clock(20) == (1005.0, 1006.0, 7.25)
    assert console.asked() == b"\nclock 0\n\nclock 1\n"


def test_a_late_answer_to_an_earlier_question_is_paired_with_that_question(console: Console):
    console.steps = [console.later(5), console.later(1), console.say("time 0 7.25")]
    assert console.guest.clock(20) == (1000.0, 1006.0, 7.25)


@pytest.mark.parametrize("line", ["time x 7.25", "time 3 7.25", "tick 1 x", "tick", "time 0"])
def test_a_line_that_only_looks_like_an_answer_is_kept_as_a_line(console: Console, line: str):
    console.say(line)()
    assert console.guest.heard()[-1] == line
    assert (console.guest.ticks(), console.guest._readings) == ([], [])
