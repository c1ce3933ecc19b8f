"""Lines of programs as people quote them, with what ``explain`` has to find in each."""

from __future__ import annotations

__all__ = ["QUOTED"]

#: Lines as people quote them -> what they mean, and the registers that they are about.
QUOTED = {
    "error while loading state for instance 0x0 of device 'cpu'": ("cpu-not-loaded", ()),
    "qemu-system-aarch64: error while loading state for instance 0x0 ofdevice 'cpu'": ("cpu-not-loaded", ()),
    "Failed to put registers after init: Invalid argument": ("values-refused", ()),
    "Invalid value 233 expecting positive value <= 232": ("list-too-long", ()),
    "Failed to load cpu:cpreg_vmstate_array_len": ("list-not-loaded", ()),
    "load of migration failed: Invalid argument": ("migration-failed", ()),
    "load of migration failed: -5": ("migration-failed", ()),
    "Could not set register op0:3 op1:0 crn:0 crm:0 op2:0 to c00fac31 (is 413fd0c1)": (
        "value-refused-named",
        ("MIDR_EL1",),
    ),
    "Could not set register fw reg 0 to 10003 (is 10001)": (
        "value-refused-named",
        ("KVM_REG_ARM_PSCI_VERSION",),
    ),
    "Could not set register demuxed reg 6020000000110002 to 1a (is 2)": (
        "value-refused-named",
        ("CCSIDR_EL1[2]",),
    ),
    "warning: handle_cpreg_missing_in_incoming_stream: fw feat reg 3 expected by the destination but not in the "
    "incoming stream: skip it": ("register-only-there", ("KVM_REG_ARM_VENDOR_HYP_BMAP_2",)),
    "handle_cpreg_only_in_incoming_stream: system register op0:3 op1:0 crn:9 crm:14 op2:6 in the incoming stream but "
    "unknown on the destination: fail migration": ("register-not-there", ("PMMIR_EL1",)),
    "load of migration failed: Invalid argument: post load hook failed for: cpu, version_id: 22": (
        "migration-failed",
        (),
    ),
    "load of migration failed: Invalid argument: Unknown section or instance 'arm_gicv3' 0. Make sure that your "
    "current VM setup matches your saved VM setup": ("device-not-there", ()),
    "post load hook failed for: configuration": ("machine-types-differ", ()),
    "Machine type received is 'virt-10.0' and local is 'virt-11.1'": ("machine-types-differ", ()),
    "KVM is not supported for this guest CPU type": ("named-cpu-with-kvm", ()),
    "kvm_init_vcpu: kvm_arch_init_vcpu failed (0): Invalid argument": ("vcpu-not-made", ()),
    "Invalid CPU model: neoverse-n1. The valid models are: cortex-a53, cortex-a57, host, max": (
        "named-cpu-with-kvm",
        (),
    ),
    "can't apply global host-arm-cpu....: Property 'host-arm-cpu.SYSREG_ID_AA64ISAR0_EL1_RNDR' not found": (
        "no-register-properties",
        (),
    ),
    "GenericError: Parameter 'model.props.foo' is unexpected": ("no-such-property", ()),
    "We cannot guarantee the CPU type 'cortex-a72' works with KVM on this host": ("named-cpu-with-kvm", ()),
    "The requested expansion type is not supported": ("full-expansion-only", ()),
    "The CPU type 'host' requires KVM": ("host-without-kvm", ()),
    "Cannot find CPU model with PVR 0xd0b": ("core-not-in-map", ()),
    "KVM_SET_DEVICE_ATTR failed: Group 6 attr 0x000000000000c664: Invalid argument": (
        "vgic-attribute-refused",
        (),
    ),
    "Unexpected error in kvm_device_access() at ../accel/kvm/kvm-all.c:3477:": ("vgic-abort", ()),
    "Postcopy needs matching RAM page sizes (s=1000 d=10000)": ("postcopy-pages", ()),
    "error: Hook script execution failed: armlevel: guest web-1 is refused on h2: PSCI_VERSION guest 1.3": (
        "hook-refused",
        (),
    ),
    "Host CPU model does not match required CPU vendor ARM or(and) model Neoverse-N1": ("names-compared-only", ()),
    "Failed to set register 6931039826524487712: Invalid argument (os error 22)": (
        "value-refused-id",
        ("ID_AA64PFR0_EL1",),
    ),
    "Failed to set register 0x603000000013c020 to value 0x11: Invalid argument (os error 22)": (
        "value-refused-id",
        ("ID_AA64PFR0_EL1",),
    ),
}  # fmt: skip
