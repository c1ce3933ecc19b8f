"""Which migrations are made: a list that the seed and nothing else decides.

A *case* is one live migration. Cases of one pair of hosts share their boot. Some pairs are there for a reason, which
stands beside them; the others are drawn.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

__all__ = ["SAMPLE", "SEED", "USUAL", "Asked", "Case", "by_pair", "cases", "hosts_of"]

SEED = 20261123
#: A draw takes two of these; all of them are recorded in the machines' archive.
_CPUS = (
    "cortex-a57",
    "cortex-a72",
    "cortex-a76",
    "cortex-a710",
    "neoverse-n1",
    "neoverse-n2",
    "neoverse-v1",
    "a64fx",
    "max",
)
_LINES = ("6.1", "6.12", "6.18", "7.x")
_DRAWN = 8
_BOTH = ("10", "11")
_FIVE = (
    *("neoverse-n2@7.x", "neoverse-n1@7.x", "neoverse-v1@7.x", "cortex-a76@7.x"),
    "max,cntfrq=62500000@7.x",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What QEMU is asked for around the vCPUs: words behind the machine type, behind ``-m``, and behind the CPU.

    ``device`` gives the guest a PCI device with memory above 4 GiB, and the guest looks whether it answers.
    """

    board: str = "gic-version=3"
    memory: str = "128M"
    cpu: str = ""
    device: bool = False

    def __str__(self) -> str:
        """Return what is not as usual."""
        words = [self.board or "no gic-version"] if self.board != "gic-version=3" else []
        words += [f"-m {self.memory}"] if self.memory != "128M" else []
        words += [self.cpu] if self.cpu else []
        return " ".join([*words, *(["a device"] if self.device else [])]) or "as usual"


USUAL = Asked()


@dataclass(frozen=True, slots=True)
class Case:
    """One migration: where from, where to, the QEMU on each side, and the guest.

    ``level`` names the hosts of the guest's profile, none for each source's passthrough CPU; ``tolerate`` its
    tolerances. ``switches`` are given to QEMU on both sides. ``mistake`` is what an operator does wrong: ``vectors``,
    the source is not told to leave its longer vectors off; ``clock``, the profile does not record the counter's
    frequency. ``asked`` is what QEMU is asked for around the vCPUs, ``there`` on the destination if it is not the same.
    """

    source: str
    target: str
    qemu: tuple[str, str] = ("10", "10")
    level: tuple[str, ...] = ()
    tolerate: tuple[str, ...] = ()
    switches: str = ""
    vcpus: int = 1
    mistake: str = ""
    asked: Asked = USUAL
    there: Asked | None = None

    @property
    def pair(self) -> tuple[str, str]:
        """The two hosts, in one order."""
        return min(self.source, self.target), max(self.source, self.target)

    def __str__(self) -> str:
        """Return its name: no other case has it."""
        guest = "passthrough"
        if self.level:
            hosts = "five CPUs" if self.level == _FIVE else "both"
            guest = ",".join([f"level of {hosts}", *self.tolerate])
        words = [f"{self.source} > {self.target}", f"QEMU {':'.join(dict.fromkeys(self.qemu))}", guest]
        words += [f"with {self.switches}"] if self.switches else []
        words += [f"{self.vcpus} vCPUs"] if self.vcpus > 1 else []
        words += [f"mistake: {self.mistake}"] if self.mistake else []
        words += [f"{self.asked}"] if self.asked != USUAL or self.there else []
        words += [f"there {self.there}"] if self.there else []
        return "; ".join(words)


def _ways(a: str, b: str, qemus: Sequence[str] = _BOTH, **more: object) -> Iterator[Case]:
    for source, target in ((a, b), (b, a)):
        for qemu in qemus:
            yield Case(source, target, (qemu, qemu), **more)  # type: ignore[arg-type]


def _levelled(a: str, b: str, *tolerate: str) -> Iterator[Case]:
    yield from _ways(a, b, level=(a, b), tolerate=tolerate, vcpus=2)


