"""Runs inside an emulated host: the last step of `armlevel run`, on a configuration that was made elsewhere."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, "/job")

from armlevel.errors import ArmlevelError
from armlevel.preload.launch import execute, launch


def main(config: str, log: str, dump: str, *command: str) -> str:
    place = Path(os.environ.get("LIBRARY", "/job/libarmlevel.so"))
    try:
        data = Path(config).read_bytes()
        execute(launch(command, data, os.environ, log=log, dump=dump, place=place), os.environ)
    except ArmlevelError as exc:
        return f"armlevel: {exc}"
    return ""


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
