"""What a host needs to run libvirt: its daemon, virsh, and the libraries they link to.

Stock packages of Debian 13 for arm64. The monolithic daemon with the QEMU driver alone: no networks, no storage pools.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from armlevel.errors import LabError
from armlevel.lab import cpio
from armlevel.lab.apt import AptRoot, Package
from armlevel.lab.archive import Archive, Found, deb_files
from armlevel.lab.elf import closure
from armlevel.lab.images import write_archive
from armlevel.lab.store import content_key

__all__ = ["libvirt_image", "libvirt_version"]

_ARCH, _SUITES = "arm64", ("trixie",)
_ASKED = ("libvirt-daemon", "libvirt-daemon-driver-qemu", "libvirt-clients")
_PACKAGES = re.compile(r"lib.*|zlib1g")
_LIBRARIES = "usr/lib/aarch64-linux-gnu"
_DRIVERS = f"{_LIBRARIES}/libvirt/connection-driver"
_PROGRAMS = ("libvirtd", "virsh", "libvirt_iohelper")
_RECIPE = "2"
# root alone, nothing asked of the host that an emulated one has not (cgroups, namespaces, a security module), and no
# patience of libvirt's own: an emulated host answers when it can. Sources: libvirt 11.3 src/qemu/qemu.conf.in,
# src/remote/libvirtd.conf.in.
_FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n"
    "libvirt-qemu:x:64055:64055:libvirt:/var/lib/libvirt:/bin/false\n",
    "etc/group": "root:x:0:\nkvm:x:104:\nlibvirt-qemu:x:64055:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "etc/libvirt/qemu.conf": """\
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
keepalive_interval = -1
""",
    "etc/libvirt/libvirtd.conf": """\
listen_tls = 0
listen_tcp = 1
auth_tcp = "none"
auth_unix_rw = "none"
unix_sock_group = "root"
keepalive_interval = -1
""",
    "etc/libvirt/libvirt.conf": """\
uri_default = "qemu:///system"
""",
}


def libvirt_version(archive: Archive) -> str:
    """Return the version of libvirt as the mirror has it, as 11.3.0."""
    return _find(archive).version("libvirt-daemon").partition("-")[0]


def libvirt_image(archive: Archive) -> Path:
    """Return an archive of libvirt's daemon, configured for an emulated host; `/etc/libvirt` has no `host_uuid` yet."""
    found = _find(archive)

    def make(place: Path) -> None:
        programs: dict[str, bytes] = {}
        libraries: dict[str, bytes] = {}
        maps: list[cpio.Entry] = []
        with archive.files(found, place) as debs:
            for deb in debs.values():
                _collect(deb, programs, libraries, maps)
        if lacking := [name for name in _PROGRAMS if not any(path.endswith(f"/{name}") for path in programs)]:
            raise LabError(f"the packages of libvirt hold no {', '.join(lacking)}")
        wanted: dict[str, bytes] = {}
        for data in programs.values():
            linked, missing = closure(data, libraries)
            if missing:
                raise LabError(f"libvirt needs {', '.join(missing)}, which no package of it has")
            wanted |= linked
        entries = [
            *(cpio.file(path, data, executable=True) for path, data in programs.items()),
            *(cpio.file(f"{_LIBRARIES}/{name}", data, executable=True) for name, data in wanted.items()),
            *(cpio.file(path, text.encode()) for path, text in _FILES.items()),
            *(cpio.directory(path) for path in ("root", "run", "var/lib/libvirt", "var/log/libvirt/qemu")),
            cpio.link("var/run", "/run"),
            *maps,
        ]
        write_archive(place / "libvirt.cpio", entries)

    key = content_key(_RECIPE, found.key, *(part for item in _FILES.items() for part in item))
    return archive.store.entry("libvirt", key, make) / "libvirt.cpio"


def _find(archive: Archive) -> Found:
    def choose(root: AptRoot) -> list[Package]:
        return [package for package in root.closure(_ASKED) if _PACKAGES.fullmatch(package.name)]

    return archive.find("libvirt", _ARCH, _SUITES, choose)


def _collect(
    deb: Path, programs: dict[str, bytes], libraries: dict[str, bytes], maps: list[cpio.Entry]
) -> None:
    links: list[tuple[str, str]] = []
    for member, data in deb_files(deb, _wanted):
        path = member.name if member.name.startswith("usr/") else f"usr/{member.name}"
        name = posixpath.basename(path)
        if path.startswith("usr/share/"):
            maps.append(cpio.file(path, data))
        elif member.issym():
            links.append((name, posixpath.basename(member.linkname)))
        elif name in _PROGRAMS or path.startswith(_DRIVERS):
            programs[path] = data
        else:
            libraries[name] = data
    for name, target in links:
        if target in libraries:
            libraries.setdefault(name, libraries[target])


def _wanted(path: str) -> bool:
    name = posixpath.basename(path)
    if path.startswith("usr/share/"):
        return path.startswith("usr/share/libvirt/cpu_map/")
    return name in _PROGRAMS or ".so" in name
