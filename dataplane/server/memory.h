/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_SERVER_MEMORY_H
#define DATAPLANE_SERVER_MEMORY_H

struct request;
struct server;

/* What the process holds, for operators: a log line, and gauges of COUNTER_LIST. Server thread. */

/* A descriptor that the sandbox lets us read later; -1: then the use of memory is told as 0. */
int memory_open(void);
void memory_log(const struct server *s);
/* Queues the gauges. 0 or -errno: then the list ends there. */
int memory_list(struct request *q);

#endif
