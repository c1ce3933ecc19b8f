"""Every exception armlevel raises on purpose.

::

    ArmlevelError
    ├── TableError         a row of ``arch/data`` contradicts itself or another row
    ├── UnknownName        no such register, field, feature, shape or host
    ├── LabError           an emulated host could not be made, booted or asked
    ├── UsageError         a question that cannot be asked this way (zero hosts, two policies that exclude each other)
    ├── NotRecorded        a question whose answer hangs on something that nobody recorded: it cannot be said
    ├── StoreError         the fleet store is not there, locked, full, read-only or damaged
    ├── KvmError           KVM is not there, or refused a call; it names call, register and errno
    └── InputError         a file that is not what it should be
        ├── UnreadableFile     missing, a directory without profiles, too large, a symlink loop, not text
        ├── NotRecognised      no document of ours and no format we import
        └── BadDocument        recognised, but with faults; it lists all of them
            ├── OtherDocument      recognised as what is neither a host nor a guest nor a verdict
            └── UnknownPacking     a packed guest CPU that another armlevel wrote in another way

An incompatibility between a guest and a host is an answer, never an exception.
"""

from __future__ import annotations

__all__ = [
    "ArmlevelError",
    "BadDocument",
    "InputError",
    "KvmError",
    "LabError",
    "NotRecognised",
    "NotRecorded",
    "OtherDocument",
    "StoreError",
    "TableError",
    "UnknownName",
    "UnknownPacking",
    "UnreadableFile",
    "UsageError",
]


_MOST_FAULTS = 100


class ArmlevelError(Exception):
    """What happened, in one sentence, and what a person can do about it.

    >>> str(ArmlevelError("no permission to open /dev/kvm", hint="add the user to group kvm"))
    'no permission to open /dev/kvm; add the user to group kvm'
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Keep the sentence and the hint apart, so that each face can set them as it likes."""
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """Return the sentence, then the hint."""
        return f"{self.message}; {self.hint}" if self.hint else self.message


class TableError(ArmlevelError):
    """The rows of ``arch/data`` do not prove whole; ``faults`` has every sentence."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        """Keep all faults; the first stands for them in the message."""
        first = faults[0] if faults else "no fault given"
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(f"the table of facts is not whole: {first}{more}", hint="run tools/compile_rows.py")
        self.faults = faults


class UnknownName(ArmlevelError):
    """A name that no row has; ``near`` holds the closest ones that exist."""

    def __init__(self, what: str, name: str, near: tuple[str, ...] = ()) -> None:
        """Say which kind of name (``what``) was asked for, and what may have been meant."""
        hint = f"did you mean {' or '.join(near)}?" if near else ""
        super().__init__(f"no {what} is called {name!r}", hint=hint)
        self.what, self.name, self.near = what, name, near


class UsageError(ArmlevelError):
    """A question that has no meaning as asked."""


class NotRecorded(ArmlevelError):
    """A question whose answer hangs on something that nobody recorded; the exit status of a command is 3."""


class LabError(ArmlevelError):
    """An emulated host could not be made, booted or asked."""


class StoreError(ArmlevelError):
    """The fleet store is not there, or does not do what it is asked."""


class KvmError(ArmlevelError):
    """KVM cannot be reached, or refused a call; ``code`` is the errno, ``subject`` the register or capability."""

    def __init__(
        self, message: str, *, code: int = 0, call: str = "", subject: str = "", hint: str = ""
    ) -> None:
        """Keep what was asked, and of what, beside the sentence."""
        super().__init__(message, hint=hint)
        self.code, self.call, self.subject = code, call, subject


class InputError(ArmlevelError):
    """Something is wrong with one input; ``path`` says which."""

    def __init__(self, path: str, message: str, *, hint: str = "") -> None:
        """Put the file's name before the sentence."""
        shown = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in path)
        super().__init__(f"{shown}: {message}", hint=hint)
        self.path = path


class UnreadableFile(InputError):
    """The bytes could not be had at all."""


class NotRecognised(InputError):
    """The bytes are neither a document of ours nor a file an importer knows."""


class BadDocument(InputError):
    """A recognised document with faults; ``faults`` has all of them, each naming its place."""

    def __init__(self, path: str, faults: tuple[str, ...], *, hint: str = "") -> None:
        """Keep all faults; the message lists the first hundred, each on a line of its own."""
        if len(faults) == 1:
            shown = faults[0]
        else:
            more = len(faults) - _MOST_FAULTS
            lines = [*faults[:_MOST_FAULTS], *([f"and {more} more"] if more > 0 else [])]
            shown = f"{len(faults)} faults:" + "".join(f"\n  {line}" for line in lines)
        super().__init__(path, shown, hint=hint)
        self.faults = faults


class OtherDocument(BadDocument):
    """A document whole in itself that is neither a host nor a guest nor a verdict."""


class UnknownPacking(BadDocument):
    """A packed guest CPU whose version is not known here: there is a guest, and nothing is known of it."""

    def __init__(self, path: str, version: str) -> None:
        """Keep the version."""
        fault = f"is of version {version}, which this armlevel does not read"
        super().__init__(path, (fault,), hint="a newer armlevel wrote it")
        self.version = version
