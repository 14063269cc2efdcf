/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_SERVER_SERVER_H
#define DATAPLANE_SERVER_SERVER_H

#include "dataplane/base/ip.h"

#include <stdint.h>

struct host_io;
struct keying;
struct keying_event;
struct rings;
struct worker;
struct server;
struct tables;

/*
 * The API socket of the dataplane (dataplane/api says what is spoken there). It lives in the main
 * thread, which is the one writer of instances, peers, routes and the underlay.
 *
 * Order: server_new, keying_start with server_event, host_io_start, server_attach, server_run;
 * backwards: keying_stop, server_free.
 */

/*
 * Listens on path, mode 0660. -EADDRINUSE: somebody answers there; a socket where nobody does is
 * replaced. The socket file stays behind at the end: by then the process may not touch files.
 */
int server_new(const char *path, struct tables *tables, struct server **ret_server);
/* Accepts NULL. */
void server_free(struct server *server);
/* What the requests act on and tell of (of workers: their load); all outlive the last server_run. */
void server_attach(struct server *server, struct keying *keying, struct host_io *host_io,
	const struct rings *rings, struct worker *const *worker, unsigned int workers);
/* An instance that wg(8) configures. */
struct server_instance {
	uint32_t number; /* the N of naveN */
	uint16_t mtu;
	struct ip_prefix address4, address6; /* the hub's own inside; zero: none */
};

/*
 * After server_attach(), before the sandbox: there is no node that tells instances; these are all,
 * each with its socket naveN.sock in uapi_dir. 0 or -errno.
 */
int server_stand_alone(struct server *server, const char *uapi_dir,
	const struct server_instance *instance, unsigned int count);
/* Serves until stop_fd is readable: 0, or -errno of epoll. */
int server_run(struct server *server, int stop_fd);

/* struct keying_config's event, ctx is the server. Keying thread; never waits. */
void server_event(void *server, const struct keying_event *event);

#endif
