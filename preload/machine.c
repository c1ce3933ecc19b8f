#include "machine.h"
#include "level.h"
#include "log.h"

/* A descriptor is closed and given out again: a VM or vCPU takes the place of the one that had its number before, or
 * of one whose number nothing has any more. KVM has 512 vCPUs.
 */
enum { DESCRIPTORS = 65536, MOST_VMS = 64, MOST_VCPUS = 1024 };

static struct vm vms[MOST_VMS + 1];
static struct vcpu vcpus[MOST_VCPUS + 1];
static uint8_t vm_at[DESCRIPTORS];
static uint16_t vcpu_at[DESCRIPTORS];
static bool private_device[DESCRIPTORS];
static unsigned int vm_count, vcpu_count, numbered;
static int held; /* 0 free, 1 held, 2 held and waited for */

void lock_machines(void)
{
	int found = 0;

	if (__atomic_compare_exchange_n(&held, &found, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(&held, 2, __ATOMIC_ACQUIRE))
		sys6(SYS_futex, (long)&held, FUTEX_WAIT_PRIVATE, 2, 0, 0, 0);
}

void unlock_machines(void)
{
	if (__atomic_exchange_n(&held, 0, __ATOMIC_RELEASE) == 2)
		sys6(SYS_futex, (long)&held, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}

/* Only the descriptors of KVM are followed: any other may have any number. */
static void within(int fd)
{
	if (fd >= DESCRIPTORS)
		give_up("KVM's descriptor is beyond those the library can follow (65536); give QEMU a lower limit of open files");
}

static bool is_closed(int fd)
{
	return sys(SYS_fcntl, fd, F_GETFD, 0) == -EBADF;
}

void note_device(int fd, bool private_path)
{
	if (fd < 0)
		return;
	if (private_path)
		within(fd);
	if (fd < DESCRIPTORS)
		private_device[fd] = private_path;
}

/* The place of a VM that is gone, or the next one; 0 if there is none. */
static unsigned int place_of_vm(void)
{
	if (vm_count < MOST_VMS)
		return ++vm_count;
	for (int fd = 0; fd < DESCRIPTORS; fd++) {
		unsigned int place = vm_at[fd];

		if (place && !vms[place].ran && is_closed(fd)) {
			vm_at[fd] = 0;
			return place;
		}
	}
	return 0;
}

static unsigned int place_of_vcpu(void)
{
	if (vcpu_count < MOST_VCPUS)
		return ++vcpu_count;
	for (int fd = 0; fd < DESCRIPTORS; fd++) {
		unsigned int place = vcpu_at[fd];

		if (place && is_closed(fd)) {
			vcpu_at[fd] = 0;
			return place;
		}
	}
	return 0;
}

struct vm *new_vm(int device, int fd)
{
	within(fd);
	if (!vm_at[fd])
		vm_at[fd] = (uint8_t)place_of_vm();
	if (!vm_at[fd])
		give_up("this process has more VMs at once than the library can follow (64)");

	struct vm *vm = &vms[vm_at[fd]];

	*vm = (struct vm){ .number = ++numbered };
	vm->real = device >= 0 && device < DESCRIPTORS && private_device[device];
	return vm;
}

struct vcpu *new_vcpu(int vm_fd, int fd, uint64_t index)
{
	within(fd);
	if (!vcpu_at[fd])
		vcpu_at[fd] = (uint16_t)place_of_vcpu();
	if (!vcpu_at[fd])
		give_up("this process has more vCPUs at once than the library can follow (1024)");

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
	if (vm->refused)
		give_up(vm->refusal);
	if (!vm->real)
		prove_vm(vm);
	vm->real = true;
}
