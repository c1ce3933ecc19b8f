"""What an error line means, which register it is about, and between two hosts: which field stands in the way."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as having
from typing import Any, ClassVar

from armlevel import engine
from armlevel.arch import Catalogue, load
from armlevel.arch.messages import MessageRow, messages
from armlevel.documents import read_file, remedy_object
from armlevel.engine import Finding, Move, Policy
from armlevel.errors import UnreadableFile, UsageError
from armlevel.formats.compressed import compression_of
from armlevel.formats.log import Log, Said, read_log
from armlevel.kvm.in_text import NamedRegister, vgic_attribute
from armlevel.operations.answers import findings_told
from armlevel.operations.given import given_object
from armlevel.profile import Given, Guest, Host
from armlevel.words.messages import advice_text, meaning_text

__all__ = ["ExplainResult", "Explained", "FieldValues", "RegisterFound", "explain", "text_named"]

_LIKE_A_PATH = re.compile(r"(?:\.{0,2}|~)/\S+|\S+\.(?:log|txt|gz|xz|zst|err|out)")
#: What is told of registers one by one, and does not make two messages different.
_OF_REGISTERS = ("register", "value", "own")
#: What is said of the list of registers, and of none of them.
_OF_LISTS = ("list-too-long", "list-not-loaded")


@dataclass(frozen=True, slots=True)
class FieldValues:
    """A field that a message gives two values of: the one that it is about, and the one that is there."""

    subject: str
    value: int
    own: int


@dataclass(frozen=True, slots=True)
class RegisterFound:
    """A register that a text names.

    ``value`` is the value that the message is about, ``own`` the one that is there: of a fresh vCPU, or of the CPU that
    booted the host. None: the message does not say it. ``fields`` are those in which the two differ. ``group`` and
    ``encoding`` are KVM's; ``listed`` whether a KVM that armlevel knows lists it, ``why`` when that is.
    """

    text: str
    name: str
    kvm_id: int
    line: int
    value: int | None = None
    own: int | None = None
    fields: tuple[FieldValues, ...] = ()
    group: str = ""
    encoding: tuple[int, ...] | None = None
    listed: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Explained:
    """A message, wherever it stands: its row, its lines, what stands in it, and the registers of all of them.

    ``attribute`` is the name of a vGIC's register, and of its group; ``core`` the core of a part number.
    """

    row: MessageRow
    lines: tuple[int, ...]
    text: str
    words: Mapping[str, str] = having(hash=False)
    registers: tuple[RegisterFound, ...] = ()
    attribute: tuple[str, str] | None = None
    core: str = ""


@dataclass(frozen=True, slots=True)
class ExplainResult:
    """What a text says. ``move`` is the judgement between two hosts, ``blocking`` what stands in its way.

    ``blocking`` has first what the text names. ``vmm`` is whose behaviour was judged.
    """

    kind: ClassVar[str] = "explanation/1"

    lines: int
    explained: tuple[Explained, ...]
    registers: tuple[RegisterFound, ...] = ()
    not_known: int = 0
    unexplained: tuple[tuple[int, str], ...] = ()
    move: Move | None = None
    vmm: str = ""
    blocking: tuple[Finding, ...] = ()
    given: tuple[Given, ...] = ()

    @property
    def named(self) -> tuple[str, ...]:
        """The names of all registers that the text names, each once."""
        every = [*self.registers, *(one for message in self.explained for one in message.registers)]
        return tuple(dict.fromkeys(one.name for one in every))

    @property
    def about(self) -> tuple[str, ...]:
        """The registers that the text is about, whether it names them or not."""
        rows = [name.partition(".")[0] for message in self.explained for name in message.row.about]
        return tuple(dict.fromkeys((*self.named, *rows)))

    @property
    def status(self) -> int:
        """The exit status: 3 where nothing is known, or two hosts do not show what stands in the way."""
        known = bool(self.explained or self.registers)
        return 0 if known and (self.move is None or self.blocking) else 3

    def document(self) -> dict[str, Any]:
        """Return the explanation/1 object."""
        said: dict[str, Any] = {
            "kind": self.kind,
            "lines": self.lines,
            "messages": [_message_object(one) for one in self.explained],
            "registers": [_register_object(one) for one in self.registers],
            "not_known": self.not_known,
            "unexplained": [{"line": line, "text": text} for line, text in self.unexplained],
        }
        if self.move is not None:
            said["move"] = {
                "from": self.move.source,
                "to": self.move.target,
                "vmm": self.vmm,
                "answer": self.move.answer,
                "blocking": findings_told(self.blocking),
                "remedies": [remedy_object(way) for way in self.move.ways],
            }
        return said | given_object(self.given)


def text_named(arguments: Sequence[str], stdin: Callable[[], bytes]) -> str:
    """Return the text that arguments give: words, the content of files that there are, or ``-`` for ``stdin``.

    Raises:
        UsageError: there is nothing in it.
        UnreadableFile: a file is not there, cannot be read, or is no text.

    """
    parts: list[str] = []
    words: list[str] = []
    for argument in arguments:
        if argument == "-":
            parts.append(_decoded(stdin(), "-"))
        elif _is_path(argument):
            parts.append(_decoded(read_file(argument), argument))
        elif _LIKE_A_PATH.fullmatch(argument):
            raise UnreadableFile(argument, "is not there")
        else:
            words.append(argument)
    text = "\n".join([*([" ".join(words)] if words else []), *parts])
    if not text.strip():
        raise UsageError("there is nothing to explain", hint="give an error line, a register, or a file")
    return text


def _is_path(argument: str) -> bool:
    try:
        return os.path.lexists(argument)
    except ValueError:
        return False


def _decoded(data: bytes, path: str) -> str:
    if name := compression_of(data):
        raise UnreadableFile(path, f"is compressed ({name}): unpack it first, or pipe it in")
    if b"\0" in data:
        raise UnreadableFile(path, "is no text, and a log or an error line is needed here")
    return data.decode("utf-8-sig", "replace")


def explain(  # noqa: PLR0913 - a question with options
    text: str,
    hosts: Sequence[Host] = (),
    guest: Guest | None = None,
    policy: Policy | None = None,
    *,
    vmm: str = "",
    given: Sequence[Given] = (),
) -> ExplainResult:
    """Explain what a text says: an error line, a whole log, or the name or number of a register.

    With ``hosts``, a source and a destination, the move is judged and what stands in its way is named. ``vmm`` is whose
    behaviour is asked for; without it, that of whoever prints such messages, else KVM's alone.

    Raises:
        UsageError: one host is named, or more than two.
        UnknownName: no VMM is called so.

    >>> explain("0x603000000013808c").named
    ('OSLSR_EL1',)
    >>> explain("Failed to put registers after init: Invalid argument").explained[0].row.means
    'values-refused'
    """
    catalogue = load()
    log = read_log(text, messages())
    explained = tuple(_grouped(log, catalogue))
    registers = tuple(_register(one, line, {}, catalogue) for line, one in log.registers)
    found = ExplainResult(log.lines, explained, registers, log.not_known, log.unexplained, given=tuple(given))
    if not hosts:
        return found
    if len(hosts) != 2:
        raise UsageError("a move is between two hosts", hint="name both: --from HOST --to HOST")
    whose = vmm or _behaviour([one.row for one in explained], catalogue)
    move = engine.migrate(hosts[0], hosts[1], catalogue, policy, guest=guest, vmm=whose)[0]
    blocking = [one for one in move.findings if one.severity in ("stops", "breaks")]
    blocking.sort(key=lambda one: _distance(one, found))
    return replace(found, move=move, vmm=whose, blocking=tuple(blocking))


def _distance(finding: Finding, found: ExplainResult) -> int:
    # What the text names comes first, then what it is about without a name.
    if finding.subject.register in found.named:
        return 0
    if finding.subject.register in found.about:
        return 1
    lists = any(one.row.means in _OF_LISTS for one in found.explained)
    around = finding.part == "shape" and any(
        one.text in message for one in found.explained for message in finding.messages
    )
    return 2 if around or (lists and finding.part == "list") else 3


def _behaviour(rows: Sequence[MessageRow], catalogue: Catalogue) -> str:
    # A message that several sets print decides nothing that another one does not.
    possible = list(catalogue.vmms)
    for row in rows:
        left = [name for name in possible if name in row.vmms]
        possible = left or possible
    return possible[0] if any(row.vmms for row in rows) else "kvm"


def _grouped(log: Log, catalogue: Catalogue) -> list[Explained]:
    groups: dict[tuple[object, ...], list[Said]] = {}
    for one in log.said:
        words = tuple(pair for pair in one.words.items() if pair[0] not in _OF_REGISTERS)
        groups.setdefault((one.row.name, words), []).append(one)
    return [_explained(some, catalogue) for some in groups.values()]


def _explained(some: Sequence[Said], catalogue: Catalogue) -> Explained:
    first = some[0]
    registers = {
        (one.name, said.words.get("value")): _register(one, said.line, said.words, catalogue)
        for said in reversed(some)
        for one in said.registers
    }
    attribute = None
    if "attribute" in first.words and "group" in first.words:
        # People leave zeros out of the middle of it: 0x...c664.
        digits = re.split(r"[.…]+", first.words["attribute"])[-1].removeprefix("0x")
        attribute = vgic_attribute(int(first.words["group"]), int(digits or "0", 16))
    return Explained(
        first.row,
        tuple(dict.fromkeys(one.line for one in some)),
        first.text,
        first.words,
        tuple(sorted(registers.values(), key=lambda one: one.line)),
        attribute,
        _core(first.words, catalogue),
    )


def _core(words: Mapping[str, str], catalogue: Catalogue) -> str:
    # libvirt prints the part number alone; nearly all of them are Arm's.
    try:
        number = int(words.get("part", ""), 16)
    except ValueError:
        return ""
    names = [one.name for one in catalogue.parts.values() if one.part == number and one.implementer]
    return " or ".join(dict.fromkeys(names))


def _register(one: NamedRegister, line: int, words: Mapping[str, str], catalogue: Catalogue) -> RegisterFound:
    value, own = _number(words.get("value")), _number(words.get("own"))
    fields: tuple[FieldValues, ...] = ()
    row = catalogue.registers.get(one.name)
    if row is not None and value is not None and own is not None:
        fields = tuple(
            FieldValues(field.subject, field.get(value), field.get(own))
            for field in row.fields
            if field.get(value) != field.get(own)
        )
    register = one.register
    why = next((drop.why for drop in catalogue.drops if register.kvm_id in drop.kvm_ids), "")
    known = (register.group, register.encoding, register.listed, why)
    return RegisterFound(one.text, one.name, register.kvm_id, line, value, own, fields, *known)


def _number(text: str | None) -> int | None:
    try:
        return None if text is None else int(text, 16)
    except ValueError:
        return None


def _message_object(one: Explained) -> dict[str, Any]:
    said: dict[str, Any] = {
        "name": one.row.name,
        "says": one.row.says,
        "versions": one.row.versions,
        "lines": list(one.lines),
        "text": one.text,
        "words": dict(one.words),
        "part": one.row.part,
        "about": list(one.row.about),
        "means": {"code": one.row.means, "text": meaning_text(one.row.means, one.words)},
        "do": [{"code": code, "text": advice_text(code)} for code in one.row.do],
        "registers": [_register_object(register) for register in one.registers],
        "source": one.row.see,
    }
    if one.attribute is not None:
        said["attribute"] = {"group": one.attribute[0], "name": one.attribute[1]}
    return said | ({"core": one.core} if one.core else {})


def _register_object(one: RegisterFound) -> dict[str, Any]:
    said: dict[str, Any] = {
        "text": one.text,
        "name": one.name,
        "kvm_id": f"{one.kvm_id:#018x}",
        "group": one.group,
        "encoding": None if one.encoding is None else list(one.encoding),
        "listed": one.listed,
        "why": one.why,
        "line": one.line,
        "fields": [
            {"subject": field.subject, "value": field.value, "own": field.own} for field in one.fields
        ],
    }
    values = {"value": one.value, "own": one.own}
    return said | {key: f"{value:#018x}" for key, value in values.items() if value is not None}
