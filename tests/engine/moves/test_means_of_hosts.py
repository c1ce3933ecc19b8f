"""Which means are enough for all hosts of a set, on what was recorded."""

from __future__ import annotations

import pytest

from armlevel.engine.moves.means_of_hosts import StockMeans, stock_means
from tests.engine.kit import CATALOGUE
from tests.fidelity.hosts import read

BOTH = "pmu=off,kvm-psci-version=1.1"


@pytest.mark.parametrize(
    ("names", "vmm", "means"),
    [
        (["neoverse-n1@7.x", "neoverse-n1@6.12"], "kvm", StockMeans("switches", BOTH, "qemu-11.1")),
        (
            ["neoverse-n1@6.12", "neoverse-n1@6.18", "neoverse-n1@7.x"],
            "qemu-11.1",
            StockMeans("switches", BOTH),
        ),
        (["neoverse-n1@6.18", "neoverse-n1@7.x"], "qemu-11.1", StockMeans("switches", "pmu=off")),
        (["neoverse-n1@7.x"], "qemu-11.1", StockMeans("passthrough")),
        (["neoverse-n2@7.x", "neoverse-n2@6.12"], "qemu-11.1", None),
        (["neoverse-n2@7.x", "neoverse-v1@7.x"], "kvm", None),
        (["neoverse-v1@7.x", "neoverse-v1,sve=off@7.x"], "qemu-11.1", StockMeans("switches", "sve=off")),
    ],
)
def test_a_vmm_as_it_is_does_it_for_all_hosts_or_not(names, vmm, means):
    assert stock_means(read(names), CATALOGUE, vmm) == means


def test_where_a_fact_is_not_recorded_no_means_is_named():
    (host,) = read(["neoverse-n1@7.x"])
    silent = type(host)(host.name, host.offers, host.cpus)
    assert stock_means([silent], CATALOGUE, "qemu-11.1") is None
