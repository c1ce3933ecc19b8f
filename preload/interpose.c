/* ioctl as QEMU calls it. Everything that is not KVM's goes straight to the kernel. */

#include <stdarg.h>

#include "config.h"
#include "entry.h"
#include "level.h"
#include "log.h"
#include "proof.h"

static long create_vm(int device, unsigned long request, void *argument)
{
	/* The filter of armlevel run lets nobody make a VM who does not bring the secret along; KVM looks at none of it. */
	long fd = sys6(SYS_ioctl, device, (long)request, (long)argument, (long)config.cookie[0],
		       (long)config.cookie[1], (long)config.cookie[2]);

	if (fd < 0)
		return fd;
	settle_down();
	lock_machines();

	struct vm *vm = new_vm(device, (int)fd);

	if (!config.observe)
		enable_capabilities(vm, (int)fd);
	if (vm->real)
		prove_vm(vm);
	unlock_machines();
	return fd;
}

static long create_vcpu(int vm_fd, unsigned long request, void *argument)
{
	long fd = sys_ioctl(vm_fd, request, argument);

	if (fd < 0)
		return fd;
	lock_machines();
	new_vcpu(vm_fd, (int)fd, (uint64_t)(uintptr_t)argument);
	unlock_machines();
	return fd;
}

static long give_memory(struct vm *vm, int fd, unsigned long request, void *argument)
{
	if (!config.observe && !vm->real) {
		lock_machines();
		is_real(vm);
		unlock_machines();
	}
	return sys_ioctl(fd, request, argument);
}

/* QEMU does this when it makes a vCPU, and again with every reset of the machine. */
static long init_vcpu(struct vcpu *vcpu, unsigned long request, void *argument)
{
	long error = sys_ioctl(vcpu->fd, request, argument);

	if (error || config.observe)
		return error;
	lock_machines();
	if (vcpu->vm->ran && !config.born_here && !vcpu->vm->born_again) {
		vcpu->vm->born_again = true;
		warn("the guest was reset on a host where its profile may not start: it now sees this host's workaround "
		     "levels, and can move only to hosts that have them; boot it on one it is born on");
	}
	level_vcpu(vcpu, argument);
	vcpu->checked = vcpu->returned = false;
	unlock_machines();
	return 0;
}

/* KVM stores no workaround level: asked, it tells the host's. The guest's is what it was told at boot. */
static long get_one(struct vcpu *vcpu, unsigned long request, struct kvm_one_reg *one)
{
	const struct value *level = config.observe || vcpu->vm->born_again ? NULL : level_of(one->id);
	long error = sys_ioctl(vcpu->fd, request, one);

	if (!error && level)
		*(uint64_t *)(uintptr_t)one->address = level->value; // NOLINT
	return error;
}

static long set_one(struct vcpu *vcpu, unsigned long request, struct kvm_one_reg *one)
{
	long error = sys_ioctl(vcpu->fd, request, one);
	struct line line = { .size = 0 };
	uint64_t has;

	if (!error || REGISTER_SIZE(one->id) > 8)
		return error;
	add(&line, "QEMU could not set ");
	add_register(&line, one->id, NULL);
	add(&line, " want ");
	add_hex(&line, REGISTER_SIZE(one->id) == 8 ? *(uint64_t *)(uintptr_t)one->address : // NOLINT
						     *(uint32_t *)(uintptr_t)one->address); // NOLINT
	if (!get_register(vcpu->fd, one->id, &has)) {
		add(&line, " have ");
		add_hex(&line, has);
	}
	add(&line, " ");
	add_errno(&line, error);
	tell(&line);
	/* An accepted weaker level arrives as the guest was told it; finalize says so. */
	return config.weaker && level_of(one->id) ? 0 : error;
}

static long list(struct vcpu *vcpu, unsigned long request, void *argument)
{
	long error;

	if (config.observe || !config.carries)
		return sys_ioctl(vcpu->fd, request, argument);
	lock_machines();
	error = list_registers(vcpu, argument);
	unlock_machines();
	return error;
}

static long run(struct vcpu *vcpu, unsigned long request, void *argument)
{
	if (__builtin_expect(!vcpu->checked, 0)) {
		long error = finalize(vcpu);

		if (error)
			return error;
		vcpu->checked = true;
		/* Who asked this vCPU to leave KVM_RUN in the meantime has set immediate_exit, and finalize put it back. */
		return -EINTR;
	}

	long error = sys_ioctl(vcpu->fd, request, argument);

	if (__builtin_expect(!vcpu->returned, 0)) {
		vcpu->returned = true;
		if (!config.observe)
			check_again(vcpu);
	}
	return error;
}

static long kvm_ioctl(int fd, unsigned long request, void *argument)
{
	struct vcpu *vcpu = vcpu_of(fd);
	struct vm *vm = vm_of(fd);

	switch ((uint32_t)request) {
	case KVM_RUN:
		return vcpu ? run(vcpu, request, argument) : sys_ioctl(fd, request, argument);
	case KVM_CREATE_VM:
		return create_vm(fd, request, argument);
	case KVM_CREATE_VCPU:
		return vm ? create_vcpu(fd, request, argument) : sys_ioctl(fd, request, argument);
	case KVM_SET_USER_MEMORY_REGION:
	case KVM_SET_USER_MEMORY_REGION2:
		return vm ? give_memory(vm, fd, request, argument) : sys_ioctl(fd, request, argument);
	case KVM_ARM_VCPU_INIT:
		return vcpu ? init_vcpu(vcpu, request, argument) : sys_ioctl(fd, request, argument);
	case KVM_GET_ONE_REG:
		return vcpu ? get_one(vcpu, request, argument) : sys_ioctl(fd, request, argument);
	case KVM_SET_ONE_REG:
		return vcpu ? set_one(vcpu, request, argument) : sys_ioctl(fd, request, argument);
	case KVM_GET_REG_LIST:
		return vcpu ? list(vcpu, request, argument) : sys_ioctl(fd, request, argument);
	default:
		return sys_ioctl(fd, request, argument);
	}
}

EXPORTED int ioctl(int fd, unsigned long request, ...)
{
	va_list rest;
	void *argument;

	va_start(rest, request);
	argument = va_arg(rest, void *);
	va_end(rest);
	return (int)result(active ? kvm_ioctl(fd, request, argument) : sys_ioctl(fd, request, argument));
}
