"""``HOST/CLUSTER`` as a person types it: the file of the host, narrowed to the CPUs of one kind, or ``*`` of each."""

from __future__ import annotations

from fnmatch import fnmatchcase
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


def narrow(document: object, path: str, cluster: str) -> tuple[Host, ...]:
    """Return a host narrowed to one of its clusters; to each that a pattern names (``HOST/*``), one after the other.

    A host whose CPUs are all alike has itself for its only one then.

    Raises:
        BadDocument: it is no host.
        UsageError, UnknownName: it has no such cluster.

    """
    if not isinstance(document, Host):
        raise BadDocument(path, (f"no host, so it has no cluster {ascii(cluster)[1:-1]}",))
    from armlevel.arch import load as load_catalogue
    from armlevel.engine.clusters import clusters_of, narrowed

    catalogue = load_catalogue()
    if "*" not in cluster:
        return (narrowed(document, cluster, catalogue),)
    names = [one.name for one in clusters_of(document, catalogue)]
    if cluster == "*" and not names:
        return (document,)
    found = [name for name in names if fnmatchcase(name, cluster.lower())] or [cluster]
    return tuple(narrowed(document, name, catalogue) for name in found)
