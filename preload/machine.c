#include "machine.h"
#include "log.h"

/* A scratch VM's descriptors are closed and given out again, so a place is taken anew with each; KVM has 512 vCPUs. */
enum { DESCRIPTORS = 65536, MOST_VMS = 64, MOST_VCPUS = 1024 };

static struct vm vms[MOST_VMS + 1];
static struct vcpu vcpus[MOST_VCPUS + 1];
static uint8_t vm_at[DESCRIPTORS];
static uint16_t vcpu_at[DESCRIPTORS];
static bool private_device[DESCRIPTORS];
static unsigned int vm_count, vcpu_count, numbered;
static int held;

void lock_machines(void)
{
	while (__atomic_exchange_n(&held, 1, __ATOMIC_ACQUIRE))
		sys(SYS_sched_yield, 0, 0, 0);
}

void unlock_machines(void)
{
	__atomic_store_n(&held, 0, __ATOMIC_RELEASE);
}

static void within(int fd)
{
	if (fd >= DESCRIPTORS)
		give_up("this process has more open files than the library can follow (65536); give QEMU a lower limit of them");
}

void note_device(int fd, bool private_path)
{
	if (fd < 0)
		return;
	within(fd);
	private_device[fd] = private_path;
}

struct vm *new_vm(int device, int fd)
{
	within(fd);
	if (!vm_at[fd]) {
		if (vm_count == MOST_VMS)
			give_up("this process makes more VMs than the library can follow (64)");
		vm_at[fd] = (uint8_t)++vm_count;
	}

	struct vm *vm = &vms[vm_at[fd]];

	*vm = (struct vm){ .number = ++numbered };
	vm->real = device >= 0 && device < DESCRIPTORS && private_device[device];
	return vm;
}

struct vcpu *new_vcpu(int vm_fd, int fd, uint64_t index)
{
	within(fd);
	if (!vcpu_at[fd]) {
		if (vcpu_count == MOST_VCPUS)
			give_up("this process makes more vCPUs than the library can follow (1024)");
		vcpu_at[fd] = (uint16_t)++vcpu_count;
	}

	struct vcpu *vcpu = &vcpus[vcpu_at[fd]];

	*vcpu = (struct vcpu){ .vm = vm_of(vm_fd), .fd = fd, .index = index };
	return vcpu;
}

struct vm *vm_of(int fd)
{
	return fd >= 0 && fd < DESCRIPTORS && vm_at[fd] ? &vms[vm_at[fd]] : NULL;
}

struct vcpu *vcpu_of(int fd)
{
	return fd >= 0 && fd < DESCRIPTORS && vcpu_at[fd] ? &vcpus[vcpu_at[fd]] : NULL;
}

void refuse(struct vm *vm, const char *sentence)
{
	struct line line = { .size = 0 };

	if (vm->real)
		give_up(sentence);
	add(&line, "scratch VM ");
	add_decimal(&line, vm->number);
	add(&line, ": ");
	add(&line, sentence);
	tell(&line);
	if (vm->refused)
		return;
	vm->refused = true;
	for (size_t i = 0; i < sizeof(vm->refusal) - 1 && sentence[i]; i++)
		vm->refusal[i] = sentence[i];
}

void is_real(struct vm *vm)
{
	vm->real = true;
	if (vm->refused)
		give_up(vm->refusal);
}
