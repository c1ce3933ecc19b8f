"""Words of a command that is printed, so that it can be pasted: names and paths may hold anything."""

from __future__ import annotations

import shlex

__all__ = ["shell_word"]


def shell_word(word: str) -> str:
    r"""Quote a word for a shell; what a terminal does not show as it is (a line break) is written out for Bash.

    >>> shell_word("n1-03"), shell_word("two words"), shell_word("a\nb'")
    ('n1-03', "'two words'", "$'a\\nb\\''")
    """
    if word.isprintable():
        return shlex.quote(word)
    return "$'" + "".join(map(_written, word)) + "'"


def _written(one: str) -> str:
    if one in "'\\":
        return f"\\{one}"
    if one.isprintable():
        return one
    # A byte that is no text comes as a lone surrogate (PEP 383).
    return {"\n": "\\n", "\t": "\\t"}.get(one) or "".join(
        f"\\x{byte:02x}" for byte in one.encode(errors="surrogateescape")
    )
