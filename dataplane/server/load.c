// SPDX-License-Identifier: Apache-2.0
#include "dataplane/server/load.h"

#include "dataplane/api/counter.h"
#include "dataplane/server/request.h"
#include "dataplane/server/state.h"
#include "dataplane/table/rings.h"
#include "dataplane/worker/worker.h"

#include <stdio.h>

#include <rte_ring.h>

static int tell(
	struct request *q, const char *of, unsigned int number, const char *what, uint64_t value)
{
	struct dp_counter m = {.value = value};
	(void)snprintf(m.name, sizeof(m.name), "%s%u_%s", of, number, what);
	return request_reply_object(q, &m, sizeof(m));
}

static int list_worker(struct request *q, unsigned int number)
{
	struct worker_load load;
	worker_load(q->server->worker[number], &load);
	int err = tell(q, "worker", number, "busy_ns", load.busy_ns);
	if (err == 0)
		err = tell(q, "worker", number, "idle_ns", load.idle_ns);
	if (err == 0)
		err = tell(q, "worker", number, "longest_round_ns_now", load.longest_ns);
	if (err == 0)
		err = tell(q, "worker", number, "inject_ring_now", load.inject_depth);
	return err == 0 ? tell(q, "worker", number, "handoff_ring_now", load.handoff_depth) : err;
}

int load_list(struct request *q)
{
	const struct rings *r = q->server->rings;
	const struct dp_counter rings[] = {
		{"keying_ring_now", rte_ring_count(r->keying)},
		{"host_ring_now", rte_ring_count(r->host)},
	};
	int err = 0;
	for (unsigned int w = 0; err == 0 && w < q->server->workers; w++)
		err = list_worker(q, w);
	for (unsigned int i = 0; err == 0 && i < sizeof(rings) / sizeof(rings[0]); i++)
		err = request_reply_object(q, &rings[i], sizeof(rings[i]));
	return err;
}
