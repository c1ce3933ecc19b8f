"""What a domain's XML says about its guest CPU: armlevel's elements in libvirt's `<metadata>`, and Nova's traits.

One element a namespace, because libvirt keeps one of each: the guest CPU (it travels with every migration, save and
restore), and an override. Domain XML comes from other hosts, so it is read as hostile: no document type, no entities,
and no more than libvirt itself would send. Source: libvirt docs/formatdomain.rst (General metadata),
src/conf/domain_conf.c (virDomainObjSetMetadata); Nova nova/virt/libvirt/config.py (LibvirtConfigGuestMetaNovaFlavor).
The hook imports this at each call for a marked guest, and so it does without dataclasses, datetime, re and typing,
whose imports cost more than all that is done here.
"""

from __future__ import annotations

from xml.parsers import expat

from armlevel.errors import InputError
from armlevel.named import NamedTuple

TYPE_CHECKING = False  # as type checkers read it

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Literal

    Unknown = Literal["warn", "refuse", "let"]

__all__ = [
    "GUEST_URI",
    "KEY",
    "MOST_XML",
    "OVERRIDE_URI",
    "BadDomain",
    "DomainMarks",
    "GuestMark",
    "Override",
    "guest_element",
    "override_element",
    "read_domain",
    "read_time",
    "written_time",
]

#: The namespaces of the two elements, and the prefix that both are shown with.
GUEST_URI = "https://armlevel.dev/guest/1"
OVERRIDE_URI = "https://armlevel.dev/override/1"
KEY = "armlevel"

#: Twice the longest string that libvirt sends to another libvirt (src/remote/remote_protocol.x, REMOTE_STRING_MAX).
MOST_XML = 8 << 20
MOST_PACKED = 64 << 10
MOST_REASON = 500
_MOST_TRAITS = 200

_NOVA = "http://openstack.org/xmlns/libvirt/nova/"
_TRAIT, _TRAIT_PREFIX = "trait:", "CUSTOM_ARMLEVEL_"
_MOST_TRAIT = 240
_DIGEST = "sha256:"
_DIGITS, _HEXADECIMAL = "0123456789", "0123456789abcdef"
_CAPITALS, _SMALL = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
_MOST_WORD = 200
_UNTIL = "%Y-%m-%dT%H:%M:%SZ"

_UNKNOWN: Mapping[str, Unknown] = {"warn": "warn", "refuse": "refuse", "let": "let"}
_BREAKS = {"no": False, "yes": True}


class BadDomain(InputError):
    """The text is no domain XML that libvirt would write."""


class GuestMark(NamedTuple):
    """The guest CPU that a domain holds; what is not as it should be is None, and never taken for something."""

    packed: str | None
    digest: str | None
    known: str | None
    pool: str | None = None
    level: str | None = None
    unknown: Unknown = "warn"


class Override(NamedTuple):
    """A person's word that a move may be made all the same, until a time, for a reason."""

    until: datetime
    reason: str
    breaks: bool = False

    def holds(self, now: datetime) -> bool:
        """Return whether it has not ended."""
        return now < self.until


class DomainMarks(NamedTuple):
    """What was found in one domain's XML; ``unread`` names the elements of ours that say nothing that can be used."""

    name: str | None = None
    uuid: str | None = None
    emulator: str | None = None
    guest: GuestMark | None = None
    override: Override | None = None
    traits: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def read_domain(xml: bytes, where: str = "domain XML") -> DomainMarks:
    """Read the XML of one domain.

    Raises:
        BadDomain: it is too large, not well-formed, declares a document type, or is no domain.

    >>> read_domain(b"<domain><name>web-1</name></domain>").name
    'web-1'
    """
    if len(xml) > MOST_XML:
        raise BadDomain(where, f"it has {len(xml)} bytes, and no domain has more than {MOST_XML}")
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(xml, True)  # noqa: FBT003 - expat takes it by place
    except expat.ExpatError as exc:
        raise BadDomain(where, f"it is not well-formed XML: {exc}") from exc
    except (LookupError, UnicodeError, ValueError) as exc:  # an encoding that Python lacks, or that is none
        raise BadDomain(where, "its encoding cannot be read") from exc
    except _Doctype as exc:
        raise BadDomain(where, "it declares a document type, which no domain has") from exc
    if not reader.is_domain:
        raise BadDomain(where, "it is no domain")
    return reader.marks()


