/* Coming into a process, leaving its environment, and opening files as the C library's functions do. */

#include <stdarg.h>

#include "config.h"
#include "entry.h"
#include "level.h"
#include "log.h"
#include "proof.h"

int *__errno_location(void);

bool active;

long result(long value)
{
	if (value >= 0 || value < -4095)
		return value;
	*__errno_location() = (int)-value;
	return -1;
}

/* Cut this library out of LD_PRELOAD, and its words out of the environment. */
static void leave_environment(void)
{
	static const char *const ours[] = { "ARMLEVEL_CONFIG=", "ARMLEVEL_PROOF=", "ARMLEVEL_LOG=", "ARMLEVEL_DUMP=",
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

/* Every program that QEMU is started through (a script, nice, taskset) comes here as well, whatever its process; and
 * what it starts in turn. Whichever of them makes a VM, that VM is the profile's.
 */
__attribute__((constructor)) static void begin(void)
{
	const char *place = variable("ARMLEVEL_CONFIG"), *log = variable("ARMLEVEL_LOG");
	const char *profile = variable("ARMLEVEL_PROFILE"), *proof = variable("ARMLEVEL_PROOF");

	if (!place)
		return;
	if (log)
		open_log(log);
	if (proof)
		open_proof(proof);
	read_config(place);
	if (profile && !same(profile, config.profile))
		give_up(words("the configuration is of profile ", config.profile, ", and ARMLEVEL_PROFILE asks for ", profile));
	check_facts();
	if (config.wrapped)
		check_command();
	active = true;
}

/* Hand nothing on to other programs from here on: this process is the one that uses KVM. */
void settle_down(void)
{
	static bool done;
	const char *dump = variable("ARMLEVEL_DUMP");

	if (done)
		return;
	done = true;
	if (dump)
		open_dump(dump);
	close_on_exec(variable("ARMLEVEL_CONFIG"));
	close_on_exec(variable("ARMLEVEL_PROOF"));
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
