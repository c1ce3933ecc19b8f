from __future__ import annotations

import socket
from contextlib import ExitStack, closing

from armlevel.lab.callers import Callers

WORD = "0123456789abcdef"


def test_the_one_who_knows_the_word_is_heard_whoever_came_before():
    with ExitStack() as ends:
        listener = ends.enter_context(socket.create_server(("127.0.0.1", 0)))
        callers = ends.enter_context(closing(Callers(listener, WORD)))

        def call(words: bytes) -> socket.socket:
            line = ends.enter_context(socket.create_connection(listener.getsockname()))
            line.sendall(words)
            return line

        silent = [call(b"") for _ in range(5)]
        wrong = [call(b"x"), call(WORD.encode()), call(WORD[:-1].encode() + b"X\n"), call(b"y" * 100_000)]
        host = call(WORD.encode() + b"\nand more")
        known = None
        while known is None:
            known = callers.known(60)
        with known:
            assert known.getpeername() == host.getsockname()
            known.settimeout(60)
            assert known.recv(100) == b"and more"
        assert len(silent) + len(wrong) == 9


def test_a_crowd_that_says_nothing_keeps_nobody_out():
    with ExitStack() as ends:
        listener = ends.enter_context(socket.create_server(("127.0.0.1", 0), backlog=256))
        callers = ends.enter_context(closing(Callers(listener, WORD)))
        for _ in range(100):
            ends.enter_context(socket.create_connection(listener.getsockname()))
        host = ends.enter_context(socket.create_connection(listener.getsockname()))
        host.sendall(WORD.encode() + b"\n")
        known = None
        while known is None:
            known = callers.known(60)
        with known:
            assert known.getpeername() == host.getsockname()
