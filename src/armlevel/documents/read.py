"""Bytes to profiles: everything is checked, and all faults of a document are told at once, each with its place.

The way of a document: parse, every key once, its kind, older kinds upgraded, structure (``structure``), long maps
(``maps``), what only the whole can say (``like``, two offers of one shape), and the digest that a document carries.
The standard library does all of that; pydantic is imported for the words of a fault, and for verdicts (``validated``).
"""

from __future__ import annotations

import json
import marshal
import re
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Any, TypeVar, cast

from armlevel.arch import load as load_catalogue
from armlevel.documents.items import WrongError, shown
from armlevel.documents.lines import Lines
from armlevel.documents.maps import Decoded, Faults, ValuePool
from armlevel.documents.structure import GUEST, HOST, MOST_OFFERS, OFFER
from armlevel.documents.values import guest_of, host_of, host_with, offer_of
from armlevel.documents.verdicts import VERDICT_KIND
from armlevel.documents.write import GUEST_KIND, HOST_KIND, canonical, digest_fault
from armlevel.engine.findings import Verdict
from armlevel.errors import BadDocument, NotRecognised, OtherDocument
from armlevel.profile import Guest, Host, Offer

__all__ = [
    "UPGRADES",
    "Document",
    "lines_of",
    "new_pool",
    "parse",
    "read_all_ours",
    "read_document",
    "read_guest",
    "read_host",
    "verify_digest",
]

Document = Host | Guest | Verdict
_T = TypeVar("_T", Host, Guest, Verdict)

#: kind -> one step: takes a document of that kind and returns it as the next one.
UPGRADES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {}

#: What to do about a digest that is not that of the content.
CHANGED = "it was changed after it was made: take it again, or leave its digest out if the change is meant"

#: The kinds of document that are read here.
KINDS = (HOST_KIND, GUEST_KIND, VERDICT_KIND)

_SPACE = re.compile(r"\s*")
_MOST_PARTS = 1000
_DEEPEST = 100
_BRACKETS = b"[]{}"
_NO_BRACKETS = bytes(set(range(256)) - set(_BRACKETS))
# Half of a character, which json takes for one.
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
# Stands for the offers of a host while the rest of its document is looked at.
_AN_OFFER = {"shape": {}, "how": "tried", "default": "unknown"}
_OURS = re.compile(r"(host-profile|guest-profile|frozen-profile|verdict)/[0-9]+")


def new_pool() -> ValuePool:
    """Return an empty memory for the documents of one question."""
    return ValuePool(load_catalogue())


def parse(data: bytes, path: str) -> Any:
    """Return what the JSON text ``data`` holds.

    Raises:
        BadDocument: no UTF-8, no JSON, a key twice in one object, NaN or Infinity.

    """
    try:
        document = _json(data)
    except (ValueError, RecursionError):
        document = _json_at_large(data, path)
    if twice := _keys_twice(data, document):
        raise BadDocument(path, tuple(twice))
    return document


def read_document(data: bytes, path: str, pool: ValuePool | None = None) -> Document:
    """Read a document of any kind of ours.

    Raises:
        NotRecognised: JSON, but not a document of ours.
        BadDocument: a document with faults, all of which it lists.

    """
    document = read_ours(data, path, pool or new_pool())
    if document is None:
        raise NotRecognised(
            path, "JSON, but no document of ours", hint=f"ours have a kind: {', '.join(KINDS)}"
        )
    return document


def read_ours(data: bytes, path: str, pool: ValuePool) -> Document | None:
    """Read a document of ours; None if it is JSON of another kind. Raises as :func:`read_document` does otherwise."""
    if (host := _by_lines(data, pool)) is not None:
        return host
    document = parse(data, path)
    return from_parsed(document, path, pool) if isinstance(document, dict) and "kind" in document else None


def read_all_ours(data: bytes, path: str, pool: ValuePool) -> list[Document]:
    """Read the documents of ours that stand one after another in a text; none if it is JSON of another kind.

    Raises as :func:`read_document` does otherwise.
    """
    try:
        document = read_ours(data, path, pool)
    except BadDocument:
        parts = _one_by_one(data)
        if len(parts) < 2:
            raise
        found = [read_ours(part, f"{path}, document {number}", pool) for number, part in enumerate(parts, 1)]
        return [one for one in found if one is not None]
    return [] if document is None else [document]


