"""A value that KVM forgets when a vCPU is powered on is none that the host can show."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from armlevel.arch import load
from armlevel.probe import plan_of
from armlevel.probe.offer import OfferSession, probe_shape
from armlevel.profile import Shape
from tests.probe.fake import FakeKvm, FakeVcpu, FakeVm, like_7_3

CLIDR_ID, LIMIT = 0x6030_0000_0013_C801, 0x0A20_0023


class Vcpu(FakeVcpu):
    """CLIDR_EL1 may be written; whether it outlives another initialisation is the kernel's age."""

    forgets = True

    def init(self, bits) -> None:
        before = getattr(self, "values", {}).get(CLIDR_ID, LIMIT)
        super().init(bits)
        self.values[CLIDR_ID] = LIMIT if self.forgets else before
        self.limits[CLIDR_ID] = LIMIT

    def write_and_read_back(self, register_id: int, values: Sequence[int]) -> list[int | None]:
        if register_id != CLIDR_ID:
            return super().write_and_read_back(register_id, values)
        self.values[CLIDR_ID] = values[-1]
        return list(values)


class Keeping(Vcpu):
    forgets = False


def offer_of(kind: type[Vcpu], monkeypatch: pytest.MonkeyPatch):
    kvm = FakeKvm(rule=like_7_3)
    monkeypatch.setattr(FakeVm, "create_vcpu", lambda vm: kind(kvm, vm))
    return probe_shape(OfferSession(kvm=kvm, plan=plan_of(load())), Shape())


def test_clidr_is_exact_where_a_reset_forgets_it(monkeypatch: pytest.MonkeyPatch):
    offer = offer_of(Vcpu, monkeypatch)
    assert offer.limits["CLIDR_EL1"] == LIMIT
    assert not [name for name in offer.accepts if name.startswith("CLIDR_EL1.")]


def test_clidr_is_what_kvm_takes_where_a_reset_keeps_it(monkeypatch: pytest.MonkeyPatch):
    offer = offer_of(Keeping, monkeypatch)
    assert offer.limits["CLIDR_EL1"] == LIMIT
    assert len([name for name in offer.accepts if name.startswith("CLIDR_EL1.")]) > 5
