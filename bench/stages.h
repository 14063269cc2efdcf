/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_STAGES_H
#define BENCH_STAGES_H

#include "bench/memory_hub.h"

enum {
	STAGES_RECEIVE = STAGE__COUNT, /* path_receive(), which is before all stages */
	STAGES__COUNT,
};

/*
 * Runs the path over these frames as memory_hub_run() does, with a reading of the clock between
 * stages: TSC cycles of each for the whole vector, 0 where nothing came by.
 */
void stages_run(struct memory_hub *h, struct rte_mbuf **frames, uint16_t count,
	uint64_t ret_cycles[STAGES__COUNT]);
/* "wg_input", "receive"; static storage. */
const char *stages_name(unsigned int stage);

#endif
