"""What a host profile costs: all shapes of a host fit into a few dozen kilobytes."""

from __future__ import annotations

from armlevel.documents import host_object, pretty
from tests.fidelity.hosts import read

LARGEST = 40 * 1024


def test_all_shapes_of_every_recorded_host_fit_into_forty_kibibytes():
    sizes = {host.name: len(pretty(host_object(host))) for host in read()}
    assert {name: size for name, size in sizes.items() if size > LARGEST} == {}
    assert len(sizes) >= 57