def _one_by_one(data: bytes) -> list[bytes]:
    # The objects that stand one after another; nothing if anything else does.
    decoder, parts, at = json.JSONDecoder(), [], 0
    try:
        text = data.decode()
        while at < len(text):
            value, end = decoder.raw_decode(text, at)
            if not isinstance(value, dict) or "kind" not in value:
                return []
            parts.append(text[at:end].encode())
            at = _SPACE.match(text, end).end()  # type: ignore[union-attr]
            if len(parts) > _MOST_PARTS:
                return []
    except (ValueError, RecursionError):
        return []
    return parts if at == len(text) else []


def read_host(data: bytes, path: str, pool: ValuePool | None = None) -> Host:
    """Read a host profile; raises as :func:`read_document` does, also for a document of another kind."""
    return _of_kind(read_document(data, path, pool), Host, HOST_KIND, path)


def read_guest(data: bytes, path: str, pool: ValuePool | None = None) -> Guest:
    """Read a guest profile; raises as :func:`read_document` does, also for a document of another kind."""
    return _of_kind(read_document(data, path, pool), Guest, GUEST_KIND, path)


def verify_digest(data: bytes, path: str) -> str:
    """Return the digest that a document carries, which is that of its content; reading does the same.

    Raises:
        BadDocument: the document has none, or another one than its content.

    """
    document = parse(data, path)
    if not isinstance(document, dict) or document.get("digest") is None:
        raise BadDocument(path, ("digest: the document has none",))
    _hold_digest(document, path)
    return str(document["digest"])


def _hold_digest(document: Mapping[str, Any], path: str) -> None:
    if (fault := digest_fault(document)) is not None:
        raise BadDocument(path, (fault,), hint=CHANGED)


def from_parsed(document: dict[str, Any], path: str, pool: ValuePool) -> Document:
    """Read a document that was parsed already."""
    given, document = document, _upgraded(document, path)
    kind = document["kind"]
    faults = Faults()
    built: Document
    if kind == VERDICT_KIND:
        from armlevel.documents.validated import verdict_in

        built = verdict_in(document, path, faults)
    else:
        structure, of_document = (HOST, host_of) if kind == HOST_KIND else (GUEST, guest_of)
        if not structure.fits(document):
            from armlevel.documents.validated import faults_of

            raise BadDocument(path, faults_of(kind, document, structure))
        built = of_document(document, pool, faults)
    if faults:
        raise BadDocument(path, tuple(faults))
    _hold_digest(given, path)
    return built


def lines_of(data: bytes, pool: ValuePool) -> Lines | None:
    """Cut what repeats itself out of a host profile; None if it is not laid out as we write it."""
    return Lines.of(data, pool, lambda text: _short_offer(text, pool))


def _by_lines(data: bytes, pool: ValuePool) -> Host | None:
    """Read a host profile that is laid out as we write it; None for any other, and for one with a fault."""
    lines = lines_of(data, pool)
    if lines is None:
        return None
    faults = Faults()
    try:
        document = _json(lines.rest)
        # The marks of the cuts are its only escapes, and hold no colon.
        if lines.rest.count(b":") != _colons(document) or not 0 < len(document["offers"]) <= MOST_OFFERS:
            return None
        if document.get("digest") not in (None, lines.digest(document)):
            return None
        offers = [_offer(offer, lines, pool) for offer in document["offers"]]
        if not HOST.fits(document | {"offers": [_AN_OFFER]}):
            return None
        host = host_with(offers, document, pool, faults)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, WrongError):
        return None
    return host if lines.restored and not faults else None


def _short_offer(text: bytes, pool: ValuePool) -> Decoded:
    # Most offers are like the first one of their host, and say in a few words how they differ: the same on many hosts.
    document = _json(b"{" + text + b"}")
    if text.count(b":") != _colons(document):
        raise WrongError("a key stands twice")
    said = canonical(document)
    return Decoded(_new_offer(document, pool), lambda: said)


def _offer(document: Any, lines: Lines, pool: ValuePool) -> Offer:
    if document.__class__ is str:
        return cast("Offer", lines.offer(document))
    if lines.restore(document):
        return _new_offer(document, pool)
    return pool.once(marshal.dumps(document, 2), lambda: _new_offer(document, pool))


def _new_offer(document: Any, pool: ValuePool) -> Offer:
    faults = Faults()
    if not OFFER.fits(document):
        raise WrongError("no offer")
    offer = offer_of(document, pool, faults)
    if faults:
        raise WrongError(faults[0])
    return offer


