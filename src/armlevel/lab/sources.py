"""Where this machine's own apt gets Debian from: its source lists, in both forms apt reads.

The lab's packages come from the same mirror, so that what a site allows, proxies or mirrors holds for the lab too.
Source: sources.list(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Source", "debian_mirror", "parse_deb822", "parse_one_line"]

# Suites only Debian's main archive has; `-security` lives in an archive of its own, with no kernels we want.
_SUITE = re.compile(
    r"(?:bullseye|bookworm|trixie|forky|duke|sid|unstable|testing|stable|oldstable|oldoldstable)"
    r"(?:-updates|-backports)?"
)
_ONE_LINE = re.compile(r"^\s*deb\s+(?:\[[^\]]*\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s*(?P<rest>[^#]*)")


@dataclass(frozen=True, slots=True)
class Source:
    """One archive address with a suite of it."""

    uri: str
    suite: str
    components: tuple[str, ...]


def parse_one_line(text: str) -> list[Source]:
    """Return the binary sources of a `sources.list`.

    >>> parse_one_line("deb [arch=amd64] http://a.example/debian bookworm main contrib # ours")
    [Source(uri='http://a.example/debian', suite='bookworm', components=('main', 'contrib'))]
    """
    matches = (_ONE_LINE.match(line) for line in text.splitlines())
    return [Source(m["uri"], m["suite"], tuple(m["rest"].split())) for m in matches if m]


def parse_deb822(text: str) -> list[Source]:
    r"""Return the binary sources of a `*.sources` file.

    >>> parse_deb822(
    ...     "Types: deb\nURIs: http://a.example/debian\nSuites: trixie trixie-updates\nComponents: main"
    ... )
    ... # doctest: +ELLIPSIS
    [Source(uri='http://a.example/debian', suite='trixie', components=('main',)), ...]
    """
    sources = []
    for stanza in re.split(r"\n[ \t]*\n", text):
        fields = _stanza(stanza)
        off = fields.get("enabled", "yes").lower() in {"no", "false", "0", "off", "disable", "without"}
        if off or "deb" not in fields.get("types", "").split():
            continue
        parts = tuple(fields.get("components", "").split())
        sources += [
            Source(uri, suite, parts)
            for uri in fields.get("uris", "").split()
            for suite in fields.get("suites", "").split()
        ]
    return sources


def _stanza(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    last = ""
    for line in text.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if line[0] in " \t" and last:
            fields[last] += " " + line.strip()
        elif ":" in line:
            name, _, value = line.partition(":")
            last = name.strip().lower()
            fields[last] = value.strip()
    return fields


def debian_mirror(sources: Iterable[Source]) -> str | None:
    r"""Return the address of Debian's main archive: the first of ``sources`` that has `main` of a suite of Debian.

    >>> debian_mirror(
    ...     parse_one_line("deb http://a.example/tools stable tool\ndeb http://a.example/debian sid main")
    ... )
    'http://a.example/debian'
    """
    for source in sources:
        if (
            _SUITE.fullmatch(source.suite)
            and "main" in source.components
            and not source.uri.startswith("cdrom:")
        ):
            return source.uri.rstrip("/")
    return None
