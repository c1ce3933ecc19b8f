"""What may stand in one place of a document, as small tables are made of it (:mod:`armlevel.documents.structure`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

from armlevel.documents.items import shown

__all__ = [
    "EXACT",
    "Either",
    "LongPart",
    "Many",
    "OneOf",
    "OrNull",
    "Record",
    "Spec",
    "Table",
    "Text",
    "Truth",
    "Whole",
]

#: JSON numbers stop being exact here.
EXACT = 2**53


class Spec(Protocol):
    """What may stand in one place of a document."""

    def fits(self, item: Any) -> bool:
        """Whether an item may stand there."""

    def blame(self, item: Any, place: str, faults: list[str]) -> None:
        """Note what is wrong with an item that does not fit; nothing for one that does."""


class _Plain:
    """What has no parts: one clause says what it is to be."""

    wanted = ""

    def fits(self, item: Any) -> bool:
        """Whether an item may stand there."""
        raise NotImplementedError

    def blame(self, item: Any, place: str, faults: list[str]) -> None:
        """Note what is wrong with an item that does not fit."""
        if not self.fits(item):
            faults.append(f"{place}: {shown(item)} is not {self.wanted}")


class LongPart(_Plain):
    """A long map or list, which is checked while it is decoded; all that is seen of it here is that it is there."""

    wanted = "a map or list"

    def fits(self, item: Any) -> bool:
        """Whether there is anything."""
        return item is not None


class Truth(_Plain):
    """True or false."""

    wanted = "true or false"

    def fits(self, item: Any) -> bool:
        """Whether it is one of the two."""
        return item.__class__ is bool


class Whole(_Plain):
    """An integer, at least ``least``, below ``below``, a multiple of ``multiple``."""

    def __init__(self, least: int = 0, below: int = EXACT, multiple: int = 1) -> None:
        """Hold the bounds."""
        self.least, self.below, self.multiple = least, below, multiple
        self.wanted = f"an integer of {least} or more"
        if below != EXACT:
            self.wanted = f"an integer from {least} to {below - 1}"
        if multiple != 1:
            self.wanted += f", a multiple of {multiple}"

    def fits(self, item: Any) -> bool:
        """Whether it is an integer within the bounds; true and false are none."""
        return item.__class__ is int and self.least <= item < self.below and not item % self.multiple


class Text(_Plain):
    """A text of at most ``longest`` characters; one with a ``pattern`` is of that form."""

    def __init__(self, longest: int | None = 4096, pattern: str = "", wanted: str = "") -> None:
        """Hold the bounds; a ``pattern`` begins with ^ and ends with $."""
        self.longest = None if pattern else longest
        self.pattern = pattern
        self._matches = re.compile(pattern[1:-1]).fullmatch if pattern else None
        self.wanted = wanted or (
            "a text" if self.longest is None else f"a text of up to {longest} characters"
        )

    def fits(self, item: Any) -> bool:
        """Whether it is a text of that form."""
        if item.__class__ is not str:
            return False
        if self._matches is not None:
            return self._matches(item) is not None
        return self.longest is None or len(item) <= self.longest


class OneOf(_Plain):
    """One of some texts or numbers."""

    def __init__(self, *values: str | int) -> None:
        """Hold what it may be."""
        self.values = frozenset(values)
        self.wanted = f"one of {', '.join(map(str, values))}"

    def fits(self, item: Any) -> bool:
        """Whether it is one of them."""
        return item.__class__ in (str, int) and item in self.values


class Either(_Plain):
    """One of two kinds of item."""

    def __init__(self, *specs: _Plain) -> None:
        """Hold the kinds."""
        self.specs = specs
        self.wanted = " or ".join(spec.wanted for spec in specs)

    def fits(self, item: Any) -> bool:
        """Whether it is of one of the kinds."""
        return any(spec.fits(item) for spec in self.specs)


class OrNull(_Plain):
    """An item that may be null."""

    def __init__(self, spec: _Plain) -> None:
        """Hold what it is where it is there."""
        self.spec = spec
        self.wanted = f"{spec.wanted}, or null"

    def fits(self, item: Any) -> bool:
        """Whether it is null, or what it is to be."""
        return item is None or self.spec.fits(item)


class Many:
    """A list, whose items are all of one kind."""

    def __init__(self, spec: Spec, most: int | None = None, least: int = 0) -> None:
        """Hold of what kind they are, and how many there may be."""
        self.spec, self.most, self.least = spec, most, least

    def fits(self, item: Any) -> bool:
        """Whether it is such a list."""
        if item.__class__ is not list or len(item) < self.least:
            return False
        return (self.most is None or len(item) <= self.most) and all(map(self.spec.fits, item))

    def blame(self, item: Any, place: str, faults: list[str]) -> None:
        """Note what is wrong with it, or with its items."""
        if not isinstance(item, list):
            faults.append(f"{place}: {shown(item)} is not a list")
            return
        if len(item) < self.least or (self.most is not None and len(item) > self.most):
            bounds = f"{self.least} or more" if self.most is None else f"{self.least} to {self.most}"
            faults.append(f"{place}: has {len(item)} items, and not {bounds}")
        for index, one in enumerate(item):
            self.spec.blame(one, f"{place}[{index}]", faults)


class Table:
    """An object whose keys are names that are not known before."""

    def __init__(self, key: Text, spec: Spec, most: int | None = None) -> None:
        """Hold what a name is, what stands for it, and how many there may be."""
        self.key, self.spec, self.most = key, spec, most

    def fits(self, item: Any) -> bool:
        """Whether it is such an object."""
        if item.__class__ is not dict or (self.most is not None and len(item) > self.most):
            return False
        return all(map(self.key.fits, item)) and all(map(self.spec.fits, item.values()))

    def blame(self, item: Any, place: str, faults: list[str]) -> None:
        """Note what is wrong with it, its names, or what stands for them."""
        if not isinstance(item, dict):
            faults.append(f"{place}: {shown(item)} is not an object")
            return
        if self.most is not None and len(item) > self.most:
            faults.append(f"{place}: has {len(item)} items, and not 0 to {self.most}")
        for key, value in item.items():
            self.key.blame(key, f"{place}.{shown(key)}", faults)
            self.spec.blame(value, f"{place}.{key}", faults)


class Record:
    """An object whose keys are all known; what is not recorded is left out, so none of them is null."""

    def __init__(self, keys: Mapping[str, Spec], needed: frozenset[str] = frozenset()) -> None:
        """Hold the keys, and those that must be there."""
        self.keys, self.needed = keys, needed
        self._fits = {key: spec.fits for key, spec in keys.items()}

    def fits(self, item: Any) -> bool:
        """Whether it is such an object."""
        if item.__class__ is not dict:
            return False
        known = self._fits
        for key, value in item.items():
            fits = known.get(key)
            if fits is None or value is None or not fits(value):
                return False
        return self.needed <= item.keys()

    def blame(self, item: Any, place: str, faults: list[str]) -> None:
        """Note what is wrong with it, or with what stands under its keys."""
        if not isinstance(item, dict):
            faults.append(f"{place or 'the document'}: {shown(item)} is not an object")
            return
        before = f"{place}." if place else ""
        for key, value in item.items():
            if (spec := self.keys.get(key)) is None:
                faults.append(f"{before}{key}: unknown key")
            elif value is None:
                faults.append(f"{before}{key}: null says nothing: leave it out where it is not recorded")
            else:
                spec.blame(value, f"{before}{key}", faults)
        faults += [f"{before}{key}: is missing" for key in self.keys if key in self.needed - item.keys()]
