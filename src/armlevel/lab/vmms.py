"""What a host needs to run QEMU itself: the program with its libraries, a guest to start, modules for the network.

Stock Debian packages for arm64: QEMU 10 is Debian 13's, QEMU 11 that of its backports. Of the packages only the
program and the libraries it links to go into the host.
"""

from __future__ import annotations

import lzma
import posixpath
import re
from collections.abc import Callable, Iterable
from importlib import resources
from pathlib import Path

from armlevel.errors import LabError, UnknownName
from armlevel.lab import cpio
from armlevel.lab.apt import AptRoot, Package
from armlevel.lab.archive import Archive, Found, deb_files
from armlevel.lab.elf import closure
from armlevel.lab.images import write_archive
from armlevel.lab.parts import Kernel, find_kernel, find_userland, kernel_of
from armlevel.lab.store import content_key
from armlevel.lab.vectors import program

__all__ = ["RELEASES", "VMMS", "guest_image", "module_image", "qemu_version", "vmm_image"]

#: Where each QEMU is from. Debian 13 has 10.0, its backports 11.1.
VMMS = {"10": ("trixie",), "11": ("trixie", "trixie-backports")}
#: What --vmm calls them.
RELEASES = {"10": "qemu-10.0", "11": "qemu-11.1"}
_ARCH = "arm64"
_LIBRARIES = "usr/lib/aarch64-linux-gnu"
_PACKAGES = re.compile(r"lib.*|zlib1g|qemu-system-arm")
_RECIPE = "2"
# In the order in which they can be loaded; what a kernel has built in is no module of it.
_MODULES = (
    *("virtio", "virtio_ring", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci"),
    *("failover", "net_failover", "virtio_net"),
)
_APPLETS = ("cat", "grep", "seq", "sh", "stty", "taskset", "tr")  # those that guest.sh calls by their names
_MTU = 60000  # a packet that the emulator takes whole
_NETWORK_UP = """\
#!/bin/sh
# Load what the network cards need; the first has the address QEMU's user network has for it, a second that of $1.
for module in {modules}; do
    insmod /lib/modules/$module.ko || exit
done
ifconfig lo 127.0.0.1 up
ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up
route add default gw 10.0.2.2
[ -z "$1" ] || ifconfig eth1 "$1" netmask 255.255.255.0 mtu {mtu} up
"""


def qemu_version(archive: Archive, version: str) -> str:
    """Return the full version of QEMU ``version`` as the mirror has it, as 10.0.13."""
    package_version = _find_qemu(archive, version).version("qemu-system-arm")
    match = re.match(r"(?:\d+:)?([\d.]+)", package_version)
    return match[1] if match else package_version


def vmm_image(archive: Archive, version: str) -> Path:
    """Return an archive of QEMU ``version`` with its libraries; :class:`LabError` if the mirror does not have it.

    The program is ``/opt/qemu-<version>/qemu-system-aarch64``, and ``/usr/bin/qemu-system-aarch64`` refers to that
    of the last archive laid over the host.
    """
    found = _find_qemu(archive, version)

    def make(place: Path) -> None:
        programs: dict[str, bytes] = {}
        libraries: dict[str, bytes] = {}
        with archive.files(found, place) as debs:
            for deb in debs.values():
                _collect(deb, programs, libraries)
        program = programs.get("qemu-system-aarch64")
        if program is None:
            raise LabError(f"the packages of QEMU {version} hold no qemu-system-aarch64")
        wanted, missing = closure(program, libraries)
        if missing:
            raise LabError(f"QEMU {version} needs {', '.join(missing)}, which no package of it has")
        where = f"opt/qemu-{version}/qemu-system-aarch64"
        entries = [
            cpio.file(where, program, executable=True),
            cpio.link("usr/bin/qemu-system-aarch64", f"/{where}"),
            *(cpio.file(f"{_LIBRARIES}/{name}", data, executable=True) for name, data in wanted.items()),
        ]
        write_archive(place / "qemu.cpio", entries)

    return archive.store.entry("vmms", content_key(_RECIPE, version, found.key), make) / "qemu.cpio"


def _find_qemu(archive: Archive, version: str) -> Found:
    if version not in VMMS:
        raise UnknownName("QEMU of the lab", version, tuple(VMMS))
    suites = VMMS[version]

    def choose(root: AptRoot) -> list[Package]:
        packages = [
            package for package in root.closure(["qemu-system-arm"]) if _PACKAGES.fullmatch(package.name)
        ]
        has = next((package.version for package in packages if package.name == "qemu-system-arm"), "none")
        if not re.match(rf"(?:\d+:)?{version}\.", has):
            raise LabError(f"the mirror has no QEMU {version} in {suites[-1]}: what is there is {has}")
        return packages

    return archive.find(f"vmm-{version}", _ARCH, suites, choose)


def _collect(deb: Path, programs: dict[str, bytes], libraries: dict[str, bytes]) -> None:
    links: list[tuple[str, str]] = []
    for member, data in deb_files(deb, lambda path: path == "usr/bin/qemu-system-aarch64" or ".so" in path):
        name = posixpath.basename(member.name)
        if member.issym():
            links.append((name, posixpath.basename(member.linkname)))
        elif ".so" in name:
            libraries[name] = data
        else:
            programs[name] = data
    for name, target in links:
        if target in libraries:
            libraries.setdefault(name, libraries[target])


def guest_image(archive: Archive) -> Path:
    """Return an archive of a guest: ``/guest/vmlinuz`` and ``/guest/initrd`` (see ``guest.sh`` for what it says).

    The kernel is the newest the lab knows, whatever the host's; the root is busybox, and one program that computes
    digests with the instructions its CPU lists.
    """
    script = resources.files("armlevel.lab").joinpath("guest.sh").read_bytes()
    kernel, userland, tools = find_kernel(archive, "7.x"), find_userland(archive), _find_tools(archive)
    key = content_key(_RECIPE, kernel.key, userland.key, tools.key, script, program())

    def make(place: Path) -> None:
        image = kernel_of(archive, kernel).read_bytes()
        with archive.files(_only(userland, "busybox-static"), place) as debs:
            busybox = _first(debs.values(), lambda path: path.endswith("/busybox"))
        libraries: dict[str, bytes] = {}
        with archive.files(tools, place) as debs:
            digest = _first(debs.values(), lambda path: path == "usr/bin/sha256sum")
            for deb in debs.values():
                _collect(deb, {}, libraries)
        wanted, missing = closure(digest, libraries)
        if missing:
            raise LabError(f"sha256sum needs {', '.join(missing)}, which no package of it has")
        root = [
            cpio.link("bin", "usr/bin"),
            cpio.link("lib", "usr/lib"),
            *(cpio.directory(name) for name in ("proc", "sys", "dev", "tmp")),
            cpio.device("dev/console", 5, 1),
            cpio.file("init", script, executable=True),
            cpio.file("usr/bin/busybox", busybox, executable=True),
            *(cpio.link(f"usr/bin/{name}", "busybox") for name in _APPLETS),
            cpio.file("usr/bin/openssl-sha256sum", digest, executable=True),
            cpio.file("usr/bin/vectors-kept", program(), executable=True),
            *(cpio.file(f"{_LIBRARIES}/{name}", data, executable=True) for name, data in wanted.items()),
            cpio.link("usr/lib/ld-linux-aarch64.so.1", "aarch64-linux-gnu/ld-linux-aarch64.so.1"),
        ]
        initrd = b"".join(cpio.archive(root))
        write_archive(
            place / "guest.cpio", [cpio.file("guest/vmlinuz", image), cpio.file("guest/initrd", initrd)]
        )

    return archive.store.entry("guests", key, make) / "guest.cpio"


def _find_tools(archive: Archive) -> Found:
    return archive.find(
        "guest-tools",
        _ARCH,
        ("trixie",),
        lambda root: [
            package
            for package in root.closure(["coreutils"])
            if re.match("coreutils$|lib|zlib1g", package.name)
        ],
    )


def _only(found: Found, name: str) -> Found:
    return Found(
        found.arch, found.suites, tuple(package for package in found.packages if package.name == name)
    )


def _first(debs: Iterable[Path], wanted: Callable[[str], bool]) -> bytes:
    for deb in debs:
        for member, data in deb_files(deb, wanted):
            if member.isfile():
                return data
    raise LabError("the guest's packages do not hold what they should")


def module_image(archive: Archive, line: str, pages: str = "4k") -> Path:
    """Return an archive of a kernel's network card modules and ``/usr/bin/network-up``, which loads them."""
    kernel = find_kernel(archive, line, pages)
    found = _find_modules(archive, kernel)

    def make(place: Path) -> None:
        modules: dict[str, bytes] = {}
        with archive.files(found, place) as debs:
            for deb in debs.values():
                for member, data in deb_files(deb, lambda path: _module(path) in _MODULES):
                    packed = member.name.endswith(".xz")
                    modules[_module(member.name)] = lzma.decompress(data) if packed else data
        order = [name for name in _MODULES if name in modules]
        if "virtio_net" not in modules:
            raise LabError(f"{found.packages[0].name} holds no virtio_net module")
        script = _NETWORK_UP.format(modules=" ".join(order), mtu=_MTU).encode()
        entries = [cpio.file(f"usr/lib/modules/{name}.ko", modules[name]) for name in order]
        write_archive(
            place / "modules.cpio", [*entries, cpio.file("usr/bin/network-up", script, executable=True)]
        )

    return archive.store.entry("modules", content_key(_RECIPE, _NETWORK_UP, found.key), make) / "modules.cpio"


def _find_modules(archive: Archive, kernel: Kernel) -> Found:
    # Where the kernel is a package of its own (linux-binary-*), so are its modules.
    name = kernel.found.packages[0].name
    if not name.startswith("linux-binary-"):
        return kernel.found
    modules = name.replace("linux-binary-", "linux-modules-", 1)
    return archive.find(f"modules-{name}", _ARCH, kernel.found.suites, lambda root: root.alone([modules]))


def _module(path: str) -> str:
    match = re.fullmatch(r"(?:.*/)?([^/]+)\.ko(?:\.xz)?", path)
    return match[1] if match else ""
