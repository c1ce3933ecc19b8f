"""Remembering: the hosts of a fleet, what each was and since when, pools, levels, and the chain of events.

What follows from what is known is pure: the chain of events (``events``), which kinds of hosts count for a pool
(``standing``), values (``values``). SQL stands at the edge: tables, the migrations that make them, one connection
(``database``), reading and writing. It wants the extra ``armlevel[fleet]``; nothing else in armlevel does.
"""

from __future__ import annotations

from importlib.util import find_spec

from armlevel.errors import UsageError

if find_spec("sqlalchemy") is None or find_spec("alembic") is None:
    raise UsageError("the fleet store needs SQLAlchemy and Alembic", hint="pip install 'armlevel[fleet]'")
