/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_NODE_FAULTS_H
#define CONTROL_NODE_FAULTS_H

#include "dataplane/base/uuid.h"

enum {
	FAULT_REASON_TEXT = 160,
};

/* Which instances are not as they should be, and why: one reason each, the first one found. */
struct fault {
	struct uuid instance;
	char reason[FAULT_REASON_TEXT];
};

struct faults {
	struct fault *fault; /* owned */
	unsigned int count, room;
};

/* Without memory the fault is lost: it is found again in the next round. */
void faults_add(struct faults *f, const struct uuid *instance, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* NULL: nothing is known to be wrong. */
const char *faults_find(const struct faults *f, const struct uuid *instance);
void faults_clear(struct faults *f);
void faults_fini(struct faults *f);

#endif
