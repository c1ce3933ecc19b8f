"""XML as libvirt writes it: which element a text opens with, and the whole of it."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, ParseError, fromstring

from armlevel.errors import BadDocument

__all__ = ["parsed", "root_of"]

_TAG = re.compile(r"<([A-Za-z_][\w.:-]{0,60})(?=[\s/>])")
_SPACE = re.compile(r"\s*")


def root_of(text: str) -> str:
    """Return the name of the first element of a text; empty if it opens with none.

    >>> root_of("<?xml version='1.0'?> <!-- a --><!-- b --> <domain type='kvm'/>"), root_of("x")
    ('domain', '')
    """
    at = _after_space(text, 1 if text.startswith("\N{ZERO WIDTH NO-BREAK SPACE}") else 0)
    while text.startswith(("<?", "<!--"), at):
        end = "?>" if text.startswith("<?", at) else "-->"
        found = text.find(end, at)
        if found < 0:
            return ""
        at = _after_space(text, found + len(end))
    match = _TAG.match(text, at)
    return match[1] if match else ""


def parsed(text: str, path: str, what: str) -> Element:
    """Return the element that a text is.

    Raises:
        BadDocument: it is no well-formed XML, or declares a document type.

    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise BadDocument(
            path, ("it declares a document type, which libvirt never writes",), hint=f"{what} was expected"
        )
    try:
        return fromstring(text)  # noqa: S314 - a text without declarations has no entities to expand
    except ParseError as exc:
        raise BadDocument(path, (f"no well-formed XML: {exc}",), hint=f"{what} was expected") from exc
    except (ValueError, RecursionError) as exc:
        raise BadDocument(path, ("no well-formed XML",), hint=f"{what} was expected") from exc


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