def _chosen() -> Iterator[Case]:
    a76, n1, n2, v1 = (f"{cpu}@7.x" for cpu in ("cortex-a76", "neoverse-n1", "neoverse-n2", "neoverse-v1"))
    # What the same silicon does under another kernel: with QEMU as it is, and levelled.
    for here, there, tolerate in (
        (n2, "neoverse-n2@6.12", ("el2-only",)),
        ("neoverse-n2@6.18", "neoverse-n2@6.12", ("el2-only",)),
        (n2, "neoverse-n2@6.1", ("el2-only", "cache-format")),
    ):
        yield from _ways(here, there)
        yield from _levelled(here, there, *tolerate)
    # A mixed pair of QEMUs: the destination's rules decide.
    yield Case("neoverse-n2@6.12", n2, ("10", "11"))
    yield Case(n2, "neoverse-n2@6.12", ("11", "10"))
    # What switches do for it, and what they leave in the way.
    yield from _ways(n1, "neoverse-n1@6.18", ("11",), switches="pmu=off")
    yield from _ways(n1, "neoverse-n1@6.12", ("11",), switches="pmu=off,kvm-psci-version=1.1")
    yield from _ways(n2, "neoverse-n2@6.12", ("11",), switches="pmu=off,kvm-psci-version=1.1")
    # Other silicon, one kernel.
    yield from _levelled(a76, n1)
    yield from _ways(a76, n1)
    yield from _levelled(n2, v1)
    yield from _ways(n2, v1, ("11",))
    yield from _levelled(n2, n1, "el2-only", "id-trap")
    yield from _ways(n2, n1, ("11",))
    # What QEMU reports as done and is not: longer vectors, another counter frequency.
    yield Case(v1, n2, level=(n2, v1), mistake="vectors")
    yield Case(
        n2,
        "max@7.x",
        level=(n2, "max,cntfrq=62500000@7.x"),
        tolerate=("el2-only", "id-trap"),
        mistake="clock",
    )
    yield from _ways(n1, "neoverse-n1,cntfrq=100000000@7.x")
    # One guest for five models.
    for source, target in (
        (a76, v1),
        (n1, "max,cntfrq=62500000@7.x"),
        (n2, a76),
        ("max,cntfrq=62500000@7.x", n2),
    ):
        yield Case(source, target, ("11", "11"), level=_FIVE, tolerate=("el2-only", "id-trap"), vcpus=2)


def _drawn(draw: random.Random) -> Iterator[Case]:
    names = [f"{cpu}@{line}" for cpu, line in itertools.product(_CPUS, _LINES)]
    for _ in range(_DRAWN):
        a, b = draw.sample(names, 2)
        qemus = draw.sample(_BOTH, 2)
        yield Case(a, b, (qemus[0], qemus[0]))
        yield Case(b, a, (qemus[1], qemus[1]))


def cases(seed: int = SEED) -> tuple[Case, ...]:
    """Return every case, those of one pair together."""
    return by_pair(dict.fromkeys([*_chosen(), *_drawn(random.Random(seed))]))


def by_pair(some: Iterable[Case]) -> tuple[Case, ...]:
    """Return cases with those of one pair together, in the order of their first."""
    found = list(some)
    pairs = list(dict.fromkeys(case.pair for case in found))
    return tuple(sorted(found, key=lambda case: pairs.index(case.pair)))


def hosts_of(some: Sequence[Case]) -> tuple[str, ...]:
    """Return every host that the cases need."""
    return tuple(dict.fromkeys(name for case in some for name in (case.source, case.target, *case.level)))


def _sample() -> tuple[Case, ...]:
    n2, older = "neoverse-n2@7.x", "neoverse-n2@6.12"
    # From, to, QEMU on both, levelled: another kernel as it is, and levelled, there and back.
    wanted = {
        (older, n2, "11", False),
        (n2, older, "10", False),
        (older, n2, "11", True),
        (n2, older, "11", True),
    }
    return tuple(
        case
        for case in cases()
        if case.qemu[0] == case.qemu[1]
        and not case.switches
        and (case.source, case.target, case.qemu[0], bool(case.level)) in wanted
    )


#: Those that `make test` makes, with one pair of hosts. `make migrations` makes them all.
SAMPLE = _sample()
