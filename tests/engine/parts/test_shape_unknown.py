"""What a KVM has that no row knows leaves passthrough guests open, from there and to there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from armlevel.documents import canonical, guest_object, new_pool, read_guest
from armlevel.engine import check, level, passthrough
from armlevel.engine.moves.moves import judged_move
from armlevel.engine.parts.shape_unknown import unknown_to_rows
from armlevel.engine.policy import Policy
from armlevel.engine.screen.compiled import Screen
from armlevel.kvm.numbers import KNOWN_CAPABILITIES, KNOWN_DEVICES, KNOWN_FEATURES, KNOWN_REGISTER_GROUPS
from armlevel.profile import Host
from tests.engine.kit import AROUND, CATALOGUE, plain

NEW = ("KVM_ARM_VCPU 10", "KVM_CAP 252", "KVM_DEV_TYPE 17", "KVM_REG_ARM 0x17")


def newer(name: str, *unknown: str) -> Host:
    return replace(plain(name), machine=replace(AROUND, unknown=unknown))


VMMS = ("kvm", "qemu-10.0", "qemu-11.0")


def left_open(source: Host, target: Host, vmm: str) -> bool:
    """Whether the move is left open for what no row knows; then it is no yes."""
    move = judged_move(source, target, CATALOGUE, vmm, None, Policy())
    found = [one for one in move.findings if one.subject.kind == "kvm-unknown"]
    assert not found or move.answer == "unknown"
    return bool(found)


def test_hosts_whose_kvm_is_known_are_judged_as_ever():
    assert not any(left_open(plain("a"), plain("b"), vmm) for vmm in VMMS)
    assert judged_move(plain("a"), plain("b"), CATALOGUE, "kvm", None, Policy()).answer == "runs"


@pytest.mark.parametrize("name", NEW)
def test_a_passthrough_guest_of_a_newer_kvm_is_never_a_yes(name: str):
    source, target = newer("a", name), plain("b")
    assert all(left_open(source, target, vmm) for vmm in VMMS)
    verdict = check(passthrough(source, CATALOGUE), target, CATALOGUE)
    assert (verdict.start, verdict.arrive) == ("unknown", "unknown")
    (finding,) = [one for one in verdict.findings if one.subject.kind == "kvm-unknown"]
    assert name in str(finding.needs)


def test_where_a_vmm_passes_its_own_cpu_through_arriving_is_left_open():
    source, target = plain("a"), newer("b", NEW[0])
    assert [left_open(source, target, vmm) for vmm in VMMS] == [False, True, True]


def test_a_levelled_guest_has_only_what_it_was_given():
    guest = level([newer("a", "KVM_CAP 252"), plain("b")], CATALOGUE).guest
    assert guest is not None
    assert check(guest, newer("a", "KVM_CAP 252"), CATALOGUE).arrive == "runs"


def test_what_rows_know_by_now_is_not_unknown():
    known = (
        f"KVM_CAP {KNOWN_CAPABILITIES[-1]}",
        f"KVM_DEV_TYPE {KNOWN_DEVICES[-1]}",
        f"KVM_ARM_VCPU {KNOWN_FEATURES[-1]}",
        f"KVM_REG_ARM {KNOWN_REGISTER_GROUPS[-1]:#x}",
    )
    assert unknown_to_rows(newer("a", *known)) == ()
    assert unknown_to_rows(newer("a", *NEW, "KVM_NEW 1", "new")) == (*NEW, "KVM_NEW 1", "new")


def test_the_screen_says_the_same():
    hosts = [plain("a"), newer("b", "KVM_CAP 252"), newer("c", "KVM_CAP 240")]
    screen = Screen(CATALOGUE)
    for source in hosts:
        guest = passthrough(source, CATALOGUE)
        for target in hosts:
            offer = target.offer(guest.shape)
            assert offer is not None
            parts = screen.answers(screen.guest(guest), screen.host(target, offer))
            assert parts["shape"] == check(guest, target, CATALOGUE).parts["shape"]


def test_a_guest_remembers_it():
    guest = passthrough(newer("a", "KVM_CAP 252"), CATALOGUE)
    assert guest.unknown == ("KVM_CAP 252",)
    assert read_guest(canonical(guest_object(guest)), "g", new_pool()).unknown == guest.unknown
