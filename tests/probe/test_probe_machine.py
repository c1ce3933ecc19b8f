from __future__ import annotations

import os
import subprocess
import sys
import zipfile

import pytest

import make_probe
from armlevel.errors import KvmError
from armlevel.kvm.vcpu import EXIT_MMIO, Exit
from armlevel.onefile.collector import collect
from armlevel.probe import plan_of, read_machine, vmms, vmms_of
from armlevel.probe.apply import apply_guest
from armlevel.probe.guest import code_for, read_by_mrs
from armlevel.probe.plan import Run, geometries, values_for
from armlevel.profile import Facts, Guest, Implementation, Shape, ShownImplementation
from tests.probe.fake import CATALOGUE, ISAR0, FakeKvm, FakeVm, like_7_3


def put(root, path, text):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text, encoding="utf-8")


@pytest.fixture
def root(tmp_path):
    put(tmp_path, "sys/devices/system/cpu/present", "0-3\n")
    for cpu, midr in enumerate(("0x410fd030", "0x410fd030", "0x410fd080")):
        folder = f"sys/devices/system/cpu/cpu{cpu}/regs/identification"
        put(tmp_path, f"{folder}/midr_el1", f"{midr}\n")
        put(tmp_path, f"{folder}/revidr_el1", "0x0000000000000180\n")
    put(tmp_path, "proc/sys/kernel/osrelease", "6.12.117\n")
    put(tmp_path, "proc/sys/kernel/hostname", "rock\n")
    put(
        tmp_path,
        "proc/cmdline",
        "console=ttyAMA0 arm64.nosve mitigations=off quiet id_aa64pfr0.sve=0 kpti=off\n",
    )
    put(tmp_path, "sys/devices/system/cpu/vulnerabilities/spectre_v2", "Mitigation: CSV2, BHB\n")
    put(tmp_path, "sys/devices/system/cpu/vulnerabilities/meltdown", "Not affected\n")
    put(tmp_path, "sys/bus/event_source/devices/armv8_pmuv3_0/type", "8\n")
    return tmp_path


def test_every_cpu_is_read_and_those_alike_are_counted(root):
    machine = read_machine(str(root))
    assert [(cpu.implementation.midr, cpu.count) for cpu in machine.cpus] == [
        (0x410FD030, 2),
        (0x410FD080, 1),
    ]
    assert machine.where == ((0, 1), (2,))
    assert {cpu.implementation.revidr for cpu in machine.cpus} == {0x180}


def test_what_the_kernel_does_not_show_is_not_0(root):
    assert {cpu.implementation.aidr for cpu in read_machine(str(root)).cpus} == {None}
    put(root, "sys/devices/system/cpu/cpu2/regs/identification/aidr_el1", "0x0000000000000551\n")
    (root / "sys/devices/system/cpu/cpu1/regs/identification/revidr_el1").unlink()
    assert [cpu.implementation for cpu in read_machine(str(root)).cpus] == [
        Implementation(0x410FD030),
        Implementation(0x410FD030, 0x180),
        Implementation(0x410FD080, 0x180, 0x551),
    ]


def test_only_boot_options_that_narrow_the_offer_are_kept(root):
    assert read_machine(str(root)).boot_options == (
        "arm64.nosve",
        "mitigations=off",
        "id_aa64pfr0.sve=0",
        "kpti=off",
    )


def test_kernel_name_pmu_and_vulnerabilities_are_read(root):
    machine = read_machine(str(root))
    assert (machine.kernel, machine.name, machine.pmu) == ("6.12.117", "rock", 8)
    assert machine.vulnerabilities == {"spectre_v2": "Mitigation: CSV2, BHB"}


def test_of_cpus_that_are_not_alike_the_first_kind_has_the_pmu(root):
    put(root, "sys/bus/event_source/devices/armv8_cortex_a72/type", "9\n")
    put(root, "sys/bus/event_source/devices/armv8_cortex_a72/cpus", "2-3\n")
    put(root, "sys/bus/event_source/devices/armv8_pmuv3_0/cpus", "0-1\n")
    assert read_machine(str(root)).pmu == 8
    put(root, "sys/bus/event_source/devices/armv8_cortex_a72/cpus", "0-1\n")
    put(root, "sys/bus/event_source/devices/armv8_pmuv3_0/cpus", "2-3\n")
    assert read_machine(str(root)).pmu == 9


