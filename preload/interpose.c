/* The door: open and ioctl as QEMU calls them. Everything that is not KVM's goes straight to the kernel. */

#include <stdarg.h>

#include "config.h"
#include "level.h"
#include "log.h"

#define EXPORTED __attribute__((visibility("default")))

int *__errno_location(void);

static bool active;

static long result(long value)
{
	if (value >= 0 || value < -4095)
		return value;
	*__errno_location() = (int)-value;
	return -1;
}

/* Cut this library out of LD_PRELOAD, and its words out of the environment: children are not its business. */
static void leave_environment(void)
{
	static const char *const ours[] = { "ARMLEVEL_CONFIG=", "ARMLEVEL_PID=", "ARMLEVEL_LOG=", "ARMLEVEL_DUMP=",
					    "ARMLEVEL_PROFILE=" };
	char **to = &environ ? environ : NULL;

	for (char **from = to; from && *from; from++) {
		bool drop = false;

		for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
			drop |= begins(*from, ours[i]);
		if (begins(*from, "LD_PRELOAD=")) {
			char *kept = *from + length_of("LD_PRELOAD="), *first = kept;

			for (char *at = first; *at;) {
				char *name = at, *end = at;

				for (; *end && *end != ':' && *end != ' '; end++)
					name = *end == '/' ? end + 1 : name;
				if (!begins(name, "libarmlevel.so") && kept > first)
					*kept++ = ':';
				if (!begins(name, "libarmlevel.so"))
					while (at < end)
						*kept++ = *at++;
				at = *end ? end + 1 : end;
			}
			drop = kept == first;
			*kept = 0;
		}
		if (!drop)
			*to++ = *from;
	}
	if (to)
		*to = NULL;
}

/* A program that armlevel run starts QEMU through (nice, taskset, env) keeps the process; QEMU's children have others. */
static bool meant_for_this_process(void)
{
	const char *pid = variable("ARMLEVEL_PID");
	uint64_t number;

	return !pid || (read_number(&pid, 10, &number) && !*pid && number == (uint64_t)sys(SYS_getpid, 0, 0, 0));
}

__attribute__((constructor)) static void begin(void)
{
	const char *place = variable("ARMLEVEL_CONFIG"), *log = variable("ARMLEVEL_LOG");
	const char *to = variable("ARMLEVEL_DUMP"), *profile = variable("ARMLEVEL_PROFILE");

	if (!place)
		return;
	if (!meant_for_this_process()) {
		leave_environment();
		return;
	}
	if (log)
		open_log(log);
	read_config(place);
	if (profile && !same(profile, config.profile))
		give_up(words("the configuration is of profile ", config.profile, ", and ARMLEVEL_PROFILE asks for ", profile));
	check_facts();
	if (to)
		open_dump(to);
	active = true;
}

/* This is the program that uses KVM: from here on nothing is handed on to others. */
static void settle_down(void)
{
	static bool done;
	const char *place = variable("ARMLEVEL_CONFIG");
	uint64_t fd;

	if (done)
		return;
	done = true;
	if (place && begins(place, "fd:") && (place += length_of("fd:")) && read_number(&place, 10, &fd))
		sys(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
	leave_environment();
}

static int open_at(int directory, const char *path, int flags, unsigned int mode)
{
	bool ours = active && !config.observe && same(path, config.device);
	long fd;

	if (ours) {
		settle_down();
		path = "/dev/kvm";
	}
	fd = sys6(SYS_openat, directory, (long)path, flags, mode, 0, 0);
	if (active)
		note_device((int)fd, ours);
	return (int)result(fd);
}

static unsigned int mode_of(int flags, va_list *rest)
{
	return flags & (O_CREAT | O_TMPFILE_BIT) ? va_arg(*rest, unsigned int) : 0;
}

#define OPEN(name)                                                             \
	EXPORTED int name(const char *path, int flags, ...)                    \
	{                                                                      \
		va_list rest;                                                  \
		va_start(rest, flags);                                         \
		unsigned int mode = mode_of(flags, &rest);                     \
		va_end(rest);                                                  \
		return open_at(AT_FDCWD, path, flags, mode);                   \
	}
#define OPENAT(name)                                                           \
	EXPORTED int name(int directory, const char *path, int flags, ...)     \
	{                                                                      \
		va_list rest;                                                  \
		va_start(rest, flags);                                         \
		unsigned int mode = mode_of(flags, &rest);                     \
		va_end(rest);                                                  \
		return open_at(directory, path, flags, mode);                  \
	}
OPEN(open)
OPEN(open64)
OPEN(__open_2) /* what _FORTIFY_SOURCE makes of open */
OPEN(__open64_2)
OPENAT(openat)
OPENAT(openat64)
OPENAT(__openat_2)
OPENAT(__openat64_2)

static long create_vm(int device, unsigned long request, void *argument)
{
	long fd = sys_ioctl(device, request, argument);

	if (fd < 0)
		return fd;
	settle_down();
	lock_machines();

	struct vm *vm = new_vm(device, (int)fd);

	if (!config.observe)
		enable_capabilities(vm, (int)fd);
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
	vcpu->settled = false;
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
	return error;
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
	if (__builtin_expect(!vcpu->settled, 0)) {
		long error = settle(vcpu);

		if (error)
			return error;
		vcpu->settled = true;
	}
	return sys_ioctl(vcpu->fd, request, argument);
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
