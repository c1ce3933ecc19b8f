#include "log.h"
#include "proof.h"

static int log_fd = -1;

void add(struct line *line, const char *text)
{
	while (*text && line->size < LINE - 2)
		line->text[line->size++] = *text++;
	line->text[line->size] = 0;
}

static void add_digits(struct line *line, uint64_t number, unsigned int base)
{
	char digits[24];
	size_t at = sizeof(digits) - 1;

	digits[at] = 0;
	do
		digits[--at] = "0123456789abcdef"[number % base];
	while (number /= base);
	add(line, digits + at);
}

void add_hex(struct line *line, uint64_t number)
{
	add(line, "0x");
	add_digits(line, number, 16);
}

void add_decimal(struct line *line, uint64_t number)
{
	add_digits(line, number, 10);
}

void add_register(struct line *line, uint64_t id, const char *name)
{
	static const struct {
		unsigned int shift, mask;
		const char *before;
	} parts[] = { { 14, 3, " op0:" }, { 11, 7, " op1:" }, { 7, 15, " crn:" }, { 3, 15, " crm:" }, { 0, 7, " op2:" } };

	if (name && *name) {
		add(line, name);
		add(line, " ");
	}
	add(line, "(");
	add_hex(line, id);
	if ((id >> 16 & 0xfff) == 0x13)
		for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
			add(line, parts[i].before);
			add_decimal(line, id >> parts[i].shift & parts[i].mask);
		}
	add(line, ")");
}

void add_errno(struct line *line, long error)
{
	static const struct {
		int number;
		const char *name;
	} names[] = { { 1, "EPERM" },   { 2, "ENOENT" },  { 5, "EIO" },     { 7, "E2BIG" },  { 8, "ENOEXEC" },
		      { 14, "EFAULT" }, { 16, "EBUSY" },  { 22, "EINVAL" }, { 25, "ENOTTY" } };

	error = error < 0 ? -error : error;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].number == error) {
			add(line, names[i].name);
			return;
		}
	add(line, "errno ");
	add_decimal(line, (uint64_t)error);
}

const char *join(const char *const *parts)
{
	static struct line line;

	line.size = 0;
	for (; *parts; parts++)
		add(&line, *parts);
	return line.text;
}

static void put(int fd, const struct line *line)
{
	size_t done = 0;

	while (done < line->size) {
		long wrote = sys(SYS_write, fd, line->text + done, line->size - done);

		if (wrote <= 0 && wrote != -EINTR)
			return;
		done += wrote > 0 ? (size_t)wrote : 0;
	}
}

void open_log(const char *place)
{
	if (!read_descriptor(place, &log_fd))
		log_fd = (int)sys6(SYS_openat, AT_FDCWD, (long)place, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600, 0, 0);
	if (log_fd < 0)
		give_up(words("the log cannot be written: ", place, "; name another"));
}

void tell(struct line *line)
{
	if (log_fd >= 0) {
		add(line, "\n");
		put(log_fd, line);
	}
}

static void speak(const char *sentence)
{
	struct line line = { .size = 0 };

	add(&line, "armlevel: ");
	add(&line, sentence);
	line.text[line.size++] = '\n';
	put(2, &line);
	if (log_fd >= 0 && log_fd != 2)
		put(log_fd, &line);
}

void warn(const char *sentence)
{
	speak(sentence);
}

void give_up(const char *sentence)
{
	speak(sentence);
	send_proof("ends", sentence);
	for (;;)
		sys(SYS_exit_group, 1, 0, 0);
}
