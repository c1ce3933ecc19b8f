/* The words that QEMU was started with, where armlevel run gave them to another program and not to QEMU itself.
 *
 * A guest under KVM is the library's, whatever the words are. What has to be found here is a QEMU that would run its
 * guest without KVM: QEMU's default is that, and every accelerator but kvm, and a file of options.
 * Source: QEMU system/vl.c (qemu_init, configure_accelerators).
 */

#include "entry.h"
#include "log.h"

enum { MOST_WORDS = 1 << 20, MOST_PATH = 4096 };

static char words_of_qemu[MOST_WORDS];

/* QEMU exports its own functions, for its modules: a QEMU by another name is known by that. */
extern void qemu_init(int argc, char **argv) __attribute__((weak));

static bool is_qemu(void)
{
	static char path[MOST_PATH];
	long size = sys6(SYS_readlinkat, AT_FDCWD, (long)"/proc/self/exe", (long)path, MOST_PATH - 1, 0, 0);
	const char *name = path;

	if (&qemu_init)
		return true;
	if (size < 0)
		give_up("/proc/self/exe cannot be read, so it is not known whether this program is QEMU; mount /proc");
	path[size] = 0;
	for (const char *at = path; *at; at++)
		name = *at == '/' ? at + 1 : name;
	return begins(name, "qemu-system-") || begins(name, "qemu-kvm");
}

static size_t read_words(void)
{
	long fd = sys6(SYS_openat, AT_FDCWD, (long)"/proc/self/cmdline", O_RDONLY | O_CLOEXEC, 0, 0, 0), got = 0;
	size_t size = 0;

	if (fd >= 0)
		while ((got = sys6(SYS_pread64, fd, (long)(words_of_qemu + size), (long)(MOST_WORDS - 1 - size),
				   (long)size, 0, 0)) > 0)
			size += (size_t)got;
	if (fd < 0 || got < 0 || size == MOST_WORDS - 1)
		give_up("QEMU's command line cannot be read, so it is not known whether its guest is KVM's; mount /proc");
	sys(SYS_close, fd, 0, 0);
	return size;
}

static bool names(const char *value, const char *wanted)
{
	return begins(value, wanted) && (!value[length_of(wanted)] || value[length_of(wanted)] == ',');
}

static const char *without(const char *value, const char *prefix)
{
	return begins(value, prefix) ? value + length_of(prefix) : value;
}

static void only_kvm(const char *kind)
{
	if (!names(kind, "kvm"))
		give_up(words("QEMU was started with accelerator ", kind,
			      ": its guest would not be KVM's; take it out of the program that starts QEMU"));
}

/* Each accel= of a -machine has to be kvm; return whether there is one. */
static bool accelerated(const char *machine)
{
	bool found = false;

	for (const char *part = machine; part; part = *part ? part + 1 : NULL) {
		if (begins(part, "accel=")) {
			only_kvm(part + length_of("accel="));
			found = true;
		}
		while (*part && *part != ',')
			part++;
	}
	return found;
}

void check_command(void)
{
	const char *end, *word;
	bool machine = false, kvm = false;

	if (!is_qemu())
		return;
	word = words_of_qemu;
	for (end = word + read_words(); word < end; word += length_of(word) + 1) {
		const char *option = word[0] == '-' ? word + 1 + (word[1] == '-') : "";
		const char *value = word + length_of(word) + 1;

		value = value < end ? value : "";
		if (same(option, "readconfig"))
			give_up("QEMU was started with -readconfig, a file that is not looked into; write its options out");
		if (same(option, "enable-kvm"))
			kvm = true;
		if (same(option, "accel")) {
			only_kvm(without(value, "accel="));
			kvm = true;
		}
		if (same(option, "machine") || same(option, "M")) {
			const char *kind = without(value, "type=");

			kvm |= accelerated(value);
			machine |= !names(kind, "none") && !names(kind, "help") && !names(kind, "?");
		}
	}
	if (machine && !kvm)
		give_up("QEMU was started without -accel kvm, so its guest would not be KVM's; "
			"the program that starts QEMU has to pass on what it is given");
}
