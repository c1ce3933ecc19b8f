from __future__ import annotations

import errno

import pytest

from armlevel.errors import KvmError
from armlevel.kvm import numbers, structs
from armlevel.kvm.calls import meaning
from armlevel.kvm.device import Kvm
from armlevel.kvm.vcpu import size_of
from armlevel.kvm.vm import mask_index

# Checked by compiling the headers of Linux 7.3.
NUMBERS = {
    "KVM_GET_API_VERSION": 0xAE00,
    "KVM_CREATE_VM": 0xAE01,
    "KVM_CHECK_EXTENSION": 0xAE03,
    "KVM_GET_VCPU_MMAP_SIZE": 0xAE04,
    "KVM_CREATE_VCPU": 0xAE41,
    "KVM_RUN": 0xAE80,
    "KVM_ENABLE_CAP": 0x4068AEA3,
    "KVM_ARM_PREFERRED_TARGET": 0x8020AEAF,
    "KVM_ARM_VCPU_INIT": 0x4020AEAE,
    "KVM_ARM_VCPU_FINALIZE": 0x4004AEC2,
    "KVM_GET_REG_LIST": 0xC008AEB0,
    "KVM_GET_ONE_REG": 0x4010AEAB,
    "KVM_SET_ONE_REG": 0x4010AEAC,
    "KVM_ARM_GET_REG_WRITABLE_MASKS": 0x8040AEB6,
    "KVM_CREATE_DEVICE": 0xC00CAEE0,
    "KVM_SET_DEVICE_ATTR": 0x4018AEE1,
    "KVM_GET_DEVICE_ATTR": 0x4018AEE2,
    "KVM_HAS_DEVICE_ATTR": 0x4018AEE3,
    "KVM_SET_USER_MEMORY_REGION": 0x4020AE46,
}


def test_every_ioctl_has_the_number_of_the_headers():
    assert {call.name: call.number for call in numbers.IOCTLS} == NUMBERS


@pytest.mark.parametrize(
    ("packer", "call"),
    [
        (structs.VCPU_INIT_ARG, numbers.VCPU_INIT),
        (structs.ONE_REG, numbers.GET_ONE_REG),
        (structs.ENABLE_CAP_ARG, numbers.ENABLE_CAP),
        (structs.REG_MASK_RANGE, numbers.REG_WRITABLE_MASKS),
        (structs.CREATE_DEVICE_ARG, numbers.CREATE_DEVICE),
        (structs.DEVICE_ATTR, numbers.SET_DEVICE_ATTR),
        (structs.MEMORY_REGION, numbers.SET_USER_MEMORY_REGION),
    ],
)
def test_a_structure_is_as_large_as_its_ioctl_says(packer, call):
    assert packer.size == call.size


def test_the_masks_of_id_registers_lie_where_the_header_puts_them():
    assert [mask_index(e) for e in ((3, 0, 0, 0, 0), (3, 0, 0, 7, 7), (3, 1, 0, 0, 1), (3, 3, 0, 0, 1))] == [
        0,
        63,
        65,
        129,
    ]


def test_a_register_id_says_its_size():
    assert [
        size_of(i) for i in (0x6020000000110000, 0x603000000013C000, 0x606000000015FFFF, 0x6080000000150000)
    ] == [4, 8, 64, 256]


def test_an_errno_means_what_the_call_makes_of_it():
    assert meaning("KVM_SET_ONE_REG", errno.EINVAL) == "KVM does not take this value"
    assert meaning("KVM_ARM_VCPU_INIT", errno.ENOENT) == "this kernel does not know one of the vCPU features"
    assert meaning("KVM_RUN", errno.EIO) == "KVM gave the VM up"
    assert meaning("KVM_RUN", errno.EDOM)


@pytest.mark.parametrize(
    ("path", "machine", "sentence"),
    [
        ("/nonexistent/kvm", "aarch64", "there is no /nonexistent/kvm"),
        ("/dev/null", "x86_64", "this machine is x86_64, not a 64-bit Arm one"),
        ("/dev/null", "aarch64", "/dev/null is not KVM: it does not know its calls"),
    ],
)
def test_a_machine_without_kvm_is_told_so_in_a_sentence(path, machine, sentence):
    with pytest.raises(KvmError) as caught:
        Kvm(path, machine=machine)
    assert sentence in str(caught.value)
