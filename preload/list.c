/* The register list as carried, and the registers of a vCPU written down. */

#include "config.h"
#include "level.h"
#include "log.h"

enum { MOST_LISTED = 4096 };

struct whole_list {
	uint64_t n;
	uint64_t reg[MOST_LISTED];
};

static struct whole_list whole; /* under the lock of the machines */
static int dump_fd = -1;

static void check_listed(struct vcpu *vcpu, uint64_t missing)
{
	struct line line = { .size = 0 };

	add(&line, "this host's KVM does not list ");
	add_register(&line, missing, NULL);
	add(&line, ", which guest ");
	add(&line, config.guest);
	add(&line, " carries; the settings were made for host ");
	add(&line, config.host);
	refuse(vcpu->vm, line.text);
}

static long whole_list_of(struct vcpu *vcpu)
{
	whole.n = MOST_LISTED;
	return sys_ioctl(vcpu->fd, KVM_GET_REG_LIST, &whole);
}

long list_registers(struct vcpu *vcpu, struct kvm_reg_list *list)
{
	long error = whole_list_of(vcpu);
	uint64_t kept = 0;

	if (error)
		return error;
	for (uint64_t i = 0; i < whole.n; i++)
		if (is_carried(whole.reg[i]))
			whole.reg[kept++] = whole.reg[i];
	whole.n = kept;
	for (size_t i = 0; kept < config.carried_count && i < config.carried_count; i++) {
		bool listed = false;

		for (uint64_t j = 0; j < kept && !listed; j++)
			listed = whole.reg[j] == config.carried[i];
		if (!listed)
			check_listed(vcpu, config.carried[i]);
	}

	uint64_t room = list->n;

	list->n = kept;
	if (room < kept)
		return -E2BIG;
	for (uint64_t i = 0; i < kept; i++)
		list->reg[i] = whole.reg[i];
	return 0;
}

void open_dump(const char *place)
{
	/* The registers of a guest that arrived have its secrets, the keys of pointer authentication among them. */
	dump_fd = (int)sys6(SYS_openat, AT_FDCWD, (long)place, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600, 0, 0);
	if (dump_fd < 0)
		give_up(words("the registers cannot be written to ", place, "; name another file"));
}

static void put(struct line *line)
{
	add(line, "\n");
	sys(SYS_write, dump_fd, line->text, line->size);
}

void dump(struct vcpu *vcpu)
{
	struct line line = { .size = 0 };

	if (dump_fd < 0)
		return;
	lock_machines();
	if (!whole_list_of(vcpu)) {
		for (uint64_t i = 0; i < whole.n; i++) {
			uint64_t value;

			line.size = 0;
			if (REGISTER_SIZE(whole.reg[i]) > 8 || get_register(vcpu->fd, whole.reg[i], &value))
				continue;
			add_hex(&line, whole.reg[i]);
			add(&line, " ");
			add_hex(&line, value);
			put(&line);
		}
		line.size = 0;
		add(&line, "end");
		put(&line);
	}
	unlock_machines();
}
