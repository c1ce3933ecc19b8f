"""What rules say: ``FEAT_SVE2 -> FEAT_SVE``, ``ID_AA64ISAR0_EL1.RNDR >= 1``, as values that can be evaluated.

Every node prints as the text it was parsed from (:func:`armlevel.arch.parse`), with no more parentheses than needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "OPERATORS",
    "And",
    "Cmp",
    "Const",
    "Expr",
    "Feat",
    "Iff",
    "Implies",
    "Not",
    "Or",
    "evaluate",
    "leaves",
    "mentioned",
]


@dataclass(frozen=True, slots=True)
class Const:
    """Always ``value``."""

    value: bool

    def __str__(self) -> str:
        return "true" if self.value else "false"


@dataclass(frozen=True, slots=True)
class Feat:
    """A feature (``FEAT_SVE``) or an architecture version (``v8Ap2``) is there."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Cmp:
    """A field compares with a number; for ``in``, ``value`` is the tuple of numbers.

    ``signed`` is 0 for a field that reads unsigned, else the width in bits of its two's complement.

    >>> Cmp("ID_AA64PFR0_EL1.FP", ">=", 0, signed=4).holds(0xF)
    False
    """

    field: str
    op: str
    value: int | tuple[int, ...]
    signed: int = 0

    def holds(self, have: int) -> bool:
        """Whether the comparison is true of a field whose bits are ``have``."""
        if self.signed and have >> (self.signed - 1):
            have -= 1 << self.signed
        return OPERATORS[self.op](have, self.value)

    def __str__(self) -> str:
        if isinstance(self.value, tuple):
            return f"{self.field} in {{{', '.join(map(str, self.value))}}}"
        return f"{self.field} {self.op} {self.value}"


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary."""

    part: Expr

    def __str__(self) -> str:
        return f"!{_inside(self.part, 5)}"


@dataclass(frozen=True, slots=True)
class And:
    """All of ``parts``."""

    parts: tuple[Expr, ...]

    def __str__(self) -> str:
        return " & ".join(_inside(part, 4) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Or:
    """Any of ``parts``."""

    parts: tuple[Expr, ...]

    def __str__(self) -> str:
        return " | ".join(_inside(part, 3) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Implies:
    """``then`` wherever ``when``."""

    when: Expr
    then: Expr

    def __str__(self) -> str:
        return f"{_inside(self.when, 2)} -> {_inside(self.then, 1)}"


@dataclass(frozen=True, slots=True)
class Iff:
    """``left`` and ``right`` are both true or both false."""

    left: Expr
    right: Expr

    def __str__(self) -> str:
        return f"{_inside(self.left, 1)} <-> {_inside(self.right, 1)}"


Expr: TypeAlias = "Const | Feat | Cmp | Not | And | Or | Implies | Iff"

#: The comparisons of a field with a number (with a set of numbers, for ``in``).
OPERATORS: dict[str, Callable[..., bool]] = {
    ">=": lambda have, want: have >= want,
    ">": lambda have, want: have > want,
    "<=": lambda have, want: have <= want,
    "<": lambda have, want: have < want,
    "==": lambda have, want: have == want,
    "!=": lambda have, want: have != want,
    "in": lambda have, want: have in want,
}
_BINDS: dict[type, int] = {Iff: 1, Implies: 2, Or: 3, And: 4, Not: 6, Cmp: 5, Feat: 6, Const: 6}


def _inside(part: Expr, outer: int) -> str:
    # `a & b` inside `|` needs no parentheses, `a | b` inside `&` does; a comparison after `!` does
    return f"({part})" if _BINDS[type(part)] <= outer else str(part)


def leaves(expr: Expr) -> Iterator[Feat | Cmp]:
    """Give every feature and comparison an expression names, left to right."""
    if isinstance(expr, (Feat, Cmp)):
        yield expr
    elif isinstance(expr, Not):
        yield from leaves(expr.part)
    elif isinstance(expr, (And, Or)):
        for part in expr.parts:
            yield from leaves(part)
    elif isinstance(expr, Implies):
        yield from leaves(expr.when)
        yield from leaves(expr.then)
    elif isinstance(expr, Iff):
        yield from leaves(expr.left)
        yield from leaves(expr.right)


def mentioned(expr: Expr) -> frozenset[str]:
    """Return the ``REG.FIELD`` names an expression compares."""
    return frozenset(leaf.field for leaf in leaves(expr) if isinstance(leaf, Cmp))


def evaluate(expr: Expr, known: Mapping[str, int | bool]) -> bool | None:
    """Evaluate in Kleene's three values: None where ``known`` is not enough to tell.

    ``known`` holds field values by ``REG.FIELD`` (their bits, unsigned) and truths by feature or version name.

    >>> rule = Implies(Feat("FEAT_A"), Cmp("R.F", ">=", 2))
    >>> evaluate(rule, {"R.F": 3}), evaluate(rule, {"R.F": 1})
    (True, None)

    """
    if isinstance(expr, Cmp):
        have = known.get(expr.field)
        return None if have is None else expr.holds(have)
    if isinstance(expr, Feat):
        truth = known.get(expr.name)
        return None if truth is None else bool(truth)
    if isinstance(expr, Not):
        inner = evaluate(expr.part, known)
        return None if inner is None else not inner
    if isinstance(expr, Const):
        return expr.value
    return _joined(expr, known)


def _joined(expr: And | Or | Implies | Iff, known: Mapping[str, int | bool]) -> bool | None:
    if isinstance(expr, Iff):
        left, right = evaluate(expr.left, known), evaluate(expr.right, known)
        return None if left is None or right is None else left is right
    if isinstance(expr, Implies):
        when = evaluate(expr.when, known)
        then = True if when is False else evaluate(expr.then, known)
        return then if then or when else None
    decisive = isinstance(expr, Or)  # one true part decides `|`, one false part decides `&`
    unknown = False
    for part in expr.parts:
        value = evaluate(part, known)
        if value is decisive:
            return decisive
        unknown = unknown or value is None
    return None if unknown else not decisive
