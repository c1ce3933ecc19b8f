"""A hook that could hurt is caught: each early end of the shell file taken away, and each limit of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.onefile import hooks
from tests.onefile import test_qemu_hook as cases
from tests.onefile.hooks import HOOK, MARKED, STRANGER, Host

_EARLY = "*) exit 0 ;;\nesac\n\nPATH"
_STRANGERS = "*) exit 0 ;;\nesac\n\n# A start"


def _early(host: Host, operation: str, stage: str = "begin") -> None:
    cases.test_a_call_that_is_not_the_guards_passes_before_anything_is_started(host, operation, stage, MARKED)


def _fault(host: Host, name: str) -> None:
    cases.test_the_guards_own_fault_refuses_nobody(host, name, "migrate")


def _quiet(host: Host) -> None:
    host.program = hooks.LETS
    assert host.call().started.count("logger") == 0


def _signal(host: Host) -> None:
    cases.test_a_signal_is_no_refusal(host, host.place, 15)


def _stranger(host: Host) -> None:
    cases.test_a_stranger_passes_before_python_is_started(host, "migrate", STRANGER)


def _word_by_word(host: Host) -> None:
    cases.test_a_refusal_reaches_the_one_who_moves_word_by_word(host, "migrate")


def _limits(_host: Host) -> None:
    cases.test_two_seconds_are_given_to_whatever_may_wait()


_CUT = cases.test_a_hook_that_was_cut_lets_all_pass
_STARTS = cases.test_a_start_is_looked_at_only_where_there_is_a_level

#: What is wrong with a hook -> the line, what stands there instead, and the case that must fail then.
MUTANTS: dict[str, tuple[str, str, Callable[[Host], None]]] = {
    "a cut file fails": ("! trap :\\;exit\\ 0 0 1 2 15\n", "", _CUT),
    "signals are not heard": ("exit\\ 0 0 1 2 15", "exit\\ 0 0", _signal),
    "every call is answered": (_EARLY, "*) ;;\nesac\n\nPATH", lambda host: _early(host, "reconnect")),
    "reconnect is answered": (
        "restore/begin |",
        "restore/begin | reconnect/begin |",
        lambda host: _early(host, "reconnect"),
    ),
    "every stage is answered": (
        "migrate/begin |",
        "migrate/* |",
        lambda host: _early(host, "migrate", "end"),
    ),
    "strangers are tried": (_STRANGERS, "*) ;;\nesac\n\n# A start", _stranger),
    "every start is tried": ("prepare/*) exit 0 ;;\n", "", _STARTS),
    "a yes is no end": ("0/*) exit 0 ;;\n", "", _quiet),
    "any status refuses": (
        '1/*/"armlevel: "*)',
        '*/"armlevel: "*)',
        lambda host: _fault(host, "a wrong status"),
    ),
    "any word refuses": ('1/*/"armlevel: "*)', "1/*)", lambda host: _fault(host, "a traceback")),
    "starts are refused": ("1/prepare/*) ;;\n", "", _STARTS),
    "what Python prints becomes XML": (" 2>&1 >/dev/null)", " | cat >&3)", _word_by_word),
    "a limit is forgotten": ("    timeout -s KILL 2 python3", "    python3", _limits),
    "a refusal is forgotten": ("    exit 1\n", "    exit 0\n", _word_by_word),
}
#: Seen only where the hook starts the programs of the case.
_NOT_IN_BUSYBOX = {"a yes is no end"}


@pytest.mark.parametrize(
    ("shell", "name"),
    [("sh", name) for name in MUTANTS]
    + [("busybox", name) for name in sorted(MUTANTS.keys() - _NOT_IN_BUSYBOX)],
)
def test_a_hook_that_could_hurt_is_caught(
    name: str, shell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    line, wrong, case = MUTANTS[name]
    assert HOOK.count(line) == 1, "there is no such line, or more than one"
    mutant = HOOK.replace(line, wrong)
    monkeypatch.setattr(cases, "HOOK", mutant)
    with pytest.raises(AssertionError):
        case(Host(tmp_path, hooks.shells()[shell], text=mutant))


@pytest.mark.parametrize("name", MUTANTS)
def test_the_right_hook_passes_the_same_case(name: str, tmp_path: Path):
    MUTANTS[name][2](Host(tmp_path, hooks.shells()["sh"]))
