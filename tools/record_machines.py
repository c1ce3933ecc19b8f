#!/usr/bin/env python3
r"""Turn a recording of a real machine (anything an importer knows) into a host profile that can ship.

    tools/record_machines.py fingerprint.json --name graviton3@6.18 --source "where it came from, its licence" \\
        --fact cntfrq_hz=1050000000 "where that came from" -o src/armlevel/machines/graviton3-6.18.json

A fact without a source is refused: a profile that ships says where everything in it was read.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from armlevel import __version__
from armlevel.arch import load as load_catalogue
from armlevel.documents import host_object, load, pretty, replace_file
from armlevel.errors import ArmlevelError, UsageError
from armlevel.profile import Facts, Host, Made

FACTS = ("cntfrq_hz", "dczid", "gmid", "page_size")


def recorded(path: str, name: str, source: str, given: list[list[str]]) -> Host:
    """Return the host of one recording under ``name``, with ``facts`` as (NAME=VALUE, source) pairs."""
    host = load(path)
    if not isinstance(host, Host):
        raise UsageError(f"{path}: is no recording of a host")
    facts, sources = {}, {}
    for fact, where in given:
        key, _, value = fact.partition("=")
        if key not in FACTS or not where:
            raise UsageError(f"--fact {fact}: needs one of {', '.join(FACTS)} and a source")
        facts[key], sources[key] = int(value, 0), where
    made = Made(f"armlevel {__version__}", load_catalogue().version, source=source)
    return replace(host, name=name, made=made, facts=Facts(**facts, sources=sources) if facts else host.facts)


def main() -> int:
    """Record one machine."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recording")
    parser.add_argument("--name", required=True)
    parser.add_argument("--source", required=True, help="where the recording came from, and its licence")
    parser.add_argument("--fact", nargs=2, action="append", default=[], metavar=("NAME=VALUE", "SOURCE"))
    parser.add_argument("-o", "--output", required=True, type=Path)
    options = parser.parse_args()
    try:
        host = recorded(options.recording, options.name, options.source, options.fact)
        replace_file(str(options.output), pretty(host_object(host)))
    except ArmlevelError as exc:
        print(exc, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
