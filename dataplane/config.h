/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_CONFIG_H
#define DATAPLANE_CONFIG_H

#include "dataplane/server/server.h"
#include "dataplane/table/port.h"
#include "dataplane/table/tables.h"

#include <stdbool.h>

enum {
	CONFIG_EAL_MAX = 32,
	CONFIG_ERROR_TEXT = 512,
	CONFIG_INSTANCES_MAX = 64,
};

/* dataplane.conf; strings are owned by the struct. */
struct config {
	char socket[104]; /* fits sockaddr_un */
	char *eal[CONFIG_EAL_MAX];
	unsigned int eal_count;
	unsigned int workers;
	unsigned int worker_lcore[TABLE_MAX_WORKERS]; /* as far as given */
	unsigned int worker_lcores;
	int service_lcore; /* negative: not given */
	unsigned int idle_sleep_us;
	unsigned int packets; /* size of the packet pool */
	bool copy_dscp; /* of inner packets to the outer ones */
	struct {
		char name[PORT_NAME_MAX];
		char *devargs;
		unsigned int queues; /* 0: not given */
		unsigned int mtu; /* 0: not given */
	} port[PORT_MAX];
	unsigned int ports;
	/* with --stand-alone only */
	char uapi_dir[80];
	struct server_instance instance[CONFIG_INSTANCES_MAX];
	unsigned int instances;
};

/*
 * Reads the whole file or refuses it whole: -EINVAL with "FILE:LINE: reason" in error, or -errno
 * of reading it with "FILE: reason".
 */
int config_load(const char *path, struct config *ret, char error[CONFIG_ERROR_TEXT]);
void config_free(struct config *c);

/* The core of a worker (below c->workers), and of all else: what was given, else what the machine
 * has, in turns. */
unsigned int config_worker_core(const struct config *c, unsigned int worker);
unsigned int config_service_core(const struct config *c);
/* The largest MTU that a port was given, at least Ethernet's 1500: so large must packets be. */
unsigned int config_largest_mtu(const struct config *c);

#endif
