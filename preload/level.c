#include "config.h"
#include "level.h"
#include "log.h"

long get_register(int fd, uint64_t id, uint64_t *value)
{
	struct kvm_one_reg one = { id, (uint64_t)(uintptr_t)value };

	*value = 0;
	return sys_ioctl(fd, KVM_GET_ONE_REG, &one);
}

long set_register(int fd, uint64_t id, uint64_t value)
{
	struct kvm_one_reg one = { id, (uint64_t)(uintptr_t)&value };

	return sys_ioctl(fd, KVM_SET_ONE_REG, &one);
}

static void check_fact(const char *name, uint64_t wanted, uint64_t found, const char *meaning)
{
	struct line line = { .size = 0 };

	if (wanted == UINT64_MAX || wanted == found)
		return;
	add(&line, "this is not the host that the settings were made for: ");
	add(&line, name);
	add(&line, " is ");
	add_decimal(&line, found);
	add(&line, " here, and the guest needs ");
	add_decimal(&line, wanted);
	add(&line, meaning);
	give_up(line.text);
}

void check_facts(void)
{
	uint64_t frequency, zva;

	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
	__asm__ volatile("mrs %0, dczid_el0" : "=r"(zva));
	check_fact("CNTFRQ_EL0", config.cntfrq, frequency, " (its clock would run at another rate)");
	check_fact("DCZID_EL0", config.dczid, zva, " (DC ZVA would clear another size)");
}

void enable_capabilities(struct vm *vm, int fd)
{
	for (size_t i = 0; i < config.capability_count; i++) {
		struct kvm_enable_cap cap = { .cap = config.capabilities[i] };
		long error = sys_ioctl(fd, KVM_ENABLE_CAP, &cap);
		struct line line = { .size = 0 };

		add(&line, error ? "this host's KVM does not enable capability " : "enabled capability ");
		add_decimal(&line, config.capabilities[i]);
		if (!error) {
			tell(&line);
			continue;
		}
		add(&line, ", which the profile of guest ");
		add(&line, config.guest);
		add(&line, " needs: ");
		add_errno(&line, error);
		refuse(vm, line.text);
	}
}

static void add_features(struct line *line, uint32_t features)
{
	static const char *const names[] = { NULL,  "el1_32bit", NULL,	   "pmu_v3",	   "sve",
					     "ptrauth_address", "ptrauth_generic", "has_el2", "has_el2_e2h0", "pmu_v3_strict" };
	bool some = false;

	for (unsigned int bit = 0; bit < sizeof(names) / sizeof(*names); bit++)
		if (features >> bit & 1 && names[bit]) {
			add(line, some ? "+" : "");
			add(line, names[bit]);
			some = true;
		}
	if (!some)
		add(line, "none");
}

static void check_features(struct vcpu *vcpu, uint32_t features)
{
	struct line line = { .size = 0 };

	features &= ~FEATURES_OF_NO_GUEST;
	if (features == config.features)
		return;
	add(&line, "QEMU asks for vCPU features ");
	add_features(&line, features);
	add(&line, ", and the profile of guest ");
	add(&line, config.guest);
	add(&line, " has ");
	add_features(&line, config.features);
	add(&line, "; armlevel run names the -cpu options");
	refuse(vcpu->vm, line.text);
}

static void refuse_write(struct vcpu *vcpu, const struct value *value, long error)
{
	struct line line = { .size = 0 };
	uint64_t has;

	add(&line, "this host's KVM refuses ");
	add_register(&line, value->id, value->name);
	add(&line, " = ");
	add_hex(&line, value->value);
	add(&line, " of guest ");
	add(&line, config.guest);
	add(&line, ": ");
	add_errno(&line, error);
	if (!get_register(vcpu->fd, value->id, &has)) {
		add(&line, "; it has ");
		add_hex(&line, has);
	}
	add(&line, "; the settings were made for host ");
	add(&line, config.host);
	refuse(vcpu->vm, line.text);
}

/* What an initialisation resets, a guest's PSCI CPU_ON resets as well, and then nobody writes it again. */
static void check_kept(struct vcpu *vcpu)
{
	for (size_t i = 0; i < config.value_count; i++) {
		const struct value *value = &config.values[i];
		struct line line = { .size = 0 };
		uint64_t has;

		if (!is_of_vcpu(value->id) || get_register(vcpu->fd, value->id, &has) || has == value->value)
			continue;
		add(&line, "this host's KVM forgets ");
		add_register(&line, value->id, value->name);
		add(&line, " when a vCPU is powered on (Linux 6.3 to 6.9 do): it is ");
		add_hex(&line, has);
		add(&line, " again, and guest ");
		add(&line, config.guest);
		add(&line, " has ");
		add_hex(&line, value->value);
		add(&line, "; boot another kernel, or level to this host's value");
		refuse(vcpu->vm, line.text);
	}
}

void level_vcpu(struct vcpu *vcpu, const struct kvm_vcpu_init *init)
{
	struct line line = { .size = 0 };
	uint64_t written = 0, refused = 0;

	check_features(vcpu, init->features[0]);
	if (vcpu->levelled)
		check_kept(vcpu);
	vcpu->levelled = true;
	for (size_t i = 0; i < config.value_count; i++) {
		const struct value *value = &config.values[i];
		long error = value->write ? set_register(vcpu->fd, value->id, value->value) : 0;

		written += value->write && !error;
		refused += error != 0;
		if (error)
			refuse_write(vcpu, value, error);
	}
	add(&line, vcpu->vm->real ? "VM " : "scratch VM ");
	add_decimal(&line, vcpu->vm->number);
	add(&line, " vCPU ");
	add_decimal(&line, vcpu->index);
	add(&line, ": ");
	add_decimal(&line, written);
	add(&line, " registers written, ");
	add_decimal(&line, refused);
	add(&line, " refused");
	tell(&line);
}
