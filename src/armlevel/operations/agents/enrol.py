"""Whether a host is known by a key from now on: who vouches for it, and whose place it takes.

An ssh session that a person opened, a person's hand, the SSH host key or its certificate, or a token. What vouches
binds the name; the key signs the request, so nobody can bring a key that is not theirs. A key that was given up is
never taken back but by hand, and the mark of what it said last is never lowered: an old request says nothing new.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from armlevel.documents.known_hosts import KnownHosts
from armlevel.documents.reports import ENROLMENT, ENROLMENT_SPACE, ENROLMENT_TYPE, is_host_name
from armlevel.documents.sshsig import NotSigned, SshKey, SshSigner, key_of_line
from armlevel.errors import BadDocument, UsageError
from armlevel.operations.agents.sealed import opened
from armlevel.operations.agents.tokens import Token, may_enrol
from armlevel.operations.agents.values import Agent, How, current

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.serialization import SSHCertificate

__all__ = ["EnrolRefusal", "EnrolResult", "Trust", "enrol_key", "enrol_request"]

EnrolRefusal = Literal[
    "",
    "no-request",
    "signature",
    "other-key",
    "no-proof",
    "unknown-host-key",
    "bad-certificate",
    "unknown-token",
    "used-token",
    "late-token",
    "other-token",
    "name-taken",
    "key-elsewhere",
    "given-up-key",
]


@dataclass(frozen=True, slots=True)
class Trust:
    """What vouches for hosts: the keys that are known, and tokens with the secret their HMAC was made with."""

    hosts: KnownHosts = KnownHosts()
    tokens: Mapping[str, Token] = field(default_factory=dict, hash=False)
    pepper: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolResult:
    """Whether a host is known by a key now.

    ``agent``     who it is;  ``replaced``  the agent whose key is given up for this one
    ``how``       what vouched;  ``token``  the token that is used up by it
    """

    kind: ClassVar[str] = "enrolled/1"

    refused: EnrolRefusal = ""
    detail: str = ""
    name: str = ""
    key: SshKey | None = None
    how: How | None = None
    agent: Agent | None = None
    replaced: Agent | None = None
    token: Token | None = None

    @property
    def status(self) -> int:
        """The exit status: 0 it is, 1 it is not."""
        return 1 if self.refused else 0

    def document(self) -> dict[str, Any]:
        """Return the enrolled/1 object."""
        return {
            "kind": self.kind,
            "answer": "refused" if self.refused else "enrolled",
            "reason": self.refused or None,
            "detail": self.detail or None,
            "name": self.name or None,
            "key": None if self.key is None else self.key.fingerprint,
            "how": self.how,
            "replaced": None if self.replaced is None else self.replaced.key.fingerprint,
        }


def enrol_key(line: str, name: str, how: How, agents: Mapping[str, Agent], *, now: float) -> EnrolResult:
    """Make a host known by the key of a line, on the word of a person or of an ssh session that a person opened.

    Raises:
        UsageError: it is no key, or no name of a host.

    """
    if not is_host_name(name):
        raise UsageError(f"{name[:80]!a} is no name of a host", hint="letters, digits, '.', '_' and '-'")
    try:
        key = key_of_line(line)
    except NotSigned as exc:
        raise UsageError(
            f"the key of {name} is not taken: {exc}", hint="the agent makes one: armlevel-agent key"
        ) from exc
    return _placed(key, name, how, agents, now=now)


def enrol_request(
    data: bytes, path: str, agents: Mapping[str, Agent], trust: Trust, *, now: float
) -> EnrolResult:
    """Make a host known on its own request, if something that is trusted vouches for it."""
    try:
        document, _, signers = opened(data, path, ENROLMENT_TYPE, ENROLMENT_SPACE, ENROLMENT, most=2)
        key, name = key_of_line(document["key"]), document["name"]
    except NotSigned as exc:
        return EnrolResult(refused="signature", detail=str(exc))
    except BadDocument as exc:
        return EnrolResult(refused="no-request", detail=str(exc))
    if signers[0].key != key or signers[0].certificate is not None:
        return EnrolResult(refused="other-key", name=name, key=key)
    if len(signers) == 2:
        return _with_host_key(key, name, signers[1], agents, trust, now)
    return _with_token(key, name, document.get("token", ""), agents, trust, now)


def _with_host_key(  # noqa: PLR0913, PLR0917 (who vouches, for what)
    key: SshKey, name: str, signer: SshSigner, agents: Mapping[str, Agent], trust: Trust, now: float
) -> EnrolResult:
    refused, how = _by_host(signer, name, trust.hosts, now)
    if refused:
        return EnrolResult(refused=refused, detail=signer.key.fingerprint, name=name, key=key, how=how)
    return _placed(key, name, how, agents, now=now)


def _with_token(  # noqa: PLR0913, PLR0917 (who vouches, for what)
    key: SshKey, name: str, text: str, agents: Mapping[str, Agent], trust: Trust, now: float
) -> EnrolResult:
    if not text:
        return EnrolResult(refused="no-proof", detail=key.fingerprint, name=name, key=key)
    token = may_enrol(text, name, trust.tokens, pepper=trust.pepper, now=now)
    if not isinstance(token, Token):
        return EnrolResult(refused=cast(EnrolRefusal, token), name=name, key=key, how="token")
    return _placed(key, name, "token", agents, now=now, token=token)


def _by_host(signer: SshSigner, name: str, hosts: KnownHosts, now: float) -> tuple[EnrolRefusal, How]:
    if signer.certificate is None:
        return ("" if hosts.knows(name, signer.key) else "unknown-host-key"), "host key"
    revoked = hosts.revoked(signer.key)
    good = not revoked and _is_good(signer.certificate, name, hosts, now)
    return ("" if good else "bad-certificate"), "host certificate"


def _is_good(certificate: SSHCertificate, name: str, hosts: KnownHosts, now: float) -> bool:
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        SSHCertificateType,
    )

    authority = certificate.signature_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    return (
        certificate.type == SSHCertificateType.HOST
        and name.encode() in certificate.valid_principals
        and certificate.valid_after <= now < certificate.valid_before
        and not certificate.critical_options
        and hosts.trusts(name, SshKey(authority))
    )


def _placed(  # noqa: PLR0913 (who vouched, for what)
    key: SshKey,
    name: str,
    how: How,
    agents: Mapping[str, Agent],
    *,
    now: float,
    token: Token | None = None,
) -> EnrolResult:
    found = EnrolResult(name=name, key=key, how=how, token=token)
    same, there = agents.get(key.fingerprint), current(agents.values(), name)
    if same is not None and same.name != name and (same.standing == "enrolled" or how != "by hand"):
        return replace(found, refused="key-elsewhere", detail=same.name, token=None)
    if same is not None and same.standing != "enrolled" and how != "by hand":
        return replace(found, refused="given-up-key", token=None)
    other = there if there is not None and there.key != key else None
    if other is not None and token is not None and token.pattern != name:
        return replace(found, refused="name-taken", detail=other.key.fingerprint, token=None)
    at = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    agent = Agent(key=key, name=name, how=how, at=at)
    if same is not None:
        agent = replace(agent, mark=same.mark)
    return replace(
        found,
        agent=agent,
        replaced=None if other is None else replace(other, standing="superseded"),
        token=None if token is None else replace(token, used_by=key.fingerprint),
    )
