// SPDX-License-Identifier: Apache-2.0
#include "control/node/listener_ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_wanted(const struct objects *wanted, uint16_t port)
{
	for (unsigned int i = 0; i < wanted->listeners; i++) {
		const struct dp_listener_set *w = wanted->listener[i];
		if (w->transport == DP_TRANSPORT_UDP && w->port == port)
			return true;
	}
	return false;
}

static bool is_held(const struct listener_ports *l, uint16_t port)
{
	for (unsigned int i = 0; i < l->count; i++) {
		if (l->port[i].port == port)
			return true;
	}
	return false;
}

void listener_ports_release(struct listener_ports *l, const struct objects *wanted)
{
	unsigned int kept = 0;
	for (unsigned int i = 0; i < l->count; i++) {
		if (is_wanted(wanted, l->port[i].port))
			l->port[kept++] = l->port[i];
		else
			udp_port_release(&l->port[i].held);
	}
	l->count = kept;
}

int listener_ports_hold(
	struct listener_ports *l, const struct objects *wanted, struct faults *faults)
{
	struct listener_port *new =
		reallocarray(l->port, l->count + wanted->listeners + 1, sizeof(*new));
	if (new == NULL)
		return -ENOMEM;
	l->port = new;
	for (unsigned int i = 0; i < wanted->listeners; i++) {
		const struct dp_listener_set *w = wanted->listener[i];
		if (w->transport != DP_TRANSPORT_UDP || is_held(l, w->port))
			continue;
		struct listener_port *p = &l->port[l->count];
		p->port = w->port;
		int err = udp_port_hold(&p->held, w->port);
		if (err == 0)
			l->count++;
		else
			faults_add(faults, &w->instance, "UDP port %u: %s", (unsigned int)w->port,
				err == -EADDRINUSE ? "another program on this hub has it; stop that"
						     " one (ss -lunp tells which it is)"
						   : strerrordesc_np(-err));
	}
	return 0;
}

void listener_ports_fini(struct listener_ports *l)
{
	for (unsigned int i = 0; i < l->count; i++)
		udp_port_release(&l->port[i].held);
	free(l->port);
	memset(l, 0, sizeof(*l));
}
