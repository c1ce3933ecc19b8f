"""Migrations that differ in what stands around the vCPUs: interrupt controller, memory map, stolen time, pages.

The hosts of a pair are alike but for that, or the guest is levelled so that they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from tests.migrations.plan import USUAL, Asked, Case, by_pair

__all__ = ["PAIRS", "machine_cases"]

N2, A76, N1 = "neoverse-n2@7.x", "cortex-a76@7.x", "neoverse-n1@7.x"
#: The same silicon and kernel with another interrupt controller, and with pages of another size.
GIC2, PAGES = "neoverse-n2@7.x,gic=2", "neoverse-n2@7.x,pages=16k"
#: Guest-physical sizes of 48 and 40 bits; interrupt controllers; pages.
PAIRS = ((N1, A76), (N2, GIC2), (N2, PAGES))

DEFAULT, HOST, MAX, TWO = (
    Asked(board=board) for board in ("", *(f"gic-version={v}" for v in ("host", "max", "2")))
)
#: Without stolen time, which no guest keeps between pages of two sizes.
STILL = Asked(cpu="kvm-steal-time=off")
LARGE = Asked(memory="128M,slots=1,maxmem=600G", device=True)


def _case(source: str, target: str, qemu: str, asked: Asked = USUAL, *level: str, **more: object) -> Case:
    return Case(source, target, (qemu, qemu), level, asked=asked, **more)  # type: ignore[arg-type]


def _still(board: str, **more: object) -> Asked:
    return replace(STILL, board=board, **more)  # type: ignore[arg-type]


def _controllers() -> Iterator[Case]:
    both = N2, GIC2
    # What is not asked for, and what is asked for by another name than a version, hangs on the host.
    yield _case(N2, GIC2, "10", DEFAULT)
    yield _case(N2, GIC2, "11", DEFAULT)
    yield _case(GIC2, N2, "11", DEFAULT)
    yield _case(N2, GIC2, "11", HOST)
    yield _case(GIC2, N2, "10", HOST)
    yield _case(N2, GIC2, "10", MAX)
    yield _case(GIC2, N2, "11", MAX)
    # A version that the other host has not.
    yield _case(N2, GIC2, "10")
    yield _case(N2, GIC2, "11")
    yield _case(GIC2, N2, "11", TWO)
    yield _case(N2, GIC2, "11", DEFAULT, *both)
    yield _case(GIC2, N2, "11", TWO, *both)


def _pages() -> Iterator[Case]:
    # Memory for stolen time is rounded up to pages.
    yield _case(N2, PAGES, "10")
    yield _case(PAGES, N2, "11")
    yield _case(N2, PAGES, "11", USUAL, N2, PAGES)
    yield _case(N2, PAGES, "11", STILL)
    yield _case(PAGES, N2, "10", STILL)
    yield _case(PAGES, N2, "11", STILL, N2, PAGES)
    # Asked for by name, or not at all: the same on both hosts.
    yield _case(N2, PAGES, "10", _still("gic-version=host"))
    yield _case(PAGES, N2, "11", _still("gic-version=max"))
    yield _case(N2, PAGES, "11", _still(""))
    # The command line of the destination is another one.
    yield _case(N2, PAGES, "11", _still("gic-version=3,its=off"))
    yield _case(N2, PAGES, "11", STILL, there=_still("gic-version=3,its=off"))
    yield _case(PAGES, N2, "10", _still("gic-version=3,its=off"), there=STILL)
    yield _case(N2, PAGES, "10", USUAL, there=STILL)
    yield _case(PAGES, N2, "11", STILL, there=USUAL)
    # A device in the high window: there on both hosts, and gone on the destination.
    yield _case(N2, PAGES, "11", replace(STILL, memory=LARGE.memory, device=True))
    gone = _still("gic-version=3,highmem-mmio=off", device=True)
    yield _case(N2, PAGES, "10", replace(STILL, device=True), there=gone)
    yield _case(
        PAGES,
        N2,
        "11",
        replace(STILL, device=True),
        there=_still("gic-version=3,highmem-ecam=off", device=True),
    )


def _sizes() -> Iterator[Case]:
    both = N1, A76
    # The silent one: 48 bits hold the window of PCI memory above 600 GiB, and 40 do not.
    yield _case(N1, A76, "10", LARGE, *both)
    yield _case(N1, A76, "11", LARGE, *both)
    yield _case(A76, N1, "11", LARGE, *both)
    yield _case(N1, A76, "11", replace(LARGE, board="gic-version=3,highmem-mmio=off"), *both)
    # With little memory it ends within 40 bits.
    yield _case(N1, A76, "10", replace(USUAL, device=True), *both)
    yield _case(A76, N1, "11", replace(USUAL, device=True), *both)
    # Memory itself beyond 40 bits.
    yield _case(N1, A76, "10", Asked(memory="128M,slots=1,maxmem=2T"), *both)
    yield _case(N1, A76, "11", Asked(memory="128M,slots=1,maxmem=2T"), *both)
    yield _case(N1, A76, "11", replace(STILL, board=""), *both)
    yield _case(A76, N1, "10", Asked(board="gic-version=max,its=off"), *both)


@cache
def machine_cases() -> tuple[Case, ...]:
    """Return every case, those of one pair together."""
    return by_pair(dict.fromkeys([*_sizes(), *_controllers(), *_pages()]))
