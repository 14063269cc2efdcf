// SPDX-License-Identifier: Apache-2.0
#include "dataplane/table/counter.h"

#include "dataplane/api/counter.h"
#include "dataplane/server/load.h"
#include "dataplane/server/memory.h"
#include "dataplane/server/request.h"
#include "dataplane/server/state.h"
#include "dataplane/table/tables.h"

#include <string.h>

static int list_stalls(struct request *q)
{
	struct dp_counter m = {"worker_stalls", q->server->watchdog.stalls};
	return request_reply_object(q, &m, sizeof(m));
}

int serve_counter_list(struct request *q)
{
	for (enum counter which = 0; which < COUNTER__COUNT; which++) {
		struct dp_counter m = {
			.value = counter_registry_sum(&q->server->tables->counters, which)};
		const char *name = counter_name(which);
		memcpy(m.name, name, strnlen(name, sizeof(m.name) - 1));
		int err = request_reply_object(q, &m, sizeof(m));
		if (err != 0)
			return err;
	}
	int err = list_stalls(q);
	if (err == 0)
		err = load_list(q);
	return err == 0 ? memory_list(q) : err;
}
