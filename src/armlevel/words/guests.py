"""What `armlevel guests` found, in words."""

from __future__ import annotations

__all__ = ["KNOWN_TEXT", "REMARK_TEXT", "STAMP_TEXT", "remark_text"]

#: How it is known what a guest holds.
KNOWN_TEXT: dict[str, str] = {
    "idregs": "kernel (idregs)",
    "command-line": "command line",
    "own-values": "kernel's own values",
    "stamp": "stamp",
    "any": "any guest of this host",
}

#: What is to be said of a guest besides.
REMARK_TEXT: dict[str, str] = {
    "not-qemu": "its VMM is no QEMU, and takes what it gives its guest over a socket",
    "words-not-read": "the command line of its process could not be read: run this as root",
    "options-elsewhere": "QEMU reads options from a file, or sets properties of the CPU by another road than -cpu",
    "options-not-known": "its command line has options of the CPU or the machine that are not known here",
    "not-of-this-host": "this host's profile offers no guest such as its command line asks for",
    "several-vms": "its process has several VMs, and the command line says of none which it is",
    "idregs-not-known": "the kernel's list of its registers is not as any that is known",
    "domain-not-read": "libvirt's file of its domain could not be read",
    "stamp-not-read": "its stamp is damaged, or another armlevel wrote it in another way",
    "stamp-not-valid": "its stamp is of another guest CPU than it holds",
    "differs-from-command-line": "the kernel shows other registers than its command line gives here",
    "came-by-incoming": "it was not started here: it came by migration, or from a file",
    "came-by-loadvm": "it was not started here: it came from a snapshot",
    "levelled-by-library": "QEMU was started with armlevel's library, which shows it another CPU",
    "memory-not-read": "which libraries are in its process could not be read: run this as root",
    "program-replaced": "the program that runs it was replaced since, so its next start may be another's",
    "apart": "it runs in other namespaces: its files are not those of this host",
}

#: What became of a stamp.
STAMP_TEXT: dict[str, str] = {
    "written": "stamp written",
    "same": "stamped already",
    "removed": "a stamp that is of another guest removed",
    "no-domain": "no domain of libvirt here: not stamped",
    "not-known": "not stamped: nothing is known of it",
    "not-ours": "not stamped: there is a stamp that this armlevel does not read",
    "refused": "not stamped: libvirt refused",
}


def remark_text(code: str) -> str:
    """Return the sentence of a remark."""
    return REMARK_TEXT[code]
