"""What `armlevel doctor` found, in words: a sentence for each code, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["FOUND", "REMEDY", "found_text", "remedy_of"]

#: What is so; ``{name}`` is a detail of the check.
FOUND: dict[str, str] = {
    "arm": "{machine}, 64-bit Arm: hosts can be probed, verified and run here",
    "not-arm": "{machine}: no Arm guests here, so probe, verify and run are not possible; all else is",
    "kvm-opens": "{path} is there, and this user may open it",
    "kvm-other": "the KVM of {machine} has no Arm guests",
    "kvm-absent": "there is no {path}",
    "kvm-denied": "{path} is there, and this user may not open it",
    "kvm-broken": "{path} is there, and KVM is not: {error}",
    "cpus-alike": "{cpus}",
    "cpus-differ": "CPUs of several kinds: {cpus}",
    "cpus-unread": "what the CPUs are cannot be read",
    "kernel-measured": "{kernel}, of the line {line}, which was measured",
    "kernel-unmeasured": "{kernel}: no kernel of this line was measured; a probe tries all values all the same",
    "kernel-unread": "the kernel's release cannot be read",
    "vmm-known": "{vmm} {version}, whose behaviour is known",
    "vmm-unknown": "{vmm} {version}: which behaviour it has is not known",
    "vmm-none": "neither QEMU nor Firecracker is on PATH",
    "library-there": "{path} is there, for this machine",
    "library-elsewhere": "{path} is there, for Arm hosts; this is none",
    "library-fault": "{fault}",
    "lab-possible": "Arm hosts can be emulated here ({parts} of their parts were fetched before)",
    "lab-fault": "Arm hosts cannot be emulated here: {fault}",
    "profile-holds": "{name} was made {days} days ago, under this kernel",
    "profile-other-kernel": "{name} was made under kernel {then}, and this is {kernel}",
    "profile-other-cpu": "{name} is a host with other CPUs than this machine's",
    "profile-other-options": "{name} was made under other boot options, and they decide what KVM offers",
    "profile-not-recorded": "{name} does not record its CPUs, or its kernel",
    "profile-booted": "{name} was made {days} days ago, and the machine was booted since, or has other firmware",
    "profile-no-date": "{name} does not say when it was made",
    "profile-not-held": "{name}: what of it is this machine's cannot be read here",
}

#: What to do about what is not so, or not known.
REMEDY: dict[str, str] = {
    "not-arm": "an emulated Arm host: armlevel lab probe neoverse-n2@7.x",
    "kvm-other": "run it on an Arm host, or on an emulated one: armlevel lab list",
    "kvm-absent": "boot the kernel at EL2, with KVM; `dmesg | grep -i kvm` says what it found",
    "kvm-denied": "run as root, or add this user to the group that owns it: usermod -aG {group} USER",
    "kvm-broken": "`dmesg | grep -i kvm` says why",
    "cpus-differ": "keep a guest's vCPUs on CPUs of one kind; armlevel probe shows their numbers",
    "cpus-unread": "mount /sys, on a kernel of 4.7 or later",
    "kernel-unmeasured": "trust what was probed on it, and nothing that is predicted for it",
    "kernel-unread": "mount /proc",
    "vmm-unknown": "say which behaviour it has where it matters: --vmm",
    "vmm-none": "install one, or put it on PATH",
    "library-fault": "the wheel has the library; in a checkout: make preload",
    "lab-fault": "the lab takes Debian's packages: it needs apt, and a mirror (--mirror) with its keyring (--keyring)",
    "profile-other-kernel": "probe again: armlevel probe -o {path}",
    "profile-other-cpu": "probe this machine: armlevel probe -o FILE",
    "profile-other-options": "probe again: armlevel probe -o {path}",
    "profile-not-recorded": "probe this machine: armlevel probe -o FILE",
    "profile-booted": "probe again if its firmware changed: armlevel probe -o {path}",
    "profile-no-date": "probe again: armlevel probe -o {path}",
    "profile-not-held": "run armlevel doctor on the host that it is of",
}


def found_text(code: str, words: Mapping[str, str]) -> str:
    """Return what was found.

    >>> found_text("kvm-absent", {"path": "/dev/kvm"})
    'there is no /dev/kvm'
    """
    return FOUND[code].format_map(words)


def remedy_of(code: str, words: Mapping[str, str]) -> str:
    """Return what to do; empty if nothing is to be done."""
    return REMEDY.get(code, "").format_map(words)
