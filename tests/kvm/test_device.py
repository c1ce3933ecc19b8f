"""Whoever may not have KVM is told why, and what to do."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from armlevel.errors import KvmError
from armlevel.kvm import numbers
from armlevel.kvm.device import Kvm


@pytest.fixture
def device(tmp_path, monkeypatch):
    """A file in the place of /dev/kvm, and what it answers: call name -> number, or minus the errno of a refusal."""
    path = tmp_path / "kvm"
    path.write_bytes(b"")
    answers = {
        numbers.GET_API_VERSION.name: numbers.API_VERSION,
        numbers.GET_VCPU_MMAP_SIZE.name: 4096,
        numbers.CHECK_EXTENSION.name: 48,
    }
    names = {call.number: call.name for call in numbers.IOCTLS}

    def ioctl(_fd, number, _argument):
        answer = answers[names[number]]
        if answer < 0:
            raise OSError(-answer, os.strerror(-answer))
        return answer

    monkeypatch.setattr("fcntl.ioctl", ioctl)
    return str(path), answers


def said(path, machine="aarch64"):
    with pytest.raises(KvmError) as caught, Kvm(path, machine=machine) as kvm:
        kvm.create_vm()
    return str(caught.value)


def test_another_machine_is_named_and_shown_a_way(device):
    assert said(device[0], "x86_64") == (
        "this machine is x86_64, not a 64-bit Arm one: its KVM has no Arm guests; "
        "`armlevel lab probe neoverse-n2@7.x` probes an emulated Arm host"
    )


def test_a_machine_without_kvm_is_asked_how_it_was_booted(tmp_path):
    assert said(str(tmp_path / "kvm")).startswith(f"there is no {tmp_path}/kvm; is this kernel booted at EL2")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.EACCES, "no permission to open {}; run as root, or add the user to the group that owns it"),
        (errno.EPERM, "no permission to open {}; run as root"),
        (errno.ENODEV, "{} is there, but KVM is not"),
        (errno.EBUSY, "{} is busy; try again"),
        (errno.EMFILE, "no file descriptor is left to open {}"),
        (errno.EIO, "{} cannot be opened: "),
    ],
)
def test_what_stands_in_the_way_of_opening_it_is_said(device, monkeypatch, code, words):
    def refuse(path, _flags):
        raise OSError(code, os.strerror(code), path)

    monkeypatch.setattr("os.open", refuse)
    assert said(device[0]).startswith(words.format(device[0]))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.EBUSY, "KVM_CREATE_VM: another hypervisor has the CPU (EBUSY)"),
        (errno.ENOMEM, "KVM_CREATE_VM: the host is out of memory (ENOMEM)"),
        (errno.EINVAL, "KVM_CREATE_VM: this host cannot have so large a guest address space (EINVAL)"),
    ],
)
def test_a_busy_or_exhausted_host_is_said_to_be_so(device, code, words):
    path, answers = device
    answers[numbers.CREATE_VM.name] = -code
    assert said(path) == words


def test_a_file_that_is_no_kvm_is_said_to_be_none(device):
    path, answers = device
    answers[numbers.GET_API_VERSION.name] = -errno.ENOTTY
    assert said(path) == f"{path} is not KVM: it does not know its calls"


def test_another_api_is_named(device):
    path, answers = device
    answers[numbers.GET_API_VERSION.name] = 11
    assert said(path) == f"{path} speaks KVM API 11, not 12"


def test_no_descriptor_is_left_open_when_it_cannot_be_had(device):
    path, answers = device
    answers[numbers.GET_API_VERSION.name] = 11
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        said(path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize(("limit", "asked"), [(48, 0), (40, 0), (36, 36), (0, 0)])
def test_a_host_of_fewer_bits_than_kvms_default_is_asked_for_what_it_has(device, monkeypatch, limit, asked):
    path, answers = device
    answers[numbers.CHECK_EXTENSION.name] = limit
    created = []

    def ask(_fd, call, argument=0, _what=""):
        created.extend([argument] if call == numbers.CREATE_VM else [])
        return os.open(os.devnull, os.O_RDONLY) if call == numbers.CREATE_VM else answers[call.name]

    monkeypatch.setattr("armlevel.kvm.device.ask", ask)
    with Kvm(path, machine="aarch64") as kvm:
        kvm.create_vm().close()
    assert created == [asked]
