"""Why a host could not be collected, and what to do, in words."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["FAILURES", "failure_text"]

#: Code -> what is so, and the remedy; ``{name}``, ``{reach}`` (typed behind ssh) and ``{detail}`` stand in both.
FAILURES: Mapping[str, tuple[str, str]] = {
    "unreachable": ("ssh does not reach it: {detail}", "is it up? ssh {reach} true"),
    "login": (
        "ssh gets there, and is not let in: {detail}",
        "give the key or user in ~/.ssh/config, or to ssh-agent; then ssh {reach} true",
    ),
    "host-key": (
        "its SSH host key is not the one that is known, or none is: {detail}",
        "compare the key with the host's own, then enter it in known_hosts: ssh {reach}",
    ),
    "no-python": (
        "there is no python3: {detail}",
        "install Python 3.10 or newer there, or name one with --python",
    ),
    "old-python": (
        "its python3 is {detail}, and 3.10 is the oldest that will do",
        "name a newer one that is there with --python, as --python python3.11",
    ),
    "not-arm": ("{detail}", "leave it out: only 64-bit Arm hosts have Arm guests"),
    "no-kvm": (
        "{detail}",
        "load KVM there, or leave the host out; sudo dmesg | grep -i kvm on it says why there is none",
    ),
    "permission": ("{detail}", "--become sudo, or put the user into the group that owns /dev/kvm there"),
    "sudo": (
        "sudo does not do it without a password: {detail}",
        "let the user run python3 with NOPASSWD in sudoers there, or collect as a user in the group of /dev/kvm",
    ),
    "timed-out": (
        "it did not end within {detail} seconds",
        "is it under load? collect it again with a longer --timeout",
    ),
    "bad-output": (
        "what it answered is no whole profile: {detail}",
        "does its shell print or end early? ssh {reach} true should print nothing",
    ),
    "probe": (
        "its KVM could not be read: {detail}",
        "run armlevel probe on the host, and report what it says",
    ),
    "not-loaded": (
        "its Python cannot run the probe: {detail}",
        "name another one that is there with --python",
    ),
    "not-ssh": (
        "the inventory reaches it by {detail}, not by ssh",
        "run armlevel probe -o {name}.json there, and add the file",
    ),
    "not-taken": ("the fleet does not take its profile: {detail}", "mend that, and collect it again"),
}


def failure_text(code: str, values: Mapping[str, str]) -> tuple[str, str]:
    """Return what is so, and what to do.

    >>> failure_text("timed-out", {"name": "n1", "reach": "n1", "detail": "120"})[0]
    'it did not end within 120 seconds'
    """
    sentence, remedy = FAILURES[code]
    return sentence.format(**values).removesuffix(": "), remedy.format(**values)
