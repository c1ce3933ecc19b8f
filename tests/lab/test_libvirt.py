"""Guests of libvirt: their domain, their console, their process; no host is booted here."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from importlib import resources
from pathlib import Path
from xml.dom.minidom import parseString

import pytest

from armlevel.documents.packed import pack, unpack
from armlevel.formats import read_request
from armlevel.formats.cpu_request import CpuRequest
from armlevel.lab.inside.copying import Arrival, send_file
from armlevel.lab.inside.domains import DomainGuest, Ended
from armlevel.lab.inside.programs import run
from armlevel.lab.libvirt_guard import born_on, hook_text
from armlevel.lab.libvirt_host import Domain
from armlevel.lab.libvirt_levelled import wrapper_text
from armlevel.lab.libvirt_run import domain_of
from tests.fidelity.hosts import read

FOREVER = [sys.executable, "-c", "import sys; sys.stdin.read()"]


def request_of(domain: Domain) -> CpuRequest:
    request = read_request(domain.xml().encode(), "domain.xml")
    assert request is not None
    return request


def said(domain: Domain, element: str, attribute: str) -> list[str]:
    tree = parseString(domain.xml())  # noqa: S318 - our own words
    return [one.getAttribute(attribute) for one in tree.getElementsByTagName(element)]


def test_a_switch_is_said_in_libvirts_words_where_it_has_them():
    domain = domain_of(("pmu=off",))
    assert said(domain, "pmu", "state") == ["off"]
    assert "commandline" not in domain.xml()
    assert request_of(domain).choices.get("pmu_v3") is False


def test_what_libvirt_has_no_words_for_is_said_to_qemu_with_all_that_libvirt_says():
    words = said(domain_of(("pmu=off", "kvm-psci-version=1.1")), "qemu:arg", "value")
    assert words == ["-cpu", "host,pmu=off,kvm-psci-version=1.1"]


def test_a_plain_domain_asks_for_the_hosts_cpu_and_nothing_less():
    request = request_of(Domain())
    assert (request.choices, request.machine is None) == ({}, False)


def test_a_name_is_quoted_and_gives_one_uuid():
    assert Domain(name="a").uuid == Domain(name="a").uuid != Domain(name="b").uuid
    assert "<name>a&lt;b&amp;c</name>" in Domain(name="a<b&c").xml()


def test_each_qemu_that_connects_to_the_console_is_the_one_that_is_heard(tmp_path: Path):
    path = str(tmp_path / "new" / "guest.console")
    guest = DomainGuest("guest", path)
    for number in (1, 2):
        with socket.socket(socket.AF_UNIX) as qemu:
            qemu.connect(path)
            qemu.sendall(f"tick {number} 1.5\nhello\n".encode())
            # What the one before said is forgotten when this one connects: until then there may be no tick at all.
            while number not in {tick[1] for tick in guest.console.ticks()}:
                guest.console.wait_ticks(1, 1)
            assert [tick[1:] for tick in guest.console.ticks()] == [(number, 1.5)]
            assert guest.pid == os.getpid()
    guest.close()


def test_a_process_has_ended_when_it_is_gone_or_waits_for_its_parent():
    with subprocess.Popen(FOREVER, stdin=subprocess.PIPE) as process:
        ended = Ended(process.pid)
        assert not ended()
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert ended()
    assert ended()
    assert Ended(process.pid)()


def test_a_program_is_run_with_its_input_and_its_time_is_taken():
    said = run(["sh", "-c", "cat; echo no >&2; exit 3"], "text", {}, 60)
    assert (said["exit"], said["out"], said["err"]) == (3, "text", "no\n")
    assert said["seconds"] > 0
    with pytest.raises(FileNotFoundError):
        run(["/no/such/program"], "", {}, 60)


def test_a_file_comes_whole(tmp_path: Path):
    (tmp_path / "from").write_bytes(content := os.urandom(3_000_001))
    arrival = Arrival(str(tmp_path / "there" / "to"))
    assert send_file(str(tmp_path / "from"), "127.0.0.1") == len(content)
    assert arrival.wait() == len(content)
    assert (tmp_path / "there" / "to").read_bytes() == content


def test_the_hook_of_an_emulated_host_has_more_patience_and_is_the_hook_else():
    text = resources.files("armlevel.onefile").joinpath("qemu-hook.sh").read_text(encoding="utf-8")
    assert hook_text() != text
    assert hook_text().replace("KILL 200 ", "KILL 2 ") == text


def test_a_guest_is_marked_with_what_its_host_gives_under_the_switches_of_its_domain():
    host = read(["neoverse-n1@7.x"])[0]
    plain = born_on(host, "", domain_of(()))
    assert "pmu_v3" in plain.shape.features
    assert plain.machine is not None
    assert plain.machine.gic == 3
    asked = "pmu=off", "kvm-psci-version=1.1"
    less = born_on(host, ",".join(asked), domain_of(asked))
    assert "pmu_v3" not in less.shape.features
    assert less.firmware["KVM_REG_ARM_PSCI_VERSION"] == 0x10001
    assert unpack(pack(less)).shape == less.shape


def test_the_wrapper_changes_what_libvirt_says_of_kvm_and_the_cpu_and_nothing_else(tmp_path: Path):
    qemu = tmp_path / "qemu"
    qemu.write_text('#!/bin/sh\nprintf "%s\\n" "$ARMLEVEL_CONFIG" "$LD_PRELOAD" "$@"\n')
    qemu.chmod(0o755)
    text = wrapper_text(str(qemu), "kvm,device=/dev/kvm-armlevel", "host,sve=off").replace("LD_", "NO_")
    (tmp_path / "wrapper").write_text(text)

    def started(*words: str) -> list[str]:
        done = run(["sh", str(tmp_path / "wrapper"), *words], "", {}, 60)
        assert (done["exit"], done["err"]) == (0, "")
        return str(done["out"]).splitlines()

    usual = ["-name", "a b", "-accel", "kvm", "-cpu", "host", "-append", "-cpu is x", ""]
    changed = ["-name", "a b", "-accel", "kvm,device=/dev/kvm-armlevel", "-cpu", "host,sve=off", *usual[6:]]
    assert started(*usual)[2:] == changed
    assert started(*usual)[0].endswith("/start")
    assert started(*usual, "-incoming", "defer")[0].endswith("/arrive")
    for asked in (
        ["-S", "-machine", "none,accel=kvm:tcg", "-cpu", "host"],
        ["-M", "none", "-cpu", "host"],
    ):
        assert started(*asked) == ["", "", *asked]
    # libvirt has a guest without a screen so: it is a guest all the same.
    assert started("-display", "none", *usual)[2:] == ["-display", "none", *changed]
