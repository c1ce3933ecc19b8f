"""Which fleet store a command means, and who asks: read from the environment once, here."""

from __future__ import annotations

import getpass
import os

from armlevel.documents.names import named
from armlevel.fleet.database import Store, default_place, open_store
from armlevel.fleet.writing import Request, new_request

__all__ = ["place_named", "request_now", "store_named"]


def place_named(fleet: str) -> str:
    """Return where a store is: as it was named, else ARMLEVEL_FLEET, else in the user's state directory."""
    return fleet or default_place(os.environ)


def store_named(fleet: str) -> Store:
    """Open the store that was named.

    Raises:
        StoreError: there is none there.

    """
    return open_store(place_named(fleet))


def request_now(actor: str = "") -> Request:
    """Return a request of now; the actor is who is logged in, if nobody is named.

    Raises:
        UsageError: the name has characters that nobody sees.

    """
    if not actor:
        try:
            actor = getpass.getuser()
        except (KeyError, OSError):  # a user without a name
            actor = f"uid {os.getuid()}"
    return new_request(named("--actor", actor))
