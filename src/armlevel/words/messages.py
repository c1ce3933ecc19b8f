"""Messages of other programs, in words: what each means, and what to do; a sentence for each code of a row."""

from __future__ import annotations

from collections.abc import Mapping

from armlevel.arch.messages import SPEAKERS, MessageRow

__all__ = ["ADVICE", "MEANINGS", "PARTS", "about_text", "advice_text", "meaning_text", "speaker_text"]

#: What a message means; ``{name}`` is what its pattern calls so.
MEANINGS: dict[str, str] = {
    # a register of the vCPU
    "value-refused-named": ("this host's KVM does not take the guest's value of this register"),
    "value-refused-unread": "this host's KVM does not take the guest's value of this register",
    "value-refused-id": "KVM of this host refused to set this register",
    "values-refused": (
        "KVM of this host refused the value of at least one register of the guest; the message names none"
    ),
    "register-not-there": "the guest's state has a register that this host's KVM does not list",
    "register-refused-otherwise": "KVM refused to set this register: {error}",
    "register-only-there": (
        "this host lists a register that the source does not; the guest keeps what a fresh vCPU has there"
    ),
    "register-not-readable": "KVM of this host does not have this register, or not for this vCPU",
    "register-not-known-to-vmm": "this build does not know how to read the register with the number {number}",
    "list-too-long": (
        "the source sent {sent} registers and this host lists {listed}: QEMU before 11.1 compares the "
        "numbers first, and reads none"
    ),
    "list-not-loaded": "the source's list of registers does not fit the one of this host's KVM",
    "cpu-not-loaded": (
        "the state of the vCPU was not taken: KVM refused a value, or the register lists differ; "
        "lines before this one may say which"
    ),
    "implementers-differ": "the snapshot was made on a CPU of another implementer (bits 31..24 of MIDR_EL1)",
    "psci-newer": "the guest was told a version of PSCI that is newer than this host's",
    "psci-not-here": "this host's KVM does not offer PSCI {version}",
    "psci-no-such": "there is no such version of PSCI",
    # what stands around it
    "migration-failed": "the move failed; this line only says so, and others say why",
    "machine-types-differ": "the two QEMUs were started with different machine types",
    "no-stolen-time-there": (
        "the source keeps stolen time for the guest (kvm-steal-time) and this host does not"
    ),
    "no-stolen-time-here": "this host's KVM keeps no stolen time for guests",
    "memory-block-unknown": "the source has a block of memory, {block}, that this QEMU was not told to have",
    "memory-block-size": "the block of memory {block} has {from} bytes on one side and {to} on the other",
    "page-sizes-differ": (
        "the block of memory {block} is rounded up to the host's pages, and the two hosts have pages of "
        "different sizes ({from} against {to} bytes)"
    ),
    "postcopy-pages": "post-copy needs pages of one size on both hosts: the source has {from}, this host {to}",
    "device-state-refused": "the state of a device was not taken: the two sides were started differently",
    "device-not-there": "the source has a device that this QEMU was not started with",
    "device-not-movable": "a device of the guest cannot be moved",
    "stream-out-of-step": "the two sides do not agree on what is sent for a device",
    "vgic-attribute-refused": (
        "KVM refused a register of the virtual interrupt controller: what the guest's controller has is "
        "more than, or other than, what this host's has"
    ),
    "vgic-abort": "QEMU ends itself here: KVM refused a register of the virtual interrupt controller",
    "gic-state-refused": "KVM of this host refused the state of the virtual interrupt controller",
    "vcpu-attribute-refused": "KVM refused to set up {what} for a vCPU",
    "pmu-refused": "KVM of this host could not set up a virtual PMU",
    "power-state-refused": "KVM refused to say or set whether the vCPU is running",
    "kernel-keeps-gic": "this kernel cannot save the virtual interrupt controller",
    "tags-not-moved": "a guest with MTE has tags in its memory, and QEMU does not move them",
    "nested-not-moved": "a guest that has EL2 cannot be moved by this QEMU",
    # a guest that does not start
    "named-cpu-with-kvm": "a named CPU cannot be had with KVM on Arm: KVM shows the host's CPU, not a model",
    "host-without-kvm": "-cpu host was asked for without KVM",
    "vcpu-not-made": "KVM did not make the vCPU: the CPU or one of its features cannot be had here",
    "vcpu-features-refused": "KVM did not take the choices for the vCPU: PMU, SVE, pointer authentication ...",
    "full-expansion-only": "QEMU on Arm expands CPU models in full only",
    "no-register-properties": "this QEMU has no properties for fields of ID registers",
    "value-too-wide": "the value {given} does not fit into the {bits} bits of the field",
    "property-twice": "a list of registers was given both by the machine type and on the command line",
    "no-such-property": "this QEMU has no CPU property {property}",
    "feature-not-on-host": "this host's KVM does not give guests {feature}",
    "sve-not-on-host": "this host's KVM does not give guests SVE",
    "vector-length-refused": "this host cannot give the guest a vector length of {bits} bits, or cannot leave it out",
    "vector-length-gap": "KVM gives a guest every vector length up to the longest: none below {bits} bits may miss",
    "no-32-bit": "this host's CPUs have no AArch32 at EL1",
    "ipa-too-small": "the guest's memory map needs more bits of address than there are: {has}",
    "gic-not-here": "this accelerator cannot give the guest a {device} here",
    "gicv2-eight": "only a GICv2 can be had here, and it has no more than 8 vCPUs",
    "gic-in-kernel": "with KVM the GICv3 has to be the kernel's (kernel-irqchip)",
    "mte-not-here": "this host cannot give guests MTE",
    "nested-not-here": "this host cannot give this guest EL2",
    "host-not-read": "QEMU could not make the scratch VM in which it reads the host's CPU",
    "kvm-not-open": "/dev/kvm is not there, or may not be opened",
    "vm-not-made": "KVM did not make a VM: {error}",
    "qemu-ended": "QEMU ended while libvirt was starting it or a guest was arriving",
    "template-refused": "KVM refused a value of the CPU template",
    "static-template": "this static CPU template is not for this host's CPU",
    "protected-not-here": "this host's KVM was not started in protected mode",
    # libvirt
    "core-not-in-map": "libvirt has no name for this core; QEMU and KVM need none",
    "cpu-mode-refused": (
        "libvirt cannot give this CPU mode: on Arm there is no host-model, and no KVM means no passthrough"
    ),
    "names-compared-only": "libvirt compared the names of two CPUs, and nothing else of them",
    "feature-word-unknown": "libvirt knows sve, sve128 to sve2048 and pauth of Arm CPUs, and no other feature",
    "no-hypervisor-baseline": "libvirt computes no baseline for Arm",
    "hook-refused": "a hook of the host refused, in these words: {words}",
    # the host's log
    "cpus-differ": (
        "CPU {cpu} of this host is not like the one that booted it: the host has CPUs of several kinds"
    ),
    "cpus-differ-taint": "this host has CPUs that differ where Linux does not expect it",
    "cpu-parked": "CPU {cpu} does not have what the system was set up with, so it is not used",
    "kvm-switched-off": "KVM was switched off on the kernel's command line (kvm-arm.mode=none)",
    "gic-not-architectural": "the virtual interrupt controller of this CPU is not as Arm describes it",
    "guest-must-work-around": (
        "this CPU has an erratum that a guest has to work around, or it can stop the host: it needs to see its MIDR_EL1"
    ),
    "event-not-counted": "an event that the guest wants counted cannot be counted on this CPU",
    "guest-read-hidden": "the guest touched a register in a way that KVM does not give it, and got an exception",
    "guest-read-hidden-which": "this is the register that the guest touched ({what}) and does not have",
    "no-el2": "Linux was not started at EL2, so there is no KVM on this machine",
    "ipa-limit": "guests of this host have at most {bits} bits of physical address",
    "protected-mode": "KVM is in protected mode: guests get less (no GICv2, no MTE, a fixed address size)",
    "no-gicv2": "this host cannot give guests a GICv2",
    "gic-trapped": "accesses of guests to the interrupt controller are trapped on this host ({groups})",
    "timer-trapped": "the guest's timer is trapped on this host, because its CPU has a fault",
    "instruction-gone": (
        "the guest ran an instruction that this CPU does not have; after a move: one that it saw at its boot"
    ),
    # what a call of KVM answers
    "call-value-refused": (
        "KVM does not take this value for this register on this host, or the register cannot be written"
    ),
    "call-no-register": "KVM of this host has no such register for this vCPU",
    "call-finalize": "the register may be reached only before, or only after, KVM_ARM_VCPU_FINALIZE",
    "call-after-run": "an ID register cannot be changed once the vCPU has run",
    "call-bad-id": "this is the id of no register",
    "call-list-length": "the list was too short: KVM says how long it has to be, and is asked again",
    "call-vcpu-features": "KVM does not know a feature of the vCPU, or not together with the others, on this host",
    "call-finalize-refused": "the vCPU has no SVE, or was finalized before",
    "call-no-target": "the CPUs of this host have no common target, or KVM does not know this one",
    "call-ipa": "KVM of this host does not give a VM that many bits of physical address",
    "call-capability": "the capability is not there, or is asked for after the first vCPU was made",
    "call-no-masks": "this kernel, before 6.7, does not say which fields can be written",
    "call-no-device": "KVM of this host has no such device, or the VM has one already",
    "call-attribute": "KVM has no such attribute here, refuses its value, or refuses it at this moment ({error})",
    "call-run": "the vCPU cannot run yet: it was not initialised or not finalized",
}

