"""Documents that a person names: files, directories of them, and the recorded machines that ship."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from armlevel import arch, machines
from armlevel.documents import Document, Loaded, load_many, read_file
from armlevel.engine import passthrough
from armlevel.errors import BadDocument, UnknownName, UsageError
from armlevel.operations.given import as_typed, given_facts, with_facts
from armlevel.profile import Given, Guest, Host

__all__ = [
    "expanded",
    "guest_frozen",
    "guest_named",
    "guests_named",
    "host_named",
    "hosts_named",
    "load",
    "load_all",
    "load_guest",
    "load_hosts",
    "source_named",
]


def expanded(names: Sequence[str], stack: ExitStack) -> list[str]:
    """Return paths; ``@NAME`` and ``@PATTERN`` become the recorded machines that ship; a ``/CLUSTER`` stays.

    Raises:
        UnknownName: no recorded machine is called so.

    """
    paths: list[str] = []
    for name in names:
        recorded = name.startswith("@")
        if not recorded and (name == "-" or os.path.lexists(name)):
            paths.append(name)
            continue
        known = machines.names()
        machine, slash, cluster = name.partition("/")
        wanted = as_typed(machine) or "*"
        found = [one for one in known if fnmatchcase(one, wanted)] if recorded else [wanted]
        if found and set(found) <= set(known):
            folder = stack.enter_context(machines.folder())
            paths += [f"{folder / one}.json{slash}{cluster}" for one in found]
        elif recorded:
            near = get_close_matches(wanted, known, n=3, cutoff=0.4) or known[:3]
            raise UnknownName("recorded machine", name, tuple(f"@{one}" for one in near))
        elif close := _near_paths(name, wanted, known):
            raise UnknownName("file or recorded machine", name, close)
        else:
            paths.append(name)
    return paths


def _near_paths(name: str, wanted: str, machines_known: Sequence[str]) -> tuple[str, ...]:
    # What is in the same directory and is nearly called so, or a recorded machine.
    path = Path(name)
    try:
        beside = [one.name for one in path.parent.iterdir() if not one.name.startswith(".")]
    except (OSError, ValueError):
        beside = []
    near = [str(path.parent / one) for one in get_close_matches(path.name, beside, n=2, cutoff=0.75)]
    if path.name == name:
        near += [f"@{one}" for one in get_close_matches(wanted, machines_known, n=2, cutoff=0.75)]
    return tuple(near)


def load_all(names: Sequence[str], wanted: type[Document] | None = None) -> list[Loaded]:
    """Read everything that is named; hosts and guests come back with names of their own.

    Of directories only documents of the ``wanted`` type are read.
    """
    with ExitStack() as stack:
        return load_many(expanded(names, stack), wanted=wanted)


def hosts_named(names: Sequence[str], facts: Sequence[str] = ()) -> tuple[list[Host], tuple[Given, ...]]:
    """Read hosts, and complete them with the facts that a person gave (``HOST:FACT=VALUE``).

    Raises:
        ArmlevelError: something is no host, or a fact cannot be what it says.

    """
    hosts = []
    for loaded in load_all(names, Host):
        if not isinstance(loaded.document, Host):
            raise BadDocument(loaded.path, (f"a host is needed here, this is a {_kind(loaded.document)}",))
        hosts.append(_with_kvm(loaded.document, loaded.path))
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


def guests_named(names: Sequence[str], *, vmm: str = "kvm", keys: Sequence[str] = ()) -> list[Guest]:
    """Read any number of guests, also those of directories; a host stands for its passthrough profile.

    Raises:
        ArmlevelError: something is neither, or no key of these signed it.

    """
    guests = []
    for loaded in load_all(names):
        if keys:
            _hold_signature(loaded.path, loaded, keys)
        guests.append(_guest_of(loaded, vmm))
    return guests


def source_named(name: str) -> Host | None:
    """Return the host whose passthrough guest a name stands for; None if it names a guest profile."""
    found = load_all([name])
    document = found[0].document if len(found) == 1 else None
    return document if isinstance(document, Host) else None


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
    return _guest_of(found[0], vmm), found[0].frozen


def _guest_of(found: Loaded, vmm: str) -> Guest:
    document = found.document
    if isinstance(document, Host):
        return passthrough(_with_kvm(document, found.path), arch.load(), vmm=vmm)
    if isinstance(document, Guest):
        return document
    raise BadDocument(found.path, (f"a guest is needed here, this is a {_kind(document)}",))


def _with_kvm(host: Host, path: str) -> Host:
    if host.accelerator != "kvm":
        why = f"what a guest reads under {host.accelerator.upper()}, and no host with KVM: nothing migrates there"
        raise BadDocument(path, (why,), hint="show, facts and diff take it")
    return host


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
