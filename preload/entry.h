/* What the exported functions share: their visibility, whether the library is active, and errno. */

#ifndef ARMLEVEL_ENTRY_H
#define ARMLEVEL_ENTRY_H

#include "base.h"

#define EXPORTED __attribute__((visibility("default")))

extern bool active; /* this is the process that was meant, and it has a configuration */

/* What a C library's function returns for a system call's result: errno is set. */
long result(long value);

void settle_down(void);

/* End a QEMU that was started with other words than those of armlevel run, if its guest would not be KVM's. */
void check_command(void);

#endif