class _Doctype(Exception):
    # Ends the parser; nobody else sees it.
    pass


def _no_doctype(*_what: object) -> None:
    raise _Doctype


class _Reader:
    # Keeps the way from the root to the element it is in, down to the depth that anything of ours can have.
    def __init__(self) -> None:
        self.way: list[str] = []
        self.deeper = 0
        self.is_domain = False
        self.words: dict[str, str] = {}
        self.guest: dict[str, str] | None = None
        self.override: dict[str, str] | None = None
        self.traits: list[str] = []
        self.unread: set[str] = set()
        self.pieces: list[str] = []
        self.trait = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self.deeper or len(self.way) == _DEEPEST:
            self.deeper += 1
            return
        if self.way[2:] and self._at("domain", "metadata", f"{GUEST_URI} guest"):
            self.unread.add("guest")  # a packed guest has no elements in it
        self.way.append(name)
        self.pieces.clear()
        if len(self.way) == 1:
            self.is_domain = name == "domain"
        elif self._at("domain", "metadata", f"{GUEST_URI} guest"):
            self.unread |= {"guest"} if self.guest is not None else set()
            self.guest = dict(attributes)
        elif self._at("domain", "metadata", f"{OVERRIDE_URI} override"):
            self.unread |= {"override"} if self.override is not None else set()
            self.override = dict(attributes)
        elif self._in_nova():
            self.trait = attributes.get("name", "")

    def text(self, text: str) -> None:
        if not self.deeper:
            self.pieces.append(text)

    def end(self, _name: str) -> None:
        if self.deeper:
            self.deeper -= 1
            return
        text = "".join(self.pieces)
        if self._at("domain", "metadata", f"{GUEST_URI} guest") and self.guest is not None:
            self.guest[""] = text
        elif self._in_nova() and (trait := _trait(self.trait)) and text.strip() == "required":
            self.traits += [trait] if len(self.traits) < _MOST_TRAITS else []
        elif tuple(self.way) in _WORDS:
            self.words.setdefault(_WORDS[tuple(self.way)], text.strip())
        self.way.pop()
        self.pieces.clear()

    def _at(self, *way: str) -> bool:
        return tuple(self.way) == way

    def _in_nova(self) -> bool:
        if len(self.way) != _DEEPEST or self.way[:2] != ["domain", "metadata"]:
            return False
        ends = [name.rpartition(" ")[2] for name in self.way[2:]]
        return ends == _NOVA_WAY and all(name.startswith(_NOVA) for name in self.way[2:])

    def marks(self) -> DomainMarks:
        guest = None if self.guest is None else _guest(self.guest)
        override = None if self.override is None else _override(self.override)
        if (
            guest is not None and "guest" in self.unread
        ):  # two of them, or what is none: nothing is taken from it
            guest = GuestMark(packed=None, digest=None, known=None, unknown=guest.unknown)
        if guest is not None and (guest.packed is None or guest.digest is None):
            self.unread.add("guest")
        if self.override is not None and (override is None or "override" in self.unread):
            self.unread.add("override")
            override = None
        return DomainMarks(
            name=self.words.get("name"),
            uuid=self.words.get("uuid"),
            emulator=self.words.get("emulator"),
            guest=guest,
            override=override,
            traits=tuple(dict.fromkeys(self.traits)),
            unread=tuple(sorted(self.unread)),
        )


_NOVA_WAY = ["instance", "flavor", "extraSpecs", "extraSpec"]
_DEEPEST = 2 + len(_NOVA_WAY)
_WORDS = {
    ("domain", "name"): "name",
    ("domain", "uuid"): "uuid",
    ("domain", "devices", "emulator"): "emulator",
}


