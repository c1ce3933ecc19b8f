/* Finalizing a vCPU right before it first runs, and reading it back. */

#include "config.h"
#include "level.h"
#include "log.h"
#include "proof.h"

/* Workaround levels have an order that is not that of the numbers; KVM knows it: it takes what is not above its own. */
static void check_level(struct vcpu *vcpu, const struct value *level)
{
	struct line line = { .size = 0 };
	uint64_t has;
	long error = set_register(vcpu->fd, level->id, level->value);

	if (!error)
		return;
	add(&line, "guest ");
	add(&line, config.guest);
	add(&line, " was told ");
	add_hex(&line, level->value);
	add(&line, " for ");
	add_register(&line, level->id, level->name);
	add(&line, " at boot, and this host's KVM refuses that: ");
	add_errno(&line, error);
	if (!get_register(vcpu->fd, level->id, &has)) {
		add(&line, "; it has ");
		add_hex(&line, has);
	}
	add(&line, config.weaker ? ": accepted, the guest goes without a mitigation it needs here" :
				   ": the guest would go without a mitigation it needs here");
	if (!config.weaker)
		refuse(vcpu->vm, line.text);
	else if (!vcpu->index)
		warn(line.text);
}

static void check_value(struct vcpu *vcpu, const struct value *value)
{
	struct line line = { .size = 0 };
	uint64_t has;
	long error = get_register(vcpu->fd, value->id, &has);

	if (!error && has == value->value)
		return;
	add(&line, "the vCPU is not what the profile of guest ");
	add(&line, config.guest);
	add(&line, " says: ");
	add_register(&line, value->id, value->name);
	if (error) {
		add(&line, " cannot be read: ");
		add_errno(&line, error);
	} else {
		add(&line, " is ");
		add_hex(&line, has);
		add(&line, ", not ");
		add_hex(&line, value->value);
	}
	add(&line, "; the settings were made for host ");
	add(&line, config.host);
	refuse(vcpu->vm, line.text);
}

/* Linux arch/arm64/include/uapi/asm/kvm.h: KVM_REG_ARM64_SVE_VLS, 512 bits. KVM and QEMU notice no difference. */
static void check_vectors(struct vcpu *vcpu)
{
	static const uint64_t SVE_VLS = 0x606000000015ffff;
	struct line line = { .size = 0 };
	uint64_t has[8];
	struct kvm_one_reg one = { SVE_VLS, (uint64_t)(uintptr_t)has };
	long error = sys_ioctl(vcpu->fd, KVM_GET_ONE_REG, &one);

	if (!error && has[0] == config.vectors)
		return;
	add(&line, "the vector lengths of the vCPU are not those of guest ");
	add(&line, config.guest);
	add(&line, ": (bit n-1 for n times 128 bits) they are ");
	add_hex(&line, error ? 0 : has[0]);
	add(&line, ", not ");
	add_hex(&line, config.vectors);
	add(&line, "; armlevel run names the sve<N> options of -cpu");
	refuse(vcpu->vm, line.text);
}

/* KVM gives a VM its final identity when a vCPU first runs. With immediate_exit that happens, and nothing runs. */
static long finalize_identity(struct vcpu *vcpu)
{
	long mapped = sys6(SYS_mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);

	if (mapped < 0)
		return mapped;

	volatile uint8_t *run = (volatile uint8_t *)mapped; // NOLINT
	uint8_t before = run[IMMEDIATE_EXIT];

	run[IMMEDIATE_EXIT] = 1;

	long error = sys_ioctl(vcpu->fd, KVM_RUN, NULL);

	run[IMMEDIATE_EXIT] = before;
	sys(SYS_munmap, mapped, PAGE, 0);
	return error == -EINTR ? 0 : error;
}

void prove_vm(const struct vm *vm)
{
	struct line line = { .size = 0 };

	add_decimal(&line, vm->number);
	send_proof("made", line.text);
}

static void prove_vcpu(const struct vcpu *vcpu)
{
	struct line line = { .size = 0 };

	add_decimal(&line, vcpu->vm->number);
	add(&line, " ");
	add_decimal(&line, vcpu->index);
	add(&line, " ");
	add_decimal(&line, config.value_count + config.level_count);
	send_proof("runs", line.text);
}

/* CLIDR_EL1 and CCSIDR_EL1 belong to a vCPU and not to its VM. Linux before e016333745c7 ("KVM: arm64: Only reset
 * vCPU-scoped feature ID regs once", in 6.10) resets them with the vCPU, and so at each PSCI CPU_ON, inside KVM_RUN.
 */
void check_again(struct vcpu *vcpu)
{
	for (size_t i = 0; i < config.value_count; i++)
		if (is_of_vcpu(config.values[i].id))
			check_value(vcpu, &config.values[i]);
}

long finalize(struct vcpu *vcpu)
{
	long error = vcpu->finalized ? 0 : finalize_identity(vcpu);
	struct line line = { .size = 0 };

	if (error)
		return error;
	vcpu->finalized = true;
	if (!config.observe) {
		is_real(vcpu->vm);
		for (size_t i = 0; i < config.value_count; i++)
			check_value(vcpu, &config.values[i]);
		if (config.vectors)
			check_vectors(vcpu);
		for (size_t i = 0; i < config.level_count; i++)
			check_level(vcpu, &config.levels[i]);
		add(&line, "VM ");
		add_decimal(&line, vcpu->vm->number);
		add(&line, " vCPU ");
		add_decimal(&line, vcpu->index);
		add(&line, " runs: ");
		add_decimal(&line, config.value_count + config.level_count);
		add(&line, " registers are what the profile says");
		tell(&line);
		prove_vcpu(vcpu);
	}
	if (!vcpu->index && !vcpu->vm->dumped) {
		vcpu->vm->dumped = true;
		dump(vcpu);
	}
	vcpu->vm->ran = true;
	return 0;
}
