"""Where a profile comes from, as data: hosts by digest, and what a person said of them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Given", "Origin"]


@dataclass(frozen=True, slots=True)
class Origin:
    """A host that a profile was levelled for; its digest, None if the host was not at hand."""

    name: str
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """A fact that a person supplied for hosts of which it is not recorded: a number, or the kernel's release."""

    host: str
    fact: str
    value: int | str

    def __str__(self) -> str:
        return f"{self.host}:{self.fact}={self.value}"