def _upgraded(document: dict[str, Any], path: str) -> dict[str, Any]:
    kind = document.get("kind")
    for _ in range(1 + len(UPGRADES)):
        if not isinstance(kind, str) or kind in KINDS or kind not in UPGRADES:
            break
        document = UPGRADES[kind](document)
        kind = document.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        ours = isinstance(kind, str) and _OURS.fullmatch(kind)
        hint = "a newer armlevel wrote it" if ours else ""
        raise (BadDocument if ours else OtherDocument)(
            path, (f"kind: {shown(kind)} is unknown (known: {', '.join(KINDS)})",), hint=hint
        )
    return document


def _of_kind(document: Document, wanted: type[_T], kind: str, path: str) -> _T:
    if isinstance(document, wanted):
        return document
    found = {Host: HOST_KIND, Guest: GUEST_KIND, Verdict: VERDICT_KIND}[type(document)]
    raise BadDocument(path, (f"kind: a {kind} is needed here, this is a {found}",))


def _json(data: bytes) -> Any:
    # As json reads it, which takes more than a document may hold: other encodings, halves of characters, NaN. What is
    # no text of ours, or may be none, raises ValueError, and is read at large.
    if (b"\\" in data and _HALF.search(data)) or not _is_shallow(data):
        raise ValueError
    return json.loads(data.decode(), parse_constant=_no_number)


def _no_number(text: str) -> Any:
    raise ValueError(text)


def _is_shallow(data: bytes) -> bool:
    # Pairs of brackets are taken away from within until none is left. One in a text has no other; that says no, too.
    brackets = data.translate(None, _NO_BRACKETS)
    for _ in range(_DEEPEST):
        if not brackets:
            return True
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return False


def _json_at_large(data: bytes, path: str) -> Any:
    from armlevel.documents.validated import json_at_large

    try:
        return json_at_large(data)
    except ValueError as exc:
        raise BadDocument(path, (_why_no_json(data, exc),)) from exc


def _why_no_json(data: bytes, exc: ValueError) -> str:
    if not data.strip():
        return "the file is empty"
    try:
        text = data.decode()
    except UnicodeDecodeError as wrong:
        return f"no UTF-8 text: byte {data[wrong.start]:#04x} at offset {wrong.start}"
    if text.startswith("\N{ZERO WIDTH NO-BREAK SPACE}"):
        return "starts with a byte order mark; save it as UTF-8 without one"
    said = str(exc)
    if said.startswith("EOF"):
        return f"the JSON text ends too early: {said}"
    return f"no JSON: {said}"


def _keys_twice(data: bytes, document: Any) -> list[str]:
    """Return a fault for each key that stands twice in one object.

    A parsed object shows only the last of them. But every key of the text has a colon; without escapes, the colons
    that stand in strings are those of the parsed strings at least. So equal counts prove that nothing was lost.
    """
    if b"\\" not in data and isinstance(document, dict) and data.count(b":") == _colons(document):
        return []
    faults: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for key, value in pairs:
            if key in seen:
                faults.append(f"{shown(key)} stands twice in one object")
            seen[key] = value
        return seen

    json.loads(data, object_pairs_hook=once)
    return faults


def _colons(document: dict[str, Any]) -> int:
    # Level by level, so that most of it happens in C. Counting too few is safe: it can only send a document the slow
    # way. So the bulk, which is hex texts and integers, is passed over.
    count = 0
    level: list[dict[str, Any]] = [document]
    while level:
        count += sum(map(len, level)) + _colons_in(chain.from_iterable(level))
        told = [one for one in level if not _is_hex(next(iter(one.values()), None))]
        values = list(chain.from_iterable(map(dict.values, told)))
        count += _colons_in([one for one in values if one.__class__ is str])
        level = [one for one in values if one.__class__ is dict]
        for items in [one for one in values if one.__class__ is list and one and one[0].__class__ is not int]:
            if items[0].__class__ is dict:
                level.extend(one for one in items if one.__class__ is dict)
            elif not _is_hex(items[0]):
                count += _colons_in([one for one in items if one.__class__ is str])
    return count


def _colons_in(texts: Iterable[str]) -> int:
    text = "".join(texts)
    return text.count(":") if ":" in text else 0


def _is_hex(item: object) -> bool:
    return item.__class__ is str and item[:2] == "0x"
