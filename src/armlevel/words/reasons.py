"""Why, in words: one sentence for each code of a reason, with the names, numbers and texts of rows in their places."""

from __future__ import annotations

from armlevel.engine.reasons import Reason, ReasonCode

__all__ = ["REASONS", "reason_head", "reason_text"]

#: The sentence of each code; ``{0}`` is its first argument.
REASONS: dict[ReasonCode, str] = {
    "row": "{0}",
    "feature": "{0}",
    "arm-rule": "Arm's rule is broken, and no host breaks it by itself: {0}",
    "erratum": "{0}: {1}",
    "tolerance": "{0}: {1}",
    "notices": "{0}, {1}",
    "picks-by-midr": "{0} picks {1} by MIDR_EL1",
    # not recorded, or not known
    "host-value-not-recorded": "the host's value is not recorded",
    "guest-value-not-recorded": "the guest's value is not recorded",
    "some-value-not-recorded": "some host's value is not recorded",
    "guest-registers-not-recorded": "the guest's registers are not recorded",
    "guest-implementation-not-recorded": "the guest's MIDR_EL1, REVIDR_EL1 and AIDR_EL1 are not recorded",
    "host-implementation-not-recorded": "the host's MIDR_EL1, REVIDR_EL1 and AIDR_EL1 are not recorded",
    "host-list-not-recorded": "the host's register list is not recorded",
    "guest-list-not-recorded": "the guest's register list is not recorded",
    "host-firmware-not-recorded": "the host's firmware registers are not recorded",
    "guest-firmware-not-recorded": "the guest's are not recorded",
    "listed-value-not-recorded": "listed by the host, but its value is not recorded",
    "carried-value-not-recorded": "the guest's state carries it, but what it was told is not recorded",
    "counters-not-recorded": "how many event counters the host has is not recorded",
    "counters-of-not-recorded": "how many event counters {0} has is not recorded",
    "no-common-shape": "no shape was probed on every host",
    "shape-not-probed": "the host was not probed in this shape",
    "value-not-measured": "no rule measured for this kernel says whether it takes the value",
    "hangs-on-hardware": "whether this host takes the value depends on its hardware, which the recording does not show",
    "enforced-not-known": "no row says whether this kernel enforces it",
    "behaviour-not-known": "which behaviour this VMM has is not known, and they differ here",
    # shape
    "feature-unknown-to-kernel": "this kernel does not know the vCPU feature",
    "feature-not-given": "the kernel knows the vCPU feature and cannot give it on this host",
    "no-writable-ids": "this kernel has no KVM_CAP_ARM_WRITABLE_IMP_ID_REGS",
    "impdef-algorithm": (
        "the pointer authentication algorithm is IMPLEMENTATION DEFINED: only the same core is known to share it"
    ),
    "feature-dropped": "{0} was dropped from the shape: with it there is no baseline ({1})",
    "ptrauth-dropped": "ptrauth was dropped from the shape",
    "lengths-not-compared": (
        "QEMU does not compare vector lengths: the migration completes, and the guest hangs or its programs break"
    ),
    "told-all-counters": "a guest is told at boot of all counters there are, and keeps only what every host has",
    "told-fewer-counters": "a guest born here is told of fewer",
    "told-more-counters": "a guest born here is told of more event counters, and breaks where there are fewer",
    "counters-ignored": (
        "the guest was told of more event counters than there are; KVM ignores the rest in silence"
    ),
    "events-not-counted": "events that the guest was told of count nothing there",
    "same-machine-type": "start both with the same -machine type, for instance {0}",
    "started-beside-unknown": (
        "the KVM under this guest had what no row knows, so what a VMM gave it by itself is not known either"
    ),
    "passed-through-unknown": (
        "its KVM has what no row knows, so what a VMM gives a guest there by itself is not known"
    ),
    # registers
    "cpus-lack-it": "the CPUs do not have it, and no kernel can give it to a guest",
    "kernel-may-be-newer": "the kernel is not recorded: of one newer than Linux {0} this would not be known",
    "no-kernel-changes": "of this field no kernel up to Linux {0} lets a guest have another value than the CPUs",
    "no-kernel-raises": "of this field no kernel up to Linux {0} lets a guest have more than the CPUs",
    "policy-unmet": "no value that all hosts keep satisfies the policy",
    "register-not-shown": "no host shows this register",
    "line-too-short": "it says a cache line shorter than the host's CTR_EL0",
    "cleans-too-little": "it says that caches need no cleaning, and the host's CTR_EL0.IDC says otherwise",
    "changed-before-run": "KVM was seen to change it before the guest runs",
    "seen-not-to-run": "with {0}={1} KVM was seen not to run the guest",
    "seen-to-change": "with {0}={1} KVM was seen to change it",
    "implementation-not-said": "what the guest is to be shown there was not said",
    "own-implementation-only": "these hosts can show no other implementation than their own",
    "implementation-not-writable": (
        "writable only where KVM_CAP_ARM_WRITABLE_IMP_ID_REGS was enabled before the first vCPU"
    ),
    "implementation-never-writable": (
        "this VMM does not make the implementation IDs of a VM writable (KVM capability 239)"
    ),
    "cpus-differ": "the host's CPUs are not alike: which one the guest reads depends on where it runs",
    "kvm-took-one": (
        "KVM takes the MIDR_EL1 of the CPU that initialised it, wherever the guest runs, and it may be one of another"
        " kind after the next boot"
    ),
    "guest-of-one-kind": (
        "the guest's host has CPUs of several kinds, and KVM gave it the numbers of the one that initialised it"
    ),
    "caches-follow-cpu": "before Linux 6.3 a guest reads the cache sizes of the CPU that it runs on",
    "pmu-follows-cpu": "the host's CPUs are not alike: the PMU is that of the CPU on which the vCPU is made",
    "levelled-not-kept": "the levelled value is not kept as written: please report this as a fault of armlevel",
    "tolerated-by-name": "tolerated by name: what the guest was told at boot may not be true after a move",
    # register list
    "feature-not-shown": "this host lists it only for a guest that shows the feature, and this one does not",
    "register-not-known": "the guest's state has a register that this host's KVM does not know",
    "register-needed": "no row says that a guest can do without it",
    "caches-not-known": "CLIDR_EL1 has no value that is known, so nothing says which caches the guest has",
    "left-only-when": "it may be left behind only when: {0}",
    "fresh-value-kept": "the guest keeps what a fresh vCPU of the destination has there",
    # firmware
    "start-where-lowest": "workaround levels differ: guests must be born where they are lowest",
    "lowest-nowhere": "no host shows the lowest level of each, so no guest can be born",
    "value-seen-not-kept": "KVM was seen not to keep this value",
    "only-this-value": "no row says that another value is accepted",
    "bit-not-served": "KVM refuses a bit it does not serve",
    "version-above": "KVM refuses a version above its own",
    "version-not-named": "a version that no row names",
    "no-such-version": "there is no such version, and KVM refuses it",
    "level-not-named": "a level that no row names",
    "level-seen-refused": "KVM was seen to refuse this level",
    "level-above": "KVM refuses a level above its own",
    "told-another-level": "a guest booted here is told another level",
    "told-stronger-level": "the guest was told a stronger level than this host has",
    # facts
    "clock-rate": "the guest's clock would run at another rate",
    "zeroed-bytes": "DC ZVA would zero another number of bytes",
    "moved-tags": "LDGM and STGM would move another number of tags",
    "pages-differ": "post-copy and huge pages want pages of one size on both hosts",
    "pages-not-recorded": "QEMU moves no guest with steal time from larger pages to smaller ones",
    "blocks-rounded": "QEMU rounds blocks of memory up to its host's pages, and these are too large for smaller ones",
    # machine
    "vmm-not-known": "under which VMM the guest runs decides it, and no row knows this one",
    "gic-taken-there": "asked for {0}, this VMM takes {1} on this host",
    "gic-not-here": "no guest of this host can have it ({0})",
    "cpu-interface-refused": "KVM does not take {0} of the guest's CPU interface, and QEMU aborts",
    "cpu-interface-of-hardware": "the guest reads what the hardware of the destination has, whatever was restored",
    "cpu-interface-other": "a guest that starts here reads what this hardware has",
    "nested-gic-differs": "KVM takes ICH_VTR_EL2 of a nested guest only where it is the host's own",
    "iidr-changed": "this VMM does not restore it, so a guest reads the revision of the destination",
    "iidr-refused": "this VMM restores it, and KVM does not take the revision",
    "window-lost": "QEMU maps it only where it ends within {0} bits, and says nothing where it does not",
    "window-elsewhere": "QEMU puts it elsewhere on a host of another guest-physical size",
    "memory-exceeds": "QEMU starts no guest whose memory ends beyond what {0} bits address",
    "window-out-of-reach": "QEMU puts it by the host's size, and the guest's CPU addresses {0} bits",
    "window-off": "QEMU is started without it there, and says nothing of it",
    "its-not-asked": "QEMU is started without it there, and does not take the state that the guest has in it",
    "its-more": "QEMU is started with it there: the guest does not know of it before it boots again",
    "asked-otherwise": "the command line there asks for something else",
    "map-not-known": "where QEMU puts it hangs on what is not recorded",
    "steal-time-other": "QEMU's memory for stolen time is there on one side only",
    "steal-time-block": "QEMU rounds the memory of stolen time to the host's pages, and does not resize it",
    "physical-counter-jumps": "KVM there does not offset the physical counter: a guest that reads it sees it jump",
    # risks
    "instructions-not-asked": "programs that do not ask whether an instruction is there can run it",
    "no-security-boundary": "not a security boundary",
    "less-protection": "the guest is told of less protection from speculation than the host has",
    "targets-not-known": (
        "whether the list of target implementations has this host's is not known: a number is not recorded"
    ),
    "gic-follows-machine": "KVM sets the field from the interrupt controller that the VM has",
    "targets-fixed-at-boot": (
        "the list of target implementations is fixed at boot and does not have this host's"
    ),
}


def reason_text(reason: Reason) -> str:
    """Return a reason in words.

    >>> from armlevel.engine.names import FieldName
    >>> reason_text(Reason("seen-to-change", (FieldName("ID_AA64PFR0_EL1.EL1"), 1)))
    'with ID_AA64PFR0_EL1.EL1=1 KVM was seen to change it'
    """
    return REASONS[reason.code].format(*reason.args)


def reason_head(code: ReasonCode) -> str:
    """Return what a sentence says before its last argument: several reasons of one code share it.

    >>> reason_head("left-only-when")
    'it may be left behind only when:'
    """
    return REASONS[code].rpartition("{")[0].strip()
