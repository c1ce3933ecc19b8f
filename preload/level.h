/* Making a vCPU the profile's, and proving that it is. */

#ifndef ARMLEVEL_LEVEL_H
#define ARMLEVEL_LEVEL_H

#include "kvm.h"
#include "machine.h"

/* Compare what this CPU reads as at EL0 with the profile: the facts that KVM can neither hide nor change. */
void check_facts(void);

void enable_capabilities(struct vm *vm, int fd);
void level_vcpu(struct vcpu *vcpu, const struct kvm_vcpu_init *init);

/* Finalize a vCPU right before it first runs, and compare it with the profile: 0, or the negative errno of KVM. */
long finalize(struct vcpu *vcpu);

/* Compare once more what KVM may have reset since, when the guest powered the vCPU on. */
void check_again(struct vcpu *vcpu);

/* Tell armlevel run that the VM in which the guest is to run was made. */
void prove_vm(const struct vm *vm);

long list_registers(struct vcpu *vcpu, struct kvm_reg_list *list);

void open_dump(const char *place);
void dump(struct vcpu *vcpu);

long get_register(int fd, uint64_t id, uint64_t *value);
long set_register(int fd, uint64_t id, uint64_t value);

#endif
