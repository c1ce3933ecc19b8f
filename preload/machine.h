/* The VMs and vCPUs of this process, found by their file descriptors.
 *
 * QEMU makes scratch VMs to ask what the host has; what KVM refuses there is only told. The real VM is the one whose
 * KVM device was opened by the private path, or that is given memory, or runs: there every refusal ends the process.
 */

#ifndef ARMLEVEL_MACHINE_H
#define ARMLEVEL_MACHINE_H

#include "base.h"

struct vm {
	unsigned int number; /* counts from 1, for the log */
	bool real, ran, born_again, dumped;
	bool refused;
	char refusal[1024]; /* the first one, of when it was not known to be the real VM */
};

struct vcpu {
	struct vm *vm;
	int fd;
	uint64_t index;
	bool named; /* its features were told */
	bool levelled; /* its registers were written */
	bool finalized, checked; /* KVM gave it its final identity; and that is the profile's */
	bool returned; /* it ran, and what KVM resets with a vCPU was read again */
};

void lock_machines(void);
void unlock_machines(void);

void note_device(int fd, bool private_path);
struct vm *new_vm(int device, int fd);
struct vcpu *new_vcpu(int vm_fd, int fd, uint64_t index);
struct vm *vm_of(int fd);
struct vcpu *vcpu_of(int fd);

/* Say that something of the profile cannot be had: fatal for the real VM, remembered and logged for another. */
void refuse(struct vm *vm, const char *sentence);
void is_real(struct vm *vm);

#endif
