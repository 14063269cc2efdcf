// SPDX-License-Identifier: Apache-2.0
#include "control/node/faults.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void faults_add(struct faults *f, const struct uuid *instance, const char *format, ...)
{
	va_list args;
	if (faults_find(f, instance) != NULL)
		return;
	if (f->fault == NULL || f->count == f->room) {
		unsigned int room = f->room == 0 ? 8 : f->room * 2;
		struct fault *new = reallocarray(f->fault, room, sizeof(*new));
		if (new == NULL)
			return;
		f->fault = new;
		f->room = room;
	}
	struct fault *new = &f->fault[f->count++];
	new->instance = *instance;
	va_start(args, format);
	(void)vsnprintf(new->reason, sizeof(new->reason), format, args);
	va_end(args);
}

const char *faults_find(const struct faults *f, const struct uuid *instance)
{
	for (unsigned int i = 0; i < f->count; i++) {
		if (uuid_equal(&f->fault[i].instance, instance))
			return f->fault[i].reason;
	}
	return NULL;
}

void faults_clear(struct faults *f)
{
	f->count = 0;
}

void faults_fini(struct faults *f)
{
	free(f->fault);
	memset(f, 0, sizeof(*f));
}
