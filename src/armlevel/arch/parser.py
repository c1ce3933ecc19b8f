"""The text of rules, read.

Loosest first: ``<->``, ``->`` (to the right), ``|``, ``&``, ``!``, then names, comparisons, ``true``, ``false`` and
parentheses. A comparison is ``REG.FIELD OP NUMBER`` with OP one of ``>= > <= < == !=``, or ``REG.FIELD in {2, 3}``.
A field reads as its order says, two's complement for a signed one; so whoever parses says which fields are signed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from armlevel.arch.expr import OPERATORS, And, Cmp, Const, Expr, Feat, Iff, Implies, Not, Or

__all__ = ["parse"]

_TOKEN = re.compile(r"\s*(<->|->|>=|<=|==|!=|[|&!(){},<>]|-?\d+|[A-Za-z_][\w.]*|\S)")


def parse(text: str, signed: Mapping[str, int] | None = None) -> Expr:
    """Read an expression; ``signed`` has the width of every signed field it may name.

    Raises:
        ValueError: the text is no expression; the message says what was expected where.

    >>> str(parse("(FEAT_A & !(FEAT_B | R.F >= 2)) -> FEAT_C"))
    'FEAT_A & !(FEAT_B | R.F >= 2) -> FEAT_C'

    """
    reader = _Reader(text, signed or {})
    expr = reader.iff()
    if reader.ahead:
        raise reader.wrong("the end")
    return expr


class _Reader:
    # Recursive descent over the tokens, one method a level of binding.

    def __init__(self, text: str, signed: Mapping[str, int]) -> None:
        self.text = text
        self.signed = signed
        self.tokens: Iterator[str] = iter(_TOKEN.findall(text))
        self.ahead = next(self.tokens, "")

    def wrong(self, wanted: str) -> ValueError:
        return ValueError(f"{self.text!r}: {wanted} expected, not {self.ahead or 'the end'!r}")

    def take(self) -> str:
        token, self.ahead = self.ahead, next(self.tokens, "")
        return token

    def want(self, token: str) -> None:
        if self.ahead != token:
            raise self.wrong(repr(token))
        self.take()

    def iff(self) -> Expr:
        left = self.implies()
        if self.ahead != "<->":
            return left
        self.take()
        return Iff(left, self.implies())

    def implies(self) -> Expr:
        when = self.any_of()
        if self.ahead != "->":
            return when
        self.take()
        return Implies(when, self.implies())

    def any_of(self) -> Expr:
        parts = [self.all_of()]
        while self.ahead == "|":
            self.take()
            parts.append(self.all_of())
        return Or(tuple(parts)) if len(parts) > 1 else parts[0]

    def all_of(self) -> Expr:
        parts = [self.unary()]
        while self.ahead == "&":
            self.take()
            parts.append(self.unary())
        return And(tuple(parts)) if len(parts) > 1 else parts[0]

    def unary(self) -> Expr:
        if self.ahead == "!":
            self.take()
            return Not(self.unary())
        if self.ahead == "(":
            self.take()
            inner = self.iff()
            self.want(")")
            return inner
        if not self.ahead or not (self.ahead[0].isalpha() or self.ahead[0] == "_"):
            raise self.wrong("a name")
        name = self.take()
        if name in ("true", "false"):
            return Const(name == "true")
        if "." not in name:
            return Feat(name)
        return self.comparison(name)

    def comparison(self, name: str) -> Expr:
        if self.ahead not in OPERATORS:
            raise self.wrong("a comparison")
        op = self.take()
        if op != "in":
            return Cmp(name, op, self.number(), self.signed.get(name, 0))
        self.want("{")
        numbers = [self.number()]
        while self.ahead == ",":
            self.take()
            numbers.append(self.number())
        self.want("}")
        return Cmp(name, op, tuple(numbers), self.signed.get(name, 0))

    def number(self) -> int:
        try:
            value = int(self.ahead)
        except ValueError:
            raise self.wrong("a number") from None
        self.take()
        return value
