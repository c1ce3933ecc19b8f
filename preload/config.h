/* What the guest is to be, as `armlevel run` wrote it down; and what this process was told beside it. */

#ifndef ARMLEVEL_CONFIG_H
#define ARMLEVEL_CONFIG_H

#include "base.h"

enum { MOST_VALUES = 512, MOST_CARRIED = 4096, MOST_CAPABILITIES = 16, MOST_TEXT = 1 << 20 };

struct value {
	uint64_t id, value;
	const char *name;
	bool write; /* else only looked at */
};

struct config {
	bool observe; /* nothing is changed, only told */
	bool weaker; /* a workaround level of this host may be below what the guest was told */
	bool born_here; /* a guest that starts on this host sees exactly the profile */
	bool wrapped; /* started through a program that may have words of its own for QEMU */
	const char *guest, *profile, *host, *device;
	const char *secret; /* of this start: NULL without armlevel run, else 48 hexadecimal digits */
	uint64_t cookie[3]; /* the secret, as KVM_CREATE_VM has to bring it along */
	uint32_t features;
	uint64_t cntfrq, dczid; /* UINT64_MAX: not known */
	uint64_t vectors; /* SVE vector lengths, bit n-1 for n times 128 bits; 0: no SVE */
	uint32_t capabilities[MOST_CAPABILITIES];
	size_t capability_count;
	struct value values[MOST_VALUES], levels[MOST_CAPABILITIES];
	size_t value_count, level_count;
	uint64_t carried[MOST_CARRIED]; /* ascending */
	size_t carried_count;
	bool carries; /* the list is filtered */
};

extern struct config config;

/* Read and prove the configuration; whatever is wrong with it ends the process with a sentence. */
void read_config(const char *place);

bool is_carried(uint64_t id);
const struct value *level_of(uint64_t id);

#endif
