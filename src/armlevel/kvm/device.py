"""/dev/kvm itself: opened with a sentence for whoever may not, asked for what it can do."""

from __future__ import annotations

import errno
import os
from types import TracebackType
from typing import final

from armlevel.errors import KvmError
from armlevel.kvm import numbers
from armlevel.kvm.calls import ask
from armlevel.kvm.vm import Vm

__all__ = ["ARM", "Kvm"]

#: What `uname -m` says of a machine whose KVM has guests of 64-bit Arm.
ARM = ("aarch64", "arm64")

_DEFAULT_BITS = 40
_SENTENCES = {
    errno.ENOENT: (
        "there is no {path}",
        "is this kernel booted at EL2, with KVM? `dmesg | grep -i kvm` says",
    ),
    errno.EACCES: ("no permission to open {path}", "run as root, or add the user to the group that owns it"),
    errno.EPERM: ("no permission to open {path}", "run as root, or add the user to the group that owns it"),
    errno.ENODEV: ("{path} is there, but KVM is not", "`dmesg | grep -i kvm` says why"),
    errno.ENXIO: ("{path} is there, but KVM is not", "`dmesg | grep -i kvm` says why"),
    errno.EBUSY: ("{path} is busy", "try again when the other hypervisor is gone"),
    errno.EMFILE: ("no file descriptor is left to open {path}", "raise `ulimit -n`"),
}


@final
class Kvm:
    """An open /dev/kvm; VMs come out of it. A context manager: nothing of it outlives the process anyway."""

    def __init__(self, path: str = "/dev/kvm", *, machine: str | None = None) -> None:
        """Open KVM.

        Raises:
            KvmError: not an Arm machine, no KVM, no permission, or a KVM of another API; each in a sentence.

        """
        machine = os.uname().machine if machine is None else machine
        if machine not in ARM:
            raise KvmError(
                f"this machine is {machine}, not a 64-bit Arm one: its KVM has no Arm guests",
                hint="`armlevel lab probe neoverse-n2@7.x` probes an emulated Arm host",
            )
        try:
            self.fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as exc:
            sentence, hint = _SENTENCES.get(
                exc.errno or 0, (f"{{path}} cannot be opened: {exc.strerror}", "")
            )
            raise KvmError(sentence.format(path=path), code=exc.errno or 0, hint=hint) from exc
        try:
            version = ask(self.fd, numbers.GET_API_VERSION)
            self._run_size = ask(self.fd, numbers.GET_VCPU_MMAP_SIZE)
        except KvmError as exc:
            os.close(self.fd)
            if exc.code != errno.ENOTTY:
                raise
            raise KvmError(f"{path} is not KVM: it does not know its calls", code=exc.code) from exc
        if version != numbers.API_VERSION:
            os.close(self.fd)
            raise KvmError(f"{path} speaks KVM API {version}, not {numbers.API_VERSION}")

    def __enter__(self) -> Kvm:
        """Return this open KVM."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close /dev/kvm."""
        os.close(self.fd)

    def create_vm(self, ipa_bits: int = 0) -> Vm:
        """Create a VM whose guest addresses have ``ipa_bits`` bits (0: KVM's default, 40, or what there is of it).

        Raises:
            KvmError: that many bits are too many or too few, or memory has run out.

        """
        ipa_bits = ipa_bits or self._usual_bits()
        # A signal during the creation gives EINTR; nothing is left of the attempt.
        while True:
            try:
                fd = ask(self.fd, numbers.CREATE_VM, ipa_bits)
            except KvmError as exc:
                if exc.code != errno.EINTR:
                    raise
                continue
            return Vm(fd, self._run_size)

    def _usual_bits(self) -> int:
        # Asked for its default where there are fewer bits, KVM refuses, and complains in the kernel's log
        # (Linux 7.3 arch/arm64/kvm/mmu.c, kvm_init_ipa_range).
        limit = ask(self.fd, numbers.CHECK_EXTENSION, numbers.CAPABILITIES["ARM_VM_IPA_SIZE"])
        return limit if 0 < limit < _DEFAULT_BITS else 0
