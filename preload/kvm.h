/* The part of KVM's interface that is looked at. Linux 7.3 include/uapi/linux/kvm.h, arch/arm64/include/uapi/asm/kvm.h;
 * the numbers are held to those of src/armlevel/kvm/numbers.py by a test. */

#ifndef ARMLEVEL_KVM_H
#define ARMLEVEL_KVM_H

#include "base.h"

#define KVM_CREATE_VM 0xae01
#define KVM_CREATE_VCPU 0xae41
#define KVM_SET_USER_MEMORY_REGION 0x4020ae46
#define KVM_SET_USER_MEMORY_REGION2 0x40a0ae49
#define KVM_RUN 0xae80
#define KVM_ENABLE_CAP 0x4068aea3
#define KVM_GET_ONE_REG 0x4010aeab
#define KVM_SET_ONE_REG 0x4010aeac
#define KVM_ARM_VCPU_INIT 0x4020aeae
#define KVM_GET_REG_LIST 0xc008aeb0

struct kvm_enable_cap {
	uint32_t cap, flags;
	uint64_t args[4];
	uint8_t pad[64];
};

struct kvm_one_reg {
	uint64_t id, address;
};

struct kvm_vcpu_init {
	uint32_t target, features[7];
};

struct kvm_reg_list {
	uint64_t n;
	uint64_t reg[];
};

/* struct kvm_run begins: request_interrupt_window, immediate_exit. */
enum { IMMEDIATE_EXIT = 1 };

/* Bits of features[0] that are no part of what a guest is: whether a vCPU starts off, and who answers its PSCI calls. */
#define FEATURES_OF_NO_GUEST (1u << 0 | 1u << 2)

/* CLIDR_EL1, and CCSIDR_EL1 of each cache: what is known of a vCPU and not of its VM. */
static inline bool is_of_vcpu(uint64_t id)
{
	return id == 0x603000000013c801 || (id >> 16 & 0xfff) == 0x11;
}

/* Bytes of a register, out of its id. */
#define REGISTER_SIZE(id) (1u << ((id) >> 52 & 15))

#endif
