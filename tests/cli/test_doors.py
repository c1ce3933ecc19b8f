"""Fail closed at every door: what nobody recorded is no file, no frozen profile, no guest, and no exit status 0."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from armlevel.documents import host_object
from armlevel.operations.export import OF_MANY, TARGETS, needs_host
from armlevel.operations.named import load_hosts
from tests.cli.hosts import Command

HOST = "@graviton2-6.18"
#: What gives one guest its CPU: a fingerprint is of a host, and a file of many holds answers.
FORMS = [
    (target, form)
    for target, forms in TARGETS.items()
    for form in forms
    if form != "fingerprint" and (target, form) not in OF_MANY
]


@pytest.fixture
def silent(tmp_path: Path) -> str:
    """A board of which only /proc/cpuinfo is known: its core, and no ID register."""
    path = tmp_path / "board.txt"
    block = "CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n"
    path.write_text(
        "".join(f"processor\t: {n}\nBogoMIPS\t: 243.75\n{block}\n" for n in range(2)), encoding="utf-8"
    )
    return str(path)


def guest_without(armlevel: Command, path: Path, *keys: str) -> str:
    """Write a levelled guest without some keys (``facts.dczid`` is below ``facts``)."""
    guest: dict[str, Any] = armlevel("baseline", "@graviton2-6.1", "--json").json["guest"]
    del guest["digest"]
    for key in keys:
        at = guest
        *above, last = key.split(".")
        for name in above:
            at = at[name]
        del at[last]
    path.write_text(json.dumps(guest), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(("target", "form"), FORMS)
def test_of_a_guest_without_registers_no_file_is_written(armlevel: Command, silent, tmp_path, target, form):
    out = tmp_path / "out"
    for host in [("--host", HOST), ()]:
        said = armlevel("export", silent, "--to", target, "--form", form, *host, "-o", out)
        assert said.code == 2
        assert not out.exists()
        if host or not needs_host(target, form):
            assert "not one ID register is recorded" in said.err


def test_of_a_guest_without_registers_no_scheduler_is_told(armlevel: Command, silent, tmp_path):
    out = tmp_path / "out"
    known = "@graviton2-6.1"
    for guests in ((silent,), (known, silent)):
        where = ("--to", "openstack", "--form", "filter", "--host", HOST, "-o", out)
        said = armlevel("export", *guests, *where)
        assert (said.code, out.exists()) == (2, False)
        assert "not one ID register is recorded" in said.err


LACKING = {
    "facts.cntfrq_hz": "counter frequency",
    "facts.dczid": "DC ZVA",
    "register_list": "register list",
    "firmware": "firmware",
    "registers.ID_AA64MMFR2_EL1": "ID_AA64MMFR2_EL1",
    "implementation": "REVIDR_EL1",
}


@pytest.mark.parametrize(("target", "form"), FORMS)
def test_what_a_profile_lacks_is_said_whatever_tool_the_file_is_for(
    armlevel: Command, tmp_path, target, form
):
    for key, word in LACKING.items():
        guest = guest_without(armlevel, tmp_path / "guest.json", key)
        for host in [("--host", "@graviton2-6.1"), *([] if needs_host(target, form) else [()])]:
            said = armlevel("export", guest, "--to", target, "--form", form, *host)
            assert said.code in (1, 3), (key, host)
            assert word in " ".join(said.err.split()), (key, host)


@pytest.mark.parametrize(("target", "form"), FORMS)
def test_exit_0_of_an_export_is_the_whole_guest_on_that_host(armlevel: Command, tmp_path, target, form):
    guest = guest_without(armlevel, tmp_path / "guest.json")
    there = armlevel("export", guest, "--to", target, "--form", form, "--host", "@graviton2-6.1")
    if (target, form) == ("libvirt", "cpu"):  # which has no word for steal time
        assert there.code == 3
    else:
        assert (there.code, there.err) == (0, "armlevel: not judged: machine\n")
    elsewhere = armlevel("export", guest, "--to", target, "--form", form, "--host", "@graviton4-6.18")
    assert elsewhere.code == 1
    assert elsewhere.err


def test_without_a_host_a_scheduler_cannot_give_the_cpu(armlevel: Command, tmp_path):
    guest = guest_without(armlevel, tmp_path / "guest.json")
    for target in ("kubernetes", "openstack", "qemu", "libvirt"):
        said = armlevel("export", guest, "--to", target)
        assert said.code == 3, target
        assert "ID registers" in said.err


def test_a_node_of_which_it_is_not_known_says_so(armlevel: Command, tmp_path):
    guest = guest_without(armlevel, tmp_path / "guest.json", "facts.cntfrq_hz")
    for target, form in (("kubernetes", "features"), ("openstack", "provider")):
        said = armlevel("export", guest, "--to", target, "--form", form, "--host", "@graviton2-6.1")
        assert said.code == 3
        assert "whether it can start or arrive here is not known: no" in said.out
        assert "armlevel/" not in said.out
        assert "CUSTOM_" not in said.out


def test_a_profile_that_is_not_whole_is_not_frozen(armlevel: Command, silent, tmp_path):
    frozen = tmp_path / "frozen.json"
    into = ("--name", "web", "--version", "1", "-o", frozen)
    said = armlevel("freeze", silent, *into)
    assert said.code == 2
    assert "not one ID register is recorded" in said.err
    for key in ("facts.dczid", "register_list", "implementation.aidr"):
        said = armlevel("freeze", guest_without(armlevel, tmp_path / "guest.json", key), *into)
        assert said.code == 3, key
        assert "does not record" in said.err
    assert not frozen.exists()
    assert armlevel("freeze", guest_without(armlevel, tmp_path / "guest.json"), *into).code == 0


TEMPLATE: dict[str, list[str]] = {"kvm_capabilities": [], "vcpu_features": [], "reg_modifiers": []}


def test_a_guest_of_a_host_without_registers_is_not_imported(armlevel: Command, silent, tmp_path):
    template, out = tmp_path / "template.json", tmp_path / "out.json"
    template.write_text(json.dumps(TEMPLATE), encoding="utf-8")
    said = armlevel("import", template, "--host", silent, "-o", out)
    assert said.code == 2
    assert "not one ID register is recorded" in said.err
    assert not out.exists()


def test_a_guest_that_is_not_known_whole_is_imported_with_exit_3(armlevel: Command, tmp_path):
    template, host, out = tmp_path / "template.json", tmp_path / "host.json", tmp_path / "out.json"
    template.write_text(json.dumps(TEMPLATE), encoding="utf-8")
    host.write_text(
        json.dumps({"ID_AA64PFR0_EL1": "0x1101000011111111", "MIDR_EL1": "0x413fd0c1"}), encoding="utf-8"
    )
    said = armlevel("import", template, "--host", host, "-o", out)
    assert said.code == 3
    assert "register list" in said.err
    assert armlevel("import", template, "--host", "@graviton2-6.1", "-o", out).code == 0


@pytest.mark.parametrize("cpu", ["host", "host,pmu=off", "host,sve=off,pauth=off"])
def test_a_feature_that_the_tool_turns_on_and_no_shape_of_the_host_records_is_not_known(
    armlevel: Command, tmp_path, cpu
):
    domain, out = tmp_path / "qemu.txt", tmp_path / "out.json"
    domain.write_text(f"qemu-system-aarch64 -accel kvm -M virt -cpu {cpu}\n", encoding="utf-8")
    said = armlevel("import", domain, "--host", "@graviton3-6.18", "-o", out)
    assert said.code == 3
    assert "was recorded in no such shape" in " ".join(said.err.split())
    assert not out.exists()


def test_a_feature_that_the_file_turns_off_need_not_be_recorded(armlevel: Command, tmp_path):
    domain = tmp_path / "qemu.txt"
    domain.write_text(
        "qemu-system-aarch64 -accel kvm -M virt -cpu host,pmu=off,sve=off,pauth=off\n", encoding="utf-8"
    )
    assert armlevel("import", domain, "--host", "@graviton3-6.18", "-o", tmp_path / "out.json").code == 0


# ---- groups


def host_without(path: Path, name: str, *keys: str) -> str:
    """Write a recorded host under another name, without some keys."""
    host = host_object(load_hosts(name)[0])
    del host["digest"]
    for key in keys:
        at: Any = host
        *above, last = key.split(".")
        for part in above:
            at = at[int(part)] if part.isdigit() else at[part]
        del at[last]
    path.write_text(json.dumps(host | {"name": path.stem}), encoding="utf-8")
    return str(path)


LESS = ["facts.dczid", "offers.0.firmware", "offers.0.register_list", "offers.0.limits.REVIDR_EL1"]


@pytest.mark.parametrize("key", LESS)
def test_a_host_that_is_not_known_is_in_no_group(armlevel: Command, tmp_path, key):
    partly = host_without(tmp_path / "partly.json", "@graviton2-6.1", key)
    hosts = ["@graviton2-6.1", host_without(tmp_path / "whole.json", "@graviton2-6.1"), partly]
    said = armlevel("plan", *hosts)
    assert said.code == 3
    assert "too little is recorded" in " ".join(said.out.split())
    document = armlevel("plan", *hosts, "--json").json
    assert [group["hosts"] for group in document["groups"]] == [["graviton2@6.1", "whole"]]
    assert document["left_open"] == ["partly"]
    matrix = armlevel("matrix", *hosts, "--json").json
    assert [group["hosts"] for group in matrix["groups"]] == [["graviton2@6.1", "whole"]]
    assert matrix["left_open"] == ["partly"]


def test_hosts_of_which_nothing_is_known_make_no_group(armlevel: Command, silent, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text(Path(silent).read_text(encoding="utf-8"), encoding="utf-8")
    said = armlevel("plan", silent, str(other))
    assert said.code == 3
    assert "no group" in said.out
    assert "nothing" not in said.out
    assert "impossible" not in said.out
    said = armlevel("matrix", silent, str(other))
    assert "together" not in said.out
    assert "alone" not in said.out


def test_a_host_that_is_not_known_joins_no_group(armlevel: Command, tmp_path):
    partly = host_without(tmp_path / "partly.json", "@graviton2-6.1", "facts.dczid")
    said = armlevel("plan", "@graviton2-6.1", "@graviton2-5.10", "--add", partly)
    assert "may or may not join" in " ".join(said.out.split())
    assert "could join" not in said.out


# ---- differences


CAPABILITIES = """\
<capabilities><host><cpu><arch>aarch64</arch><model>{model}</model><vendor>ARM</vendor>
<pages unit='KiB' size='{size}'/></cpu></host></capabilities>
"""


def test_pages_of_two_sizes_are_a_difference_and_a_finding_of_a_move(armlevel: Command, tmp_path):
    paths = []
    for name, size in (("small", 4), ("large", 64)):
        path = tmp_path / f"{name}.xml"
        path.write_text(CAPABILITIES.format(model="Neoverse-N1", size=size), encoding="utf-8")
        paths.append(str(path))
    said = armlevel("diff", *paths)
    assert said.code == 1
    assert "4096" in said.out
    assert "65536" in said.out
    assert armlevel("diff", paths[0], paths[0]).code == 3
    moved = armlevel("migrate", *paths)
    assert moved.code == 3
    assert "host page size" in moved.out


def whole_host(tmp_path: Path, name: str, **facts: int) -> str:
    host = host_object(load_hosts("@graviton2-6.18")[0])
    del host["digest"]
    host["facts"] |= facts
    host["software"]["kvm_capabilities"] = {"STEAL_TIME": 1}
    path = tmp_path / f"{name}.json"
    path.write_text(json.dumps(host | {"name": name}), encoding="utf-8")
    return str(path)


def test_qemu_moves_no_guest_to_smaller_pages(armlevel: Command, tmp_path):
    small, large = (whole_host(tmp_path, f"h{size}", page_size=size) for size in (4096, 65536))
    silent = whole_host(tmp_path, "silent")
    assert armlevel("migrate", small, large).code == 0
    assert "host page size" in armlevel("migrate", small, large).out
    assert armlevel("migrate", small, small, "--vmm", "qemu-10.0").code == 0
    assert armlevel("migrate", small, large, "--vmm", "qemu-10.0").code == 0
    said = armlevel("migrate", large, small, "--vmm", "qemu-10.0")
    assert said.code == 1
    assert "rounds blocks of memory up" in " ".join(said.out.split())
    assert "kvm-steal-time" not in said.out  # which does not help: it was tried
    for one in (small, silent):
        said = armlevel("migrate", one, silent, "--vmm", "qemu-10.0")
        assert said.code == 3
        assert "host page size" in said.out


def test_whether_qemu_has_steal_time_on_both_ends_may_not_be_known(armlevel: Command, tmp_path):
    known = whole_host(tmp_path, "known", page_size=4096)
    host = json.loads(Path(known).read_text(encoding="utf-8"))
    host["software"]["kvm_capabilities"] = {"VCPU_SVE": 1}
    silent = tmp_path / "silent.json"
    silent.write_text(json.dumps(host | {"name": "silent"}), encoding="utf-8")
    assert armlevel("migrate", known, known, "--vmm", "qemu-10.0").code == 0
    for pair in ((known, silent), (silent, silent)):
        assert armlevel("migrate", *map(str, pair), "--vmm", "qemu-10.0").code == 3


def boards(tmp_path: Path, name: str, *parts: str) -> str:
    """Write /proc/cpuinfo of a board with CPUs of these part numbers."""
    blocks = [
        f"processor\t: {n}\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\n"
        f"CPU part\t: {part}\nCPU revision\t: 0\n"
        for n, part in enumerate(parts)
    ]
    path = tmp_path / f"{name}.txt"
    path.write_text("\n".join(blocks), encoding="utf-8")
    return str(path)


def test_cores_that_differ_are_a_difference_however_many_kinds_a_host_has(armlevel: Command, tmp_path):
    mixed = boards(tmp_path, "mixed", "0xd05", "0xd0b")
    for other in (boards(tmp_path, "other", "0xd07", "0xd08"), boards(tmp_path, "one", "0xd0c", "0xd0c")):
        said = armlevel("diff", mixed, other)
        assert said.code == 1
        assert "0x410fd050" in said.out
        assert "0x410fd0b0" in said.out
        assert armlevel("drift", mixed, "--since", other).code in (1, 3)
    again = boards(tmp_path, "again", "0xd05", "0xd0b")
    said = armlevel("diff", mixed, again)
    assert said.code == 3
    assert "not compared" in said.out


def test_of_recordings_that_lack_something_no_drift_says_that_nothing_changed(armlevel: Command, tmp_path):
    now = host_without(tmp_path / "a.json", "@graviton2-6.18")
    said = armlevel("drift", now, "--since", now)
    assert said.code == 3  # of no recorded machine is the page size known
    assert "host page size" in said.out
    assert "0 or more" in said.out
