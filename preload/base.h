/* What the library stands on: integers, system calls, and strings. Nothing of the C library but errno and environ. */

#ifndef ARMLEVEL_BASE_H
#define ARMLEVEL_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EINTR = 4, E2BIG = 7, EBADF = 9, EINVAL = 22 };

/* Linux include/uapi/asm-generic/unistd.h */
enum {
	SYS_ioctl = 29,
	SYS_openat = 56,
	SYS_close = 57,
	SYS_write = 64,
	SYS_pread64 = 67,
	SYS_fcntl = 25,
	SYS_readlinkat = 78,
	SYS_exit_group = 94,
	SYS_futex = 98,
	SYS_sendto = 206,
	SYS_munmap = 215,
	SYS_mmap = 222,
};

enum { AT_FDCWD = -100, O_RDONLY = 0, O_WRONLY = 1, O_CREAT = 0100, O_TRUNC = 01000, O_APPEND = 02000 };
enum { O_CLOEXEC = 02000000, O_TMPFILE_BIT = 020000000, F_GETFD = 1, F_SETFD = 2, FD_CLOEXEC = 1 };
enum { FUTEX_WAIT_PRIVATE = 128, FUTEX_WAKE_PRIVATE = 129, MSG_DONTWAIT = 0x40, MSG_NOSIGNAL = 0x4000 };
enum { PROT_READ = 1, PROT_WRITE = 2, MAP_SHARED = 1, PAGE = 4096 };

/* A system call: its result, or the negative errno. */
static inline long sys6(long number, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory", "cc");
	return x0;
}

#define sys(number, a, b, c) sys6((number), (long)(a), (long)(b), (long)(c), 0, 0, 0)

static inline long sys_ioctl(int fd, unsigned long request, void *argument)
{
	return sys(SYS_ioctl, fd, request, argument);
}

/* strings.c */
size_t length_of(const char *text);
bool same(const char *one, const char *other);
bool begins(const char *text, const char *prefix);
bool read_number(const char **text, unsigned int base, uint64_t *number);
bool read_descriptor(const char *place, int *fd); /* "fd:7" */
extern char **environ __attribute__((weak));
const char *variable(const char *name);

/* sha256.c: the digest of `size` bytes as 64 hexadecimal digits and a null byte */
void sha256_of(const void *data, size_t size, char digest[65]);

#endif