def _guest(attributes: Mapping[str, str]) -> GuestMark:
    packed = attributes.get("", "").strip()
    return GuestMark(
        packed=packed if len(packed) <= MOST_PACKED and _is_packed(packed) else None,
        digest=_digest(attributes.get("digest", "")),
        known=_word(attributes.get("known", "")),
        pool=_word(attributes.get("pool", "")),
        level=_word(attributes.get("level", "")),
        unknown=_UNKNOWN.get(attributes.get("unknown", ""), "warn"),
    )


def _override(attributes: Mapping[str, str]) -> Override | None:
    breaks = _BREAKS.get(attributes.get("breaks", "no"))
    reason = attributes.get("reason", "").strip()
    until = read_time(attributes.get("until", ""))
    if until is None or breaks is None or not reason or len(reason) > MOST_REASON or not reason.isprintable():
        return None
    return Override(until=until, reason=reason, breaks=breaks)


def read_time(text: str) -> datetime | None:
    """Return a time in UTC, to the second; None for what is none.

    >>> read_time("2026-11-30T22:00:00Z") == read_time("yesterday")
    False
    """
    from datetime import datetime, timezone

    try:
        return datetime.strptime(text, _UNTIL).replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def written_time(at: datetime) -> str:
    """Return a time as :func:`read_time` reads it."""
    from datetime import timezone

    return at.astimezone(timezone.utc).strftime(_UNTIL)


def _only(text: str, characters: str) -> bool:
    return bool(text) and not text.strip(characters)


def _digest(text: str) -> str | None:
    digits = text.removeprefix(_DIGEST)
    whole = len(digits) == 64 and len(text) == len(_DIGEST) + 64
    return text if whole and _only(digits, _HEXADECIMAL) else None


def _word(text: str) -> str | None:
    letters = _CAPITALS + _SMALL + _DIGITS
    whole = _only(text[:1], letters) and _only(text, letters + "._:@/+-")
    return text if whole and len(text) <= _MOST_WORD else None


def _trait(text: str) -> str | None:
    name = text.removeprefix(_TRAIT)
    own = name.removeprefix(_TRAIT_PREFIX)
    whole = len(text) == len(_TRAIT) + len(_TRAIT_PREFIX) + len(own)
    return name if whole and len(own) <= _MOST_TRAIT and _only(own, _CAPITALS + _DIGITS + "_") else None


def _is_packed(text: str) -> bool:
    # Words of printable ASCII; libvirt may have broken the lines between them.
    return text.isascii() and "".join(text.split()).isprintable() and bool(text)


def guest_element(mark: GuestMark, *, named: bool = True) -> str:
    """Return the element for a guest CPU; without its namespace (``named``) as `virsh metadata --set` wants it.

    >>> guest_element(GuestMark(packed="1:abc", digest="sha256:" + "0" * 64, known="idregs"), named=False)[
    ...     :27
    ... ]
    '<guest digest="sha256:00000'
    """
    if mark.packed is None or mark.digest is None or mark.known is None:
        raise ValueError("a guest is written whole or not at all")
    attributes = {"digest": mark.digest, "known": mark.known, "pool": mark.pool, "level": mark.level}
    if mark.unknown != "warn":
        attributes["unknown"] = mark.unknown
    return _element("guest", GUEST_URI if named else None, attributes, mark.packed)


def override_element(override: Override, *, named: bool = True) -> str:
    """Return the element for an override; without its namespace (``named``) as `virsh metadata --set` wants it."""
    attributes = {
        "until": written_time(override.until),
        "breaks": "yes" if override.breaks else "no",
        "reason": override.reason,
    }
    return _element("override", OVERRIDE_URI if named else None, attributes, "")


def _element(name: str, uri: str | None, attributes: Mapping[str, str | None], text: str) -> str:
    prefix, declared = ("", "") if uri is None else (f"{KEY}:", f' xmlns:{KEY}="{uri}"')
    told = "".join(f' {key}="{_quoted(value)}"' for key, value in attributes.items() if value is not None)
    inside = f">{_quoted(text)}</{prefix}{name}>" if text else "/>"
    return f"<{prefix}{name}{declared}{told}{inside}"


def _quoted(text: str) -> str:
    for one, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(one, written)
    return text
