/* The configuration: lines of words, the last one the SHA-256 of all before it.
 *
 *     armlevel-preload 1
 *     guest NAME | host NAME | profile DIGEST | device PATH
 *     observe                      nothing is changed
 *     secret HEX                   of this start: what KVM_CREATE_VM brings along, and what proofs are made with
 *     wrapped                      QEMU's own words are looked at, for armlevel run could not know them
 *     arrive-only                  a guest may come here, but not be born here
 *     accept-weaker                a workaround level may be below what the guest was told
 *     features HEX                 bits of kvm_vcpu_init.features[0] that the shape asks for
 *     cntfrq DEC | dczid DEC       what KVM can neither hide nor change
 *     vectors HEX                  SVE vector lengths: bit n-1 for n times 128 bits
 *     capability DEC               enabled on the VM before its first vCPU
 *     write ID VALUE NAME          KVM_SET_ONE_REG, in this order, and read back
 *     see ID VALUE NAME            read back
 *     level ID VALUE NAME          KVM checks it and stores nothing: what the guest was told at boot
 *     carry ID                     in KVM_GET_REG_LIST; ascending
 *     sha256 DIGEST
 */

#include "config.h"
#include "log.h"

struct config config;

static char text[MOST_TEXT + 1];

static void faulty(const char *what, const char *more)
{
	give_up(words("the configuration of the levelled guest ", what, more, "; start it with armlevel run"));
}

static size_t read_whole(const char *place)
{
	bool opened = !begins(place, "fd:");
	long fd = -EBADF, got = 0;
	size_t size = 0;
	int inherited;

	if (opened)
		fd = sys6(SYS_openat, AT_FDCWD, (long)place, O_RDONLY | O_CLOEXEC, 0, 0, 0);
	else if (read_descriptor(place, &inherited))
		fd = inherited;
	if (fd >= 0)
		while ((got = sys6(SYS_pread64, fd, (long)(text + size), (long)(MOST_TEXT - size), (long)size, 0, 0)) > 0)
			size += (size_t)got;
	if (fd < 0 || got < 0)
		faulty(opened ? "cannot be read: " : "was closed by a program that starts QEMU: ", place);
	if (size == MOST_TEXT)
		faulty("is too large: ", place);
	if (opened)
		sys(SYS_close, fd, 0, 0);
	text[size] = 0;
	return size;
}

static void prove(size_t size)
{
	static char digest[65];
	size_t last = size;

	if (!size || text[size - 1] != '\n')
		faulty("is cut off", "");
	for (last = size - 1; last && text[last - 1] != '\n'; last--)
		;
	sha256_of(text, last, digest);
	if (!begins(text + last, "sha256 ") || !begins(text + last + 7, digest) || size != last + 7 + 64 + 1)
		faulty("is damaged: its SHA-256 is not the one in its last line", "");
	text[last] = 0;
}

/* Cut the next word off, at a blank; or the rest of the line. */
static char *word(char **line)
{
	char *start = *line;

	while (**line && **line != ' ')
		(*line)++;
	if (**line)
		*(*line)++ = 0;
	return start;
}

static uint64_t number(const char *from, unsigned int base)
{
	uint64_t found = 0;

	if (!read_number(&from, base, &found) || *from)
		faulty("has no number where one is due: ", from);
	return found;
}

static void add_value(struct value *values, size_t *count, size_t most, char *line, bool write)
{
	if (*count == most)
		faulty("has too many registers", "");
	values[*count].id = number(word(&line), 16);
	values[*count].value = number(word(&line), 16);
	values[*count].name = line;
	values[(*count)++].write = write;
}

static void add_carried(uint64_t id)
{
	if (config.carried_count == MOST_CARRIED)
		faulty("carries too many registers", "");
	if (config.carried_count && config.carried[config.carried_count - 1] >= id)
		faulty("does not list what is carried in order", "");
	config.carried[config.carried_count++] = id;
	config.carries = true;
}

static void read_secret(const char *digits)
{
	config.secret = digits;
	if (length_of(digits) != 48)
		faulty("has no secret of 48 digits", "");
	for (size_t i = 0; i < 48; i++) {
		char digit[2] = { digits[i], 0 };

		config.cookie[i / 16] = config.cookie[i / 16] << 4 | number(digit, 16);
	}
}

static void read_line(char *line)
{
	const char *what = word(&line);

	if (same(what, "guest"))
		config.guest = line;
	else if (same(what, "host"))
		config.host = line;
	else if (same(what, "profile"))
		config.profile = line;
	else if (same(what, "device"))
		config.device = line;
	else if (same(what, "secret"))
		read_secret(line);
	else if (same(what, "observe"))
		config.observe = true;
	else if (same(what, "wrapped"))
		config.wrapped = true;
	else if (same(what, "arrive-only"))
		config.born_here = false;
	else if (same(what, "accept-weaker"))
		config.weaker = true;
	else if (same(what, "features"))
		config.features = (uint32_t)number(line, 16);
	else if (same(what, "cntfrq"))
		config.cntfrq = number(line, 10);
	else if (same(what, "dczid"))
		config.dczid = number(line, 10);
	else if (same(what, "vectors"))
		config.vectors = number(line, 16);
	else if (same(what, "capability") && config.capability_count < MOST_CAPABILITIES)
		config.capabilities[config.capability_count++] = (uint32_t)number(line, 10);
	else if (same(what, "write") || same(what, "see"))
		add_value(config.values, &config.value_count, MOST_VALUES, line, same(what, "write"));
	else if (same(what, "level"))
		add_value(config.levels, &config.level_count, MOST_CAPABILITIES, line, false);
	else if (same(what, "carry"))
		add_carried(number(line, 16));
	else
		faulty("has a line this library does not know: ", what);
}

void read_config(const char *place)
{
	config = (struct config){ .born_here = true, .cntfrq = UINT64_MAX, .dczid = UINT64_MAX };
	config.guest = config.profile = config.host = config.device = "";
	prove(read_whole(place));

	char *line = text;
	bool first = true;

	while (*line) {
		char *end = line;

		while (*end != '\n')
			end++;
		*end = 0;
		if (!first)
			read_line(line);
		else if (!same(line, "armlevel-preload 1"))
			faulty("is of another version than this library: ", line);
		first = false;
		line = end + 1;
	}
	if (!config.observe && !*config.device)
		faulty("names no KVM device", "");
}

bool is_carried(uint64_t id)
{
	size_t low = 0, high = config.carried_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (config.carried[middle] == id)
			return true;
		if (config.carried[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

const struct value *level_of(uint64_t id)
{
	for (size_t i = 0; i < config.level_count; i++)
		if (config.levels[i].id == id)
			return &config.levels[i];
	return NULL;
}
