"""Wrong judgements of what stands around a guest's vCPUs: each plausible mistake, and the case that catches it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from armlevel.engine.parts import machine, machine_gic, machine_given, machine_map, machine_values
from armlevel.profile import HostMachine
from tests.engine.kit import CATALOGUE
from tests.engine.parts import test_machine as cases

Mutant = Callable[[pytest.MonkeyPatch], None]


def newest_gic_by_default(patch: pytest.MonkeyPatch) -> None:
    """Taking a GICv3 where nothing was asked for."""
    rows = {name: replace(row, gic=(3, 2)) for name, row in CATALOGUE.around.items()}
    patch.setitem(CATALOGUE.__dict__, "around", rows)


def unrecorded_gic_taken_for_there(patch: pytest.MonkeyPatch) -> None:
    """A device of which nothing is recorded can be made."""
    right = HostMachine.has_gic
    patch.setattr(HostMachine, "has_gic", lambda self, device: right(self, device) is not False)


def interface_always_taken(patch: pytest.MonkeyPatch) -> None:
    """KVM takes any ICC_CTLR_EL1."""
    patch.setattr(machine_gic, "_takes", lambda *_: True)


def interface_wants_the_same(patch: pytest.MonkeyPatch) -> None:
    """Fewer priority bits are refused as well."""
    patch.setattr(machine_gic, "_takes", lambda _one, value, tried: value == tried.shown)


def restored_interface_is_read(patch: pytest.MonkeyPatch) -> None:
    """The guest reads what was restored, not what the hardware has."""
    right = machine_values.machine_finding

    def finding(name, severity, *rest, **more):
        return right(name, "note" if name == "icc_ctlr" and severity == "risk" else severity, *rest, **more)

    patch.setattr(machine_gic, "machine_finding", finding)


def every_vmm_writes_the_revision(patch: pytest.MonkeyPatch) -> None:
    """GICD_IIDR is restored by all."""
    rows = {name: replace(row, writes=(*row.writes, "GICD_IIDR")) for name, row in CATALOGUE.around.items()}
    patch.setitem(CATALOGUE.__dict__, "around", rows)


def nested_guests_are_guests(patch: pytest.MonkeyPatch) -> None:
    """ICH_VTR_EL2 of a nested guest is not compared."""
    patch.setattr(machine_gic, "_nested", lambda *_: iter(()))


def windows_of_the_guest_fit_everywhere(patch: pytest.MonkeyPatch) -> None:
    """The map follows the guest, not the host."""
    right = machine_map.memory_map
    for module in (machine, machine_given):
        patch.setattr(module, "memory_map", lambda asked, _bits, catalogue: right(asked, 52, catalogue))


def blocks_are_not_rounded(patch: pytest.MonkeyPatch) -> None:
    """The memory of stolen time has the size that it needs."""
    patch.setattr(machine, "steal_time_block", lambda vcpus, _page, _catalogue: 64 * vcpus)


def only_stolen_time_has_blocks(patch: pytest.MonkeyPatch) -> None:
    """Pages of two sizes stop no guest but for its stolen time."""
    patch.setattr(machine, "_judge_memory", vars(machine)["_judge_steal_time"])


def every_other_page_stops(patch: pytest.MonkeyPatch) -> None:
    """Pages of two sizes stop a guest however many vCPUs it has."""
    patch.setattr(machine, "steal_time_block", lambda _vcpus, page, _catalogue: page)


CAUGHT: list[tuple[Mutant, Callable[[], object]]] = [
    (newest_gic_by_default, cases.test_the_same_command_line_is_another_machine_where_there_is_no_gicv2),
    (unrecorded_gic_taken_for_there, lambda: cases.test_a_host_with_a_key_less_is_unknown("gic")),
    (interface_always_taken, cases.test_a_value_of_the_cpu_interface_that_nobody_tried_follows_the_source),
    (interface_wants_the_same, cases.test_a_value_of_the_cpu_interface_that_nobody_tried_follows_the_source),
    (
        restored_interface_is_read,
        cases.test_a_value_of_the_cpu_interface_that_nobody_tried_follows_the_source,
    ),
    (every_vmm_writes_the_revision, cases.test_a_revision_is_a_note_under_a_vmm_that_does_not_write_it),
    (
        nested_guests_are_guests,
        lambda: cases.test_a_nested_guest_wants_the_same_ich_vtr(0x90080003, ["stops"]),
    ),
    (
        windows_of_the_guest_fit_everywhere,
        cases.test_a_window_that_does_not_fit_breaks_the_guest_and_no_part_of_kvm_says_so,
    ),
    (blocks_are_not_rounded, cases.test_what_qemu_prints_is_of_the_first_block_that_does_not_fit),
    (
        only_stolen_time_has_blocks,
        lambda: cases.test_blocks_of_memory_are_rounded_to_the_hosts_page(256, 16384, 4096, [], ["stops"]),
    ),
    (
        every_other_page_stops,
        lambda: cases.test_blocks_of_memory_are_rounded_to_the_hosts_page(256, 16384, 4096, [], ["stops"]),
    ),
]


@pytest.mark.parametrize(("mutant", "case"), CAUGHT, ids=lambda one: getattr(one, "__name__", ""))
def test_a_wrong_judgement_fails_a_case(mutant, case, monkeypatch: pytest.MonkeyPatch):
    assert CATALOGUE.around, "rows are read once, and a mutant stands in their place"
    case()
    mutant(monkeypatch)
    with pytest.raises((AssertionError, ValueError)):
        case()
