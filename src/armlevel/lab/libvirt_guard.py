"""armlevel's guard in an emulated host, as its package lays it down, and the marks of a domain that it reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib import resources

from armlevel.arch import load
from armlevel.documents.packed import digest_of, pack
from armlevel.engine.moves.switches import switches_named, under
from armlevel.engine.passthrough import passthrough
from armlevel.errors import LabError, UsageError
from armlevel.formats import read_request
from armlevel.lab.collector import pack_guard
from armlevel.lab.libvirt_host import Domain, LibvirtHost, Said
from armlevel.lab.session import Refused
from armlevel.onefile.metadata import (
    GUEST_URI,
    KEY,
    OVERRIDE_URI,
    GuestMark,
    Override,
    guest_element,
    override_element,
)
from armlevel.profile import Guest, Host

__all__ = ["HOOK", "PROGRAM", "born_on", "install_guard", "mark_domain", "override_domain", "unmark_domain"]

PROGRAM = "/usr/lib/armlevel/armlevel-guard.pyz"
HOOK = "/etc/libvirt/hooks/qemu.d/50-armlevel"
_STATE = "/var/lib/armlevel"
_PATIENCE = "timeout -s KILL 2"
_SOURCES = "/usr/lib/armlevel/source"
# What tools/make_guard.py does with the Pythons of the machine that builds the package.
_BUILD = """
import compileall, pathlib, py_compile, sys, zipfile
source, target = map(pathlib.Path, sys.argv[1:])
mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
if not compileall.compile_dir(source, quiet=1, legacy=True, optimize=1, invalidation_mode=mode):
    sys.exit("the guard does not compile")
with zipfile.ZipFile(target, "w") as archive:
    for file in sorted(source.rglob("*.pyc")):
        archive.write(file, file.relative_to(source))
"""
_VMM = "qemu-11.1"  # the one that has all switches


def install_guard(host: LibvirtHost) -> None:
    """Lay the guard down in a host, before libvirt starts there; its program with bytecode of the host's Python."""
    files = {f"{_SOURCES}/{path}": data.decode() for path, data in pack_guard().items()}
    host.session.ask("files", files={**files, HOOK: hook_text()})
    for command in (
        ("python3", "-I", "-c", _BUILD, _SOURCES, PROGRAM),
        ("chmod", "755", HOOK, "/usr/lib/armlevel", "/etc/libvirt/hooks", "/etc/libvirt/hooks/qemu.d"),
        ("mkdir", "-p", "-m", "755", _STATE),
    ):
        said = host.run(*command)
        if said.status:
            raise Refused(f"the guard is not installed: {said.words}")


def hook_text() -> str:
    """Return libvirt's hook, with more patience: its two seconds are minutes on an emulated host that is busy."""
    text = resources.files("armlevel.onefile").joinpath("qemu-hook.sh").read_text(encoding="utf-8")
    if _PATIENCE not in text:
        raise LabError("libvirt's hook does not bound what it starts as the lab knows it")
    return text.replace(_PATIENCE, f"{_PATIENCE}00")


def born_on(host: Host, switches: str, domain: Domain) -> Guest:
    """Return what the guest of a domain holds that was started on a host: its passthrough CPU under these switches."""
    catalogue = load()
    asked = switches_named(switches, _VMM, catalogue)
    shown = under(host, asked, "qemu", catalogue) if asked else host
    request = read_request(domain.xml().encode(), domain.name)
    if shown is None or request is None:
        raise UsageError(f"{host.name} was not recorded under {switches}")
    return passthrough(shown, catalogue, vmm="qemu", machine=request.machine)


def mark_domain(host: LibvirtHost, name: str, guest: Guest, known: str) -> None:
    """Write a guest CPU into a running domain's metadata, as `armlevel guests --stamp` does."""
    mark = GuestMark(packed=pack(guest), digest=digest_of(guest), known=known)
    _set(host, name, GUEST_URI, guest_element(mark, named=False))


def override_domain(host: LibvirtHost, name: str, reason: str, *, breaks: bool, hours: int = 2) -> None:
    """Write a person's override into a running domain's metadata, as `armlevel override` does."""
    until = datetime.now(UTC) + timedelta(hours=hours)
    text = override_element(Override(until=until, reason=reason, breaks=breaks), named=False)
    _set(host, name, OVERRIDE_URI, text)


def unmark_domain(host: LibvirtHost, name: str) -> None:
    """Take both marks from a running domain."""
    for uri in (GUEST_URI, OVERRIDE_URI):
        host.virsh("metadata", name, "--uri", uri, "--remove", "--live", "--config")


def _set(host: LibvirtHost, name: str, uri: str, element: str) -> None:
    words = ("metadata", name, "--uri", uri, "--key", KEY, "--set", element, "--live", "--config")
    said: Said = host.virsh(*words)
    if said.status:
        raise Refused(f"libvirt does not take the mark: {said.words}")
