// SPDX-License-Identifier: Apache-2.0
#include "dataplane/table/listener.h"

#include "dataplane/table/instance.h"
#include "dataplane/table/tables.h"

#include <errno.h>
#include <stdlib.h>

/* An instance has a handful at most, so its list is enough. */
struct listener *listener_find(const struct tables *t, const struct uuid *id)
{
	for (const struct instance *i = t->instances; i != NULL; i = i->next) {
		for (struct listener *l = i->listeners; l != NULL; l = l->next) {
			if (uuid_equal(&l->id, id))
				return l;
		}
	}
	return NULL;
}

static bool port_is_taken(const struct tables *t, const struct listener *wanted)
{
	if (!wanted->is_tcp)
		return t->listener[wanted->port] != NULL || t->openvpn_port[wanted->port] != NULL;
	for (const struct instance *i = t->instances; i != NULL; i = i->next) {
		for (const struct listener *l = i->listeners; l != NULL; l = l->next) {
			if (l->is_tcp && l->port == wanted->port)
				return true;
		}
	}
	return false;
}

int listener_set(struct tables *t, const struct listener *settings, struct listener **ret)
{
	struct listener *l = listener_find(t, &settings->id);
	if (l != NULL) {
		bool same = l->instance == settings->instance && l->port == settings->port
			&& l->is_tcp == settings->is_tcp;
		*ret = l;
		l->wrap = same ? settings->wrap : l->wrap;
		return same ? 0 : -EBUSY;
	}
	if (port_is_taken(t, settings))
		return -EADDRINUSE;
	l = malloc(sizeof(*l));
	if (l == NULL)
		return -ENOMEM;
	*l = *settings;
	l->next = l->instance->listeners;
	l->instance->listeners = l;
	if (!l->is_tcp)
		atomic_store_explicit(&t->openvpn_port[l->port], l->instance, memory_order_release);
	*ret = l;
	return 0;
}

void listener_del(struct tables *t, struct listener *l)
{
	struct listener **at = &l->instance->listeners;
	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	if (!l->is_tcp)
		atomic_store_explicit(&t->openvpn_port[l->port], NULL, memory_order_release);
	free(l);
}
