/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_SERVER_STATE_H
#define DATAPLANE_SERVER_STATE_H

#include "dataplane/api/msg.h"
#include "dataplane/base/uuid.h"
#include "dataplane/server/event.h"
#include "dataplane/server/instance_socket.h"
#include "dataplane/server/sync.h"
#include "dataplane/server/watchdog.h"
#include "dataplane/table/port.h"
#include "dataplane/worker/capture.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct connection;
struct host_io;
struct instance;
struct keying;
struct listener;
struct rings;
struct tables;
struct worker;

/* The server as its handlers see it. Server thread only, but for events. */
struct server {
	struct tables *tables;
	struct keying *keying;
	struct host_io *host_io;
	const struct rings *rings;
	struct worker *const *worker; /* borrowed; load.c */
	unsigned int workers;
	int statm_fd; /* memory.c */
	struct watchdog watchdog;
	int listen_fd;
	int epoll_fd;
	struct uuid boot_id;
	uid_t uid; /* our own; the sandbox does not let us ask later */
	gid_t gid;
	struct connection *connections;
	unsigned int connection_count;
	struct sync sync;
	bool has_tap[PORT_MAX];
	uint64_t captured[CAPTURES_MAX]; /* by place: the peer that is marked for it; 0: none */
	struct event_ring events;
	struct instance_sockets uapi, management;
	bool stand_alone; /* wg(8) configures the instances, not a node */
	uint8_t rx[DP_MSG_MAX + 1]; /* one byte more shows a datagram that is too long */
};

/* Unlinks an instance with all that hangs on it (instance.c). */
void server_remove_instance(struct server *s, struct instance *i);
/* Its sessions end (listener.c). -ENOMEM: nothing changed. */
int server_remove_listener(struct server *s, struct listener *l);
/* Root, our own user, or our group if it may: whom the mode of the socket lets in, but also behind
 * a bind mount or after a chmod. Who is not is logged under the socket's name (server.c). */
bool server_is_welcome(const struct server *s, int fd, const char *socket, bool group_too);
/* Takes the mark from peers whose capture has ended (capture.c). */
void captures_sweep(struct server *s);
/* Lets go of all that was unlinked in this turn: one wait for keying, one grace period. */
void server_reclaim(struct server *s);

#endif
