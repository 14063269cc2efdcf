/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_TABLE_LISTENER_H
#define DATAPLANE_TABLE_LISTENER_H

#include "dataplane/base/uuid.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct instance;
struct tables;

/*
 * Where an instance speaks OpenVPN. Workers see only which instance a UDP port belongs to; how it is
 * spoken is keying's (keying/listener.c). Server thread only, but for what is marked.
 */
struct listener {
	struct uuid id;
	struct instance *instance;
	uint16_t port; /* host byte order */
	bool is_tcp;
	uint8_t wrap; /* enum wrap_mode; told, not used */
	bool has_socket; /* server/listener.c */
	uint32_t sync_stamp; /* server/sync.c */
	struct listener *next; /* of the instance */
};

/*
 * Creates, or finds the one of that id. -EBUSY: it lives with another instance, transport or port;
 * -EADDRINUSE: the port is another's, or WireGuard's; -ENOMEM.
 */
int listener_set(struct tables *t, const struct listener *settings, struct listener **ret);
struct listener *listener_find(const struct tables *t, const struct uuid *id);
/* No packet finds it any more; frees it: nobody else has a pointer. */
void listener_del(struct tables *t, struct listener *l);

/* Worker. The instance that speaks OpenVPN on that UDP port (host byte order), or NULL. */
static inline struct instance *listener_instance(
	_Atomic(struct instance *) *openvpn_port, uint16_t port)
{
	return atomic_load_explicit(&openvpn_port[port], memory_order_acquire);
}

#endif
