"""`NamedTuple` as `typing` has it, for what libvirt's hook imports at each call of a marked guest.

Importing `typing` itself takes about as long there as all the rest. A type checker sees the one of `typing`; fields may
have defaults, and classes may have methods and properties, docstrings and doctests, as there.
"""

from __future__ import annotations

from collections import namedtuple

TYPE_CHECKING = False  # as type checkers read it

__all__ = ["NamedTuple"]

if TYPE_CHECKING:
    from typing import NamedTuple
else:

    class _Named(type):
        # The class statement becomes a call of namedtuple, with what else stands in its body.
        def __new__(cls, name: str, _bases: tuple[type, ...], body: dict[str, object]) -> type:
            fields = body.get("__annotations__", {})
            defaults = [body[field] for field in fields if field in body]
            made = namedtuple(name, fields, defaults=defaults, module=body["__module__"])  # noqa: PYI024 - this is it
            for key, value in body.items():
                if key not in fields and key not in _OWN:
                    setattr(made, key, value)
            return made

    _OWN = frozenset({"__annotations__", "__classcell__", "__module__", "__qualname__"})
    NamedTuple = type.__new__(_Named, "NamedTuple", (), {})
