"""Documents that a person names: files, directories of them, and the recorded machines that ship."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from fnmatch import fnmatchcase

from armlevel import arch
from armlevel.documents import Document, Loaded, load_many, read_file
from armlevel.engine import passthrough
from armlevel.errors import BadDocument, UnknownName, UsageError
from armlevel.operations.given import given_facts, with_facts
from armlevel.profile import Given, Guest, Host

__all__ = [
    "expanded",
    "guest_frozen",
    "guest_named",
    "host_named",
    "hosts_named",
    "load",
    "load_all",
    "load_guest",
    "load_hosts",
]


def expanded(names: Sequence[str], stack: ExitStack) -> list[str]:
    """Return paths; ``@NAME`` and ``@PATTERN`` become the recorded machines that ship; a ``/CLUSTER`` stays.

    Raises:
        UnknownName: no recorded machine is called so.

    """
    paths: list[str] = []
    for name in names:
        if not name.startswith("@"):
            paths.append(name)
            continue
        import difflib

        from armlevel import machines

        machine, slash, cluster = name[1:].partition("/")
        wanted = machine.replace("@", "-").lower() or "*"
        found = [known for known in machines.names() if fnmatchcase(known, wanted)]
        if not found:
            near = difflib.get_close_matches(wanted, machines.names(), n=3, cutoff=0.4)
            raise UnknownName(
                "recorded machine", name, tuple(f"@{known}" for known in near or machines.names()[:3])
            )
        folder = stack.enter_context(machines.folder())
        paths += [f"{folder / known}.json{slash}{cluster}" for known in found]
    return paths


def load_all(names: Sequence[str]) -> list[Loaded]:
    """Read everything that is named; hosts and guests come back with names of their own."""
    with ExitStack() as stack:
        return load_many(expanded(names, stack))


def hosts_named(names: Sequence[str], facts: Sequence[str] = ()) -> tuple[list[Host], tuple[Given, ...]]:
    """Read hosts, and complete them with the facts that a person gave (``HOST:FACT=VALUE``).

    Raises:
        ArmlevelError: something is no host, or a fact cannot be what it says.

    """
    hosts = []
    for loaded in load_all(names):
        if not isinstance(loaded.document, Host):
            raise BadDocument(loaded.path, (f"a host is needed here, this is a {_kind(loaded.document)}",))
        hosts.append(loaded.document)
    given = given_facts(facts, [host.name for host in hosts])
    return with_facts(hosts, given), given


def load(*names: str) -> list[Document]:
    """Read files, directories of profiles, and recorded machines (``@NAME``): hosts, guests and verdicts.

    Raises:
        ArmlevelError: something is not there, or is no document and no file of another tool.

    >>> [host.name for host in load("@graviton2-6.1")]
    ['graviton2@6.1']
    """
    return [loaded.document for loaded in load_all(names)]


def load_hosts(*names: str) -> list[Host]:
    """Read hosts.

    Raises:
        ArmlevelError: something is not there, or is no host.

    """
    return hosts_named(names)[0]


def load_guest(name: str) -> Guest:
    """Read one guest; a host stands for its passthrough guest.

    Raises:
        ArmlevelError: it is not there, is neither guest nor host, or there are several.

    """
    return guest_named(name)


def host_named(option: str, name: str, facts: Sequence[str] = ()) -> Host:
    """Read one host, which ``option`` named.

    Raises:
        ArmlevelError: it is no host, or several.

    """
    hosts, _ = hosts_named([name], facts)
    if len(hosts) > 1:
        raise UsageError(f"{option} {name}: {len(hosts)} hosts, and one is needed here")
    return hosts[0]


def guest_named(name: str, *, vmm: str = "kvm", keys: Sequence[str] = ()) -> Guest:
    """Read one guest; a host stands for its passthrough profile. With ``keys`` one of them has to have signed it.

    Raises:
        ArmlevelError: it is neither, or several; or no key of these signed it.

    """
    return guest_frozen(name, vmm=vmm, keys=keys)[0]


def guest_frozen(name: str, *, vmm: str = "kvm", keys: Sequence[str] = ()) -> tuple[Guest, str]:
    """Read one guest and the digest of the frozen profile that it is in, empty if it is in none.

    Raises:
        ArmlevelError: as :func:`guest_named` does.

    """
    found = load_all([name])
    if len(found) > 1:
        raise UsageError(f"{name}: {len(found)} profiles, and one guest is needed here", hint="name one file")
    if keys:
        _hold_signature(name, found[0], keys)
    document = found[0].document
    if isinstance(document, Host):
        return passthrough(document, arch.load(), vmm=vmm), ""
    if isinstance(document, Guest):
        return document, found[0].frozen
    raise BadDocument(found[0].path, (f"a guest is needed here, this is a {_kind(document)}",))


def _hold_signature(name: str, found: Loaded, keys: Sequence[str]) -> None:
    if not found.frozen:
        raise UsageError(
            f"{name}: no frozen profile, so no key signed it", hint="armlevel freeze --key signs a guest"
        )
    from armlevel.documents.signing import key_id, public_key

    trusted = {key_id(public_key(read_file(one), one)) for one in keys}
    if not trusted & set(found.signed_by):
        why = "signed, but not with " + ("this key" if len(keys) == 1 else "one of these keys")
        raise UsageError(
            f"{name}: {why if found.signed_by else 'not signed'}", hint="armlevel verify-signature says more"
        )


def _kind(document: Document) -> str:
    return (
        "guest profile"
        if isinstance(document, Guest)
        else "host profile"
        if isinstance(document, Host)
        else "verdict"
    )
