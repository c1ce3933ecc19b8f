"""A private apt root: Debian's packages without touching the system, and without being root.

apt gets an empty directory of its own, one archive, and a keyring to check signatures with. What the system's own
configuration says about the network (a proxy, a cache) stays in force; its hooks do not run. Source: apt.conf(5),
sources.list(5).
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from armlevel.errors import LabError
from armlevel.lab.sources import Source, parse_deb822, parse_one_line

__all__ = ["SOURCE", "AptRoot", "Package", "system_sources"]

#: The architecture of a root that has what packages are built from.
SOURCE = "source"

_URI_LINE = re.compile(r"^'(?P<uri>[^']+)' (?P<file>\S+) (?P<size>\d+) (?P<hash>\S*)$", re.MULTILINE)
_DIGESTS = ("SHA256", "SHA512")
_DIRECTORIES = (
    "etc/apt/apt.conf.d",
    "etc/apt/preferences.d",
    "etc/apt/sources.list.d",
    "etc/apt/trusted.gpg.d",
    "var/cache/apt/archives/partial",
    "var/lib/apt/lists/partial",
    "var/lib/dpkg",
)
_CONFIGURATION = """\
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg;
#clear APT::Architectures;
Dir "{root}";
Dir::State::status "{root}/var/lib/dpkg/status";
APT::Architecture "{arch}";
APT::Architectures {{ "{arch}"; }};
APT::Sandbox::User "root";
APT::Get::AllowUnauthenticated "false";
APT::Install-Recommends "false";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::Retries "2";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
"""


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """One package file of the archive; ``digest`` is what the signed index says of it."""

    name: str
    version: str
    size: int
    digest: str

    def __str__(self) -> str:
        """Return `name=version`, as apt-get takes it."""
        return f"{self.name}={self.version}"


@dataclass(frozen=True, slots=True)
class AptRoot:
    """One architecture (or :data:`SOURCE`) and some suites of one mirror, in a directory of their own."""

    root: Path
    arch: str
    mirror: str
    keyring: Path
    suites: tuple[str, ...]

    def update(self) -> None:
        """Fetch the signed indexes anew. Raises :class:`LabError` with apt's own words if that cannot be done."""
        for directory in _DIRECTORIES:
            (self.root / directory).mkdir(parents=True, exist_ok=True)
        (self.root / "var/lib/dpkg/status").touch()
        (self.root / "apt.conf").write_text(
            _CONFIGURATION.format(root=self.root, arch="arm64" if self.arch == SOURCE else self.arch),
            encoding="utf-8",
        )
        kind, options = "deb", f"arch={self.arch} target=Packages lang=none signed-by={self.keyring}"
        if self.arch == SOURCE:
            kind, options = "deb-src", f"target=Sources lang=none signed-by={self.keyring}"
        lines = [f"{kind} [{options}] {self.mirror} {suite} main\n" for suite in self.suites]
        (self.root / "etc/apt/sources.list").write_text("".join(lines), encoding="utf-8")
        self._apt(
            ["apt-get", "--error-on=any", "update"], f"fetch the package lists of {' and '.join(self.suites)}"
        )

    def names(self, pattern: str) -> list[str]:
        """Return the names of packages that match a regular expression."""
        listing = self._apt(["apt-cache", "search", "--names-only", pattern], f"search for {pattern}")
        return [line.partition(" - ")[0] for line in listing.splitlines()]

    def closure(self, names: Sequence[str]) -> list[Package]:
        """Return the packages and all they depend on; the last suite's are taken where it has them."""
        command = ["apt-get", "--print-uris", "--yes", "-t", self.suites[-1], "install", *names]
        packages = _packages(self._apt(command, f"resolve {' '.join(names)}"))
        return self.alone(map(str, packages))  # the same ones, with the digests of the signed index

    def alone(self, names: Iterable[str]) -> list[Package]:
        """Return the packages, without what they depend on."""
        return _packages(
            self._apt(["apt-get", "--print-uris", "download", *names], f"find {' '.join(names)}")
        )

    def download(self, packages: Sequence[Package], into: Path) -> dict[str, Path]:
        """Fetch packages, their digests checked by apt; return the file of each by its name."""
        words = [str(package) for package in packages]
        size = sum(package.size for package in packages) / 1e6
        self._apt(
            ["apt-get", "download", *words], f"download {len(words)} packages ({size:.0f} MB)", cwd=into
        )
        files = {unquote(path.name).partition("_")[0]: path for path in into.glob("*.deb")}
        for package in packages:  # apt holds them against its index of now; these are those that were chosen
            path = files.get(package.name)
            if path is None or not _is(path, package.digest):
                raise LabError(f"the mirror gave another {package} than the one that was chosen")
        return files

    def tarball(self, name: str, version: str) -> Package:
        """Return the upstream tarball that a version of a source package is made from; the root has :data:`SOURCE`."""
        words = ["apt-get", "--print-uris", "--download-only", "--tar-only", "source", f"{name}={version}"]
        listing = self._apt(words, f"find the source of {name} {version}")
        for match in _URI_LINE.finditer(listing):
            file = unquote(match["file"])
            if file.startswith(f"{name}_") and ".orig.tar." in file:
                return Package(file, version, int(match["size"]), match["hash"])
        raise LabError(f"the mirror has no upstream tarball of {name} {version}")

    def download_tarball(self, name: str, package: Package, into: Path) -> Path:
        """Fetch such a tarball, its digest checked; return the file."""
        words = ["apt-get", "--download-only", "--tar-only", "source", f"{name}={package.version}"]
        self._apt(words, f"download {package.name} ({package.size / 1e6:.0f} MB)", cwd=into)
        path = into / package.name
        if not path.is_file() or not _is(path, package.digest):
            raise LabError(f"the mirror gave another {package.name} than the one that was chosen")
        return path

    def _apt(self, command: list[str], what: str, cwd: Path | None = None) -> str:
        name, *rest = command
        try:
            done = subprocess.run(  # noqa: S603 - apt, with our own words
                [name, "-q", "-c", str(self.root / "apt.conf"), *rest],
                capture_output=True,
                text=True,
                cwd=cwd or self.root,
                check=False,
                env=_environment(),
            )
        except FileNotFoundError as exc:
            raise LabError(
                f"cannot {what}: there is no {name} on this machine",
                hint="the lab needs Debian's apt and dpkg; other distributions have packages of them",
            ) from exc
        if done.returncode:
            words = [line.strip() for line in done.stderr.splitlines() if line[:2] in {"E:", "W:"}]
            raise LabError(f"cannot {what}: {'; '.join(words[:3]) or f'{name} ended with {done.returncode}'}")
        return done.stdout


