"""What an error line means."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from armlevel.arch import Catalogue, load
from armlevel.cli.answers import given_lines
from armlevel.cli.findings import between
from armlevel.cli.options import Explain, Facts, Json
from armlevel.cli.output import columns, say, say_json, wrapped
from armlevel.errors import UsageError
from armlevel.operations import Finding, Move
from armlevel.operations.explain import Explained, ExplainResult, RegisterFound, explain, text_named
from armlevel.operations.named import guest_named, hosts_named
from armlevel.profile import Implementation
from armlevel.words.answers import unknown_text
from armlevel.words.messages import about_text, advice_text, meaning_text, speaker_text
from armlevel.words.remedies import remedy_text, remedy_texts
from armlevel.words.subjects import core_name, subject_text, value_text

__all__ = ["run"]

_ROWS = 12
#: What is told where no hosts are named: with hosts, remedies are computed.
_COMPUTED = ("from-to", "level")
_LINES = 5


def run(
    text: Annotated[
        list[str],
        typer.Argument(
            metavar="TEXT|FILE", help="An error line, a register's name or number, or a log; - is stdin."
        ),
    ],
    source: Annotated[
        str | None, typer.Option("--from", metavar="HOST", help="The host that the guest came from.")
    ] = None,
    target: Annotated[
        str | None, typer.Option("--to", metavar="HOST", help="The host that it went to.")
    ] = None,
    guest: Annotated[
        str | None,
        typer.Option(
            "--guest", metavar="GUEST", help="The guest; without it, the passthrough guest of --from."
        ),
    ] = None,
    vmm: Annotated[
        str,
        typer.Option("--vmm", metavar="VMM", help="What restored it; without it, who prints such messages."),
    ] = "",
    fact: Facts = None,
    explain_all: Explain = False,
    as_json: Json = False,
) -> int:
    """Say what an error line means, and which field it is.

    It knows messages of QEMU, libvirt, Linux, KVM, Firecracker, Cloud Hypervisor and crosvm, and registers in any
    spelling. In a log the known lines are found among the others. With --from and --to the move is judged, and what
    stands in its way is named, with its value on both sides. Exit 3 if nothing is known, or nothing stands in the way.
    """
    if (source is None) != (target is None):
        raise UsageError("--from and --to name the two ends of a move, and one of them is missing")
    if source is None and (guest is not None or vmm):
        raise UsageError("--guest and --vmm are about a move", hint="name both hosts: --from HOST --to HOST")
    said = text_named(text, sys.stdin.buffer.read)
    hosts, given = hosts_named([source, target], fact or ()) if source and target else ([], ())
    moving = guest_named(guest) if guest is not None else None
    found = explain(said, hosts, moving, vmm=vmm, given=given)
    if as_json:
        say_json(found.document())
    else:
        say(_page(found, load(), every=explain_all))
    return found.status


def _page(found: ExplainResult, catalogue: Catalogue, *, every: bool) -> list[str]:
    lines = _head(found, catalogue)
    lines += given_lines(found.given)
    if found.move is not None:
        lines += _move(found, found.move, catalogue, every=every)
    for one in found.explained:
        lines += ["", *_message(one, catalogue, hosts=found.move is not None, every=every)]
    shown = list({one.name: one for one in reversed(found.registers)}.values())[::-1]
    for register in shown if every else shown[:_ROWS]:
        at = f"line {register.line}: " if found.lines > 1 else ""
        lines += ["", *wrapped(f"{at}{register.text}"), *_decoded(register)]
    if len(shown) > _ROWS and not every:
        lines.append(f"and {len(shown) - _ROWS} more registers: --explain")
    return lines + _rest(found, every=every)


def _head(found: ExplainResult, catalogue: Catalogue) -> list[str]:
    if found.move is not None:
        return wrapped(_judged(found, found.move, catalogue), rest="    ")
    if found.explained:
        first = found.explained[0]
        more = len(found.explained) - 1
        return wrapped(
            f"{speaker_text(first.row.says)}: {meaning_text(first.row.means, first.words)}"
            + (f"; and {more} other message{'s' * (more > 1)}" if more else ""),
            rest="    ",
        )
    if found.registers:
        more = len(found.named) - _LINES
        named = ", ".join(found.named[:_LINES]) + (f" and {more} more" if more > 0 else "")
        return wrapped(f"no message, but registers: {named}" if found.lines > 1 else named, rest="    ")
    what = (
        "this is no message or register"
        if found.lines == 1
        else f"{found.lines} lines, and no message or register"
    )
    return wrapped(f"not known: {what} that armlevel has a row of", rest="    ")


def _judged(found: ExplainResult, move: Move, catalogue: Catalogue) -> str:
    way = f"{move.source} -> {move.target} ({found.vmm})"
    if not found.blocking:
        unknown = unknown_text(move.findings)
        why = f": {unknown}" if unknown else "; nothing that is known of these hosts stands in the way"
        return f"{way}: {move.answer}{why}"
    first, more = found.blocking[0], len(found.blocking) - 1
    needs, has = between(first, catalogue)
    rest = f", and {more} more" if more else ""
    return f"{way}: {move.answer}: {subject_text(first.subject)}, guest {needs}, host {has}{rest}"


def _move(found: ExplainResult, move: Move, catalogue: Catalogue, *, every: bool) -> list[str]:
    shown = found.blocking if every else found.blocking[:_ROWS]
    rows = [_blocking_row(one, found.about, catalogue) for one in shown]
    lines = columns([("", "guest", "host takes", ""), *rows], "  ") if rows else []
    if len(shown) < len(found.blocking):
        lines.append(f"  and {len(found.blocking) - len(shown)} more: --explain")
    ways = [remedy_text(way) for way in move.ways]
    for text in ways or remedy_texts(found.blocking, (), every=every):
        lines += wrapped(text, "  remedy   ")
    return lines


def _blocking_row(one: Finding, named: Sequence[str], catalogue: Catalogue) -> tuple[str, ...]:
    return (
        subject_text(one.subject),
        *between(one, catalogue),
        "what the text is about" if one.subject.register in named else "",
    )


def _message(one: Explained, catalogue: Catalogue, *, hosts: bool, every: bool) -> list[str]:
    who = speaker_text(one.row.says) + (f" ({one.row.versions})" if one.row.versions else "")
    at = f"line {one.lines[0]}" if len(one.lines) == 1 else f"{len(one.lines)} lines, first {one.lines[0]}"
    lines = wrapped(one.text, f"{at}: ", "    ")
    lines += wrapped(f"{who}: {meaning_text(one.row.means, one.words)}", "  means    ")
    lines += wrapped(about_text(one.row), "  about    ")
    if one.attribute is not None:
        group, name = one.attribute
        lines += wrapped(
            f"{name or 'unknown'} of the virtual interrupt controller (group {group or '?'})", "  register "
        )
    if one.core:
        lines += wrapped(one.core, "  core     ")
    shown = one.registers if every else one.registers[:_ROWS]
    for register in shown:
        lines += _register(register, one, catalogue)
    if len(shown) < len(one.registers):
        lines.append(f"  and {len(one.registers) - len(shown)} more registers: --explain")
    for code in one.row.do:
        if not (hosts and code in _COMPUTED):
            lines += wrapped(advice_text(code), "  do       ")
    return [*lines, *(wrapped(one.row.see, "  source   ") if every else [])]


def _decoded(one: RegisterFound) -> list[str]:
    where = {
        "system": "system register",
        "demux": "cache size register",
        "bitmap": "firmware register, a bitmap",
    }
    what = where.get(one.group, f"{one.group} register")
    if one.encoding is not None:
        what += " op0:{} op1:{} crn:{} crm:{} op2:{}".format(*one.encoding)
    lines = wrapped(f"{one.name}, {what}; KVM's id {one.kvm_id:#018x}", "  register ")
    lines += wrapped(one.why or ("" if one.listed else "no KVM that armlevel knows lists it"), "  listed   ")
    return [*lines[: None if one.why or not one.listed else -1], f"  facts    armlevel facts {one.name}"]


def _register(one: RegisterFound, message: Explained, catalogue: Catalogue) -> list[str]:
    linux = message.row.says == "linux"
    value, own = (f"CPU {message.words.get('cpu', '?')}", "boot CPU") if linux else ("guest", "this host")
    texts = []
    if one.fields and one.name != "MIDR_EL1":
        for each in one.fields:
            field = catalogue.field(each.subject)
            texts.append(
                f"{each.subject}: {value} {value_text(field, each.value)}, {own} {value_text(field, each.own)}"
            )
    elif one.value is not None:
        had = "" if one.own is None else f", {own} {_value(one.name, one.own, catalogue)}"
        texts.append(f"{value} {_value(one.name, one.value, catalogue)}{had}")
    lines = wrapped(f"{one.name} ({one.kvm_id:#018x})", "  register ")
    for text in texts:
        lines += wrapped(text, " " * 11)
    return lines


def _value(name: str, value: int, catalogue: Catalogue) -> str:
    if name == "MIDR_EL1":
        return f"{value:#x} ({core_name(Implementation(value), catalogue)})"
    firmware = catalogue.firmware.get(name)
    return f"{value:#x}" + (f" ({firmware.name_of(value)})" if firmware is not None else "")


def _rest(found: ExplainResult, *, every: bool) -> list[str]:
    if not found.not_known or (found.lines == 1 and not found.unexplained):
        return []
    speaking = found.unexplained if every else found.unexplained[:_LINES]
    lines = [""] if found.lines > 1 else []
    if found.lines > 1:
        fault = f", {len(found.unexplained)} of them of an error" if found.unexplained else ""
        lines += wrapped(f"not known: {found.not_known} of {found.lines} lines{fault}", rest="    ")
        for number, text in speaking:
            lines += wrapped(text, f"  line {number}: ", "    ")
        if len(speaking) < len(found.unexplained):
            lines.append(f"  and {len(found.unexplained) - len(speaking)} more: --explain")
    return lines
