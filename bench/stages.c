// SPDX-License-Identifier: Apache-2.0
/*
 * The walk of path_run(), taken apart. The stages are the real ones of dataplane/path; only the loop
 * around them is this file's, so that the product has no clock readings in it. It must call what
 * the table in dataplane/path/path.c calls, in that order, which is the order of enum stage.
 */
#include "bench/stages.h"

#include "dataplane/base/clock.h"

#include <assert.h>

#include <rte_cycles.h>

static const struct {
	const char *name;
	void (*run)(struct path *p, struct vector *in);
} stages[STAGES__COUNT] = {
	[STAGE_CLASSIFY] = {"classify", classify},
	[STAGE_REASSEMBLE] = {"reassemble", reassemble},
	[STAGE_HANDOFF] = {"handoff", handoff},
	[STAGE_WG_INPUT] = {"wg_input", wg_input},
	[STAGE_OVPN_INPUT] = {"ovpn_input", ovpn_input},
	[STAGE_SOURCE_CHECK] = {"source_check", source_check},
	[STAGE_ROUTE_LOOKUP] = {"route_lookup", route_lookup},
	[STAGE_ACCESS] = {"access", access_check},
	[STAGE_FORWARD] = {"forward", forward},
	[STAGE_HOST] = {"host", host},
	[STAGE_EGRESS] = {"egress", egress},
	[STAGE_ICMP_ERROR] = {"icmp_error", icmp_error},
	[STAGE_WG_OUTPUT] = {"wg_output", wg_output},
	[STAGE_OVPN_OUTPUT] = {"ovpn_output", ovpn_output},
	[STAGE_UDP_OUTPUT] = {"udp_output", udp_output},
	[STAGE_FRAGMENT] = {"fragment", fragment},
	[STAGE_TO_KEYING] = {"to_keying", to_keying},
	[STAGE_PUNT] = {"punt", punt},
	[STAGE_TX] = {"tx", tx},
	[STAGES_RECEIVE] = {"receive", NULL},
};
static_assert(STAGE__COUNT == 19, "a stage came or went: name it above");

const char *stages_name(unsigned int stage)
{
	return stages[stage].name;
}

void stages_run(struct memory_hub *h, struct rte_mbuf **frames, uint16_t count,
	uint64_t ret_cycles[STAGES__COUNT])
{
	struct path *p = &h->path;
	uint64_t before = rte_rdtsc_precise();
	path_receive(p, 0, frames, count);
	p->now_ns = clock_monotonic_ns();
	uint64_t now = rte_rdtsc_precise();
	ret_cycles[STAGES_RECEIVE] = now - before;
	for (unsigned int s = 0; s < STAGE__COUNT; s++) {
		struct vector *in = &p->vector[s];
		ret_cycles[s] = 0;
		if (in->count == 0)
			continue;
		before = rte_rdtsc_precise();
		stages[s].run(p, in);
		in->count = 0;
		ret_cycles[s] = rte_rdtsc_precise() - before;
	}
	rte_pktmbuf_free_bulk(p->dropped.packet, p->dropped.count);
	p->dropped.count = 0;
	p->packets = 0;
}