def _is(path: Path, digest: str) -> bool:
    # Without a digest, or with one of a kind that proves nothing, a file is not known to be the one.
    name, _, wanted = digest.rpartition(":")
    if name not in _DIGESTS:
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, name.lower()).hexdigest() == wanted


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}


def _packages(text: str) -> list[Package]:
    packages = []
    for match in _URI_LINE.finditer(text):
        name, version, _ = unquote(match["file"]).split("_", 2)
        packages.append(Package(name, version, int(match["size"]), match["hash"]))
    return sorted(packages)


def system_sources() -> list[Source]:
    """Return the sources of this machine's own apt; none where there is no apt."""
    if shutil.which("apt-config") is None:
        return []
    command = ["apt-config", "shell", "LIST", "Dir::Etc::sourcelist/f", "PARTS", "Dir::Etc::sourceparts/d"]
    variables = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603 - apt, with our own words
    places = dict(re.findall(r"^(LIST|PARTS)='([^']*)'$", variables, re.MULTILINE))
    parts = Path(places.get("PARTS", "/etc/apt/sources.list.d"))
    files = [
        Path(places.get("LIST", "/etc/apt/sources.list")),
        *sorted(parts.glob("*.list")),
        *sorted(parts.glob("*.sources")),
    ]
    sources: list[Source] = []
    for file in files:
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        sources += parse_deb822(text) if file.suffix == ".sources" else parse_one_line(text)
    return sources
