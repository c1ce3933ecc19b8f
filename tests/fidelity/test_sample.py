"""A sample of the fidelity suite for every `make test`: four hosts on two kernels, booted."""

from __future__ import annotations

import pytest

from armlevel.arch import load
from armlevel.documents import read_host
from armlevel.lab import pack_collector, parse_host
from tests.emulated import fetched
from tests.fidelity.hosts import SAMPLE, alike, read
from tests.fidelity.suite import run

JOBS = 2


@pytest.fixture(scope="module")
def lab(laboratory):
    with fetched():
        for host in SAMPLE:
            laboratory.prepare(parse_host(host))
    return laboratory


def test_four_hosts_do_what_is_said_of_them(lab, tell):
    files = pack_collector()
    probed = dict(lab.fleet([parse_host(name) for name in SAMPLE], lambda one: lab.probe(one, files), JOBS))
    by_name = {str(host): read_host(found.text.encode(), str(host)) for host, found in probed.items()}
    hosts = [by_name[name] for name in SAMPLE]
    assert len({host.software.kernel for host in hosts}) == 2
    for host, was in zip(hosts, read(SAMPLE), strict=True):
        assert host.software.kernel != was.software.kernel or alike(host, was), host.name
    outcome = run(lab, hosts, load(), jobs=JOBS)
    for line in outcome.lines():
        tell(f"fidelity, {len(hosts)} hosts {line}")
    assert outcome.failed == []
    assert outcome.wrong == []
    assert outcome.restored.unknown.total() == 0
    assert outcome.predicted.was["unknown"] == 0
    assert outcome.masks.unknown.total() < outcome.masks.compared * 0.01
    assert outcome.levelled.applied["born"] > 0
    assert outcome.levelled.conflicts["proved"] > 0
