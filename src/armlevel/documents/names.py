"""Names that are identities: of hosts and guests, and of frozen profiles. Standard library only.

A name is compared, shown in tables, put into labels and file names. So it has no character that a person does not see:
no control, no line break, nothing that turns the direction of writing round. All other text of a document is data, and
is made safe where it is shown.
"""

from __future__ import annotations

import re
import unicodedata

from armlevel.errors import UsageError

__all__ = ["FROZEN_NAME", "FROZEN_VERSION", "frozen_called", "named", "visible", "wrong_in"]

#: What a frozen profile may be called. The last hyphen of NAME-VERSION ends the name: a version has none.
FROZEN_NAME = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
FROZEN_VERSION = "^[A-Za-z0-9][A-Za-z0-9._]{0,63}$"

_LONGEST = 4096
# Controls, characters without a width, halves of a character, breaks of lines and paragraphs.
_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


def wrong_in(name: str) -> str:
    r"""Return the first character that is none of a name, as a program writes it; empty if all are.

    >>> wrong_in("n1-03.example"), wrong_in("a\nb"), wrong_in("a\u202eb")
    ('', '\\n', '\\u202e')
    """
    if name.isprintable():
        return ""
    return next((ascii(one)[1:-1] for one in name if unicodedata.category(one) in _UNSEEN), "")


def named(option: str, name: str) -> str:
    """Return a name that a person gave with an option.

    Raises:
        UsageError: it is none.

    """
    if wrong := wrong_in(name):
        raise UsageError(
            f"{option}: {wrong} is no character of a name", hint="give a name of one line of text"
        )
    if len(name) > _LONGEST:
        raise UsageError(f"{option}: a name has {_LONGEST} characters at most, not {len(name)}")
    return name


def visible(text: str) -> str:
    r"""Return text for a document, with what nobody sees written out: paths may hold any bytes.

    >>> visible("host\udcff.json"), visible("a\nb")
    ('host\\udcff.json', 'a\\nb')
    """
    if text.isprintable():
        return text
    return "".join(ascii(one)[1:-1] if unicodedata.category(one) in _UNSEEN else one for one in text)


def frozen_called(name: str, version: str) -> str:
    """Return what the guest of a frozen profile is called, which no other name and version give.

    Raises:
        UsageError: the name or the version is none.

    >>> frozen_called("web-2", "1.4")
    'web-2-1.4'
    """
    for what, text, pattern in (("name", name, FROZEN_NAME), ("version", version, FROZEN_VERSION)):
        if not re.fullmatch(pattern[1:-1], text):
            characters = (
                "letters, digits, '.', '_' and '-'" if what == "name" else "letters, digits, '.' and '_'"
            )
            raise UsageError(
                f"--{what} {ascii(text)[:80]}: the {what} of a frozen profile is 1 to 64 {characters}, "
                "and begins with a letter or digit",
                hint="a hyphen ends the name: write 1.0.rc1" if "-" in text and what == "version" else "",
            )
    return f"{name}-{version}"
