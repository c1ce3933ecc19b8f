"""The long maps and lists of a document, checked and decoded once for each distinct content.

A fleet repeats itself: one kernel writes the same accepted values on every host. So what was decoded once is looked up
from then on, and equal parts of documents become one object in memory. With :mod:`armlevel.documents.lines`, which asks
it line by line, a fleet is read 2 to 3.5 times as fast as any JSON is, every digest held (`make bench`).
"""

from __future__ import annotations

import json
import marshal
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, pairwise, repeat
from typing import Any, TypeVar, cast

from armlevel.documents.items import Items, Names, WrongError, shown
from armlevel.documents.write import canonical
from armlevel.profile import Accepts

__all__ = ["Decoded", "Faults", "ValuePool"]

_SECTIONS = 4096  # whole maps remembered, so that ten thousand hosts that all differ do not fill the memory
_WITHOUT_REFERENCES = 2  # of marshal's formats the last in which equal values have equal bytes
_EMPTY: dict[str, Any] = {}
_T = TypeVar("_T")


class Faults(list[str]):
    """The faults of a document, each naming its place."""

    def add(self, place: str, what: str) -> None:
        """Note one fault."""
        self.append(f"{place}: {what}")


class Decoded:
    """A part of a document that was decoded before the document was parsed."""

    __slots__ = ("_canonical", "_make", "value")

    def __init__(self, value: Any, make: Callable[[], bytes]) -> None:
        """Hold what it says, and how its canonical bytes are made."""
        self.value = value
        self._make = make
        self._canonical = b""

    @property
    def canonical(self) -> bytes:
        """Its canonical bytes, made when they are first asked for."""
        self._canonical = self._canonical or self._make()
        return self._canonical


class _Memo:
    """What was decoded before; anything new is decoded once, and refused with a clause if it is wrong."""

    def __init__(self, decode: Callable[[Any], Any]) -> None:
        self.decode = decode
        self._known: dict[Any, Any] = {}

    def all(self, keys: Callable[[], Iterable[Any]]) -> Iterable[Any]:
        """Return what each key stands for; ``keys`` gives the same keys whenever it is called.

        A plain dictionary asked by ``map`` never leaves C while everything is known.
        """
        try:
            return list(map(self._known.__getitem__, keys()))
        except KeyError:
            known = self._known
            for key in keys():
                if key not in known:
                    known[key] = self.decode(key)
            return list(map(known.__getitem__, keys()))


