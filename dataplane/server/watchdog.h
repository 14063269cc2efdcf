/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_SERVER_WATCHDOG_H
#define DATAPLANE_SERVER_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

struct tables;

enum {
	WATCHDOG_TICK_MS = 500,
	WATCHDOG_STALL_MS = 2000, /* a worker's round takes microseconds */
};

/*
 * Sees a worker that has stopped going its rounds, and tells a supervisor that all is well (the protocol
 * of sd_notify(3), NOTIFY_SOCKET and WATCHDOG_USEC) for as long as it is. Server thread.
 */
struct watchdog {
	int notify_fd; /* -1: nobody wants to know */
	bool feeds; /* the supervisor waits for signs of life */
	uint64_t token, since_ns; /* of the grace period that is watched */
	uint64_t fed_ns; /* when the supervisor last heard of us */
	bool stalled;
	uint64_t stalls;
};

/* Reads the environment and opens the socket: before the sandbox. */
void watchdog_init(struct watchdog *w);
void watchdog_fini(struct watchdog *w);
void watchdog_ready(struct watchdog *w);
/* At least every WATCHDOG_TICK_MS. */
void watchdog_tick(struct watchdog *w, const struct tables *t, uint64_t now_ns);

#endif
