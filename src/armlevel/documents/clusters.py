"""``HOST/CLUSTER`` as a person types it: the file of the host, narrowed to the CPUs of one kind."""

from __future__ import annotations

from pathlib import Path

from armlevel.errors import BadDocument
from armlevel.profile import Host

__all__ = ["cluster_named", "narrow"]


def cluster_named(path: str) -> tuple[str, str] | None:
    """Return the path of a host and the name of its cluster; None for a path that is there, or names no host.

    The host is named by its file, by the directory of its trees, or as it is shown: without the suffix of its file.
    """
    head, slash, cluster = path.rpartition("/")
    if not (slash and head and cluster) or Path(path).exists():
        return None
    from armlevel.formats.cpuinfo import is_gathered

    place = Path(head)
    if place.is_file() or (place.is_dir() and is_gathered(head)):
        return head, cluster
    if place.exists() or not place.parent.is_dir():
        return None
    found = [one for one in place.parent.iterdir() if one.stem == place.name and one.is_file()]
    return (str(found[0]), cluster) if len(found) == 1 else None


def narrow(document: object, path: str, cluster: str) -> Host:
    """Return a host narrowed to one of its clusters.

    Raises:
        BadDocument: it is no host.
        UsageError, UnknownName: it has no such cluster.

    """
    if not isinstance(document, Host):
        raise BadDocument(path, (f"no host, so it has no cluster {ascii(cluster)[1:-1]}",))
    from armlevel.arch import load as load_catalogue
    from armlevel.engine.clusters import narrowed

    return narrowed(document, cluster, load_catalogue())
