"""A guest profile, frozen: exact bytes under a name and a version, with its lineage and a signature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from armlevel import __version__, engine
from armlevel.arch import load
from armlevel.documents import Frozen, host_object, write_published
from armlevel.documents import freeze as frozen_of
from armlevel.documents.write import policy_object
from armlevel.engine import Answer, worst
from armlevel.engine.not_recorded import knows_nothing, not_recorded
from armlevel.errors import UsageError
from armlevel.operations.answers import status_of
from armlevel.profile import Guest, Host, Made, Origin, Policy

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["FreezeResult", "freeze", "frozen_object"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeResult:
    """A frozen profile with its exact bytes; or why there is none.

    ``against``  the hosts where the guest may not, or cannot be said to, arrive
    ``lacking``  what the profile does not record, by subject: it would be frozen as something that nobody knows
    """

    kind: ClassVar[str] = "freeze/1"

    guest: Guest
    frozen: Frozen | None = None
    data: bytes = b""
    signed_by: tuple[str, ...] = ()
    against: tuple[tuple[str, Answer], ...] = ()
    lacking: tuple[str, ...] = ()

    @property
    def answer(self) -> Answer:
        """``runs`` if the profile was frozen; else the worst answer of a host, or ``unknown``."""
        lacking: list[Answer] = ["unknown"] if self.lacking else []
        return worst([*(answer for _, answer in self.against), *lacking])

    @property
    def status(self) -> int:
        """The exit status."""
        return status_of([self.answer])

    def document(self) -> dict[str, Any]:
        """Return the freeze/1 object."""
        said: dict[str, Any] = {
            "kind": self.kind,
            "answer": self.answer,
            "against": [{"host": host, "answer": answer} for host, answer in self.against],
            "lacking": list(self.lacking),
        }
        return said | (frozen_object(self.frozen, self.signed_by) if self.frozen is not None else {})


def freeze(  # noqa: PLR0913 (what a frozen profile records)
    guest: Guest,
    name: str,
    version: str,
    *,
    hosts: Sequence[Host] = (),
    parent: Frozen | None = None,
    key: Ed25519PrivateKey | None = None,
    source: str = "",
) -> FreezeResult:
    """Freeze a guest profile if it is recorded whole and every host of ``hosts`` certainly runs it.

    ``parent`` is what it replaces; ``source`` says what a guest that no tool made was made of.

    Raises:
        UsageError: the name or the version is none, they are those of the parent, or nothing is recorded of the guest's
            registers.

    """
    if knows_nothing(guest):
        raise UsageError(
            f"{guest.name}: not one ID register is recorded, and a frozen profile is exact",
            hint="probe the host, or name a guest whose registers are recorded",
        )
    if not guest.made.tool:  # a host's passthrough guest was made here and now
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        made = Made(f"armlevel {__version__}", load().version, now, source, policy=Policy())
        guest = replace(guest, made=made)
    if parent is not None and (parent.name, parent.version) == (name, version):
        raise UsageError(
            f"{name}, version {version} is what it would replace",
            hint="a frozen version never changes: name another",
        )
    answers = [(host.name, engine.check(guest, host, load()).arrive) for host in hosts]
    against = tuple(one for one in answers if one[1] != "runs")
    lacking = tuple(one.key for one in not_recorded(guest, load()))
    if against or lacking:
        return FreezeResult(guest=guest, against=against, lacking=lacking)
    replaced = "" if parent is None else parent.digest
    frozen = frozen_of(guest, name, version, [_origin(host) for host in hosts], replaced)
    return FreezeResult(
        guest=guest,
        frozen=frozen,
        data=write_published(frozen, key),
        signed_by=_signers(key),
    )


def _origin(host: Host) -> Origin:
    return Origin(host.name, host_object(host)["digest"])


def _signers(key: Ed25519PrivateKey | None) -> tuple[str, ...]:
    if key is None:
        return ()
    from armlevel.documents.signing import key_id

    return (key_id(key.public_key()),)


def frozen_object(frozen: Frozen, signed_by: Sequence[str]) -> dict[str, Any]:
    """Return what a frozen profile is as a JSON object, without its guest."""
    line = frozen.lineage
    return {
        "name": frozen.name,
        "version": frozen.version,
        "digest": frozen.digest,
        "signed_by": list(signed_by),
        "lineage": {
            "hosts": [{"name": one.name, "digest": one.digest} for one in line.hosts],
            "source": line.source,
            "policy": None if line.policy is None else policy_object(line.policy),
            "given": [{"host": one.host, "fact": one.fact, "value": one.value} for one in line.given],
            "tolerates": list(frozen.guest.tolerates),
            "catalogue": line.catalogue,
            "tool": line.tool,
            "at": line.at,
            "parent": line.parent or None,
        },
    }
