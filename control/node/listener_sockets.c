// SPDX-License-Identifier: Apache-2.0
#include "control/node/listener_sockets.h"

#include "dataplane/api/listener.h"
#include "dataplane/api/msg.h"
#include "kernel/tcp_port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct wanting {
	struct dp_listener *listener; /* owned */
	unsigned int count;
};

static int take_listener(void *ctx, const uint8_t *payload, size_t len)
{
	struct wanting *w = ctx;
	struct dp_listener l;
	memcpy(&l, payload, sizeof(l));
	if (l.transport != DP_TRANSPORT_TCP || l.has_socket == 1)
		return 0;
	struct dp_listener *more = reallocarray(w->listener, w->count + 1, sizeof(w->listener[0]));
	if (more == NULL)
		return -ENOMEM;
	w->listener = more;
	w->listener[w->count++] = l;
	return 0;
}

static int give_socket(const struct dp_listener *l, struct dp_client *dp, struct faults *faults)
{
	struct dp_listener_socket_set set = {.id = l->id};
	int fd;
	int err = tcp_port_listen(l->port, &fd);
	if (err == 0) {
		err = dp_client_call(dp, DP_MSG_LISTENER_SOCKET_SET, &set, sizeof(set), fd, NULL);
		(void)close(fd);
	}
	if (err != 0)
		faults_add(faults, &l->instance, "OpenVPN over TCP, port %u: %s", l->port,
			err == -EADDRINUSE ? "another program on this hub has it; stop that one"
					     " (ss -ltnp tells which it is)"
					   : strerrordesc_np(-err));
	return dp_client_is_broken(dp) ? err : 0;
}

int listener_sockets_apply(struct dp_client *dp, struct faults *faults)
{
	struct wanting w = {0};
	int err = dp_client_list(dp, DP_MSG_LISTENER_LIST, NULL, 0, take_listener, &w);
	for (unsigned int n = 0; err == 0 && n < w.count; n++)
		err = give_socket(&w.listener[n], dp, faults);
	free(w.listener);
	return err;
}
