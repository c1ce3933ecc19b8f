"""The cheapest means by which a guest may go anywhere among hosts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from armlevel.arch import Catalogue
from armlevel.engine.findings import Finding
from armlevel.engine.moves.means import MeansName, against, switches_for
from armlevel.engine.moves.moves import judged_move
from armlevel.engine.moves.remedies import stacks_of
from armlevel.engine.moves.switches import Switches, switches_named, under, version_text
from armlevel.engine.moves.vmm_restore import restorer_named
from armlevel.engine.policy import Policy
from armlevel.profile import Guest, Host, kind_digest

__all__ = ["StockMeans", "levelled_means", "stock_means"]

# Beyond so many kinds of hosts it is not looked for: every pair of them is judged.
_KINDS = 8


@dataclass(frozen=True, slots=True)
class StockMeans:
    """What a VMM as it is does for all hosts: passthrough guests, or such that are started with ``switches``.

    ``vmm`` is which one, empty if it is the one that was asked about.
    """

    name: MeansName
    switches: str = ""
    vmm: str = ""


def stock_means(
    hosts: Sequence[Host],
    catalogue: Catalogue,
    vmm: str = "kvm",
    policy: Policy | None = None,
    *,
    asked: MeansName | None = None,
) -> StockMeans | None:
    """Return how passthrough guests may go from every host to every other; None if a VMM as it is does not do it.

    ``asked`` is the only means that is looked for: switches are one also where none are needed.
    """
    kinds = _kinds(hosts)
    if not kinds or asked in ("sysreg", "preload"):
        return None
    for stack in stacks_of(vmm, catalogue):
        switches = _common(kinds, catalogue, stack, policy or Policy())
        if switches is not None and not (switches and asked == "passthrough"):
            name = asked or ("switches" if switches else "passthrough")
            return StockMeans(name, switches.text, stack if stack != vmm else "")
    return None


def levelled_means(  # noqa: PLR0913 - a question with options
    hosts: Sequence[Host],
    guest: Guest,
    catalogue: Catalogue,
    vmm: str = "kvm",
    policy: Policy | None = None,
    *,
    asked: MeansName | None = None,
) -> StockMeans | None:
    """Return what gives a guest its levelled CPU on hosts that all run it; None if the VMM may not move it everywhere.

    KVM alone takes what it runs; what another VMM does with the guest is judged for every pair.
    """
    family = restorer_named(vmm, catalogue).family
    by: tuple[MeansName, ...] = ("sysreg", "preload")
    has = [name for name in by if family in catalogue.means[name].families and asked in (None, name)]
    if not has:
        return None
    if family != "kvm":
        pairs = list(product(_kinds(hosts), repeat=2))
        if not pairs or any(
            judged_move(here, there, catalogue, vmm, guest, policy or Policy()).answer != "runs"
            for here, there in pairs
        ):
            return None
    return StockMeans(has[0])


def _kinds(hosts: Sequence[Host]) -> list[Host]:
    # None where there are too many to look at every pair.
    kinds = list({kind_digest(host): host for host in hosts}.values())
    return kinds if len(kinds) <= _KINDS else []


def _common(hosts: Sequence[Host], catalogue: Catalogue, vmm: str, policy: Policy) -> Switches | None:
    def judge(here: Host, there: Host) -> Sequence[Finding]:
        return against(judged_move(here, there, catalogue, vmm, None, policy).findings)

    words: dict[str, None] = {}
    versions: dict[str, int] = {}
    for here, there in product(hosts, repeat=2):
        if not (found := judge(here, there)):
            continue
        tried = switches_for(here, there, catalogue, vmm=vmm, found=found, judge=judge)
        if tried.switches is None:
            return None
        for register, version in tried.switches.firmware.items():
            versions[register] = min(version, versions.get(register, version))
        words.update(dict.fromkeys(tried.switches.words))
    switches = _union(words, versions, vmm, catalogue)
    family = restorer_named(vmm, catalogue).family
    shown = [under(host, switches, family, catalogue) for host in hosts] if switches else list(hosts)
    ends = [host for host in shown if host is not None]
    holds = len(ends) == len(hosts) and not any(judge(*pair) for pair in product(ends, repeat=2))
    return switches if holds else None


def _union(words: dict[str, None], versions: dict[str, int], vmm: str, catalogue: Catalogue) -> Switches:
    # Of several versions the lowest is for all; options in the order in which they are written.
    texts = []
    for row in catalogue.switches:
        if row.firmware and row.firmware in versions:
            texts.append(row.written(version_text(versions[row.firmware])))
        elif not row.firmware:
            texts += [word for word in words if row.value_in(word) is not None]
    return switches_named(",".join(texts), vmm, catalogue)
