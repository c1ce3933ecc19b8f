/* Saying what is done: one line at a time, to the log if there is one; what ends the process, to stderr as well. */

#ifndef ARMLEVEL_LOG_H
#define ARMLEVEL_LOG_H

#include "base.h"

enum { LINE = 1024 };

struct line {
	char text[LINE];
	size_t size;
};

void add(struct line *line, const char *text);
void add_hex(struct line *line, uint64_t number);
void add_decimal(struct line *line, uint64_t number);
/* A register: its name if there is one, else its id, with its encoding if it is a system register. */
void add_register(struct line *line, uint64_t id, const char *name);
void add_errno(struct line *line, long error);

/* The words one after another, in a line that the next call overwrites: for sentences that end the process. */
#define words(...) join((const char *[]){ __VA_ARGS__, NULL })
const char *join(const char *const *parts);

void open_log(const char *place);
void tell(struct line *line);
void warn(const char *sentence);
_Noreturn void give_up(const char *sentence);

#endif
