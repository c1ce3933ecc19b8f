"""Whether a packed guest CPU may arrive on this host: `python3 armlevel-guard.pyz try [--cache FILE] < packed`.

The destination decides by trying: a scratch VM of this host is made to be that guest, as a VMM would on arrival, and is
read back. No engine, no server, no clock. An answer that was given before in this boot comes out of a file, and imports
next to nothing. Standard library only; whatever goes wrong is *unknown*, and never *runs*.
"""

from __future__ import annotations

import os
import sys

from armlevel import __version__
from armlevel.named import NamedTuple
from armlevel.onefile.answers import Answers, Kept, key_of, state_of
from armlevel.onefile.found import Found, answer_of

TYPE_CHECKING = False  # as type checkers read it

if TYPE_CHECKING:
    from collections.abc import Sequence

    from armlevel.onefile.codes import Answer
    from armlevel.onefile.rows import Rows

__all__ = ["Tried", "main", "tried"]

_HELP = """\
usage: armlevel-guard try [--cache FILE] [--emulator PROGRAM] < PACKED

Tries a packed guest CPU on this host's KVM, in scratch VMs only, and prints the answer as one line of JSON.
Exit: 0 it runs here, 1 it is refused, 3 it cannot be said, 2 bad usage.

      --cache FILE        keep the answer there, and take one that holds from there
      --emulator PROGRAM  the VMM that would restore the guest, as /usr/bin/qemu-system-aarch64
"""
_EXIT: dict[Answer, int] = {"runs": 0, "refused": 1, "unknown": 3}
_BAD_USAGE = 2
_LONGEST = 1 << 16
# What says nothing of the guest and the host, but of this moment, or of this program.
_PASSING = ("kvm-failed", "no-such-guest", "unknown-packing")


class Tried(NamedTuple):
    """What trying said.

    ``digest``  of the guest, as its document has it; None where it could not be read
    ``cached``  whether it was said before, in this boot
    """

    answer: Answer
    findings: tuple[Found, ...] = ()
    digest: str | None = None
    cached: bool = False


def tried(
    text: str,
    *,
    cache: str | os.PathLike[str] | None,
    device: str = "/dev/kvm",
    emulator: str = "",
    owner: int = 0,
) -> Tried:
    """Try a packed guest CPU on this host, or say again what was found of it in this boot.

    ``emulator`` is the path of the VMM that would restore it; ``owner`` whose file a cache must be. Nothing is raised.
    """
    text = text[: _LONGEST + 1].strip()
    try:
        answers = _answers(cache, owner)
        key = key_of(text, emulator)
        if answers is not None and (known := answers.get(key)) is not None:
            return Tried(known.answer, known.findings, known.digest, cached=True)
        fresh = _fresh(text, device, emulator)
        passing = any(one.code in _PASSING for one in fresh.findings)
        if answers is not None and fresh.digest is not None and not passing:
            answers.keep(key, Kept(fresh.digest, fresh.findings))
    except Exception as exc:  # noqa: BLE001 - a guard that fails must not end what it guards
        return Tried("unknown", (Found("kvm-failed", "unknown", type(exc).__name__, host=str(exc)[:200]),))
    return fresh


def _answers(cache: str | os.PathLike[str] | None, owner: int) -> Answers | None:
    state = state_of() if cache is not None else None
    return None if cache is None or state is None else Answers(cache, state, _release(), owner=owner)


def _release() -> str:
    # This program: its version, and where it is packed its own bytes.
    try:
        from armlevel.onefile.release import RELEASE  # type: ignore[import-not-found,unused-ignore]  # only in the one-file guard
    except ImportError:
        return f"armlevel {__version__}"
    return str(RELEASE)


def _fresh(text: str, device: str, emulator: str) -> Tried:
    from armlevel.documents.packed import digest_of, unpack
    from armlevel.errors import BadDocument, KvmError, UnknownPacking
    from armlevel.kvm.device import Kvm
    from armlevel.onefile.arrival import arrival
    from armlevel.onefile.here import read_here

    try:
        guest = unpack(text)
    except UnknownPacking as exc:
        return _unknown(Found("unknown-packing", "unknown", "packing", exc.version))
    except BadDocument as exc:
        return _unknown(Found("no-such-guest", "unknown", "packing", exc.faults[0][:200]))
    digest = digest_of(guest)
    try:
        with Kvm(device) as kvm:
            findings = arrival(kvm, guest, _rows(), read_here(emulator))
    except KvmError as exc:
        said = Found("kvm-failed", "unknown", exc.subject or "KVM", host=str(exc)[:200])
        return Tried("unknown", (said,), digest)
    return Tried(answer_of(findings), findings, digest)


def _unknown(found: Found) -> Tried:
    return Tried("unknown", (found,))


def _rows() -> Rows:
    try:
        from armlevel.onefile.compiled import ROWS  # type: ignore[import-not-found,unused-ignore]  # only in the one-file guard
    except ImportError:
        from armlevel.arch import load
        from armlevel.onefile.rows import rows_of

        return rows_of(load())
    rows: Rows = ROWS
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Try what comes in on standard input; print the answer as JSON, and return it as a status."""
    import getopt
    import json

    try:
        options, rest = getopt.gnu_getopt(
            list(sys.argv[1:] if arguments is None else arguments), "h", ["cache=", "emulator=", "help"]
        )
    except getopt.GetoptError as exc:
        print(f"armlevel-guard try: {exc}", file=sys.stderr)
        return _BAD_USAGE
    given = dict(options)
    if "-h" in given or "--help" in given:
        print(_HELP, end="")
        return 0
    if rest:
        print(f"armlevel-guard try: {rest[0]}: the packed guest is read from standard input", file=sys.stderr)
        return _BAD_USAGE
    try:
        # A program that was started without them has neither.
        text = b"" if sys.stdin is None else sys.stdin.buffer.read(_LONGEST + 1)
        said = tried(
            text.decode("ascii", "replace"), cache=given.get("--cache"), emulator=given.get("--emulator", "")
        )
        if sys.stdout is not None:
            print(
                json.dumps({**said._asdict(), "findings": [one._asdict() for one in said.findings]}),
                flush=True,
            )
    except OSError as exc:
        print(f"armlevel-guard try: the answer cannot be said: {exc.strerror or exc}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python complains about it once more at its end
        return _BAD_USAGE
    return _EXIT[said.answer]


if __name__ == "__main__":
    sys.exit(main())
