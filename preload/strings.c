/* Strings, numbers and environment variables; and the four functions that the compiler takes for granted. */

#include "base.h"

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((volatile unsigned char *)to)[i] = ((const unsigned char *)from)[i];
	return to;
}

void *memset(void *to, int byte, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((volatile unsigned char *)to)[i] = (unsigned char)byte;
	return to;
}

size_t length_of(const char *text)
{
	size_t size = 0;

	while (text[size])
		size++;
	return size;
}

bool same(const char *one, const char *other)
{
	return begins(one, other) && !one[length_of(other)];
}

bool begins(const char *text, const char *prefix)
{
	while (*prefix)
		if (*text++ != *prefix++)
			return false;
	return true;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return 16;
}

/* Take an unsigned number off the front of a text; false if there is none, or it needs more than 64 bits. */
bool read_number(const char **text, unsigned int base, uint64_t *number)
{
	const char *at = *text;
	uint64_t found = 0;
	unsigned int digit;

	for (; (digit = (unsigned int)digit_of(*at)) < base; at++)
		if (__builtin_mul_overflow(found, base, &found) || __builtin_add_overflow(found, digit, &found))
			return false;
	if (at == *text)
		return false;
	*text = at;
	*number = found;
	return true;
}

bool read_descriptor(const char *place, int *fd)
{
	const char *digits = place + length_of("fd:");
	uint64_t number;

	if (!begins(place, "fd:") || !read_number(&digits, 10, &number) || *digits || number > INT32_MAX)
		return false;
	*fd = (int)number;
	return true;
}

const char *variable(const char *name)
{
	size_t size = length_of(name);

	for (char **at = &environ ? environ : NULL; at && *at; at++)
		if (begins(*at, name) && (*at)[size] == '=')
			return *at + size + 1;
	return NULL;
}
