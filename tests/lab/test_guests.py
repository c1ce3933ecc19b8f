"""What is asked of a nested guest over its console, and heard."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from armlevel.lab.inside import guests
from armlevel.lab.inside.guests import QemuGuest


class Console:
    """A guest's console: this end is the guest's."""

    def __init__(self) -> None:
        self.guest: QemuGuest = object.__new__(QemuGuest)
        self.ours, self.guest._console = socket.socketpair()
        self.guest._news = threading.Condition()
        self.guest._lines = ["begin", "of another answer", "end"]
        self.guest._process = SimpleNamespace(poll=lambda: None)  # type: ignore[assignment]

    def say(self, *lines: str) -> None:
        with self.guest._news:
            self.guest._lines += lines
            self.guest._news.notify_all()


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    monkeypatch.setattr(guests, "_LISTENING", 0.1)
    made = Console()
    assert made.guest._console is not None
    with made.ours, made.guest._console:
        yield made


def test_a_question_that_the_guest_did_not_hear_is_asked_again(console: Console):
    def guest() -> None:
        console.ours.recv(100)  # lost: the guest was not listening
        console.ours.recv(100)
        console.say("tick 1", "begin", "cpu 0 Features: fp", "end", "tick 2")

    thread = threading.Thread(target=guest)
    thread.start()
    assert console.guest.state(20) == ["cpu 0 Features: fp"]
    thread.join()


def test_an_answer_that_began_is_waited_for_and_not_asked_for_again(console: Console):
    def guest() -> None:
        console.ours.recv(100)
        console.say("begin", "sum 0 ab")
        threading.Event().wait(0.5)
        console.say("end")

    thread = threading.Thread(target=guest)
    thread.start()
    assert console.guest.state(20) == ["sum 0 ab"]
    thread.join()
    console.ours.setblocking(False)
    with pytest.raises(BlockingIOError):
        console.ours.recv(100)


def test_a_guest_that_never_answers_has_no_state(console: Console):
    assert console.guest.state(0.3) == []
