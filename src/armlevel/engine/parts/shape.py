"""Which shape a set of hosts can share, and which one a VMM takes by itself."""

from __future__ import annotations

from collections.abc import Iterable

from armlevel.engine.findings import Cause, Finding, Remedy
from armlevel.engine.names import Name, hosts_of
from armlevel.engine.reasons import Reason, ReasonCode
from armlevel.engine.subjects import about_shape
from armlevel.engine.values import State, named, offered
from armlevel.profile import Host, Shape

__all__ = ["PASSTHROUGH_FEATURES", "common_shape", "missing_shape", "passthrough_shape"]

# What a passthrough VM of each VMM opts into where the host has it. QEMU `-cpu host` turns on pmu, sve and
# pauth (target/arm/kvm.c); Firecracker turns on nothing unless a template asks.
PASSTHROUGH_FEATURES: dict[str, frozenset[str]] = {
    "kvm": frozenset({"pmu_v3", "sve", "ptrauth"}),
    "qemu": frozenset({"pmu_v3", "sve", "ptrauth"}),
    "firecracker": frozenset(),
}

# Which choice to keep when two shapes have equally many: what guests lose most by missing comes first.
_WORTH = ("sve", "ptrauth", "pmu_v3")


def _worth(shape: Shape) -> tuple[int, tuple[bool, ...], bool]:
    return len(shape.features), tuple(name in shape.features for name in _WORTH), shape.imp_id_writable


def common_shape(hosts: Iterable[Host], without: frozenset[str] = frozenset()) -> Shape | None:
    """Return the richest shape that every host was probed in; None if there is none.

    Only what VMMs opt into by themselves is opted into here: MTE, AArch32 at EL1, nested virtualisation and
    strict PMU change what a host must do, so they are never taken because everybody could.

    >>> from armlevel.profile import Offer
    >>> a = Host("a", (Offer(Shape()), Offer(Shape(frozenset({"sve"})))))
    >>> b = Host("b", (Offer(Shape()), Offer(Shape(frozenset({"sve"}))), Offer(Shape(frozenset({"mte"})))))
    >>> common_shape([a, b]), common_shape([a, b], frozenset({"sve"}))
    (Shape(sve), Shape(base))
    """
    shared: set[Shape] | None = None
    for host in hosts:
        shapes = set(host.shapes)
        shared = shapes if shared is None else shared & shapes
    wanted = PASSTHROUGH_FEATURES["kvm"] - without
    fit = [shape for shape in shared or () if shape.features <= wanted]
    return max(fit, key=_worth, default=None)


def passthrough_shape(host: Host, vmm: str = "kvm") -> Shape | None:
    """Return the shape of a passthrough VM on ``host`` under ``vmm``; None if no such shape was probed.

    Implementation IDs stay as the host shows them: no VMM enables KVM_CAP_ARM_WRITABLE_IMP_ID_REGS unasked.
    A recording that holds one other shape keeps it.
    """
    wanted = PASSTHROUGH_FEATURES[vmm]
    plain = [shape for shape in host.shapes if not shape.imp_id_writable]
    fit = [shape for shape in plain if shape.features <= wanted] or plain or list(host.shapes)
    return max(fit, key=_worth, default=None)


# What a probe writes for each vCPU feature after trying it: the kernel does not know the bit (ENOENT), or knows it and
# cannot give it here (EINVAL; Linux arch/arm64/kvm/arm.c, kvm_vcpu_init_check_features).
_TRIED_IN_VAIN: dict[int, tuple[Cause, ReasonCode]] = {
    0: ("kernel", "feature-unknown-to-kernel"),
    1: ("silicon", "feature-not-given"),
}


def missing_shape(shape: Shape, host: Host) -> list[Finding]:
    """Say why a host has no offer for ``shape``: features that a probe tried in vain, else that nobody probed it."""
    tried = host.software.kvm_capabilities
    no = offered((host.name, State("no")))
    findings = [
        Finding(about_shape(name), "shape", "stops", (named(name),), no, cause, because=(Reason(why),),
                remedies=(Remedy("without", (Name(name),)),))
        for name in sorted(shape.features)
        if (answer := _TRIED_IN_VAIN.get(tried.get(f"VCPU_{name.upper()}", -1))) is not None
        for cause, why in [answer]
    ]  # fmt: skip
    probed = any(name.startswith("VCPU_") for name in tried)
    if shape.imp_id_writable and probed and not tried.get("ARM_WRITABLE_IMP_ID_REGS"):
        because = (Reason("no-writable-ids"),)
        findings.append(
            Finding(
                about_shape("imp_id"), "shape", "stops", (named("imp_id"),), no, "kernel", because=because
            )
        )
    if findings:
        return findings
    return [
        Finding(
            about_shape(shape.label),
            "shape",
            "unknown",
            (named(shape.label),),
            offered((host.name, named(*(one.label for one in host.shapes)))),
            because=(Reason("shape-not-probed"),),
            remedies=(Remedy("probe", (Name(shape.label),), hosts_of([host.name])),),
        )
    ]
