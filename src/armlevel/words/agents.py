"""Why a host is not known by a key, and why a report is not taken, in words."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["ENROL", "PARTS", "REPORTS", "said"]

#: What a host was refused for, and what to do; ``{detail}``, ``{name}`` and ``{key}`` stand in the answer.
ENROL: Mapping[str, tuple[str, str]] = {
    "no-request": (
        "it is no request of an agent: {detail}",
        "make one on the host: armlevel-agent enrol -o FILE",
    ),
    "signature": ("the signature is not good: {detail}", "make the request anew on the host"),
    "other-key": ("it asks for a key that did not sign it", "make the request anew on the host"),
    "no-proof": (
        "nothing vouches for it; its key is {key}",
        "ask with the SSH host key or a token, or compare the key on the host and enrol it by hand",
    ),
    "unknown-host-key": (
        "the SSH host key that vouches, {detail}, is not known as that of {name}",
        "name the known_hosts file that has it: --known-hosts FILE",
    ),
    "bad-certificate": (
        "the host certificate that vouches is not good for {name}: another authority, name, kind or time",
        "name the known_hosts file that has the @cert-authority, and look at it: ssh-keygen -L -f CERTIFICATE",
    ),
    "unknown-token": (
        "its token is none of this store",
        "make one: armlevel agent token STORE --name PATTERN",
    ),
    "used-token": ("its token was used before", "make another: armlevel agent token STORE --name PATTERN"),
    "late-token": (
        "its token is not valid any more",
        "make another: armlevel agent token STORE --name PATTERN",
    ),
    "other-token": ("its token is for other hosts than {name}", "make one with a pattern that {name} fits"),
    "name-taken": (
        "{name} is known by another key, {detail}, and a token for many hosts takes nobody's place",
        "make a token for this very name, or retire the key that is there",
    ),
    "key-elsewhere": (
        "its key is that of {detail}",
        "a key was copied with an image: remove it on the host, so that the agent makes its own",
    ),
    "given-up-key": (
        "its key was given up",
        "remove it on the host, so that the agent makes another, or enrol it by hand",
    ),
}

#: The same of a report.
REPORTS: Mapping[str, tuple[str, str]] = {
    "no-report": ("it is no report of an agent: {detail}", "look at the spool that it came from"),
    "signature": (
        "the signature is not good: {detail}",
        "it was changed after it was signed, or copied badly",
    ),
    "unknown-key": ("nobody is known by its key, {detail}", "enrol the host: armlevel agent enrol"),
    "given-up-key": ("its key was given up for {name}", "enrol the host again with the key that it has now"),
    "replayed": (
        "this very report was taken before",
        "nothing is to be done if the host has nothing new to say",
    ),
    "older": (
        "a newer report of {name} was taken before",
        "if the host was restored from a copy: remove its agent_key and sent.json, and enrol it again",
    ),
    "older-boot": (
        "it is of a boot that {name} has left",
        "if two hosts have one key: remove it on one, and enrol that again",
    ),
}

#: What became of a file that a report names.
PARTS: Mapping[str, str] = {
    "there": "here already",
    "taken": "taken",
    "wanted": "not here: it is to lie beside the report",
    "refused": "refused: it is not what the report says",
    "not recorded": "not recorded",
}


def said(table: Mapping[str, tuple[str, str]], code: str, details: Mapping[str, str]) -> tuple[str, str]:
    """Return the reason and the remedy of a code, with the details in them.

    >>> said(REPORTS, "replayed", {})[0]
    'this very report was taken before'
    """
    reason, remedy = table[code]
    return reason.format_map(_Details(details)), remedy.format_map(_Details(details))


class _Details(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "this host" if key == "name" else "which is not said"
