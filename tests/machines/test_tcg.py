"""What the page on TCG tells of the same name under TCG and under KVM is what was recorded."""

from __future__ import annotations

import pytest

from armlevel.arch import load
from armlevel.engine import passthrough
from pages.tcg import FINDINGS, Finding
from tests.fidelity.hosts import read as read_hosts
from tests.machines.tcg import read


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda finding: finding.title)
def test_a_finding_is_what_both_qemus_and_kvm_show(finding: Finding):
    recorded = read()
    assert finding.shown
    for (model, subject), (tcg, kvm) in finding.shown.items():
        field = load().field(subject)
        under_tcg = [host for host in recorded if host.name.startswith(f"{model}@tcg-")]
        (host,) = read_hosts([f"{model}@7.x"])
        assert [field.get(one.offers[0].limits[field.register]) for one in under_tcg] == [tcg, tcg]
        assert field.get(passthrough(host, load()).id_registers[field.register]) == kvm
