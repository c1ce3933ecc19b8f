"""Migrations that libvirt makes, with virsh, between hosts with armlevel's hook; what is foretold of each, and seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from armlevel.arch import load
from armlevel.engine import Policy, level
from armlevel.operations.migrate import migrate
from armlevel.profile import Guest, Host

__all__ = ["CASES", "Foretold", "LibvirtCase", "LibvirtSeen", "foretell", "guest_of", "hosts_of", "wrong"]

N1, OLDER, CLOCK, A76 = (
    *("neoverse-n1@7.x", "neoverse-n1@6.12"),
    *("neoverse-n1,cntfrq=100000000@7.x", "cortex-a76@7.x"),
)
#: QEMU's image in the lab, and what armlevel calls it.
VMMS = {"10": "qemu-10.0", "11": "qemu-11.1"}
BOTH = "pmu=off,kvm-psci-version=1.1"

#: What the guard, which has no words of the engine, calls a subject.
_NAMED = {"facts.cntfrq_hz": "CNTFRQ_EL0"}

Outcome = Literal["goes", "guard", "fails"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LibvirtCase:
    """One move of a domain by virsh.

    ``levelled``  the guest shows the level of both hosts, by the library;  ``marked``  its CPU is in its metadata
    ``override``  a person's word, with `breaks` or without;  ``how``  `virsh migrate --live`, or saved and restored
    ``rebooted``  the destination was booted anew just before;  ``goes_on``  it is the guest of the case before
    ``qemu``      what both hosts have: libvirt 11.3 restores nothing with QEMU 11.1, which takes no file by `fd:`
    """

    source: str
    target: str
    switches: str = ""
    levelled: bool = False
    marked: bool = True
    override: Literal["", "no", "yes"] = ""
    how: Literal["migrate", "restore"] = "migrate"
    rebooted: bool = False
    goes_on: bool = False
    qemu: Literal["10", "11"] = "11"

    @property
    def pair(self) -> tuple[str, str]:
        """The two hosts, in one order."""
        return min(self.source, self.target), max(self.source, self.target)

    @property
    def stand(self) -> tuple[tuple[str, str], str]:
        """What cases share that share a boot: the two hosts, and their QEMU."""
        return self.pair, self.qemu

    def __str__(self) -> str:
        """Return its name: no other case has it."""
        words = [f"{self.source} > {self.target}", self.how]
        words += ["level of both"] if self.levelled else []
        words += [f"with {self.switches}"] if self.switches else []
        words += [] if self.marked else ["not marked"]
        words += [f"override, breaks={self.override}"] if self.override else []
        words += ["destination rebooted"] if self.rebooted else []
        words += ["goes on"] if self.goes_on else []
        words += [] if self.qemu == "11" else [VMMS[self.qemu]]
        return "; ".join(words)


def _case(source: str, target: str, switches: str = "", **more: object) -> LibvirtCase:
    return LibvirtCase(source=source, target=target, switches=switches, **more)  # type: ignore[arg-type]


#: Those of one pair together: they share its boot, and a guest that is left where the next one would be started.
CASES = (
    # The same silicon under two kernels: up, and no way down but with switches.
    _case(N1, OLDER, marked=False),
    _case(N1, OLDER),
    _case(N1, OLDER, override="no"),
    _case(N1, OLDER, "kvm-psci-version=1.1"),
    _case(N1, OLDER, BOTH),
    _case(OLDER, N1, BOTH, goes_on=True),
    _case(N1, OLDER, BOTH, rebooted=True),
    _case(OLDER, N1, BOTH),
    _case(OLDER, N1),
    # Another kernel under a saved guest.
    _case(N1, OLDER, how="restore", qemu="10"),
    _case(OLDER, N1, how="restore", qemu="10"),
    _case(OLDER, N1, how="restore", qemu="10", levelled=True),
    _case(N1, OLDER, how="restore", qemu="10", levelled=True),
    # What nothing of today notices: the counter runs at another frequency.
    _case(N1, CLOCK),
    _case(N1, CLOCK, override="no"),
    _case(N1, CLOCK, override="yes"),
    _case(N1, CLOCK, marked=False),
    _case(CLOCK, N1),
    # Other silicon: not as it is, and levelled both ways.
    _case(A76, N1),
    _case(N1, A76),
    _case(A76, N1, levelled=True),
    _case(N1, A76, levelled=True),
)


@dataclass(frozen=True, slots=True)
class Foretold:
    """What armlevel says before a host is booted: whether it ``goes``, the ``guard`` refuses it, or virsh ``fails``.

    ``harm`` is what is wrong with a guest that goes; ``subjects`` are what a refusal is about, as people read it.
    """

    outcome: Outcome
    harm: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LibvirtSeen:
    """What happened, as it is kept: virsh's exit status and words, and the truth about the guest.

    ``guard``: the words are the hook's. ``unharmed`` is of a guest that did not go, None where it went.
    """

    status: int
    says: tuple[str, ...]
    guard: bool
    healthy: bool
    alive: bool
    rate: float | None
    unharmed: bool | None
    seconds: float = 0.0


def hosts_of(cases: Sequence[LibvirtCase] = CASES) -> tuple[str, ...]:
    """Return the hosts of all cases."""
    return tuple(dict.fromkeys(name for case in cases for name in (case.source, case.target)))


def guest_of(case: LibvirtCase, hosts: Mapping[str, Host]) -> Guest | None:
    """Return the profile that the guest of a case is levelled to; None for a passthrough guest."""
    if not case.levelled:
        return None
    guest = level([hosts[name] for name in case.pair], load(), Policy()).guest
    assert guest is not None
    return guest


def foretell(case: LibvirtCase, hosts: Mapping[str, Host]) -> Foretold:
    """Say what becomes of a case, as `armlevel migrate` does, from the profiles of its hosts."""
    # A guest that came by migration holds what it was started with: that of the host it goes back to.
    ends = [hosts[case.source], hosts[case.target]]
    found = migrate(ends, guest_of(case, hosts), vmm=VMMS[case.qemu], switches=case.switches).moves[0]
    prediction = found.prediction
    assert prediction is not None
    subjects = tuple(
        _NAMED.get(finding.subject.key, finding.subject.key)
        for finding in found.findings
        if finding.severity in ("stops", "breaks")
    )
    breaks = any(finding.severity == "breaks" for finding in found.findings)
    covered = case.override == "yes" or (case.override == "no" and not breaks)
    if found.answer == "refused" and case.marked and not covered:
        return Foretold("guard", subjects=subjects)
    if prediction.outcome == "completes":
        return Foretold("goes", prediction.harm)
    return Foretold("fails", subjects=subjects)


def wrong(told: Foretold, seen: LibvirtSeen) -> list[str]:
    """Return in what was foretold wrongly; nothing if all came so."""
    outcome = "goes" if seen.status == 0 else "guard" if seen.guard else "fails"
    if outcome != told.outcome:
        return [f"said {told.outcome}, and saw {outcome}: {' / '.join(seen.says)}"]
    faults = []
    if outcome == "goes" and seen.healthy == bool(told.harm):
        faults.append(f"said {told.harm or 'no harm'}; healthy {seen.healthy}, clock {seen.rate}")
    if outcome != "goes" and not seen.unharmed:
        faults.append("the guest at the source is not as it was")
    if outcome == "guard" and not any(subject in line for subject in told.subjects for line in seen.says):
        faults.append(f"virsh names none of {told.subjects}: {' / '.join(seen.says)}")
    return faults
