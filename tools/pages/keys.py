"""What each key of our documents means: a line for each, held against the JSON Schemas by a test."""

from __future__ import annotations

__all__ = ["ANY", "MEANINGS"]

#: What a key means wherever it stands.
ANY = {
    "kind": "which kind of document this is, and its number",
    "digest": "`sha256:` of the canonical bytes without `digest` and `made`",
    "made": "who wrote it, when, out of what; not part of the digest",
    "shape": "the choices made before a vCPU exists",
    "firmware": "KVM's firmware pseudo-register → value",
    "sve_vls": "vector lengths in bits; absent without SVE",
    "pmu_counters": "event counters that the guest is told of (PMCR_EL0.N); absent without a PMU",
    "facts": "what KVM can neither hide nor change; what is absent is not known",
    "midr": "MIDR_EL1",
    "revidr": "REVIDR_EL1",
    "aidr": "AIDR_EL1",
    "source": "out of what it was made",
    "catalogue": "the edition of the facts",
    "tool": "the program and its version",
    "at": "when, UTC",
}

#: Object of the schema -> key -> what it means.
MEANINGS = {
    "host-profile/1": {
        "name": "what the host is called in answers",
        "software": "kernel, VMMs, boot options: evidence for a person, never the test",
        "cpus": "every physical CPU; those that read alike together",
        "offers": "what KVM offers, shape by shape",
    },
    "guest-profile/1": {
        "name": "what the guest is called in answers",
        "registers": "ID register → the value the guest sees; one that has no meaning here is absent",
        "register_list": "ids of the registers that the guest's state carries; nothing: not recorded",
        "implementation": "which implementation the guest is shown",
        "starts_on": "hosts on which a guest that boots with this profile sees exactly this",
        "tolerates": "classes of fields that may differ: they weaken the profile, so they are recorded",
    },
    "verdict/1": {
        "guest": "the guest",
        "host": "the host",
        "start": "whether a guest that boots here sees exactly the profile",
        "arrive": "whether a guest that holds these values is accepted, and what it learnt stays true",
        "parts": "both answers, part by part",
        "judged": "the parts that could be judged; an overall yes needs all of them",
        "findings": "the reasons",
    },
    "frozen-profile/1": {
        "name": "what the frozen CPU is called",
        "version": "its version",
        "guest": "the guest profile, whole",
        "lineage": "where it came from; part of the digest",
    },
    "Cpu": {"count": "how many read alike; 0: not recorded"},
    "Facts": {
        "cntfrq_hz": "CNTFRQ_EL0, in Hz",
        "dczid": "DCZID_EL0: the block of DC ZVA",
        "gmid": "GMID_EL1: the block of MTE's tags",
        "page_size": "the host's pages, in bytes",
        "sources": "fact → where it was found, if not by the probe",
    },
    "Made": {},
    "Offer": {
        "how": "`tried` value by value, told by KVM's `masks`, or `predicted` from a recording and measured rows",
        "default": "what KVM does with a field that `accepts` does not name",
        "limits": "register → the value that a fresh vCPU shows",
        "accepts": "`REG.FIELD` → the values that are kept as written; more words where KVM changes some",
        "register_list": "the ids of KVM_GET_REG_LIST; nothing: not recorded",
        "register_list_without": "ids that the offer this one is `like` lists, and this one does not",
        "state": "register → value in a fresh vCPU, for what is no identity",
        "pmu": "counters and event bitmaps",
        "like": "the earlier offer that this one completes: only differences are listed",
        "changed_by_kvm": "register → what KVM makes of its limit before a VM first runs",
        "side_effects": "`REG.FIELD=value` → what that makes of others; nothing: KVM does not run such a VM",
    },
    "Shape": {
        "features": "vCPU features by name: `pmu_v3`, `sve`, `ptrauth` …",
        "imp_id_writable": "whether MIDR_EL1, REVIDR_EL1 and AIDR_EL1 may be written",
    },
    "Software": {
        "kernel": "the release, as `uname -r` prints it",
        "kvm_capabilities": "KVM_CAP_ name → what KVM_CHECK_EXTENSION answers",
        "vmms": "VMM → its version",
        "boot_options": "words of the kernel's command line that lower what KVM offers",
        "vulnerabilities": "what the kernel says of those it does not call *Not affected*",
    },
    "Implementation": {},
    "Shown": {"targets": "the implementations the guest may run on, for its errata"},
    "Answers": {"start": "the answer for a boot", "arrive": "the answer for a migration"},
    "Finding": {
        "subject": "`REG.FIELD`, a register, a firmware register or a fact",
        "part": "the part it belongs to",
        "needs": "what the guest needs",
        "offers": "host → what it has",
        "hosts": "the hosts it is about",
        "cause": "what differs: silicon, kernel, shape …",
        "severity": "`stops` and `breaks` (silently) refuse; `unknown` is unknown; `risk` and `note` change nothing",
        "applies": "to start, to arrive, or both",
        "because": "rules and rows that led here",
        "remedies": "what a person could do",
        "messages": "what the VMM prints on the destination",
    },
    "Remedy": {"do": "the kind of remedy", "what": "what exactly", "hosts": "on which hosts"},
    "Guest": {},
    "Lineage": {
        "hosts": "the hosts it was levelled for",
        "policy": "the options of the baseline",
        "parent": "the digest of the frozen profile that it replaces",
    },
    "Origin": {"name": "the host"},
}
