"""A file taken apart into the documents that stand in it, each as the object or the text that an importer reads.

JSON values one after another or in a list, XML documents one after another, the lines of a QMP session (of which the
answer counts), a command line as ``/proc/PID/cmdline`` or a list of words: real files are kept so.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any, Literal
from xml.parsers.expat import ExpatError, ParserCreate

from armlevel.errors import BadDocument
from armlevel.formats import lscpu
from armlevel.formats.text import json_fault, json_values, may_be_json, text_of

__all__ = ["Content", "contents"]

#: What is in a file: the parsed object, the text, or bytes that are neither.
Content = tuple[Literal["json", "text", "binary"], Any]

_MOST = 10_000
_PIECE = 1 << 16
_QMP_KEYS = frozenset({"QMP", "return", "error", "event", "timestamp", "data", "execute", "arguments", "id"})
_PROMPT = re.compile(r"^(?:->|<-|\(QEMU\))[ \t]*", re.MULTILINE)
_XML = re.compile(
    r"^[ \t]*<(?:\?xml|domain|domstatus|domainsnapshot|capabilities|domainCapabilities|cpu)\b", re.MULTILINE
)
_CPU_KEYS = frozenset({"cpu", "core", "processor"})


def contents(data: bytes, path: str) -> list[Content]:
    """Return the documents of a file.

    Raises:
        BadDocument: JSON with a key twice in one object, or broken JSON; the place is said.

    """
    text = (
        text_of(data) if b"\0" not in data or data[:2] in (b"\xff\xfe", b"\xfe\xff") else _command_line(data)
    )
    if text is None:
        return [("binary", data)]
    if text.lstrip()[:2] in ("->", "<-", "(Q"):
        text = _PROMPT.sub("", text)
    begin = text.lstrip()[:1]
    if may_be_json(text):
        return _json(text, path)
    if begin == "<":
        return [("text", one) for one in _xml_documents(text)]
    if (
        not begin.startswith("#")
        and (match := _XML.search(text[:_PIECE]))
        and text[: match.start()].count("\n") < 4
    ):
        return [("text", one) for one in _xml_documents(text[match.start() :])]
    return [("text", text)]


def _command_line(data: bytes) -> str | None:
    # /proc/PID/cmdline: words that end in a zero byte.
    try:
        words = data.decode().rstrip("\0\n").split("\0")
    except UnicodeDecodeError:
        return None
    return (
        shlex.join(words) + "\n" if words[0].isprintable() and any(word == "-cpu" for word in words) else None
    )


def _json(text: str, path: str) -> list[Content]:
    try:
        values = json_values(text, path)
    except json.JSONDecodeError as exc:
        raise BadDocument(path, (json_fault(exc),), hint="mend it there") from exc
    if len(values) == 1 and isinstance(values[0], list):
        if values[0] and all(isinstance(one, str) for one in values[0]):
            return [("text", shlex.join(values[0]) + "\n")]
        values = _of_list(values[0])
    if len(values) > 1 and all(isinstance(one, dict) and one.keys() <= _QMP_KEYS for one in values):
        return [("json", _answer(values))]
    found: list[Content] = []
    for value in values:
        if isinstance(value, dict) and (printed := lscpu.from_json(value)) is not None:
            found.append(("text", printed))
        else:
            found.append(("json", value))
    return found


def _answer(session: list[dict[str, Any]]) -> dict[str, Any]:
    # The last answer that describes a CPU; else the last refusal; else the last answer.
    answers = [one for one in session if isinstance(one.get("return"), dict) and "model" in one["return"]]
    answers = answers or [one for one in session if "error" in one] or session
    return answers[-1]


def _of_list(items: list[Any]) -> list[Any]:
    if items and all(isinstance(one, list) for one in items):
        return [{"registers": items}]
    named = [one for one in items if isinstance(one, dict) and one.keys() & {"value", "val", "raw", "data"}]
    if items and len(named) == len(items):
        return [{"registers": items}]
    cpus = [one for one in items if isinstance(one, dict) and one.keys() & _CPU_KEYS]
    if items and len(cpus) == len(items):
        return [{"cpus": items}]
    return items


def _xml_documents(text: str) -> list[str]:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return [text]  # whoever reads it refuses it
    data = text.encode("utf-8", "surrogatepass")
    found: list[str] = []
    at = 0
    while len(found) < _MOST and (end := _end_of_root(data, at)) is not None:
        found.append(data[at:end].decode())
        at = end
        while data[at : at + 1].isspace():
            at += 1
    rest = data[at:].decode()
    # What stands behind the last document and is none belongs to it, and its reader says what is wrong.
    if not found or rest.startswith("<"):
        return [*found, rest]
    return found


def _end_of_root(data: bytes, at: int) -> int | None:
    depth, ends = 0, []
    parser = ParserCreate()

    def start(_name: str, _attributes: object) -> None:
        nonlocal depth
        depth += 1

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1
        if not depth:
            ends.append(parser.CurrentByteIndex)

    parser.StartElementHandler, parser.EndElementHandler = start, end
    try:
        for piece in _pieces(data, at):
            parser.Parse(piece)
            if ends:
                break
    except (ExpatError, ValueError):
        pass
    if not ends:
        return None
    closed = data.find(b">", at + ends[0])
    return closed + 1 if closed >= 0 else None


def _pieces(data: bytes, at: int) -> Iterator[bytes]:
    while at < len(data):
        yield data[at : at + _PIECE]
        at += _PIECE
