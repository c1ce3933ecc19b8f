"""`armlevel explain` answers in its first line, says what it did not know, and never needs the whole log."""

from __future__ import annotations

import io
import sys

import pytest

from armlevel.profile import Facts
from tests.cli.hosts import V1, Command, host, write

REFUSED = "qemu: Could not set register op0:3 op1:0 crn:0 crm:0 op2:0 to 411fd401 (is 413fd0c1)"


def test_a_message_is_answered_in_the_first_line(armlevel: Command):
    said = armlevel("explain", REFUSED)
    first, *rest = said.out.splitlines()
    assert said.code == 0
    assert first == "QEMU: this host's KVM does not take the guest's value of this register"
    text = " ".join(" ".join(rest).split())
    assert "guest 0x411fd401 (Arm Neoverse V1 r1p1), this host 0x413fd0c1 (Arm Neoverse N1 r3p1)" in text
    assert "armlevel explain TEXT --from HOST --to HOST" in text


def test_words_need_no_quotes(armlevel: Command):
    assert armlevel("explain", *REFUSED.split()).out == armlevel("explain", REFUSED).out


def test_a_register_is_answered_in_the_first_line(armlevel: Command):
    said = armlevel("explain", "0x6030000000160003")
    assert said.out.splitlines()[0] == "KVM_REG_ARM_VENDOR_HYP_BMAP_2"
    assert "listed from 6.16 on" in said.out


def test_what_is_not_known_is_said_with_exit_3(armlevel: Command):
    said = armlevel("explain", "nothing of this is known")
    assert said.code == 3
    assert said.out.startswith("not known: ")


def test_the_field_between_two_hosts_is_the_answer(armlevel: Command, tmp_path):
    one, other = write(tmp_path, host("one", cpu=V1), host("other"))
    said = armlevel("explain", REFUSED, "--from", one, "--to", other)
    assert said.code == 0
    first = said.out.splitlines()[0]
    assert first.startswith("one -> other (qemu-list-length-named): refused: MIDR_EL1, guest")
    assert "what the text is about" in said.out
    assert "explain TEXT --from" not in said.out


def test_what_is_not_recorded_of_two_hosts_is_said_and_explains_nothing(armlevel: Command, tmp_path):
    one, other = write(tmp_path, host("one"), host("other", facts=Facts()))
    said = armlevel("explain", REFUSED, "--from", one, "--to", other, "--vmm", "kvm")
    assert said.code == 3
    assert "one -> other (kvm): unknown: counter frequency" in " ".join(said.out.split())


def test_hosts_between_which_nothing_stands_are_said_to_be_so(armlevel: Command, tmp_path):
    one, other = write(tmp_path, host("one"), host("other"))
    said = armlevel("explain", REFUSED, "--from", one, "--to", other)
    assert said.code == 3
    assert "nothing that is known of these hosts stands in the way" in " ".join(said.out.split())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("x", "--from", "@graviton2-6.1"), "one of them is missing"),
        (("x", "--guest", "@graviton2-6.1"), "--guest and --vmm are about a move"),
        (("x", "--vmm", "qemu-11.1"), "--guest and --vmm are about a move"),
        (("x", "--from", "@graviton2-6.1", "--to", "@graviton2-6.1", "--vmm", "qqemu"), "VMM"),
        (("  ",), "there is nothing to explain"),
        (("qemu.log",), "qemu.log: is not there"),
        (("/no/such/file",), "/no/such/file: is not there"),
    ],
)
def test_a_mistake_is_one_sentence(armlevel: Command, arguments, sentence):
    said = armlevel("explain", *arguments)
    assert (said.code, said.out) == (2, "")
    assert sentence in said.err


def test_a_log_comes_from_the_input(armlevel: Command, monkeypatch):
    log = f"fine\n{REFUSED}\nerror: it failed otherwise\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(log.encode())))
    said = armlevel("explain", "-")
    assert said.code == 0
    assert "line 2: Could not set register" in said.out
    assert "not known: 2 of 3 lines, 1 of them of an error" in said.out
    assert "line 3: error: it failed otherwise" in said.out


def test_a_long_log_is_a_short_answer(armlevel: Command, tmp_path):
    lines = [
        f"Could not set register op0:3 op1:0 crn:0 crm:{n % 8} op2:{n % 7} to 1 (is 2)" for n in range(900)
    ]
    (tmp_path / "log").write_text("\n".join(lines))
    assert len(armlevel("explain", tmp_path / "log").out.splitlines()) < 60


def test_what_a_log_holds_is_shown_and_not_obeyed(armlevel: Command):
    assert (
        "\x1b"
        not in armlevel("explain", "error: \x1b[2J Failed to put registers after init: Invalid \x1b").out
    )
