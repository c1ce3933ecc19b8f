"""What other projects publish to judge their formats by: fetched with the lab's own means, kept in its cache."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from armlevel.errors import LabError
from armlevel.lab import Laboratory, LabSettings
from armlevel.lab.archive import deb_files
from armlevel.lab.store import content_key

__all__ = ["libvirt_schema", "nova_file", "nova_schema"]

_ARCH, _SUITES = "arm64", ("trixie",)


_NOVA = ("nova/compute/provider_config.py", "nova/api/validation/extra_specs/")


def _package(name: str, *wanted: str) -> Path:
    """Return a directory with files of a package, by a part of their path; skips where there is no mirror."""
    archive = Laboratory(LabSettings.of(os.environ))._archive()
    try:
        found = archive.find(f"judge-{name}", _ARCH, _SUITES, lambda root: root.alone([name]))

        def make(place: Path) -> None:
            with archive.files(found, place) as debs:
                for member, data in deb_files(debs[name], lambda path: any(one in path for one in wanted)):
                    target = place / member.name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(data)

        return archive.store.entry("judges", content_key(found.key, *wanted), make)
    except LabError as exc:
        if os.environ.get("ARMLEVEL_LAB"):
            raise
        pytest.skip(f"no judge: {exc} (ARMLEVEL_LAB=1 forces)")


def libvirt_schema(name: str) -> Any:
    """Return libvirt's own RELAX NG schema: ``domain``, ``capability`` or ``domaincaps``."""
    from lxml import etree

    place = _package("libvirt-common", "/libvirt/schemas/")
    return etree.RelaxNG(etree.parse(str(place / f"usr/share/libvirt/schemas/{name}.rng")))


def nova_file(path: str) -> str:
    """Return the text of a file of nova."""
    place = _package("python3-nova", *_NOVA)
    return (place / "usr/lib/python3/dist-packages/nova" / path).read_text(encoding="utf-8")


def _literals(source: str) -> Iterator[tuple[str, Any]]:
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                yield node.targets[0].id, ast.literal_eval(node.value)
            except ValueError:
                continue


def nova_schema() -> dict[str, Any]:
    """Return the JSON Schema that nova-compute reads a provider.yaml with."""
    schema: dict[str, Any] = dict(_literals(nova_file("compute/provider_config.py")))["SCHEMA_V1"]
    return schema