class ValuePool:
    """What was read so far, shared by the documents of one question.

    A pool only remembers; reading the same document with another pool gives an equal profile.
    """

    def __init__(self, names: Names) -> None:
        """Start with nothing; ``names`` are the known registers and fields."""
        self._items = Items(names)
        self._values = _Memo(self._items.register_value)
        self._states = _Memo(self._items.state_value)
        self._ids = _Memo(self._items.register_id)
        self._lists = _Memo(self._items.accepted_list)
        self._maps = _Memo(self._items.accepted_written)
        self._parts: dict[Any, Any] = {}
        # By the texts of a document alone: a list of integers is no list of ids, though it may equal a decoded one.
        self._id_lists: dict[tuple[str, ...], tuple[int, ...]] = {}
        self._lines = {
            "values": _Memo(lambda line: self._items.line(line, self._items.register_value)),
            "state": _Memo(lambda line: self._items.line(line, self._items.state_value)),
            "accepts": _Memo(lambda line: self._items.line(line, self._items.accepted)),
        }
        self._texts = _Memo(lambda line: canonical(json.loads(b"{" + line + b"}"))[1:-1])
        self._orders: dict[tuple[str, ...], list[int]] = {}
        self._made: dict[bytes, Any] = {}
        self._sections: dict[tuple[str, bytes], Decoded] = {}

    def section(self, kind: str, text: bytes) -> Decoded:
        """Decode the inside of a long map (``values``, ``state``, ``accepts``) or list (``ids``) as we lay it out.

        Raises:
            WrongError: it is laid out in another way, or something in it is wrong.
            ValueError: a line is no JSON.

        """
        if (seen := self._sections.get((kind, text))) is not None:
            return seen
        decoded = self._ids_in(text) if kind == "ids" else self._map_in(kind, text)
        if len(self._sections) < _SECTIONS:
            self._sections[kind, text] = decoded
        return decoded

    def _ids_in(self, text: bytes) -> Decoded:
        written, faults = json.loads(b"[" + text + b"]"), Faults()
        ids = self.ids(written, "", faults)
        if faults:
            raise WrongError(faults[0])
        return Decoded(ids, lambda: canonical(written))

    def _map_in(self, kind: str, text: bytes) -> Decoded:
        lines = text.split(b",\n")
        found = dict(self._lines[kind].all(lambda: lines))
        if len(found) != len(lines):
            raise WrongError("a key stands twice")
        names = tuple(found)
        shared = self._as_shared(found, by_identity=kind == "accepts")
        return Decoded(shared, lambda: self._canonical_map(names, lines))

    def _canonical_map(self, names: tuple[str, ...], lines: Sequence[bytes]) -> bytes:
        # Hosts have the same names in the same order, so these are sorted once.
        if (order := self._orders.get(names)) is None:
            order = self._orders[names] = sorted(range(len(names)), key=names.__getitem__)
        return b"{" + b",".join(self._texts.all(lambda: map(lines.__getitem__, order))) + b"}"

    def values(self, document: Any, place: str, faults: Faults) -> Mapping[str, int]:
        """Decode a map of register name to value."""
        return self._named(document, place, faults, self._values)

    def state(self, document: Any, place: str, faults: Faults) -> Mapping[str, int]:
        """Decode a map of register name to a value of up to 128 bits."""
        return self._named(document, place, faults, self._states)

    def ids(self, document: Any, place: str, faults: Faults) -> tuple[int, ...]:
        """Decode a list of KVM register ids; they come back in numerical order."""
        if document.__class__ is Decoded:
            return cast("tuple[int, ...]", document.value)
        if not isinstance(document, list):
            faults.add(place, f"{shown(document)} is not a list")
            return ()
        try:
            written = tuple(document)
            if (seen := self._id_lists.get(written)) is not None:
                return seen
            ids = tuple(sorted(self._ids.all(lambda: written)))
        except (WrongError, TypeError):
            self._blame_each(((f"{place}[{n}]", item) for n, item in enumerate(document)), faults, self._ids)
            return ()
        if len(set(ids)) != len(ids):
            twice = next(one for one, two in pairwise(ids) if one == two)
            faults.add(place, f"register {twice:#018x} is listed twice")
            return ()
        self._id_lists[written] = ids = self.shared(ids)
        return ids

    def accepts(self, document: Any, place: str, faults: Faults) -> Mapping[str, Accepts]:
        """Decode a map of ``REG.FIELD`` to what KVM does with its values."""
        if document.__class__ is Decoded:
            return cast("Mapping[str, Accepts]", document.value)
        if document == {}:
            return _EMPTY
        if not isinstance(document, dict):
            faults.add(place, f"{shown(document)} is not a map of fields")
            return {}
        try:
            decoded = self._decoded(document)
        except (WrongError, TypeError, ValueError):
            self._blame_accepts(document, place, faults)
            return {}
        return self._as_shared(decoded, by_identity=True)

    def shared(self, part: _T) -> _T:
        """Return the first part that was equal to ``part``."""
        return cast("_T", self._parts.setdefault(part, part))

    def once(self, key: bytes, make: Callable[[], _T]) -> _T:
        """Return what ``make`` gave when it was first called for ``key``."""
        if (seen := self._made.get(key)) is None:
            seen = self._made[key] = make()
        return cast("_T", seen)

    def shared_as(self, key: tuple[Any, ...], part: _T) -> _T:
        """Return the first part that had ``key``, which says all that is in it."""
        return cast("_T", self._parts.setdefault(key, part))

    def _named(self, document: Any, place: str, faults: Faults, memo: _Memo) -> Mapping[str, int]:
        if document.__class__ is Decoded:
            return cast("Mapping[str, int]", document.value)
        if document == {}:
            return _EMPTY
        if not isinstance(document, dict):
            faults.add(place, f"{shown(document)} is not a map of registers")
            return {}
        try:
            decoded = dict(zip(document, memo.all(document.items), strict=True))
        except (WrongError, TypeError):
            self._blame_each(((f"{place}.{pair[0]}", pair) for pair in document.items()), faults, memo)
            return {}
        return self._as_shared(decoded)

    def _as_shared(self, decoded: dict[str, _T], *, by_identity: bool = False) -> Mapping[str, _T]:
        # The memos keep every decoded object alive, so their identities stay theirs.
        values = decoded.values()
        key = (tuple(decoded), tuple(map(id, values)) if by_identity else tuple(values), by_identity)
        return cast("Mapping[str, _T]", self._parts.setdefault(key, decoded))

    def _decoded(self, document: dict[str, Any]) -> dict[str, Any]:
        lists = document
        if set(map(type, document.values())) != {list}:
            lists = {subject: given for subject, given in document.items() if given.__class__ is list}
        # To a dictionary True is 1 and 1.0 is 1: only integers may be asked for.
        if not set(map(type, chain.from_iterable(lists.values()))) <= {int}:
            raise TypeError
        answers = self._lists.all(lambda: zip(lists, map(tuple, lists.values()), strict=True))
        if lists is document:
            return dict(zip(document, answers, strict=True))
        decoded: dict[str, Any] = dict.fromkeys(document)
        decoded.update(zip(lists, answers, strict=True))
        maps = {subject: given for subject, given in document.items() if given.__class__ is not list}
        # A map has no hash; its marshalled form has, and tells True from 1.
        written = list(map(marshal.dumps, maps.values(), repeat(_WITHOUT_REFERENCES)))
        decoded.update(zip(maps, self._maps.all(lambda: zip(maps, written, strict=True)), strict=True))
        return decoded

    # The slow way: every fault of a map that has one.

    def _blame_each(self, items: Iterable[tuple[str, Any]], faults: Faults, memo: _Memo) -> None:
        before = len(faults)
        for place, item in items:
            try:
                memo.decode(item)
            except WrongError as wrong:  # noqa: PERF203 - every fault is told
                faults.add(place, str(wrong))
        assert len(faults) > before, "what could not be decoded has a fault"

    def _blame_accepts(self, document: Mapping[str, Any], place: str, faults: Faults) -> None:
        before = len(faults)
        for subject, given in document.items():
            try:
                if isinstance(given, list):
                    self._items.accepted_list((subject, tuple(given)))
                else:
                    self._items.accepted_map(subject, given)
            except WrongError as wrong:  # noqa: PERF203 - every fault is told
                faults.add(f"{place}.{subject}", str(wrong))
        assert len(faults) > before, "what could not be decoded has a fault"