def test_a_probe_of_cpus_that_are_not_alike_stays_on_the_first_kind(root, monkeypatch):
    moved: list[set[int]] = []
    monkeypatch.setattr("armlevel.onefile.collector.read_machine", lambda: read_machine(str(root)))
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {1, 2, 3})
    monkeypatch.setattr("os.sched_setaffinity", lambda _, cpus: moved.append(cpus))
    arm = os.uname_result([*os.uname()[:4], "aarch64"])
    monkeypatch.setattr("os.uname", lambda: arm)
    with pytest.raises(KvmError, match="there is no"):
        collect(plan_of(CATALOGUE), device=str(root / "kvm"))
    assert moved == [{1}]


def test_an_empty_machine_is_read_without_a_word(tmp_path):
    machine = read_machine(str(tmp_path))
    assert (machine.cpus, machine.kernel, machine.firmware, machine.boot_options) == ((), None, None, ())


@pytest.mark.parametrize(
    ("program", "said", "version"),
    [
        ("qemu-system-aarch64", "QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2+deb13u1)", "10.0.2"),
        ("firecracker", "Firecracker v1.13.0\n", "1.13.0"),
        ("cloud-hypervisor", "gibberish", "found"),
    ],
)
def test_a_vmm_on_the_path_is_found_with_its_version(tmp_path, program, said, version):
    file = tmp_path / program
    file.write_text("", encoding="utf-8")
    file.chmod(0o755)
    assert list(vmms_of(str(tmp_path), ask=lambda _: said).values()) == [version]


def test_a_file_that_cannot_be_run_is_no_vmm(tmp_path):
    (tmp_path / "firecracker").write_text("", encoding="utf-8")
    assert vmms_of(str(tmp_path)) == {}


def test_short_fields_are_tried_in_full_and_long_ones_at_telling_values():
    assert values_for(Run("R.F", 4, 15), 0x30) == [0, 1, 2, *range(4, 16)]
    assert values_for(Run("R.F", 0, 0xFFF), 0x100) == [0, 0xFF, 0x101, 0xFFF]
    assert values_for(Run("R.F", 0, 0xFFF), 0) == [1, 0xFFF]


def test_cache_geometries_keep_lines_as_long_as_the_hosts():
    assert all(value & 7 >= 3 for value in geometries(3))


def test_the_guests_vectors_lie_where_the_architecture_looks():
    code = code_for([(3, 0, 0, 4, 0)])
    assert all(code[n * 0x80 : n * 0x80 + 4] == code[:4] for n in range(16))
    assert code[0x1000:0x1004] == (0xD5380400).to_bytes(4, "little")


def test_an_undefined_register_is_none_and_the_next_one_is_read():
    kvm = FakeKvm(mrs=(7,))
    with FakeVm(kvm) as vm:
        vcpu = vm.create_vcpu()
        exits = iter(
            [Exit(EXIT_MMIO, 0x1000_1000, 0, write=True), Exit(EXIT_MMIO, 0x1000_0000, 7, write=True)]
        )
        vcpu.run = lambda: next(exits)  # type: ignore[method-assign]
        assert read_by_mrs(vm, vcpu, {"GMID_EL1": (3, 1, 0, 0, 4), "DCZID_EL0": (3, 3, 0, 0, 7)}) == {
            "GMID_EL1": None,
            "DCZID_EL0": 7,
        }


def applied(value, seen, **facts):
    guest = Guest("g", Shape(), {"ID_AA64ISAR0_EL1": value}, facts=Facts(**facts))
    kvm = FakeKvm(like_7_3, mrs=(seen, 100_000_000, 4))
    assert kvm.values[ISAR0] == 0x21
    found = apply_guest(kvm, guest, CATALOGUE).differences
    # What so small a profile lacks is told each time.
    return tuple(one for one in found if one.code != "not-recorded")


def test_a_plan_applies_a_profile_as_the_catalogue_does_and_needs_no_catalogue(monkeypatch):
    plan = plan_of(CATALOGUE)
    firmware = {"KVM_REG_ARM_PSCI_VERSION": 0x10001}
    guest = Guest(
        "g", Shape(), {"ID_AA64ISAR0_EL1": 0x31, "CCSIDR_EL1[0]": 1, "S3_0_C0_C3_3": 0}, firmware=firmware
    )
    by_catalogue = apply_guest(FakeKvm(like_7_3, mrs=(0x21, 1, 4)), guest, CATALOGUE)
    monkeypatch.setattr("armlevel.arch.load", lambda: pytest.fail("the catalogue stays at home"))
    assert apply_guest(FakeKvm(like_7_3, mrs=(0x21, 1, 4)), guest, plan) == by_catalogue
    assert len(by_catalogue.differences) > 1


