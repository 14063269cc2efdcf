/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_NODE_FAKE_DATAPLANE_H
#define TESTS_UNIT_NODE_FAKE_DATAPLANE_H

#include "dataplane/api/client.h"
#include "dataplane/api/listener.h"
#include "dataplane/api/msg.h"
#include "dataplane/api/peer.h"

#include <pthread.h>

/*
 * The other end of the API socket, in a thread of its own: takes every set and keeps none, lists
 * what it was given. Change its fields only while no call is under way.
 */
struct fake_dataplane {
	int fd;
	pthread_t thread;
	struct dp_client *client; /* connected to it */
	const struct dp_peer_stats *stats; /* borrowed */
	unsigned int stats_count;
	const struct dp_listener *listener; /* borrowed: the one that it lists; NULL: none */
	unsigned int taken[DP_MSG__COUNT]; /* requests by type */
	enum dp_msg_type refused; /* every one of these with refusal: -errno; 0: none */
	int refusal;
};

/* Not to be moved while it runs. */
void fake_dataplane_start(struct fake_dataplane *f);
void fake_dataplane_stop(struct fake_dataplane *f);

#endif
