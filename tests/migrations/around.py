"""Migrations that differ in what stands around the vCPUs: interrupt controller, memory map, stolen time, pages.

The hosts of a pair are alike but for that, or the guest is levelled so that they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from tests.migrations.plan import USUAL, Asked, Case, by_pair

__all__ = ["PAIRS", "WITHOUT_ITS", "machine_cases"]

N2, A76, N1, OLDER = "neoverse-n2@7.x", "cortex-a76@7.x", "neoverse-n1@7.x", "neoverse-n2@6.12"
#: The same silicon and kernel with another interrupt controller, and with pages of another size.
GIC2, PAGES = "neoverse-n2@7.x,gic=2", "neoverse-n2@7.x,pages=16k"
#: Interrupt controllers; pages; guest-physical sizes of 48 and 40 bits; kernels.
PAIRS = ((N2, GIC2), (N2, PAGES), (N1, A76), (OLDER, N2))

DEFAULT, HOST, MAX, TWO, THREE = (
    Asked(board=board) for board in ("", *(f"gic-version={version}" for version in ("host", "max", "2", "3")))
)
#: Without stolen time, which no guest keeps between pages of two sizes.
STILL = Asked(cpu="kvm-steal-time=off")
LARGE = Asked(memory="128M,slots=1,maxmem=600G")
HUGE = Asked(memory="128M,slots=1,maxmem=2T")


def _case(source: str, target: str, qemu: str, asked: Asked = USUAL, *level: str, **more: object) -> Case:
    return Case(source, target, (qemu, qemu), level, asked=asked, **more)  # type: ignore[arg-type]


#: One for every `make test`, on the pair of hosts that it boots.
WITHOUT_ITS = _case(OLDER, N2, "11", there=Asked(board="gic-version=3,its=off"))


def _still(board: str, **more: object) -> Asked:
    return replace(STILL, board=board, **more)  # type: ignore[arg-type]


def _sizes() -> Iterator[Case]:
    both = N1, A76
    # The silent one: 48 bits hold the window of PCI memory above 600 GiB, and 40 do not. (A guest of 40 bits that has a
    # device there does not even boot: it is told of fewer bits than QEMU's map follows.)
    yield _case(N1, A76, "10", LARGE, *both)
    yield _case(N1, A76, "11", LARGE, *both)
    # Memory itself beyond 40 bits.
    yield _case(N1, A76, "10", HUGE, *both)
    yield _case(N1, A76, "11", HUGE, *both)
    # With little memory the window ends within 40 bits.
    yield _case(N1, A76, "10", replace(USUAL, device=True), *both)
    yield _case(A76, N1, "10", replace(USUAL, device=True), *both)
    yield _case(A76, N1, "11", LARGE, *both)
    yield _case(N1, A76, "11", Asked(board="gic-version=max,its=off", cpu=STILL.cpu), *both)
    yield _case(A76, N1, "11", Asked(board="gic-version=max,its=off", cpu=STILL.cpu), *both)


def _controllers() -> Iterator[Case]:
    both = N2, GIC2
    # What is not asked for, and what is asked for by another name than a version, hangs on the host.
    yield _case(N2, GIC2, "11", DEFAULT)
    yield _case(N2, GIC2, "11", DEFAULT, there=HOST)
    yield _case(N2, GIC2, "11", DEFAULT, there=MAX)
    yield _case(N2, GIC2, "11", DEFAULT, there=TWO)
    yield _case(N2, GIC2, "11", DEFAULT, there=THREE)
    yield _case(GIC2, N2, "10", DEFAULT)
    yield _case(GIC2, N2, "10", DEFAULT, there=HOST)
    yield _case(GIC2, N2, "10", DEFAULT, there=MAX)
    yield _case(GIC2, N2, "10", DEFAULT, there=THREE)
    yield _case(GIC2, N2, "10", DEFAULT, there=TWO)
    yield _case(N2, GIC2, "10", DEFAULT, *both)
    yield _case(N2, GIC2, "10", THREE)
    yield _case(GIC2, N2, "11", TWO)


def _pages() -> Iterator[Case]:
    both = N2, PAGES
    # Memory for stolen time is rounded up to pages.
    yield _case(N2, PAGES, "10")
    yield _case(N2, PAGES, "10", there=STILL)
    # Without it a guest goes there and back; not where its ITS is off there.
    yield _case(N2, PAGES, "11", STILL, there=_still("gic-version=3,its=off"))
    yield _case(N2, PAGES, "11", STILL)
    yield _case(PAGES, N2, "11", STILL)
    yield _case(N2, PAGES, "11", STILL, there=USUAL)
    # A device in a high window that both hosts have, and that is left out there.
    yield _case(N2, PAGES, "10", replace(STILL, memory=LARGE.memory, device=True))
    yield _case(
        *(PAGES, N2, "10", replace(STILL, memory=LARGE.memory, device=True)),
        there=_still("gic-version=3,highmem-mmio=off", memory=LARGE.memory, device=True),
    )
    yield _case(N2, PAGES, "11", USUAL, *both)
    yield _case(N2, PAGES, "11", _still("gic-version=host"), *both)
    yield _case(PAGES, N2, "11", _still("gic-version=host"), *both)
    yield _case(N2, PAGES, "10", _still("gic-version=max,its=off"), there=_still("gic-version=max"))
    yield _case(
        *(N2, PAGES, "11", replace(STILL, device=True)),
        there=_still("gic-version=3,highmem-ecam=off", device=True),
    )


def _kernels() -> Iterator[Case]:
    # Another kernel besides, where QEMU 11 takes the guest's list of registers.
    yield WITHOUT_ITS
    yield _case(OLDER, N2, "11", there=STILL)


@cache
def machine_cases() -> tuple[Case, ...]:
    """Return every case, those of one pair together."""
    return by_pair(dict.fromkeys([*_controllers(), *_pages(), *_sizes(), *_kernels()]))