def test_a_profile_that_the_host_can_be_has_no_difference():
    assert applied(0x11, 0x11, cntfrq_hz=100_000_000, dczid=4) == ()


def test_a_profile_that_says_neither_which_core_nor_which_gic_it_has_is_not_taken_for_right():
    kvm = FakeKvm(like_7_3, mrs=(0x11, 100_000_000, 4))
    found = apply_guest(kvm, Guest("g", Shape(), {"ID_AA64ISAR0_EL1": 0x11}), CATALOGUE).differences
    assert {one.subject for one in found if one.code == "not-recorded"} == {
        "MIDR_EL1",
        "REVIDR_EL1",
        "AIDR_EL1",
        "ID_AA64PFR0_EL1",
    }


def test_a_refused_register_is_narrowed_down_to_its_field():
    found = applied(0x31, 0x21)
    assert {one.subject for one in found} == {"ID_AA64ISAR0_EL1.AES"} or found[0].wanted == 0x31


def test_what_the_guest_sees_counts_and_not_only_what_kvm_says():
    (found,) = applied(0x11, 0x21)
    assert (found.seen, found.subject) == ("guest", CATALOGUE.field("ID_AA64ISAR0_EL1.AES").subject)


def test_another_counter_frequency_is_a_difference():
    (found,) = applied(0x11, 0x11, cntfrq_hz=25_000_000)
    assert (found.subject, found.found) == ("facts.cntfrq_hz", 100_000_000)


def test_a_number_of_the_implementation_that_the_profile_lacks_is_neither_written_nor_taken_for_right():
    shown = ShownImplementation(Implementation(0x410FD493, 0))
    guest = Guest("g", Shape(), {"ID_AA64ISAR0_EL1": 0x11}, implementation=shown)
    found = apply_guest(
        FakeKvm(like_7_3, mrs=(0x11, 0x410FD493, 0, 100_000_000, 4)), guest, CATALOGUE
    ).differences
    (lacking,) = [one for one in found if one.subject == "AIDR_EL1"]
    assert (lacking.code, lacking.wanted, lacking.found) == ("not-recorded", None, None)


def test_the_one_file_probe_is_built_alike_twice_and_speaks_on_a_bare_python(tmp_path):
    one, two = tmp_path / "one.pyz", tmp_path / "two.pyz"
    tags = make_probe.build(one)
    make_probe.build(two)
    assert one.read_bytes() == two.read_bytes()
    assert sys.implementation.cache_tag in tags
    done = subprocess.run(
        [sys.executable, "-I", "-S", one, "--help"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: armlevel-probe")
    names = zipfile.ZipFile(one).namelist()
    assert not any("pydantic" in name or "typer" in name or "engine" in name for name in names)


def test_the_one_file_probe_says_in_a_sentence_why_it_cannot(tmp_path):
    archive = tmp_path / "probe.pyz"
    make_probe.build(archive)
    done = subprocess.run(
        [sys.executable, "-I", "-S", archive, "-o", tmp_path / "h.json", "--bad"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == "armlevel-probe: option --bad not recognized\n"
    assert not (tmp_path / "h.json").exists()


def test_root_runs_no_program_that_somebody_else_may_write(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    own, theirs, ran = tmp_path / "own", tmp_path / "theirs", []
    for folder in (own, theirs):
        folder.mkdir(mode=0o755)
        for program in ("firecracker", "crosvm"):
            (folder / program).write_text("#!/bin/sh\n")
            (folder / program).chmod(0o755)
    monkeypatch.setattr(
        vmms, "is_roots", lambda path: str(path).startswith(str(own)) and "crosvm" not in str(path)
    )
    monkeypatch.setattr(vmms, "_OF_ROOT", (str(theirs), str(own)))
    monkeypatch.setenv("PATH", f"{theirs}:{own}")

    def ask(program: str) -> str:
        ran.append(program)
        return "Firecracker v1.13.0"

    assert vmms.vmms_of(ask=ask) == {"firecracker": "1.13.0", "crosvm": "found"}
    assert ran == [str(own / "firecracker")]


@pytest.mark.parametrize(("mode", "is_it"), [(0o755, True), (0o775, False), (0o757, False), (0o700, True)])
def test_what_is_roots_is_written_by_nobody_else(tmp_path, mode, is_it):
    program = tmp_path / "p"
    program.write_text("")
    program.chmod(mode)
    assert vmms.is_roots(str(program)) == (is_it and os.geteuid() == 0)
    assert not vmms.is_roots(str(tmp_path / "missing"))
