"""Runs inside an emulated host: the last step of `armlevel run`, on a configuration that was made elsewhere."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, "/job")

from armlevel.errors import ArmlevelError
from armlevel.preload.launch import Starts, launch
from armlevel.preload.start import execute


def main(config: str, log: str, dump: str, *command: str) -> int | str:
    place = Path(os.environ.pop("LIBRARY", "/job/libarmlevel.so"))
    starts = Starts(**json.loads(os.environ.pop("STARTS", json.dumps({"program": command[0]}))))
    try:
        data = Path(config).read_bytes()
        profile = "sha256:profile"
        what = launch(
            command, data, os.environ, log=log, dump=dump, place=place, profile=profile, starts=starts
        )
        return execute(what, os.environ)
    except ArmlevelError as exc:
        return f"armlevel: {exc}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
