"""What brings a guest CPU about, the cheapest first, and options of released VMMs that leave something out of it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Means", "Switch"]


@dataclass(frozen=True, slots=True)
class Means:
    """A means, and the families of VMMs that have it."""

    name: str
    families: tuple[str, ...]
    why: str
    see: str = ""


@dataclass(frozen=True, slots=True)
class Switch:
    """An option that changes one thing of a passthrough guest.

    ``option``      as QEMU's ``-cpu`` takes it, ``{}`` standing for a version or a length;  ``vmms``  who has it
    ``feature``     of the shape, left out;  ``capability``  of KVM, not used;  ``firmware``  register, a version of it
    ``lengths``     vectors of this length and longer, left out;  ``gives``  a feature that no guest has unasked
    ``worth``       what a guest loses by it, the larger the more
    ``libvirt``, ``nova``   the same in their words, empty where they have none;  ``loses``  what a guest then lacks
    """

    option: str
    vmms: tuple[str, ...]
    feature: str = ""
    capability: str = ""
    firmware: str = ""
    lengths: bool = False
    gives: str = ""
    worth: int = 0
    libvirt: str = ""
    nova: str = ""
    loses: str = ""
    see: str = ""

    def written(self, value: str = "") -> str:
        """Return the option with its value.

        >>> Switch("sve{}=off", ("kvm",), lengths=True).written("256")
        'sve256=off'
        """
        return self.option.format(value)

    def value_in(self, text: str) -> str | None:
        """Return what stands in the place of ``{}`` in an option as it was written; None if it is another option."""
        before, hole, after = self.option.partition("{}")
        if not hole:
            return "" if text == before else None
        inner = text[len(before) : len(text) - len(after)]
        return inner if text.startswith(before) and text.endswith(after) and inner else None