#: What to do.
ADVICE: dict[str, str] = {
    "from-to": "name both hosts to see which field it is: armlevel explain TEXT --from HOST --to HOST",
    "level": (
        "level the guest: armlevel baseline SOURCE DESTINATION -o guest.json, then armlevel run or "
        "armlevel export"
    ),
    "baseline": "compute it: armlevel baseline HOST HOST",
    "check": "ask whether the guest may go there: armlevel migrate SOURCE DESTINATION",
    "probe": "see what this host's KVM offers: armlevel probe, on the host",
    "doctor": "see what this machine lacks: armlevel doctor",
    "facts": "look the register or the core up: armlevel facts NAME",
    "clusters": "see the kinds of CPU of this host: armlevel show, with the host's profile",
    "pin-alike": (
        "on a host with CPUs of several kinds keep the vCPUs on CPUs of one kind (taskset, or <vcpupin> in libvirt)"
    ),
    "qemu-there": "QEMU 11.1 or later on the destination compares the lists register by register, and names each",
    "qemu-here": "a QEMU that has the property; those of this one: -cpu host with query-cpu-model-expansion",
    "vmm-newer": "a newer build of the VMM",
    "kernel-there": "another kernel on the destination",
    "kernel-here": "a newer kernel on this host",
    "other-host": "another host with the same interrupt controller and address size",
    "psci-version": "start the guest with -cpu host,kvm-psci-version=1.1 (QEMU 11.1 or later), and move that one",
    "psci-lower": "ask for the version that this kernel has, or an older one: kvm-psci-version=1.1",
    "pmu-off": "if it is a register of the PMU (PM...): start the guest with pmu=off",
    "steal-time-off": "start the guest with -cpu host,kvm-steal-time=off",
    "mte-off": "start the guest without MTE (-machine mte=off)",
    "nested-off": "start the guest without EL2 (-machine virtualization=off)",
    "without-feature": "start the guest without it, here and on every host that it may go to",
    "vector-lengths": "leave out the lengths that a host lacks: sve512=off and the like; shorter ones stay on",
    "same-machine-type": "start both with one -machine type, such as virt-10.0, never with plain virt",
    "same-command-line": "start the destination with the command line of the source: devices, memory, machine type",
    "same-firmware-files": "give both the same firmware and variable files, of the same size",
    "same-pages": "hosts whose kernels have pages of one size",
    "no-postcopy": "move without post-copy",
    "gic-alike": "give both the same -machine gic-version, and compare the hosts' interrupt controllers",
    "gic-version": "say which one the guest is to have: -machine gic-version=3",
    "less-memory": "give the guest less memory (-m, maxmem)",
    "highmem": "allow memory above 4 GiB: -machine highmem=on",
    "without-device": "take the device away before the move",
    "cpu-host": "-cpu host, and level it where hosts differ",
    "accel-kvm": "start QEMU with -accel kvm, on a host that has it",
    "host-passthrough": "<cpu mode='host-passthrough'/>",
    "qemu-commandline": "say it to QEMU itself, if it has it: <qemu:commandline>",
    "kvm-access": "load KVM, and put the user into the group of /dev/kvm (mostly kvm)",
    "boot-firmware": "firmware and boot loader have to start Linux at EL2, all CPUs alike",
    "boot-option": "see the boot option kvm-arm.mode",
    "guest-kernel": "see which guest kernel or driver reads it: it did not find it in the ID registers",
    "firecracker-template": (
        "take the modifier of this register out of the template, or have one written that KVM keeps: "
        "armlevel export GUEST --to firecracker --host HOST"
    ),
    "firecracker-custom": "a custom template: armlevel export GUEST --to firecracker",
    "call-order": (
        "the order: capabilities, vCPUs, KVM_ARM_VCPU_INIT, SVE_VLS, KVM_ARM_VCPU_FINALIZE, ID registers, "
        "and only then KVM_RUN"
    ),
    "hook-words": "the hook's own words say what to do; it is below /etc/libvirt/hooks",
    "destination-log": "read QEMU's log on the destination (/var/log/libvirt/qemu/GUEST.log), and explain that",
    "lines-before": "the lines before this one say why",
    "source-has-it": (
        "the source may still have the guest: look at the destination before you destroy anything; cont on "
        "the source's monitor goes on with it"
    ),
    "errata": "show the guest this host's MIDR_EL1, or one with the same erratum; armlevel check tells what is lost",
    "nothing": "nothing has to be done",
    "nothing-else": "the host is not at fault",
}


def meaning_text(code: str, words: Mapping[str, str]) -> str:
    """Return what a message means; ``words`` are what its pattern found in it.

    >>> meaning_text("psci-not-here", {"version": "1.3"})
    "this host's KVM does not offer PSCI 1.3"
    """
    return MEANINGS[code].format_map(_Words(words))


class _Words(dict[str, str]):
    # A part that a pattern may leave out.
    def __missing__(self, key: str) -> str:
        return "?"


#: What a message is about.
PARTS = {
    "registers": "values of the vCPU's registers",
    "list": "the list of registers",
    "shape": "the choices made before a vCPU exists",
    "firmware": "KVM's firmware registers",
    "machine": "what stands around the vCPU",
    "host": "this host",
}


def about_text(row: MessageRow) -> str:
    """Return what a message is about: a part of the question, and the registers and fields that it always concerns."""
    return PARTS[row.part] + (f": {', '.join(row.about)}" if row.about else "")


def advice_text(code: str) -> str:
    """Return what to do."""
    return ADVICE[code]


def speaker_text(says: str) -> str:
    """Return who says a message."""
    return SPEAKERS[says]
