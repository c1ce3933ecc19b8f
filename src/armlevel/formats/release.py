"""The kernel's release, where a line of a file tells it."""

from __future__ import annotations

import re

__all__ = ["kernel_in", "release_of"]

_RELEASE = r"\d{1,3}\.\d{1,4}[0-9A-Za-z.+_~-]{0,100}"
# /proc/version, the first line of dmesg, `uname -a`.
_LINE = re.compile(
    rf"\s{{0,8}}(?:\[[\d. ]{{1,20}}\]\s{{0,4}})?Linux (?:version |\S{{1,64}} )({_RELEASE})(?: .*)?"
)
_ALONE = re.compile(_RELEASE)


def kernel_in(line: str) -> str:
    """Return the kernel's release that a line of /proc/version, dmesg or ``uname -a`` tells; empty if it tells none.

    >>> (
    ...     kernel_in("Linux version 6.8.0-31-generic (buildd@bos03) (gcc 13) #31-Ubuntu SMP"),
    ...     kernel_in("Linux n1 6.1.0-50 #1"),
    ... )
    ('6.8.0-31-generic', '6.1.0-50')
    >>> kernel_in("Linux"), kernel_in("processor : 0")
    ('', '')
    """
    if "Linux" not in line[:40]:
        return ""
    match = _LINE.fullmatch(line[:1000].rstrip())
    return match[1] if match else ""


def release_of(text: str) -> str:
    """Return the release that a text is, or tells as a whole line; empty if it does neither.

    >>> release_of("6.17.0"), release_of("Linux version 6.17.0-rc1 (x)"), release_of("hello")
    ('6.17.0', '6.17.0-rc1', '')
    """
    text = text.strip()
    if len(text) < 110 and _ALONE.fullmatch(text):
        return text
    return kernel_in(text)
