// SPDX-License-Identifier: Apache-2.0
/*
 * Tables are reserved for the most that there may be and touched as they fill, so what is reserved says
 * little: what the process really uses is asked of the kernel, by a file that was opened before the
 * sandbox was entered. What the objects of peers, routes and sessions take of it is counted
 * (struct tables_use).
 */
#include "dataplane/server/memory.h"

#include "dataplane/api/counter.h"
#include "dataplane/base/log.h"
#include "dataplane/server/request.h"
#include "dataplane/server/state.h"
#include "dataplane/table/rings.h"
#include "dataplane/table/tables.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_mempool.h>

#define MIB (1024.0 * 1024.0)

int memory_open(void)
{
	return open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
}

/* The second number of the file: pages that are resident. */
static uint64_t used_bytes(int fd)
{
	char line[128] = "";
	if (fd < 0 || lseek(fd, 0, SEEK_SET) != 0 || read(fd, line, sizeof(line) - 1) <= 0)
		return 0;
	const char *resident = strchr(line, ' ');
	return resident != NULL ? strtoull(resident, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE)
				: 0;
}

void memory_log(const struct server *s)
{
	struct tables_use use;
	tables_use(s->tables, &use);
	log_info("tables: %llu peers, %llu routes; %.1f MiB reserved, %.1f MiB used",
		(unsigned long long)use.peers, (unsigned long long)use.routes,
		(double)use.reserved_bytes / MIB, (double)used_bytes(s->statm_fd) / MIB);
}

static uint64_t packets_bytes(const struct rte_mempool *pool)
{
	uint64_t each = pool->header_size + pool->elt_size + pool->trailer_size;
	return pool->populated_size * each;
}

int memory_list(struct request *q)
{
	const struct server *s = q->server;
	const struct rte_mempool *pool = s->rings->pool;
	struct tables_use use;
	tables_use(s->tables, &use);
	const struct dp_counter gauges[] = {
		{"instances_now", use.instances},
		{"peers_now", use.peers},
		{"routes_now", use.routes},
		{"sessions_now", use.sessions},
		{"packets_free_now", rte_mempool_avail_count(pool)},
		{"memory_peers_bytes_now", use.peers_bytes},
		{"memory_routes_bytes_now", use.routes_bytes},
		{"memory_sessions_bytes_now", use.sessions_bytes},
		{"memory_packets_bytes_now", packets_bytes(pool)},
		{"memory_reserved_bytes_now", use.reserved_bytes},
		{"memory_used_bytes_now", used_bytes(s->statm_fd)},
	};
	int err = 0;
	for (size_t i = 0; err == 0 && i < sizeof(gauges) / sizeof(gauges[0]); i++)
		err = request_reply_object(q, &gauges[i], sizeof(gauges[i]));
	return err;
}
