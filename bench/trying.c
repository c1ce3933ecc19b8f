/*
 * The reference for the trying phase of a probe: the same ioctls, from C.
 *
 * Reads pairs of 64-bit numbers (register id, value) from a file, as bench/trying.py writes them, on a scratch vCPU with
 * the given feature bits writes each value, and reads back each one that KVM took. Prints the calls and the microseconds
 * per value.
 *
 *   aarch64-linux-gnu-gcc -O2 -static bench/trying.c -o trying && ./trying FILE FEATURES
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
	struct pair { uint64_t id, value; } *pairs;
	struct kvm_vcpu_init init = { 0 };
	struct kvm_one_reg reg;
	uint64_t value;
	size_t count, kept = 0;
	int kvm, vm, vcpu;
	double start;
	FILE *file;

	if (argc != 3 || !(file = fopen(argv[1], "rb"))) {
		fprintf(stderr, "usage: trying FILE FEATURES\n");
		return 2;
	}
	fseek(file, 0, SEEK_END);
	count = ftell(file) / sizeof(*pairs);
	rewind(file);
	pairs = malloc(count * sizeof(*pairs));
	if (!pairs || fread(pairs, sizeof(*pairs), count, file) != count)
		return 2;
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init);
	init.features[0] = strtoul(argv[2], NULL, 0);
	if (ioctl(vcpu, KVM_ARM_VCPU_INIT, &init)) {
		perror("KVM_ARM_VCPU_INIT");
		return 2;
	}
	start = now();
	for (size_t i = 0; i < count; i++) {
		value = pairs[i].value;
		reg.id = pairs[i].id;
		reg.addr = (uint64_t)&value;
		if (!ioctl(vcpu, KVM_SET_ONE_REG, &reg)) {
			ioctl(vcpu, KVM_GET_ONE_REG, &reg);
			kept++;
		}
	}
	start = now() - start;
	printf("C: %zu values, %zu taken, %.3f s, %.2f us a value\n", count, kept, start, start / count * 1e6);
	return 0;
}
